/*
 * The registry on a real folder: the lock, hostile names and files, damage and how it is told, layers, logs. What may
 * fail on the way is in test_store_faults.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "hostd/store.h"
#include "scratch.h"

static const struct store_identity identity = { "Example CPU, flags 0123", "none", "0.1.0", 512,
	2 };
static struct store *store;
static struct store_session *session;
static char message[STORE_TEXT_MAX];

static int setup(void **state)
{
	(void)state;
	scratch_make();
	assert_int_equal(store_open(scratch_path("st/ate"), NULL, NULL, &store, message), 0);
	assert_int_equal(store_session_open(store, "alice", true, &session, message), 0);
	assert_int_equal(store_session_update(session, true, 3), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	store_session_close(session);
	store_close(store);
	scratch_remove();
	return 0;
}

static void reopen(void)
{
	store_session_close(session);
	session = NULL;
	if (store_session_open(store, "alice", false, &session, message)) {
		fail_msg("%s", message);
	}
}

static void fill(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

static void save(uint64_t number, uint64_t base, bool complete)
{
	struct store_files files;

	assert_int_equal(store_generation_create(session, number, 0, &files), 0);
	fill(files.state, "the state");
	fill(files.ram, "the memory");
	fill(files.frame, "the frame");
	assert_int_equal(
	    store_generation_commit(session, number, base, complete, &identity, 1795462074000000),
	    0);
}

static int load(uint64_t number, size_t *layer_count)
{
	struct store_generation generation;
	int state, layers[CATALOGUE_LAYERS_MAX];
	int error = store_generation_open(
	    session, number, &generation, &state, layers, layer_count, message);

	if (!error) {
		close(state);
		for (size_t i = 0; i < *layer_count; i++) {
			close(layers[i]);
		}
	} else {
		assert_int_equal(state, -1);
		assert_int_equal(*layer_count, 0);
	}
	return error;
}

static uint64_t restorable(void)
{
	return catalogue_restorable(store_session_catalogue(session), NULL);
}

static const char *in_session(const char *name)
{
	return scratch_path("st/ate/sessions/alice/%s", name);
}

/* --- the state folder --------------------------------------------------------------------------------------------- */

