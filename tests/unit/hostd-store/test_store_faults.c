/*
 * A desktop is never lost, and never resumed from what its disk has moved on from: the life of three snapshots is
 * played again and again with each single call to the disk failing, and with the process killed or the power cut at
 * each of them; then the state folder is opened as after a restart.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fault_disk.h"
#include "scratch.h"

enum {
	GENERATIONS = 3,
	NONE = 0,
};

static const struct store_identity identity = { "cpu", "none", "0", 64, 1 };

/* What may be found after a restart: the generation that is resumed, NONE for a boot from the disk. */
struct expectation {
	uint64_t first;
	uint64_t second; /* the other possibility, or the same */
};

struct play {
	struct fault_disk *disk;
	struct store *store;
	struct store_session *session;
	struct expectation expect;
	bool runs; /* the VM's vCPUs */
	uint64_t base;
};

static void check_restarts(const struct play *play, uint64_t seed);

static void expect(struct play *play, uint64_t first, uint64_t second)
{
	play->expect.first = first;
	play->expect.second = second;
}

/* What the VMM would write. */
static int fill(struct play *play, int fd, const char *what, uint64_t number)
{
	const struct store_io *io = &fault_disk_io;
	char text[64];
	size_t size, done = 0;

	snprintf(text, sizeof(text), "%s of generation %llu, from guest memory\n", what,
	    (unsigned long long)number);
	size = strlen(text);
	while (done < size) {
		ssize_t written = io->write(play->disk, fd, text + done, size - done);

		if (written < 0) {
			return (int)written;
		}
		done += (size_t)written;
	}
	return io->fsync(play->disk, fd);
}

/* The VM stands still, and everything is written, or an error is returned and nothing is left. */
static int suspend(struct play *play, uint64_t number)
{
	struct store_files files;
	int error = store_generation_create(play->session, number, 4096, &files);

	if (error) {
		char name[CATALOGUE_NAME_MAX];

		catalogue_format_name(CATALOGUE_TEMPORARY, number, name);
		assert_true(fault_disk_stopped(play->disk) ||
			    faccessat(store_session_folder(play->session), name, F_OK, 0) != 0);
		return error;
	}
	error = fill(play, files.state, "state", number);
	error = error ? error : fill(play, files.ram, "ram", number);
	error = error ? error : fill(play, files.frame, "frame", number);
	close(files.state);
	close(files.ram);
	close(files.frame);
	if (!error) {
		/* From here on the new one is as good as the VM that stands still. */
		expect(play, NONE, number);
		error = store_generation_commit(
		    play->session, number, play->base, number % 3 == 0, &identity, number * 1000);
	}
	return error;
}

/* What the monitor does to save the VM, with its ways out. Returns true when it is saved. */
static bool save(struct play *play, uint64_t number)
{
	for (int attempt = 0; attempt < 2; attempt++) {
		/* A number is not used again, see session/machine.h. */
		uint64_t generation = number + (uint64_t)attempt * 10;
		int error = suspend(play, generation);

		if (fault_disk_stopped(play->disk)) {
			return false;
		}
		if (!error || error == -EUCLEAN) {
			/* Saved; after -EUCLEAN with a warning that it may not survive a power cut. */
			play->runs = false;
			expect(play, generation, error ? NONE : generation);
			play->base = NONE;
			check_restarts(play, generation);
			return true;
		}
		/* The guest goes on running, and no remains stay: */
		play->runs = true;
		expect(play, NONE, NONE);
		(void)!store_generation_discard(play->session, generation);
		check_restarts(play, generation);
	}
	fail_msg("one failed call made two attempts fail");
	return false;
}

