/*
 * The stories that people know the state machine by: walking away and coming back, coming back too early, taking over,
 * a full disk, a crash, a damaged snapshot, a busy or held desktop, the daemon's restart.
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

static void test_slow_starts(void **state)
{
	struct drive drive;

	(void)state;
	drive_to(&drive, MACHINE_BOOTING);
	drive_timer(&drive, MACHINE_TIMER_START);
	assert_non_null(drive_action(&drive, MACHINE_ACTION_KILL_VMM));
	drive_exit(&drive, MACHINE_EXIT_KILLED, "");
	expect_step(&drive, MACHINE_FAILED);
	assert_non_null(strstr(drive.machine.reason, "60 s"));

	drive_to(&drive, MACHINE_LOADING);
	drive_timer(&drive, MACHINE_TIMER_START);
	/* The kill has to be said twice. */
	drive_timer(&drive, MACHINE_TIMER_END);
	assert_non_null(drive_action(&drive, MACHINE_ACTION_KILL_VMM));
	drive_exit(&drive, MACHINE_EXIT_KILLED, "");
	expect_step(&drive, MACHINE_SAVED);

	/* While a snapshot is written nothing is killed, however long it takes. */
	drive_to(&drive, MACHINE_SAVING);
	drive_timer(&drive, MACHINE_TIMER_SUSPEND);
	assert_null(drive_action(&drive, MACHINE_ACTION_KILL_VMM));
	assert_non_null(strstr(drive.machine.last_error, "slow"));
}

static void test_stop(void **state)
{
	struct drive drive;

	(void)state;
	drive_to(&drive, MACHINE_ACTIVE);
	drive_send(&drive,
	    &(struct machine_event){ .type = MACHINE_EVENT_ADMIN_STOP, .timeout_us = 7 * SECOND });
	assert_non_null(drive_action(&drive, MACHINE_ACTION_POWER_BUTTON));
	assert_int_equal(drive_action(&drive, MACHINE_ACTION_ARM)->delay_us, 7 * SECOND);
	assert_false(machine_settled(&drive.machine));
	drive_event(&drive, MACHINE_EVENT_ADMIN_START);
	assert_int_equal(drive.result, -EBUSY);
	drive_exit(&drive, MACHINE_EXIT_POWERED_OFF, "");
	expect_step(&drive, MACHINE_OFF);
	assert_true(machine_settled(&drive.machine));

	/* Then off, after the time. */
	drive_to(&drive, MACHINE_ACTIVE);
	go(&drive, MACHINE_EVENT_ADMIN_STOP);
	drive_timer(&drive, MACHINE_TIMER_STOP);
	assert_non_null(drive_action(&drive, MACHINE_ACTION_KILL_VMM));
	expect_state(&drive, MACHINE_STATE_OFF);
	assert_true(machine_has_vmm(&drive.machine));
	drive_exit(&drive, MACHINE_EXIT_KILLED, "");
	expect_step(&drive, MACHINE_OFF);

	/* A suspend takes the stop back. */
	drive_to(&drive, MACHINE_ACTIVE);
	go(&drive, MACHINE_EVENT_ADMIN_STOP);
	go(&drive, MACHINE_EVENT_ADMIN_SUSPEND);
	expect_step(&drive, MACHINE_SAVING);
	assert_false(drive.machine.stopping);
}

static void test_kill_a_saved_desktop(void **state)
{
	struct drive drive;

	(void)state;
	drive_to(&drive, MACHINE_SAVED);
	go(&drive, MACHINE_EVENT_ADMIN_KILL);
	expect_state(&drive, MACHINE_STATE_SAVED);
	assert_false(machine_has_vmm(&drive.machine));
	go(&drive, MACHINE_EVENT_CONSUMED);
	expect_step(&drive, MACHINE_OFF);
	assert_int_equal(drive.machine.resumes, 0);
	drive_login(&drive, 1, OWNER);
	expect_step(&drive, MACHINE_BOOTING);

	drive_to(&drive, MACHINE_SAVED);
	go(&drive, MACHINE_EVENT_ADMIN_KILL);
	go(&drive, MACHINE_EVENT_CONSUME_FAILED);
	expect_step(&drive, MACHINE_SAVED);
	assert_int_equal(drive.machine.generation, 7);
}