static void test_second_daemon(void **state)
{
	struct store *second = NULL;
	char pid[32];
	pid_t child;
	int status;

	(void)state;
	assert_int_equal(store_open(scratch_path("st/ate"), NULL, NULL, &second, message), -EBUSY);
	snprintf(pid, sizeof(pid), "(pid %d)", (int)getpid());
	assert_non_null(strstr(message, "another daemon"));
	assert_non_null(strstr(message, pid));
	assert_non_null(strstr(message, "st/ate"));
	/* Not through another process either. */
	child = fork();
	if (!child) {
		_exit(store_open(scratch_path("st/ate"), NULL, NULL, &second, message) == -EBUSY
			  ? 0
			  : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	/* The lock goes with the daemon, also with one that was killed; a stale file does not matter. */
	store_session_close(session);
	session = NULL;
	store_close(store);
	store = NULL;
	child = fork();
	if (!child) {
		_exit(store_open(scratch_path("st/ate"), NULL, NULL, &second, message) ? 1 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(store_open(scratch_path("st/ate"), NULL, NULL, &store, message), 0);
	assert_string_equal(message, "");
}

static void test_bad_folders(void **state)
{
	struct store *other = NULL;

	(void)state;
	scratch_write(scratch_path("file"), "");
	assert_true(store_open(scratch_path("file"), NULL, NULL, &other, message) < 0);
	assert_non_null(strstr(message, "file: the state folder cannot be used"));
	assert_int_equal(mkdir(scratch_path("open"), 0777), 0);
	assert_int_equal(chmod(scratch_path("open"), 0777), 0);
	assert_int_equal(store_open(scratch_path("open"), NULL, NULL, &other, message), -EPERM);
	assert_non_null(strstr(message, "chmod go-w"));
	/* A lock that leads elsewhere. */
	assert_int_equal(mkdir(scratch_path("trap"), 0700), 0);
	scratch_write(scratch_path("victim"), "precious");
	assert_int_equal(symlink("../victim", scratch_path("trap/lock")), 0);
	assert_true(store_open(scratch_path("trap"), NULL, NULL, &other, message) < 0);
	assert_int_equal(mkdir(scratch_path("trap2"), 0700), 0);
	assert_int_equal(symlink("..", scratch_path("trap2/sessions")), 0);
	assert_true(store_open(scratch_path("trap2"), NULL, NULL, &other, message) < 0);
}

static void test_users(void **state)
{
	static const char *const hostile[] = { "", ".", "..", "../x", "/etc", "a/b", "-x", ".ssh",
		"a b", "a\nb" };
	struct store_session *other = NULL;
	char **users;
	size_t count;

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		assert_int_equal(
		    store_session_open(store, hostile[i], true, &other, message), -EINVAL);
	}
	assert_int_equal(store_session_open(store, "bob", false, &other, message), -ENOENT);
	assert_int_equal(store_session_open(store, "bob", true, &other, message), 0);
	store_session_close(other);
	assert_int_equal(mkdir(scratch_path("st/ate/sessions/.odd"), 0700), 0);
	assert_int_equal(store_list_users(store, &users, &count), 0);
	assert_int_equal(count, 2);
	assert_string_equal(users[0], "alice");
	assert_string_equal(users[1], "bob");
	store_free_users(users, count);
	/* A folder that leads elsewhere is nobody's. */
	assert_int_equal(symlink("alice", scratch_path("st/ate/sessions/mallory")), 0);
	assert_true(store_session_open(store, "mallory", true, &other, message) < 0);
}

static void test_session_manifest(void **state)
{
	struct store_session *other;
	char *text;

	(void)state;
	reopen();
	assert_string_equal(store_session_info(session)->user, "alice");
	assert_int_equal(store_session_info(session)->resumes, 3);
	assert_true(store_session_info(session)->running);
	text = scratch_read(in_session("manifest.json"));
	assert_non_null(strstr(text, "\"user\": \"alice\""));
	/* Damaged: set aside, said, begun anew; the snapshots do not depend on it. */
	save(1, 0, true);
	scratch_write(in_session("manifest.json"), "{ \"format\": 1, \"user\": \"al");
	reopen();
	assert_non_null(strstr(message, "is damaged"));
	assert_int_equal(restorable(), 1);
	assert_int_equal(store_session_info(session)->resumes, 0);
	assert_int_equal(access(in_session("manifest.json.damaged"), F_OK), 0);
	/* Another user's, in the wrong place. */
	assert_int_equal(store_session_open(store, "bob", true, &other, message), 0);
	store_session_close(other);
	scratch_write(scratch_path("st/ate/sessions/bob/manifest.json"), text);
	assert_int_equal(store_session_open(store, "bob", true, &other, message), 0);
	assert_non_null(strstr(message, "another user"));
	assert_string_equal(store_session_info(other)->user, "bob");
	store_session_close(other);
	free(text);
	/* A newer version's is left alone. */
	scratch_write(scratch_path("st/ate/sessions/bob/manifest.json"), "{\"format\": 2}");
	assert_int_equal(store_session_open(store, "bob", true, &other, message), -EXDEV);
	assert_non_null(strstr(message, "newer version"));
	assert_int_equal(access(scratch_path("st/ate/sessions/bob/manifest.json"), F_OK), 0);
}

/* --- generations -------------------------------------------------------------------------------------------------- */

static void test_chain(void **state)
{
	struct store_generation generation;
	uint64_t bytes;
	size_t count;

	(void)state;
	save(1, 0, false);
	assert_int_equal(restorable(), 1);
	assert_int_equal(store_generation_consume(session, 1), 0);
	assert_int_equal(store_generation_consume(session, 1), 0);
	assert_int_equal(restorable(), 0);
	save(2, 1, false);
	assert_int_equal(load(2, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(store_session_prune(session, 1, 0), 0); /* 1 is a layer of 2 */
	assert_int_equal(load(2, &count), 0);
	assert_int_equal(store_generation_consume(session, 2), 0);
	save(3, 2, true);
	reopen();
	assert_int_equal(restorable(), 3);
	assert_int_equal(store_session_usage(session, &bytes), 0);
	assert_int_equal(store_session_prune(session, 1, 0), 0);
	assert_int_equal(store_session_catalogue(session)->count, 1);
	assert_int_equal(access(in_session("gen.1"), F_OK), -1);
	assert_int_equal(access(in_session("gen.2"), F_OK), -1);
	assert_int_equal(store_generation_read(session, 3, &generation, message), 0);
	assert_int_equal(generation.base, 2);
	assert_int_equal(generation.ram_bytes, 10);
	assert_int_equal(generation.created_us, 1795462074000000);
	assert_string_equal(generation.identity.cpu, identity.cpu);
	assert_int_equal(store_generation_read(session, 2, &generation, message), -ENOENT);
}

static void test_numbers(void **state)
{
	struct store_files files;

	(void)state;
	save(5, 0, true);
	assert_int_equal(store_generation_create(session, 5, 0, &files), -EEXIST);
	assert_int_equal(store_generation_create(session, 4, 0, &files), -EEXIST);
	assert_int_equal(store_generation_commit(session, 6, 0, true, &identity, 0), -ENOENT);
	assert_int_equal(store_generation_create(session, 6, 0, &files), 0);
	close(files.state);
	close(files.ram);
	close(files.frame);
	/* A base that is not there, in one that needs it. */
	assert_int_equal(store_generation_commit(session, 6, 3, false, &identity, 0), -ENOENT);
	assert_int_equal(restorable(), 5);
	assert_int_equal(store_generation_discard(session, 6), 0);
	assert_int_equal(store_generation_discard(session, 6), 0);
	assert_int_equal(store_generation_consume(session, 6), -ENOENT);
}

static void test_no_room(void **state)
{
	struct store_files files;

	(void)state;
	/* More than any disk has. */
	assert_int_equal(store_generation_create(session, 1, UINT64_MAX, &files), -ENOSPC);
	assert_true(store_generation_create(session, 1, UINT64_C(1) << 60, &files) < 0);
	assert_int_equal(files.state, -1);
	assert_int_equal(store_session_catalogue(session)->count, 0);
	assert_int_equal(access(in_session("gen.1.tmp"), F_OK), -1);
	assert_int_equal(access(in_session("reserve.tmp"), F_OK), -1);
	assert_int_equal(store_generation_create(session, 1, 65536, &files), 0);
	close(files.state);
	close(files.ram);
	close(files.frame);
}

static void test_sweep(void **state)
{
	struct store_files files;

	(void)state;
	save(1, 0, true);
	assert_int_equal(store_generation_create(session, 2, 0, &files), 0);
	fill(files.state, "half");
	close(files.ram);
	close(files.frame);
	reopen();
	assert_int_equal(store_session_catalogue(session)->count, 2);
	assert_int_equal(restorable(), 1);
	assert_int_equal(store_session_sweep(session), 0);
	assert_int_equal(store_session_catalogue(session)->count, 1);
	assert_int_equal(access(in_session("gen.2.tmp"), F_OK), -1);
	/* What is not ours is neither followed nor deleted. */
	assert_int_equal(mkdir(in_session("gen.3.tmp"), 0700), 0);
	assert_int_equal(mkdir(in_session("gen.3.tmp/folder"), 0700), 0);
	scratch_write(in_session("gen.3.tmp/folder/precious"), "x");
	reopen();
	assert_int_equal(store_session_sweep(session), -ENOTEMPTY);
	assert_int_equal(access(in_session("gen.3.tmp/folder/precious"), F_OK), 0);
}

static void test_boot_gives_up_snapshots(void **state)
{
	(void)state;
	save(1, 0, true);
	assert_int_equal(store_session_update(session, false, 0), 0);
	assert_int_equal(restorable(), 1);
	assert_int_equal(store_session_update(session, true, 0), 0);
	assert_int_equal(restorable(), 0);
	reopen();
	assert_int_equal(restorable(), 0);
	/* One of a newer version too: this one cannot read it, the newer one must not resume it later. */
	save(2, 0, true);
	scratch_write(in_session("gen.2/manifest.json"), "{\"format\": 7}");
	reopen();
	assert_int_equal(restorable(), 0);
	assert_int_equal(access(in_session("gen.2/consumed"), F_OK), -1);
	assert_int_equal(store_session_update(session, true, 0), 0);
	assert_int_equal(access(in_session("gen.2/consumed"), F_OK), 0);
}

/* --- damage ------------------------------------------------------------------------------------------------------- */

static void flip(const char *path, off_t offset, unsigned char bit)
{
	int fd = open(path, O_RDWR);
	unsigned char byte;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, offset), 1);
	byte ^= bit;
	assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
	close(fd);
}

static void test_bit_flips(void **state)
{
	struct stat status;
	size_t count;
	int frame;

	(void)state;
	save(1, 0, true);
	for (off_t at = 0; at < 9; at++) {
		flip(in_session("gen.1/state"), at, 0x10);
		assert_int_equal(load(1, &count), -EBADMSG);
		assert_string_equal(message, "gen.1/state: its checksum is wrong");
		flip(in_session("gen.1/state"), at, 0x10);
		flip(in_session("gen.1/frame"), at, 0x01);
		assert_int_equal(store_frame_open(session, &frame), -EBADMSG);
		flip(in_session("gen.1/frame"), at, 0x01);
	}
	assert_int_equal(load(1, &count), 0);
	assert_int_equal(store_frame_open(session, &frame), 0);
	close(frame);
	/* The manifest: found, or in what does not matter for loading (the time, for people). Never a crash. */
	assert_int_equal(stat(in_session("gen.1/manifest.json"), &status), 0);
	for (off_t at = 0; at < status.st_size; at++) {
		for (int bit = 1; bit < 256; bit <<= 1) {
			struct store_generation generation;

			flip(in_session("gen.1/manifest.json"), at, (unsigned char)bit);
			(void)!store_generation_read(session, 1, &generation, message);
			(void)!load(1, &count);
			flip(in_session("gen.1/manifest.json"), at, (unsigned char)bit);
		}
	}
	assert_int_equal(load(1, &count), 0);
}

static void test_missing_parts(void **state)
{
	const char *reason;
	size_t count;

	(void)state;
	save(1, 0, false);
	assert_int_equal(store_generation_consume(session, 1), 0);
	save(2, 1, false);
	assert_int_equal(truncate(in_session("gen.1/ram"), 9), 0);
	assert_int_equal(load(2, &count), -EBADMSG);
	assert_string_equal(message, "gen.1/ram: 9 bytes instead of 10");
	scratch_write(in_session("gen.1/ram"), "the memory");
	assert_int_equal(load(2, &count), 0);
	unlink(in_session("gen.2/state"));
	assert_int_equal(load(2, &count), -EBADMSG);
	assert_int_equal(symlink("../gen.1/state", in_session("gen.2/state")), 0);
	assert_int_equal(load(2, &count), -EBADMSG);
	unlink(in_session("gen.2/state"));
	assert_int_equal(mkfifo(in_session("gen.2/state"), 0600), 0);
	assert_int_equal(load(2, &count), -EBADMSG);
	unlink(in_session("gen.2/manifest.json"));
	assert_int_equal(load(2, &count), -EBADMSG);
	reopen();
	assert_int_equal(catalogue_restorable(store_session_catalogue(session), &reason), 0);
	assert_non_null(strstr(reason, "cannot be read"));
	/* Nothing is deleted on the strength of a manifest that cannot be read. */
	assert_int_equal(store_session_prune(session, 1, 0), 0);
	assert_int_equal(access(in_session("gen.1/ram"), F_OK), 0);
}

static void test_renamed_by_hand(void **state)
{
	struct store_generation generation;

	(void)state;
	save(1, 0, true);
	assert_int_equal(rename(in_session("gen.1"), in_session("gen.4")), 0);
	reopen();
	assert_int_equal(restorable(), 0);
	assert_int_equal(store_generation_read(session, 4, &generation, message), -EBADMSG);
	assert_non_null(strstr(message, "generation 1's"));
	assert_int_equal(rename(in_session("gen.4"), in_session("gen.1")), 0);
	reopen();
	assert_int_equal(restorable(), 1);
	/* A link to a folder is no folder. */
	assert_int_equal(rename(in_session("gen.1"), in_session("moved")), 0);
	assert_int_equal(symlink("moved", in_session("gen.1")), 0);
	reopen();
	assert_int_equal(restorable(), 0);
}

static void test_set_aside(void **state)
{
	(void)state;
	save(1, 0, true);
	assert_int_equal(mkdir(in_session("gen.1.damaged"), 0700), 0);
	assert_int_equal(mkdir(in_session("gen.1.damaged.1"), 0700), 0);
	assert_int_equal(store_generation_set_aside(session, 1), 0);
	assert_int_equal(access(in_session("gen.1.damaged.2/ram"), F_OK), 0);
	assert_int_equal(restorable(), 0);
	reopen();
	assert_int_equal(catalogue_next(store_session_catalogue(session)), 2);
	save(2, 0, true);
	assert_int_equal(store_session_prune(session, 1, 0), 0);
	assert_int_equal(access(in_session("gen.1.damaged.2/ram"), F_OK), 0);
	assert_int_equal(store_generation_set_aside(session, 9), -ENOENT);
}

static void test_foreign(void **state)
{
	struct store_generation generation;
	struct store_identity here = identity;

	(void)state;
	save(1, 0, true);
	assert_int_equal(store_generation_read(session, 1, &generation, message), 0);
	strcpy(here.version, "9.9"); /* a newer daemon reads it all the same */
	assert_int_equal(store_generation_fits(&generation, &here, message), 0);
	strcpy(here.cpu, "Other CPU");
	assert_int_equal(store_generation_fits(&generation, &here, message), -EXDEV);
	assert_non_null(strstr(message, "another CPU"));
	assert_non_null(strstr(message, "Other CPU"));
	here = identity;
	strcpy(here.disk, "uuid");
	assert_int_equal(store_generation_fits(&generation, &here, message), -EXDEV);
	assert_non_null(strstr(message, "other disks"));
	here = identity;
	here.memory_mib = 1024;
	assert_int_equal(store_generation_fits(&generation, &here, message), -EXDEV);
	assert_non_null(strstr(message, "512 MiB"));
	assert_int_equal(restorable(), 1);
}

static void test_many(void **state)
{
	(void)state;
	/* Any number of damaged ones, and names that mean nothing. */
	for (int i = 1; i <= 200; i++) {
		char name[64];

		snprintf(name, sizeof(name), "gen.%d.damaged", i);
		assert_int_equal(mkdir(in_session(name), 0700), 0);
		snprintf(name, sizeof(name), "gen.%d.x", i);
		assert_int_equal(mkdir(in_session(name), 0700), 0);
	}
	scratch_write(in_session("gen.7"), "a file");
	reopen();
	assert_int_equal(restorable(), 0);
}

static void test_logs(void **state)
{
	char text[16] = "";
	int fd;

	(void)state;
	assert_int_equal(store_session_log(session, STORE_LOG_EVENTS, false, &fd), -ENOENT);
	assert_int_equal(store_session_log(session, STORE_LOG_EVENTS, true, &fd), 0);
	fill(fd, "one\n");
	assert_int_equal(store_session_log(session, STORE_LOG_EVENTS, true, &fd), 0);
	fill(fd, "two\n");
	assert_int_equal(store_session_log(session, STORE_LOG_EVENTS, false, &fd), 0);
	assert_int_equal(read(fd, text, sizeof(text)), 8);
	assert_string_equal(text, "one\ntwo\n");
	assert_int_equal(write(fd, "x", 1), -1);
	close(fd);
	assert_int_equal(symlink("manifest.json", in_session("console.log")), 0);
	assert_true(store_session_log(session, STORE_LOG_CONSOLE, true, &fd) < 0);
	assert_true(store_session_log(session, STORE_LOG_CONSOLE, false, &fd) < 0);
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_second_daemon),
		STORE_TEST(test_bad_folders),
		STORE_TEST(test_users),
		STORE_TEST(test_session_manifest),
		STORE_TEST(test_chain),
		STORE_TEST(test_numbers),
		STORE_TEST(test_no_room),
		STORE_TEST(test_sweep),
		STORE_TEST(test_boot_gives_up_snapshots),
		STORE_TEST(test_bit_flips),
		STORE_TEST(test_missing_parts),
		STORE_TEST(test_renamed_by_hand),
		STORE_TEST(test_set_aside),
		STORE_TEST(test_foreign),
		STORE_TEST(test_many),
		STORE_TEST(test_logs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
