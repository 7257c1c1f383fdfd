/*
 * The stories that people know the state machine by: walking away and coming back, coming back too early, taking over,
 * a full disk, a crash, a damaged snapshot.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "drive.h"

static void expect_step(const struct drive *drive, enum machine_step step)
{
	assert_string_equal(machine_step_name(drive->machine.step), machine_step_name(step));
}

static void expect_state(const struct drive *drive, enum machine_state state)
{
	assert_string_equal(
	    machine_state_name(machine_state(&drive->machine)), machine_state_name(state));
}

static void go(struct drive *drive, enum machine_event_type type)
{
	drive_event(drive, type);
	assert_int_equal(drive->result, 0);
}

static void test_walk_away_and_come_back(void **state)
{
	struct drive drive;

	(void)state;
	drive_init(&drive, POLICY_DISCONNECT_SUSPEND, 0);
	drive_login(&drive, 1, OWNER);
	expect_state(&drive, MACHINE_STATE_BOOTING);
	assert_int_equal(drive_caption(&drive, 1, NULL), MACHINE_CAPTION_STARTING);
	assert_non_null(drive_action(&drive, MACHINE_ACTION_START_VMM));
	go(&drive, MACHINE_EVENT_VMM_READY);
	expect_state(&drive, MACHINE_STATE_ACTIVE);
	assert_true(
	    drive_index(&drive, MACHINE_ACTION_RUN) < drive_index(&drive, MACHINE_ACTION_ATTACH));
	drive_gone(&drive, 1);
	expect_state(&drive, MACHINE_STATE_DETACHED);
	assert_int_equal(drive_action(&drive, MACHINE_ACTION_ARM)->delay_us, 10 * SECOND);
	drive_timer(&drive, MACHINE_TIMER_GRACE);
	expect_state(&drive, MACHINE_STATE_SAVING);
	assert_int_equal(drive_action(&drive, MACHINE_ACTION_BEGIN_SUSPEND)->generation, 1);
	go(&drive, MACHINE_EVENT_SUSPEND_DONE);
	assert_null(drive_action(&drive, MACHINE_ACTION_QUIT_VMM));
	go(&drive, MACHINE_EVENT_COMMIT_DONE);
	assert_non_null(drive_action(&drive, MACHINE_ACTION_QUIT_VMM));
	drive_exit(&drive, MACHINE_EXIT_QUIT, "");
	expect_state(&drive, MACHINE_STATE_SAVED);
	assert_non_null(drive_action(&drive, MACHINE_ACTION_PRUNE));
	assert_int_equal(drive.machine.timers, 0);

	drive_login(&drive, 2, OWNER);
	expect_state(&drive, MACHINE_STATE_RESUMING);
	assert_int_equal(drive_caption(&drive, 2, NULL), MACHINE_CAPTION_RESUMING);
	assert_int_equal(drive_action(&drive, MACHINE_ACTION_LOAD_VMM)->generation, 1);
	go(&drive, MACHINE_EVENT_VMM_READY);
	assert_null(drive_action(&drive, MACHINE_ACTION_RUN));
	assert_non_null(drive_action(&drive, MACHINE_ACTION_MARK_CONSUMED));
	go(&drive, MACHINE_EVENT_CONSUMED);
	expect_state(&drive, MACHINE_STATE_ACTIVE);
	assert_int_equal(drive.machine.resumes, 1);
	assert_int_equal(drive.machine.base, 1);

	/* The next snapshot lies over the first. */
	drive_gone(&drive, 2);
	drive_timer(&drive, MACHINE_TIMER_GRACE);
	assert_int_equal(drive_action(&drive, MACHINE_ACTION_BEGIN_SUSPEND)->generation, 2);
	assert_int_equal(drive_action(&drive, MACHINE_ACTION_BEGIN_SUSPEND)->base, 1);
}

