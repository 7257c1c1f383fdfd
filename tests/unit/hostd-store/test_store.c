/*
 * The registry on a real folder: the lock, hostile names, chains of layers, no room, what is swept, logs. What may fail
 * on the way is in test_store_faults.c, damage in test_store_damage.c.
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

#include "scratch.h"

#include "store_fixture.h"

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
	store_reopen();
	assert_string_equal(store_session_info(session)->user, "alice");
	assert_int_equal(store_session_info(session)->resumes, 3);
	assert_true(store_session_info(session)->running);
	text = scratch_read(store_path("manifest.json"));
	assert_non_null(strstr(text, "\"user\": \"alice\""));
	/* Damaged: set aside, said, begun anew; the snapshots do not depend on it. */
	store_save(1, 0, true);
	scratch_write(store_path("manifest.json"), "{ \"format\": 1, \"user\": \"al");
	store_reopen();
	assert_non_null(strstr(message, "is damaged"));
	assert_int_equal(store_restorable(), 1);
	assert_int_equal(store_session_info(session)->resumes, 0);
	assert_int_equal(access(store_path("manifest.json.damaged"), F_OK), 0);
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
	store_save(1, 0, false);
	assert_int_equal(store_restorable(), 1);
	assert_int_equal(store_generation_consume(session, 1), 0);
	assert_int_equal(store_generation_consume(session, 1), 0);
	assert_int_equal(store_restorable(), 0);
	store_save(2, 1, false);
	assert_int_equal(store_load(2, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(store_session_prune(session, 1, 0), 0); /* 1 is a layer of 2 */
	assert_int_equal(store_load(2, &count), 0);
	assert_int_equal(store_generation_consume(session, 2), 0);
	store_save(3, 2, true);
	store_reopen();
	assert_int_equal(store_restorable(), 3);
	assert_int_equal(store_session_usage(session, &bytes), 0);
	assert_int_equal(store_session_prune(session, 1, 0), 0);
	assert_int_equal(store_session_catalogue(session)->count, 1);
	assert_int_equal(access(store_path("gen.1"), F_OK), -1);
	assert_int_equal(access(store_path("gen.2"), F_OK), -1);
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
	store_save(5, 0, true);
	assert_int_equal(store_generation_create(session, 5, 0, &files), -EEXIST);
	assert_int_equal(store_generation_create(session, 4, 0, &files), -EEXIST);
	assert_int_equal(store_generation_commit(session, 6, 0, true, &identity, 0), -ENOENT);
	assert_int_equal(store_generation_create(session, 6, 0, &files), 0);
	close(files.state);
	close(files.ram);
	close(files.frame);
	/* A base that is not there, in one that needs it. */
	assert_int_equal(store_generation_commit(session, 6, 3, false, &identity, 0), -ENOENT);
	assert_int_equal(store_restorable(), 5);
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
	assert_int_equal(access(store_path("gen.1.tmp"), F_OK), -1);
	assert_int_equal(access(store_path("reserve.tmp"), F_OK), -1);
	assert_int_equal(store_generation_create(session, 1, 65536, &files), 0);
	close(files.state);
	close(files.ram);
	close(files.frame);
}

static void test_sweep(void **state)
{
	struct store_files files;

	(void)state;
	store_save(1, 0, true);
	assert_int_equal(store_generation_create(session, 2, 0, &files), 0);
	store_fill(files.state, "half");
	close(files.ram);
	close(files.frame);
	store_reopen();
	assert_int_equal(store_session_catalogue(session)->count, 2);
	assert_int_equal(store_restorable(), 1);
	assert_int_equal(store_session_sweep(session), 0);
	assert_int_equal(store_session_catalogue(session)->count, 1);
	assert_int_equal(access(store_path("gen.2.tmp"), F_OK), -1);
	/* What is not ours is neither followed nor deleted. */
	assert_int_equal(mkdir(store_path("gen.3.tmp"), 0700), 0);
	assert_int_equal(mkdir(store_path("gen.3.tmp/folder"), 0700), 0);
	scratch_write(store_path("gen.3.tmp/folder/precious"), "x");
	store_reopen();
	assert_int_equal(store_session_sweep(session), -ENOTEMPTY);
	assert_int_equal(access(store_path("gen.3.tmp/folder/precious"), F_OK), 0);
}

static void test_boot_gives_up_snapshots(void **state)
{
	(void)state;
	store_save(1, 0, true);
	assert_int_equal(store_session_update(session, false, 0), 0);
	assert_int_equal(store_restorable(), 1);
	assert_int_equal(store_session_update(session, true, 0), 0);
	assert_int_equal(store_restorable(), 0);
	store_reopen();
	assert_int_equal(store_restorable(), 0);
	/* One of a newer version too: this one cannot read it, the newer one must not resume it later. */
	store_save(2, 0, true);
	scratch_write(store_path("gen.2/manifest.json"), "{\"format\": 7}");
	store_reopen();
	assert_int_equal(store_restorable(), 0);
	assert_int_equal(access(store_path("gen.2/consumed"), F_OK), -1);
	assert_int_equal(store_session_update(session, true, 0), 0);
	assert_int_equal(access(store_path("gen.2/consumed"), F_OK), 0);
}

static void test_logs(void **state)
{
	char text[16] = "";
	int fd;

	(void)state;
	assert_int_equal(store_session_log(session, STORE_LOG_EVENTS, false, &fd), -ENOENT);
	assert_int_equal(store_session_log(session, STORE_LOG_EVENTS, true, &fd), 0);
	store_fill(fd, "one\n");
	assert_int_equal(store_session_log(session, STORE_LOG_EVENTS, true, &fd), 0);
	store_fill(fd, "two\n");
	assert_int_equal(store_session_log(session, STORE_LOG_EVENTS, false, &fd), 0);
	assert_int_equal(read(fd, text, sizeof(text)), 8);
	assert_string_equal(text, "one\ntwo\n");
	assert_int_equal(write(fd, "x", 1), -1);
	close(fd);
	assert_int_equal(symlink("manifest.json", store_path("console.log")), 0);
	assert_true(store_session_log(session, STORE_LOG_CONSOLE, true, &fd) < 0);
	assert_true(store_session_log(session, STORE_LOG_CONSOLE, false, &fd) < 0);
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, store_setup, store_teardown)

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
		STORE_TEST(test_logs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