static void test_administrator_starts(void **state)
{
	struct drive drive;

	(void)state;
	drive_init(&drive, POLICY_DISCONNECT_SUSPEND, 0);
	drive_event(&drive, MACHINE_EVENT_ADMIN_RESUME);
	assert_int_equal(drive.result, -ENOENT);
	go(&drive, MACHINE_EVENT_ADMIN_START);
	go(&drive, MACHINE_EVENT_VMM_READY);
	expect_step(&drive, MACHINE_DETACHED);
	/* It stays until its first viewer has left. */
	assert_int_equal(drive.machine.timers, 0);
	drive_login(&drive, 1, OWNER);
	drive_gone(&drive, 1);
	assert_int_equal(drive.machine.timers, 1u << MACHINE_TIMER_GRACE);

	drive_to(&drive, MACHINE_SAVED);
	go(&drive, MACHINE_EVENT_ADMIN_RESUME);
	go(&drive, MACHINE_EVENT_VMM_READY);
	go(&drive, MACHINE_EVENT_CONSUMED);
	expect_step(&drive, MACHINE_DETACHED);
	assert_int_equal(drive.machine.timers, 0);
}

static void test_pause_policy(void **state)
{
	struct drive drive;

	(void)state;
	drive_to(&drive, MACHINE_PAUSED);
	assert_true(machine_has_vmm(&drive.machine));
	assert_false(machine_runs(&drive.machine));
	drive_login(&drive, 2, OWNER);
	expect_step(&drive, MACHINE_ACTIVE);
	assert_true(
	    drive_index(&drive, MACHINE_ACTION_RUN) < drive_index(&drive, MACHINE_ACTION_ATTACH));

	drive_to(&drive, MACHINE_PAUSED);
	go(&drive, MACHINE_EVENT_ADMIN_SUSPEND);
	expect_step(&drive, MACHINE_SAVING);
}

static void test_keep_policy(void **state)
{
	struct drive drive;

	(void)state;
	drive_init(&drive, POLICY_DISCONNECT_KEEP, 0);
	drive_login(&drive, 1, OWNER);
	go(&drive, MACHINE_EVENT_VMM_READY);
	drive_gone(&drive, 1);
	expect_step(&drive, MACHINE_DETACHED);
	assert_int_equal(drive.machine.timers, 0);
}

static void test_shutdown_policy(void **state)
{
	struct drive drive;

	(void)state;
	drive_init(&drive, POLICY_DISCONNECT_SHUTDOWN, 0);
	drive_login(&drive, 1, OWNER);
	go(&drive, MACHINE_EVENT_VMM_READY);
	drive_gone(&drive, 1);
	drive_timer(&drive, MACHINE_TIMER_GRACE);
	assert_non_null(drive_action(&drive, MACHINE_ACTION_POWER_BUTTON));
	/* A guest that asks "save your file?" is not cut off. */
	drive_timer(&drive, MACHINE_TIMER_STOP);
	expect_step(&drive, MACHINE_SAVING);

	/* Who comes back meanwhile keeps the desktop. */
	drive_init(&drive, POLICY_DISCONNECT_SHUTDOWN, 0);
	drive_login(&drive, 1, OWNER);
	go(&drive, MACHINE_EVENT_VMM_READY);
	drive_gone(&drive, 1);
	drive_timer(&drive, MACHINE_TIMER_GRACE);
	drive_login(&drive, 2, OWNER);
	expect_step(&drive, MACHINE_ACTIVE);
	assert_int_equal(drive.machine.timers, 0);
}