/* Resumes generation `number`. Returns true when the VM runs. */
static bool resume(struct play *play, uint64_t number)
{
	for (int attempt = 0; attempt < 2; attempt++) {
		struct store_session *again;
		int error;

		expect(play, number, NONE);
		error = store_generation_consume(play->session, number);
		if (fault_disk_stopped(play->disk)) {
			return false;
		}
		if (!error) {
			expect(play, NONE, NONE);
			play->runs = true;
			play->base = number;
			(void)!store_session_update(play->session, true, number);
			return !fault_disk_stopped(play->disk);
		}
		/* The store's own view, and that of the next daemon: it can still be resumed. */
		assert_int_equal(
		    catalogue_restorable(store_session_catalogue(play->session), NULL), number);
		assert_int_equal(store_session_open(play->store, "alice", false, &again, NULL), 0);
		assert_int_equal(
		    catalogue_restorable(store_session_catalogue(again), NULL), number);
		store_session_close(again);
	}
	fail_msg("one failed call made two attempts fail");
	return false;
}

/* The life of a desktop. Stops where the disk does. */
static void play_all(struct play *play)
{
	char message[STORE_TEXT_MAX];
	uint64_t saved;

	for (int attempt = 0; attempt < 2 && !play->session; attempt++) {
		int error = play->store ? 0
					: store_open(scratch_path("state"), &fault_disk_io,
					      play->disk, &play->store, message);

		if (!error) {
			error = store_session_open(
			    play->store, "alice", true, &play->session, message);
		}
		if (fault_disk_stopped(play->disk)) {
			return;
		}
		assert_true(!error || !attempt);
	}
	(void)!store_session_update(play->session, true, 0);
	play->runs = true;
	for (uint64_t number = 1; number <= GENERATIONS; number++) {
		if (fault_disk_stopped(play->disk) || !save(play, number)) {
			return;
		}
		saved = play->expect.first;
		(void)!store_session_prune(play->session, 1, 0);
		(void)!store_session_update(play->session, false, number);
		if (fault_disk_stopped(play->disk) || number == GENERATIONS ||
		    !resume(play, saved)) {
			return;
		}
	}
}

/* --- after the restart -------------------------------------------------------------------------------------------- */

static void check_contents(int fd, const char *what, uint64_t number)
{
	char expected[64], found[64] = "";

	snprintf(expected, sizeof(expected), "%s of generation %llu, from guest memory\n", what,
	    (unsigned long long)number);
	assert_true(pread(fd, found, sizeof(found) - 1, 0) > 0);
	assert_string_equal(found, expected);
}

static void check_loadable(struct store_session *session, uint64_t number)
{
	struct store_generation generation;
	char message[STORE_TEXT_MAX];
	int state, frame, layers[CATALOGUE_LAYERS_MAX];
	size_t count;

	if (store_generation_open(session, number, &generation, &state, layers, &count, message)) {
		fail_msg("generation %llu: %s", (unsigned long long)number, message);
	}
	check_contents(state, "state", number);
	for (size_t i = 0; i < count; i++) {
		check_contents(layers[i], "ram", generation.layers[i]);
		close(layers[i]);
	}
	close(state);
	assert_int_equal(store_frame_open(session, &frame), 0);
	check_contents(frame, "frame", number);
	close(frame);
}

/* The desktop can be saved and found again on what is there now. */
static void check_goes_on(struct store *store, struct store_session *session)
{
	uint64_t number = catalogue_next(store_session_catalogue(session));
	struct store_session *again;
	struct store_files files;
	char message[STORE_TEXT_MAX];

	assert_int_equal(store_session_update(session, true, 7), 0);
	assert_int_equal(catalogue_restorable(store_session_catalogue(session), NULL), NONE);
	assert_int_equal(store_generation_create(session, number, 0, &files), 0);
	close(files.state);
	close(files.ram);
	close(files.frame);
	assert_int_equal(store_generation_commit(session, number, NONE, true, &identity, 1), 0);
	assert_int_equal(store_session_prune(session, 1, 0), 0);
	assert_int_equal(store_session_catalogue(session)->count, 1);
	assert_int_equal(store_session_open(store, "alice", false, &again, message), 0);
	assert_string_equal(message, "");
	assert_int_equal(catalogue_restorable(store_session_catalogue(again), NULL), number);
	assert_int_equal(store_session_catalogue(again)->count, 1);
	store_session_close(again);
}

