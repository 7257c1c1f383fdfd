/*
 * The stories of the state machine that begin with an administrator, a policy, or the daemon itself: stop and kill, keep
 * and pause, a held or busy desktop, the host's end, the daemon's restart.
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