static void test_back_within_the_grace_time(void **state)
{
	struct drive drive;

	(void)state;
	drive_to(&drive, MACHINE_DETACHED);
	drive_login(&drive, 2, OWNER);
	expect_step(&drive, MACHINE_ACTIVE);
	assert_int_equal(drive.machine.timers, 0);
	assert_int_equal(drive_count(&drive, MACHINE_ACTION_ATTACH), 1);
}

static void test_back_while_saving(void **state)
{
	struct drive drive;

	(void)state;
	drive_to(&drive, MACHINE_SAVING);
	drive_login(&drive, 2, OWNER);
	expect_step(&drive, MACHINE_ABORTING);
	assert_non_null(drive_action(&drive, MACHINE_ACTION_ABORT_SUSPEND));
	go(&drive, MACHINE_EVENT_SUSPEND_DONE);
	expect_step(&drive, MACHINE_ACTIVE);
	assert_non_null(drive_action(&drive, MACHINE_ACTION_DISCARD));
	assert_true(
	    drive_index(&drive, MACHINE_ACTION_RUN) < drive_index(&drive, MACHINE_ACTION_ATTACH));

	/* When the VMM gave up by itself, its vCPUs run already: a second RUN would be an error. */
	drive_to(&drive, MACHINE_ABORTING);
	go(&drive, MACHINE_EVENT_SUSPEND_FAILED);
	expect_step(&drive, MACHINE_ACTIVE);
	assert_null(drive_action(&drive, MACHINE_ACTION_RUN));
	assert_string_equal(drive.machine.last_error, "");
}

static void test_back_while_committing(void **state)
{
	struct drive drive;

	(void)state;
	drive_to(&drive, MACHINE_COMMITTING);
	drive_login(&drive, 2, OWNER);
	go(&drive, MACHINE_EVENT_COMMIT_DONE);
	/* The VMM still has it all; but its snapshot must not be resumed beside it. */
	expect_step(&drive, MACHINE_MARKING);
	assert_null(drive_action(&drive, MACHINE_ACTION_QUIT_VMM));
	assert_null(drive_action(&drive, MACHINE_ACTION_RUN));
	go(&drive, MACHINE_EVENT_CONSUMED);
	expect_step(&drive, MACHINE_ACTIVE);
	assert_int_equal(drive.machine.resumes, 0);
	assert_int_equal(drive.machine.base, 0);

	/* A mark that is not written leaves a saved desktop. */
	drive_to(&drive, MACHINE_COMMITTING);
	drive_login(&drive, 2, OWNER);
	go(&drive, MACHINE_EVENT_COMMIT_DONE);
	go(&drive, MACHINE_EVENT_CONSUME_FAILED);
	assert_non_null(drive_action(&drive, MACHINE_ACTION_QUIT_VMM));
	drive_exit(&drive, MACHINE_EXIT_QUIT, "");
	expect_step(&drive, MACHINE_SAVED);
	assert_int_equal(drive_caption(&drive, 2, NULL), MACHINE_CAPTION_FAILED);
	go(&drive, MACHINE_EVENT_VIEWER_ACTION);
	expect_step(&drive, MACHINE_SAVED); /* viewer 1 is gone */
	drive_send(
	    &drive, &(struct machine_event){ .type = MACHINE_EVENT_VIEWER_ACTION, .viewer = 2 });
	expect_step(&drive, MACHINE_LOADING);
}

static void test_back_while_the_vmm_leaves(void **state)
{
	struct drive drive;

	(void)state;
	drive_to(&drive, MACHINE_LEAVING);
	drive_login(&drive, 2, OWNER);
	drive_exit(&drive, MACHINE_EXIT_QUIT, "");
	expect_step(&drive, MACHINE_LOADING);
	assert_int_equal(drive_action(&drive, MACHINE_ACTION_LOAD_VMM)->generation, 1);
}