static void check_restart(const struct play *play, enum fault_survival survival, uint64_t seed)
{
	const struct expectation *expected = &play->expect;
	struct store *store;
	struct store_session *session = NULL;
	char message[STORE_TEXT_MAX] = "";
	uint64_t found;
	int error;

	fault_disk_restart(play->disk, survival, seed, scratch_path("after"));
	error = store_open(scratch_path("after"), NULL, NULL, &store, message);
	if (error) {
		fail_msg("%s", message);
	}
	error = store_session_open(store, "alice", false, &session, message);
	if (error == -ENOENT && expected->first == NONE && !play->base) {
		/* The power went before the first folder was safe; the VM has never run, or booted just now. */
		assert_int_equal(store_session_open(store, "alice", true, &session, message), 0);
	} else if (error) {
		fail_msg("%s", message);
	}
	assert_string_equal(message, "");
	found = catalogue_restorable(store_session_catalogue(session), NULL);
	if (found != expected->first && found != expected->second) {
		fail_msg("found generation %llu instead of %llu or %llu", (unsigned long long)found,
		    (unsigned long long)expected->first, (unsigned long long)expected->second);
	}
	if (found) {
		check_loadable(session, found);
	}
	assert_int_equal(store_session_sweep(session), 0);
	assert_int_equal(catalogue_restorable(store_session_catalogue(session), NULL), found);
	check_goes_on(store, session);
	store_session_close(session);
	store_close(store);
	scratch_delete(scratch_path("after"));
}

static void check_restarts(const struct play *play, uint64_t seed)
{
	/* The process ends; what it saw is what the next one sees. */
	check_restart(play, FAULT_ALL, 0);
	/* The power goes. */
	check_restart(play, FAULT_STRICT, 0);
	check_restart(play, FAULT_NAMES, 0);
	for (uint64_t i = 1; i <= 4; i++) {
		check_restart(play, FAULT_MIXTURE, i * 977 + seed);
	}
}

/* --- the walk ------------------------------------------------------------------------------------------------------ */

/* One play with one fault. Returns how many calls there were. */
static uint64_t walk(enum fault_kind kind, uint64_t at, int error)
{
	struct play play = { .expect = { NONE, NONE } };
	uint64_t calls;

	assert_int_equal(mkdir(scratch_path("state"), 0700), 0);
	play.disk = fault_disk_create(scratch_path("state"));
	fault_disk_plan(play.disk, kind, at, error);
	play_all(&play);
	calls = fault_disk_calls(play.disk);
	if (!fault_disk_stopped(play.disk)) {
		/* One failed call does not keep the desktop from being saved in the end. */
		assert_false(play.runs);
		assert_true(play.expect.first % 10 == GENERATIONS);
	}
	check_restarts(&play, at);
	store_session_close(play.session);
	store_close(play.store);
	fault_disk_destroy(play.disk);
	scratch_delete(scratch_path("state"));
	return calls;
}

static int setup(void **state)
{
	(void)state;
	scratch_make();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_remove();
	return 0;
}

static void test_no_fault(void **state)
{
	uint64_t calls = walk(FAULT_NONE, 0, 0);

	(void)state;
	printf("%llu calls\n", (unsigned long long)calls);
	assert_true(calls > 60);
}

static void test_killed_at_every_call(void **state)
{
	uint64_t calls = walk(FAULT_NONE, 0, 0);

	(void)state;
	for (uint64_t at = 1; at <= calls; at++) {
		walk(FAULT_STOP, at, 0);
		walk(FAULT_STOP_TORN, at, 0);
	}
}

static void test_every_call_fails(void **state)
{
	static const int errors[] = { ENOSPC, EIO, EDQUOT };
	uint64_t calls = walk(FAULT_NONE, 0, 0);

	(void)state;
	for (uint64_t at = 1; at <= calls; at++) {
		for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
			walk(FAULT_ERROR, at, errors[i]);
		}
		walk(FAULT_SHORT, at, ENOSPC);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_no_fault, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed_at_every_call, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_call_fails, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
