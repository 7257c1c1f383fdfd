/*
 * Generations that were damaged, changed by hand, made elsewhere: what is said, and that nothing is lost by it.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "scratch.h"

#include "store_fixture.h"

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
	store_save(1, 0, true);
	for (off_t at = 0; at < 9; at++) {
		flip(store_path("gen.1/state"), at, 0x10);
		assert_int_equal(store_load(1, &count), -EBADMSG);
		assert_string_equal(message, "gen.1/state: its checksum is wrong");
		flip(store_path("gen.1/state"), at, 0x10);
		flip(store_path("gen.1/frame"), at, 0x01);
		assert_int_equal(store_frame_open(session, &frame), -EBADMSG);
		flip(store_path("gen.1/frame"), at, 0x01);
	}
	assert_int_equal(store_load(1, &count), 0);
	assert_int_equal(store_frame_open(session, &frame), 0);
	close(frame);
	/* The manifest: found, or in what does not matter for loading (the time, for people). Never a crash. */
	assert_int_equal(stat(store_path("gen.1/manifest.json"), &status), 0);
	for (off_t at = 0; at < status.st_size; at++) {
		for (int bit = 1; bit < 256; bit <<= 1) {
			struct store_generation generation;

			flip(store_path("gen.1/manifest.json"), at, (unsigned char)bit);
			(void)!store_generation_read(session, 1, &generation, message);
			(void)!store_load(1, &count);
			flip(store_path("gen.1/manifest.json"), at, (unsigned char)bit);
		}
	}
	assert_int_equal(store_load(1, &count), 0);
}

static void test_missing_parts(void **state)
{
	const char *reason;
	size_t count;

	(void)state;
	store_save(1, 0, false);
	assert_int_equal(store_generation_consume(session, 1), 0);
	store_save(2, 1, false);
	assert_int_equal(truncate(store_path("gen.1/ram"), 9), 0);
	assert_int_equal(store_load(2, &count), -EBADMSG);
	assert_string_equal(message, "gen.1/ram: 9 bytes instead of 10");
	scratch_write(store_path("gen.1/ram"), "the memory");
	assert_int_equal(store_load(2, &count), 0);
	unlink(store_path("gen.2/state"));
	assert_int_equal(store_load(2, &count), -EBADMSG);
	assert_int_equal(symlink("../gen.1/state", store_path("gen.2/state")), 0);
	assert_int_equal(store_load(2, &count), -EBADMSG);
	unlink(store_path("gen.2/state"));
	assert_int_equal(mkfifo(store_path("gen.2/state"), 0600), 0);
	assert_int_equal(store_load(2, &count), -EBADMSG);
	unlink(store_path("gen.2/manifest.json"));
	assert_int_equal(store_load(2, &count), -EBADMSG);
	store_reopen();
	assert_int_equal(catalogue_restorable(store_session_catalogue(session), &reason), 0);
	assert_non_null(strstr(reason, "cannot be read"));
	/* Nothing is deleted on the strength of a manifest that cannot be read. */
	assert_int_equal(store_session_prune(session, 1, 0), 0);
	assert_int_equal(access(store_path("gen.1/ram"), F_OK), 0);
}

static void test_renamed_by_hand(void **state)
{
	struct store_generation generation;

	(void)state;
	store_save(1, 0, true);
	assert_int_equal(rename(store_path("gen.1"), store_path("gen.4")), 0);
	store_reopen();
	assert_int_equal(store_restorable(), 0);
	assert_int_equal(store_generation_read(session, 4, &generation, message), -EBADMSG);
	assert_non_null(strstr(message, "generation 1's"));
	assert_int_equal(rename(store_path("gen.4"), store_path("gen.1")), 0);
	store_reopen();
	assert_int_equal(store_restorable(), 1);
	/* A link to a folder is no folder. */
	assert_int_equal(rename(store_path("gen.1"), store_path("moved")), 0);
	assert_int_equal(symlink("moved", store_path("gen.1")), 0);
	store_reopen();
	assert_int_equal(store_restorable(), 0);
}

static void test_set_aside(void **state)
{
	(void)state;
	store_save(1, 0, true);
	assert_int_equal(mkdir(store_path("gen.1.damaged"), 0700), 0);
	assert_int_equal(mkdir(store_path("gen.1.damaged.1"), 0700), 0);
	assert_int_equal(store_generation_set_aside(session, 1), 0);
	assert_int_equal(access(store_path("gen.1.damaged.2/ram"), F_OK), 0);
	assert_int_equal(store_restorable(), 0);
	store_reopen();
	assert_int_equal(catalogue_next(store_session_catalogue(session)), 2);
	store_save(2, 0, true);
	assert_int_equal(store_session_prune(session, 1, 0), 0);
	assert_int_equal(access(store_path("gen.1.damaged.2/ram"), F_OK), 0);
	assert_int_equal(store_generation_set_aside(session, 9), -ENOENT);
}

static void test_foreign(void **state)
{
	struct store_generation generation;
	struct store_identity here = identity;

	(void)state;
	store_save(1, 0, true);
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
	assert_int_equal(store_restorable(), 1);
}

static void test_many(void **state)
{
	(void)state;
	/* Any number of damaged ones, and names that mean nothing. */
	for (int i = 1; i <= 200; i++) {
		char name[64];

		snprintf(name, sizeof(name), "gen.%d.damaged", i);
		assert_int_equal(mkdir(store_path(name), 0700), 0);
		snprintf(name, sizeof(name), "gen.%d.x", i);
		assert_int_equal(mkdir(store_path(name), 0700), 0);
	}
	scratch_write(store_path("gen.7"), "a file");
	store_reopen();
	assert_int_equal(store_restorable(), 0);
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, store_setup, store_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_bit_flips),
		STORE_TEST(test_missing_parts),
		STORE_TEST(test_renamed_by_hand),
		STORE_TEST(test_set_aside),
		STORE_TEST(test_foreign),
		STORE_TEST(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