static void test_left_while_loading(void **state)
{
	struct drive drive;

	(void)state;
	drive_to(&drive, MACHINE_LOADING);
	drive_gone(&drive, 1);
	go(&drive, MACHINE_EVENT_VMM_READY);
	/* Nobody is there: the snapshot is left as it was. */
	assert_null(drive_action(&drive, MACHINE_ACTION_MARK_CONSUMED));
	assert_non_null(drive_action(&drive, MACHINE_ACTION_QUIT_VMM));
	drive_exit(&drive, MACHINE_EXIT_QUIT, "");
	expect_state(&drive, MACHINE_STATE_SAVED);
	assert_int_equal(drive.machine.generation, 7);
}

static void test_takeover(void **state)
{
	struct drive drive;
	const char *text;

	(void)state;
	drive_to(&drive, MACHINE_ACTIVE);
	drive_login(&drive, 5, LOOKER);
	assert_int_equal(drive.machine.viewer_count, 2);
	drive_login(&drive, 2, OWNER);
	assert_int_equal(drive_caption(&drive, 1, &text), MACHINE_CAPTION_MOVED);
	assert_non_null(strstr(text, "moved to another terminal (192.0.2.7)"));
	assert_int_equal(drive_action(&drive, MACHINE_ACTION_CLOSE_VIEWER)->viewer, 1);
	assert_true(drive_index(&drive, MACHINE_ACTION_DETACH) <
		    drive_index(&drive, MACHINE_ACTION_CLOSE_VIEWER));
	assert_int_equal(drive_action(&drive, MACHINE_ACTION_ATTACH)->viewer, 2);
	/* The helper stays; the closed viewer's end changes nothing. */
	assert_non_null(machine_find_viewer(&drive.machine, 5));
	drive_gone(&drive, 1);
	expect_step(&drive, MACHINE_ACTIVE);
	assert_int_equal(drive.machine.viewer_count, 2);
}

static void test_takeover_during_boot(void **state)
{
	struct drive drive;

	(void)state;
	drive_to(&drive, MACHINE_BOOTING);
	drive_login(&drive, 2, OWNER);
	assert_int_equal(drive_caption(&drive, 1, NULL), MACHINE_CAPTION_MOVED);
	go(&drive, MACHINE_EVENT_VMM_READY);
	assert_int_equal(drive_count(&drive, MACHINE_ACTION_ATTACH), 1);
	assert_int_equal(drive_action(&drive, MACHINE_ACTION_ATTACH)->viewer, 2);
}

static void test_helpers(void **state)
{
	struct drive drive;

	(void)state;
	/* One who may only look wakes nothing. */
	drive_init(&drive, POLICY_DISCONNECT_SUSPEND, 3);
	drive_login(&drive, 5, LOOKER);
	expect_step(&drive, MACHINE_SAVED);
	assert_int_equal(drive_caption(&drive, 5, NULL), MACHINE_CAPTION_SAVED);
	drive_send(
	    &drive, &(struct machine_event){ .type = MACHINE_EVENT_VIEWER_ACTION, .viewer = 5 });
	expect_step(&drive, MACHINE_SAVED);
	/* The owner does, and then both see it. */
	drive_login(&drive, 1, OWNER);
	assert_int_equal(drive_caption(&drive, 5, NULL), MACHINE_CAPTION_RESUMING);
	go(&drive, MACHINE_EVENT_VMM_READY);
	go(&drive, MACHINE_EVENT_CONSUMED);
	assert_int_equal(drive_count(&drive, MACHINE_ACTION_ATTACH), 2);
	/* While somebody helps it stays on, and is suspended when the last one has left. */
	drive_gone(&drive, 1);
	expect_step(&drive, MACHINE_ACTIVE);
	drive_gone(&drive, 5);
	expect_step(&drive, MACHINE_DETACHED);
}