static void test_hold(void **state)
{
	struct drive drive;

	(void)state;
	drive_to(&drive, MACHINE_DETACHED);
	go(&drive, MACHINE_EVENT_HOLD_TAKEN);
	drive_timer(&drive, MACHINE_TIMER_GRACE);
	expect_step(&drive, MACHINE_DETACHED);
	assert_int_equal(drive.machine.timers, 0);
	go(&drive, MACHINE_EVENT_HOLD_RELEASED);
	assert_int_equal(drive.machine.timers, 1u << MACHINE_TIMER_GRACE);
	drive_timer(&drive, MACHINE_TIMER_GRACE);
	expect_step(&drive, MACHINE_SAVING);
	/* A release without a hold is refused. */
	drive_event(&drive, MACHINE_EVENT_HOLD_RELEASED);
	assert_int_equal(drive.result, -ENOENT);

	/* Neither a request nor the host's end asks for holds. */
	drive_to(&drive, MACHINE_DETACHED);
	go(&drive, MACHINE_EVENT_HOLD_TAKEN);
	go(&drive, MACHINE_EVENT_ADMIN_SUSPEND);
	expect_step(&drive, MACHINE_SAVING);
	drive_to(&drive, MACHINE_DETACHED);
	go(&drive, MACHINE_EVENT_HOLD_TAKEN);
	go(&drive, MACHINE_EVENT_HOST_SHUTDOWN);
	expect_step(&drive, MACHINE_SAVING);

	drive_to(&drive, MACHINE_DETACHED);
	drive.machine.policy.honour_hold = false;
	go(&drive, MACHINE_EVENT_HOLD_TAKEN);
	drive_timer(&drive, MACHINE_TIMER_GRACE);
	expect_step(&drive, MACHINE_SAVING);
}

static void test_busy(void **state)
{
	struct drive drive;
	struct machine_event event = { .type = MACHINE_EVENT_TIMER, .timer = MACHINE_TIMER_GRACE };

	(void)state;
	drive_to(&drive, MACHINE_DETACHED);
	drive.machine.policy.busy_permille = 300;
	event.busy_permille = 300;
	drive_send(&drive, &event);
	expect_step(&drive, MACHINE_DETACHED);
	assert_int_equal(drive_action(&drive, MACHINE_ACTION_ARM)->delay_us, 60 * SECOND);
	event.busy_permille = 299;
	drive_send(&drive, &event);
	expect_step(&drive, MACHINE_SAVING);
}

static void test_host_shutdown(void **state)
{
	struct drive drive;

	(void)state;
	drive_to(&drive, MACHINE_ACTIVE);
	go(&drive, MACHINE_EVENT_HOST_SHUTDOWN);
	expect_step(&drive, MACHINE_SAVING);
	assert_int_equal(drive_caption(&drive, 1, NULL), MACHINE_CAPTION_SUSPENDING);
	go(&drive, MACHINE_EVENT_SUSPEND_FAILED);
	/* It is tried again, though a viewer is there. */
	drive_timer(&drive, MACHINE_TIMER_RETRY);
	expect_step(&drive, MACHINE_SAVING);
	go(&drive, MACHINE_EVENT_SUSPEND_DONE);
	go(&drive, MACHINE_EVENT_COMMIT_DONE);
	drive_exit(&drive, MACHINE_EXIT_QUIT, "");
	expect_step(&drive, MACHINE_SAVED);
	assert_int_equal(drive_action(&drive, MACHINE_ACTION_CLOSE_VIEWER)->viewer, 1);
	assert_true(machine_settled(&drive.machine));

	/* What was about to be resumed is suspended again, once it runs. */
	drive_to(&drive, MACHINE_MARKING);
	go(&drive, MACHINE_EVENT_HOST_SHUTDOWN);
	go(&drive, MACHINE_EVENT_CONSUMED);
	expect_step(&drive, MACHINE_SAVING);
	assert_true(drive_index(&drive, MACHINE_ACTION_RUN) <
		    drive_index(&drive, MACHINE_ACTION_BEGIN_SUSPEND));
}