static void test_too_many_viewers(void **state)
{
	struct drive drive;

	(void)state;
	drive_to(&drive, MACHINE_ACTIVE);
	for (uint64_t viewer = 2; viewer <= MACHINE_VIEWERS_MAX; viewer++) {
		drive_login(&drive, viewer, LOOKER);
	}
	drive_send(&drive, &(struct machine_event){ .type = MACHINE_EVENT_LOGIN, .viewer = 100 });
	assert_int_equal(drive.result, -EBUSY);
	/* The owner still gets in, since the old viewer leaves. */
	drive_login(&drive, 101, OWNER);
	assert_int_equal(drive.machine.viewer_count, MACHINE_VIEWERS_MAX);
	assert_null(machine_find_viewer(&drive.machine, 1));
}

static void test_full_disk(void **state)
{
	struct drive drive;
	uint64_t last = 0;

	(void)state;
	drive_to(&drive, MACHINE_SAVING);
	for (int i = 0; i < 12; i++) {
		uint64_t delay;

		drive_send(&drive, &(struct machine_event){ .type = MACHINE_EVENT_SUSPEND_FAILED,
				       .generation = drive.machine.generation,
				       .text = "No space left on device" });
		expect_step(&drive, MACHINE_DETACHED);
		assert_non_null(strstr(drive.machine.reason, "No space left on device"));
		assert_non_null(strstr(drive.machine.reason, "goes on running"));
		assert_non_null(drive_action(&drive, MACHINE_ACTION_DISCARD));
		assert_null(drive_action(&drive, MACHINE_ACTION_KILL_VMM));
		/* The pauses double up to the most. */
		delay = drive.actions.items[drive.actions.count - 1].delay_us;
		assert_int_equal(
		    delay, last ? (last * 2 > 300 * SECOND ? 300 * SECOND : last * 2) : 5 * SECOND);
		last = delay;
		drive_timer(&drive, MACHINE_TIMER_RETRY);
		expect_step(&drive, MACHINE_SAVING);
	}
	go(&drive, MACHINE_EVENT_SUSPEND_DONE);
	go(&drive, MACHINE_EVENT_COMMIT_DONE);
	assert_int_equal(drive.machine.failures, 0);
	assert_string_equal(drive.machine.last_error, "");
}

static void test_failed_request_to_suspend(void **state)
{
	struct drive drive;

	(void)state;
	drive_to(&drive, MACHINE_ACTIVE);
	go(&drive, MACHINE_EVENT_ADMIN_SUSPEND);
	assert_int_equal(drive_caption(&drive, 1, NULL), MACHINE_CAPTION_SUSPENDING);
	assert_true(drive_index(&drive, MACHINE_ACTION_DETACH) <
		    drive_index(&drive, MACHINE_ACTION_BEGIN_SUSPEND));
	go(&drive, MACHINE_EVENT_SUSPEND_FAILED);
	/* The watcher has the desktop back, and it is not tried again behind his back. */
	expect_step(&drive, MACHINE_ACTIVE);
	assert_non_null(drive_action(&drive, MACHINE_ACTION_ATTACH));
	assert_int_equal(drive.machine.timers, 0);
}

static void test_commit_failures(void **state)
{
	struct drive drive;

	(void)state;
	drive_to(&drive, MACHINE_COMMITTING);
	go(&drive, MACHINE_EVENT_COMMIT_FAILED);
	expect_step(&drive, MACHINE_DETACHED);
	assert_non_null(drive_action(&drive, MACHINE_ACTION_RUN));
	assert_non_null(drive_action(&drive, MACHINE_ACTION_DISCARD));

	/* Where nobody can say whether the snapshot would be there after a power cut, the VM must not run on. */
	drive_to(&drive, MACHINE_COMMITTING);
	drive_send(&drive, &(struct machine_event){ .type = MACHINE_EVENT_COMMIT_FAILED,
			       .generation = drive.machine.generation,
			       .uncertain = true,
			       .text = "Input/output error" });
	expect_step(&drive, MACHINE_LEAVING);
	assert_null(drive_action(&drive, MACHINE_ACTION_RUN));
	drive_exit(&drive, MACHINE_EXIT_QUIT, "");
	expect_step(&drive, MACHINE_SAVED);
	assert_non_null(strstr(drive.machine.last_error, "Input/output error"));

	/* The VMM dies while it is committed: all was written, so it is saved. */
	drive_to(&drive, MACHINE_COMMITTING);
	drive_exit(&drive, MACHINE_EXIT_KILLED, "signal 9");
	go(&drive, MACHINE_EVENT_COMMIT_DONE);
	expect_step(&drive, MACHINE_SAVED);
	drive_to(&drive, MACHINE_COMMITTING);
	drive_exit(&drive, MACHINE_EXIT_KILLED, "signal 9");
	go(&drive, MACHINE_EVENT_COMMIT_FAILED);
	expect_step(&drive, MACHINE_FAILED);
}