static void found(struct drive *drive, enum machine_found what, uint64_t generation, uint64_t base)
{
	struct machine_initial initial = {
		.generation = generation, .next = 9, .found = what, .base = base
	};
	struct policy policy;

	memset(drive, 0, sizeof(*drive));
	policy_default(&policy);
	machine_init(&drive->machine, &policy, &initial, 5 * SECOND, &drive->actions);
}

static void test_daemon_restart(void **state)
{
	struct drive drive;

	(void)state;
	found(&drive, MACHINE_FOUND_RUNNING, 0, 3);
	expect_step(&drive, MACHINE_DETACHED);
	assert_int_equal(drive.machine.timers, 1u << MACHINE_TIMER_GRACE);
	machine_adopt_viewer(&drive.machine, 40, OWNER, 6 * SECOND, &drive.actions);
	expect_step(&drive, MACHINE_ACTIVE);
	assert_null(drive_action(&drive, MACHINE_ACTION_ATTACH));
	assert_int_equal(drive.machine.timers, 0);
	assert_int_equal(drive.machine.base, 3);

	/* Loaded, marked, but never let run: it goes on. */
	found(&drive, MACHINE_FOUND_STANDING, 0, 3);
	expect_step(&drive, MACHINE_DETACHED);
	assert_non_null(drive_action(&drive, MACHINE_ACTION_RUN));
	/* Loaded, but not marked: as if nothing had been. */
	found(&drive, MACHINE_FOUND_STANDING, 3, 3);
	expect_state(&drive, MACHINE_STATE_SAVED);
	assert_non_null(drive_action(&drive, MACHINE_ACTION_QUIT_VMM));
	found(&drive, MACHINE_FOUND_STANDING, 0, 0);
	expect_state(&drive, MACHINE_STATE_OFF);

	/* Written and committed: saved. Written only: it runs on. */
	found(&drive, MACHINE_FOUND_SUSPENDED, 8, 3);
	expect_step(&drive, MACHINE_LEAVING);
	drive_exit(&drive, MACHINE_EXIT_QUIT, "");
	expect_step(&drive, MACHINE_SAVED);
	assert_int_equal(drive.machine.generation, 8);
	found(&drive, MACHINE_FOUND_SUSPENDED, 0, 3);
	expect_step(&drive, MACHINE_DETACHED);
	assert_non_null(drive_action(&drive, MACHINE_ACTION_RUN));

	found(&drive, MACHINE_FOUND_PAUSED, 0, 3);
	expect_step(&drive, MACHINE_PAUSED);

	/* A snapshot beside a VM that runs must never be resumed. */
	found(&drive, MACHINE_FOUND_RUNNING, 8, 3);
	assert_int_equal(drive_action(&drive, MACHINE_ACTION_MARK_CONSUMED)->generation, 8);
	expect_step(&drive, MACHINE_DETACHED);
}

static void test_after_a_power_cut(void **state)
{
	struct drive drive;
	struct machine_initial initial = { .next = 4,
		.reason = "It was running when the host stopped." };
	struct policy policy;
	const char *text = NULL;

	(void)state;
	memset(&drive, 0, sizeof(drive));
	policy_default(&policy);
	machine_init(&drive.machine, &policy, &initial, 0, &drive.actions);
	expect_step(&drive, MACHINE_OFF);
	drive_login(&drive, 1, OWNER);
	expect_step(&drive, MACHINE_BOOTING);
	assert_int_equal(drive_caption(&drive, 1, &text), MACHINE_CAPTION_STARTING);
	assert_string_equal(text, "It was running when the host stopped.");
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
		cmocka_unit_test(test_load_fails_for_another_reason),
		cmocka_unit_test(test_slow_starts),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_kill_a_saved_desktop),
		cmocka_unit_test(test_administrator_starts),
		cmocka_unit_test(test_pause_policy),
		cmocka_unit_test(test_keep_policy),
		cmocka_unit_test(test_shutdown_policy),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_host_shutdown),
		cmocka_unit_test(test_daemon_restart),
		cmocka_unit_test(test_after_a_power_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