static void test_suspended_while_watched(void **state)
{
	struct drive drive;

	(void)state;
	drive_to(&drive, MACHINE_ACTIVE);
	go(&drive, MACHINE_EVENT_ADMIN_SUSPEND);
	go(&drive, MACHINE_EVENT_SUSPEND_DONE);
	go(&drive, MACHINE_EVENT_COMMIT_DONE);
	drive_exit(&drive, MACHINE_EXIT_QUIT, "");
	expect_step(&drive, MACHINE_SAVED);
	assert_int_equal(drive_caption(&drive, 1, NULL), MACHINE_CAPTION_SAVED);
	go(&drive, MACHINE_EVENT_VIEWER_ACTION);
	expect_step(&drive, MACHINE_LOADING);
}

static void test_crash(void **state)
{
	struct drive drive;
	const char *text;

	(void)state;
	drive_to(&drive, MACHINE_ACTIVE);
	drive_exit(&drive, MACHINE_EXIT_KILLED, "ended by signal 9");
	expect_step(&drive, MACHINE_FAILED);
	assert_int_equal(drive_caption(&drive, 1, &text), MACHINE_CAPTION_FAILED);
	assert_non_null(strstr(text, "ended by signal 9"));
	/* Another login is told as well, a key starts it afresh. */
	drive_login(&drive, 2, OWNER);
	expect_step(&drive, MACHINE_FAILED);
	assert_int_equal(drive_caption(&drive, 2, NULL), MACHINE_CAPTION_FAILED);
	drive_send(
	    &drive, &(struct machine_event){ .type = MACHINE_EVENT_VIEWER_ACTION, .viewer = 2 });
	expect_step(&drive, MACHINE_BOOTING);
	assert_non_null(drive_action(&drive, MACHINE_ACTION_START_VMM));
}

static void test_crash_while_saving(void **state)
{
	struct drive drive;

	(void)state;
	drive_to(&drive, MACHINE_SAVING);
	drive_exit(&drive, MACHINE_EXIT_ERROR, "KVM said no");
	expect_step(&drive, MACHINE_FAILED);
	assert_non_null(drive_action(&drive, MACHINE_ACTION_DISCARD));
	assert_int_equal(drive.machine.generation, 0);
}

static void test_power_off(void **state)
{
	struct drive drive;

	(void)state;
	drive_to(&drive, MACHINE_ACTIVE);
	drive_exit(&drive, MACHINE_EXIT_POWERED_OFF, "");
	expect_step(&drive, MACHINE_OFF);
	assert_int_equal(drive_caption(&drive, 1, NULL), MACHINE_CAPTION_OFF);
	go(&drive, MACHINE_EVENT_VIEWER_ACTION);
	expect_step(&drive, MACHINE_BOOTING);
}

static void test_damaged_snapshot(void **state)
{
	static const enum machine_event_type ways[] = { MACHINE_EVENT_START_FAILED,
		MACHINE_EVENT_VMM_EXITED, MACHINE_EVENT_VMM_REFUSED };

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct drive drive;
		const char *text = NULL;

		drive_to(&drive, MACHINE_LOADING);
		drive_send(&drive, &(struct machine_event){ .type = ways[i],
				       .exit = MACHINE_EXIT_SNAPSHOT,
				       .text = "checksum of section ram" });
		assert_int_equal(drive_action(&drive, MACHINE_ACTION_SET_ASIDE)->generation, 7);
		if (ways[i] == MACHINE_EVENT_VMM_REFUSED) {
			drive_exit(&drive, MACHINE_EXIT_QUIT, "");
		}
		expect_step(&drive, MACHINE_FAILED);
		assert_int_equal(drive_caption(&drive, 1, &text), MACHINE_CAPTION_FAILED);
		assert_non_null(strstr(text, "set aside"));
		assert_non_null(strstr(text, "checksum of section ram"));
		go(&drive, MACHINE_EVENT_VIEWER_ACTION);
		assert_non_null(drive_action(&drive, MACHINE_ACTION_START_VMM));
	}
}

/* Large layers are verified while the desktop runs already. */
static void test_damage_found_late(void **state)
{
	static const enum machine_event_type before[] = { MACHINE_EVENT_CONSUMED,
		MACHINE_EVENT_ADMIN_SUSPEND };

	(void)state;
	for (size_t steps = 1; steps <= sizeof(before) / sizeof(before[0]); steps++) {
		struct drive drive;

		drive_to(&drive, MACHINE_MARKING);
		for (size_t i = 0; i < steps; i++) {
			go(&drive, before[i]);
		}
		expect_step(&drive, steps == 1 ? MACHINE_ACTIVE : MACHINE_SAVING);
		drive_exit(&drive, MACHINE_EXIT_SNAPSHOT, "memory layer 0");
		assert_int_equal(drive_action(&drive, MACHINE_ACTION_SET_ASIDE)->generation, 7);
		expect_step(&drive, MACHINE_FAILED);
		assert_non_null(strstr(drive.machine.last_error, "set aside"));
		go(&drive, MACHINE_EVENT_VIEWER_ACTION);
		assert_non_null(drive_action(&drive, MACHINE_ACTION_START_VMM));
	}
}

/* What is wrong with the host, or a foreign snapshot, costs nothing but the attempt. */
static void test_load_fails_for_another_reason(void **state)
{
	static const enum machine_event_type ways[] = { MACHINE_EVENT_START_FAILED,
		MACHINE_EVENT_VMM_EXITED };

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct drive drive;

		drive_to(&drive, MACHINE_LOADING);
		drive_send(&drive,
		    &(struct machine_event){
			.type = ways[i], .exit = MACHINE_EXIT_ERROR, .text = "another CPU" });
		expect_step(&drive, MACHINE_SAVED);
		assert_int_equal(drive.machine.generation, 7);
		assert_null(drive_action(&drive, MACHINE_ACTION_SET_ASIDE));
		assert_int_equal(drive_caption(&drive, 1, NULL), MACHINE_CAPTION_FAILED);
		go(&drive, MACHINE_EVENT_VIEWER_ACTION);
		expect_step(&drive, MACHINE_LOADING);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walk_away_and_come_back),
		cmocka_unit_test(test_back_within_the_grace_time),
		cmocka_unit_test(test_back_while_saving),
		cmocka_unit_test(test_back_while_committing),
		cmocka_unit_test(test_back_while_the_vmm_leaves),
		cmocka_unit_test(test_left_while_loading),
		cmocka_unit_test(test_takeover),
		cmocka_unit_test(test_takeover_during_boot),
		cmocka_unit_test(test_helpers),
		cmocka_unit_test(test_too_many_viewers),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_failed_request_to_suspend),
		cmocka_unit_test(test_commit_failures),
		cmocka_unit_test(test_suspended_while_watched),
		cmocka_unit_test(test_crash),
		cmocka_unit_test(test_crash_while_saving),
		cmocka_unit_test(test_power_off),
		cmocka_unit_test(test_damaged_snapshot),
		cmocka_unit_test(test_damage_found_late),
		cmocka_unit_test(test_load_fails_for_another_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
