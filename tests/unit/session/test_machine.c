/*
 * The table of the state machine, cell by cell: that the header prints what the code does, that every step with every
 * event does what the cell's word says, and that a refusal changes nothing.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drive.h"

/* --- the header's table ------------------------------------------------------------------------------------------- */

static const char *const columns[MACHINE_STEP_COUNT] = {
	"OFF",
	"BOOTING",
	"ACTIVE",
	"DETACH.",
	"PAUSED",
	"SAVING",
	"ABORT.",
	"COMMIT.",
	"LEAVING",
	"SAVED",
	"LOADING",
	"MARKING",
	"ENDING",
	"FAILED",
};

static const char *const rows[MACHINE_EVENT_COUNT] = {
	[MACHINE_EVENT_LOGIN] = "LOGIN",
	[MACHINE_EVENT_VIEWER_GONE] = "VIEWER_GONE",
	[MACHINE_EVENT_VIEWER_ACTION] = "VIEWER_ACTION",
	[MACHINE_EVENT_TIMER] = "TIMER",
	[MACHINE_EVENT_START_FAILED] = "START_FAILED",
	[MACHINE_EVENT_VMM_READY] = "VMM_READY",
	[MACHINE_EVENT_VMM_REFUSED] = "VMM_REFUSED",
	[MACHINE_EVENT_VMM_EXITED] = "VMM_EXITED",
	[MACHINE_EVENT_SUSPEND_DONE] = "SUSPEND_DONE",
	[MACHINE_EVENT_SUSPEND_FAILED] = "SUSPEND_FAILED",
	[MACHINE_EVENT_COMMIT_DONE] = "COMMIT_DONE",
	[MACHINE_EVENT_COMMIT_FAILED] = "COMMIT_FAILED",
	[MACHINE_EVENT_CONSUMED] = "CONSUMED",
	[MACHINE_EVENT_CONSUME_FAILED] = "CONSUME_FAILED",
	[MACHINE_EVENT_ADMIN_START] = "ADMIN_START",
	[MACHINE_EVENT_ADMIN_SUSPEND] = "ADMIN_SUSPEND",
	[MACHINE_EVENT_ADMIN_RESUME] = "ADMIN_RESUME",
	[MACHINE_EVENT_ADMIN_STOP] = "ADMIN_STOP",
	[MACHINE_EVENT_ADMIN_KILL] = "ADMIN_KILL",
	[MACHINE_EVENT_HOLD_TAKEN] = "HOLD_TAKEN",
	[MACHINE_EVENT_HOLD_RELEASED] = "HOLD_RELEASED",
	[MACHINE_EVENT_HOST_SHUTDOWN] = "HOST_SHUTDOWN",
};

static int find(const char *const *names, int count, const char *name)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(names[i], name) == 0) {
			return i;
		}
	}
	return -1;
}

static void test_header_table(void **state)
{
	FILE *header = fopen(MACHINE_HEADER, "re");
	bool seen[MACHINE_EVENT_COUNT][MACHINE_STEP_COUNT] = { { false } };
	int heading[MACHINE_STEP_COUNT], heading_count = 0;
	char line[512];
	size_t cells = 0;

	(void)state;
	assert_non_null(header);
	while (fgets(line, sizeof(line), header)) {
		char *rest = NULL, *word = strtok_r(line, " \t\n", &rest);
		int row;

		word = word && strcmp(word, "*") == 0 ? strtok_r(NULL, " \t\n", &rest) : NULL;
		if (!word) {
			continue;
		}
		/* A line of columns names steps only; the table of steps above has other words beside them. */
		if (find(columns, MACHINE_STEP_COUNT, word) >= 0) {
			heading_count = 0;
			while (word && find(columns, MACHINE_STEP_COUNT, word) >= 0) {
				heading[heading_count++] = find(columns, MACHINE_STEP_COUNT, word);
				word = strtok_r(NULL, " \t\n", &rest);
			}
			heading_count = word ? 0 : heading_count;
			continue;
		}
		row = find(rows, MACHINE_EVENT_COUNT, word);
		for (int i = 0; row >= 0 && i < heading_count; i++) {
			word = strtok_r(NULL, " \t\n", &rest);
			assert_non_null(word);
			assert_string_equal(word, machine_cell_label(row, heading[i]));
			assert_false(seen[row][heading[i]]);
			seen[row][heading[i]] = true;
			cells++;
		}
	}
	fclose(header);
	assert_int_equal(cells, MACHINE_EVENT_COUNT * MACHINE_STEP_COUNT);
}

/* --- every step with every event ---------------------------------------------------------------------------------- */

/* The timer that a step waits with; GRACE where it has none, which must then be ignored. */
static enum machine_timer timer_of(enum machine_step step)
{
	switch (step) {
	case MACHINE_BOOTING:
	case MACHINE_LOADING:
	case MACHINE_MARKING:
		return MACHINE_TIMER_START;
	case MACHINE_SAVING:
	case MACHINE_ABORTING:
	case MACHINE_COMMITTING:
		return MACHINE_TIMER_SUSPEND;
	case MACHINE_LEAVING:
	case MACHINE_ENDING:
		return MACHINE_TIMER_END;
	default:
		return MACHINE_TIMER_GRACE;
	}
}

static void send(struct drive *drive, enum machine_event_type type)
{
	struct machine_event event = {
		.type = type,
		.viewer = type == MACHINE_EVENT_LOGIN ? 9 : 1,
		.rights = OWNER,
		.timer = timer_of(drive->machine.step),
		.exit = MACHINE_EXIT_ERROR,
		.generation = drive->machine.generation,
		.peer = "192.0.2.9",
		.text = "told by the test",
	};

	drive_send(drive, &event);
}

/* A viewer to press keys: view-only logins do not start anything, so the owner comes by hand. */
static void add_watcher(struct drive *drive)
{
	drive->machine.viewers[drive->machine.viewer_count++] = (struct machine_viewer){ .id = 1,
		.rights = OWNER };
}

static void check_cell(enum machine_event_type type, enum machine_step step)
{
	const char *label = machine_cell_label(type, step);
	struct drive drive, before;
	enum machine_step after;
	bool found = false;

	drive_to(&drive, step);
	if (type == MACHINE_EVENT_VIEWER_ACTION && !machine_find_viewer(&drive.machine, 1)) {
		add_watcher(&drive);
	}
	if (type == MACHINE_EVENT_HOLD_RELEASED) {
		drive.machine.holds = 1;
	}
	if (type == MACHINE_EVENT_TIMER && step == MACHINE_ACTIVE) {
		drive_event(&drive, MACHINE_EVENT_ADMIN_STOP);
		drive_timer(&drive, MACHINE_TIMER_STOP);
		assert_int_equal(drive.machine.step, MACHINE_ENDING);
		return;
	}
	before = drive;
	send(&drive, type);
	after = drive.machine.step;
	if (strcmp(label, "busy") == 0 || strcmp(label, "none") == 0) {
		assert_int_equal(drive.result, strcmp(label, "busy") == 0 ? -EBUSY : -ENOENT);
		assert_int_equal(drive.actions.count, 0);
		assert_memory_equal(&drive.machine, &before.machine, sizeof(drive.machine));
		assert_true(strlen(machine_refusal(&drive.machine, type, drive.result)) > 10);
		return;
	}
	assert_int_equal(drive.result, 0);
	if (strcmp(label, ".") == 0) {
		assert_int_equal(drive.actions.count, 0);
		assert_memory_equal(&drive.machine, &before.machine, sizeof(drive.machine));
		return;
	}
	for (enum machine_step next = 0; next < MACHINE_STEP_COUNT; next++) {
		if (strcmp(label, machine_step_name(next)) == 0) {
			found = true;
			assert_int_equal(after, next);
		}
	}
	if (found) {
		return;
	}
	if (strcmp(label, "commit") == 0) {
		assert_int_equal(after, MACHINE_COMMITTING);
		assert_int_equal(drive_count(&drive, MACHINE_ACTION_COMMIT), 1);
	} else if (strcmp(label, "policy") == 0) {
		assert_int_equal(after, MACHINE_SAVING);
	} else if (strcmp(label, "off/fail") == 0) {
		assert_int_equal(after, MACHINE_FAILED);
	} else if (strcmp(label, "ends") == 0) {
		assert_int_equal(after, MACHINE_OFF);
	} else if (strcmp(label, "kill") == 0) {
		assert_int_equal(after, step);
		assert_int_equal(drive_count(&drive, MACHINE_ACTION_KILL_VMM), 1);
	} else if (strcmp(label, "button") == 0) {
		assert_int_equal(drive_count(&drive, MACHINE_ACTION_POWER_BUTTON), 1);
		assert_true(drive.machine.stopping);
	} else if (strcmp(label, "attach") == 0) {
		assert_int_equal(drive_count(&drive, MACHINE_ACTION_ATTACH), 1);
	} else if (strcmp(label, "wait") == 0 || strcmp(label, "told") == 0) {
		assert_int_equal(after, step);
		if (type == MACHINE_EVENT_LOGIN) {
			assert_int_not_equal(drive_caption(&drive, 9, NULL), 0);
		}
	} else if (strcmp(label, "say") == 0) {
		assert_int_equal(after, step);
		assert_true(drive.machine.last_error[0] != '\0');
		assert_int_equal(drive_count(&drive, MACHINE_ACTION_ARM), 1);
	} else if (strcmp(label, "note") == 0) {
		assert_int_equal(after, step);
		assert_false(machine_has_vmm(&drive.machine));
	} else if (strcmp(label, "forget") == 0) {
		assert_null(machine_find_viewer(&drive.machine, 1));
		assert_int_equal(after, step);
	} else if (strcmp(label, "close") == 0) {
		assert_true(drive.machine.closing);
		assert_int_equal(drive.machine.viewer_count, 0);
	} else {
		assert_string_equal(label, "ok");
		assert_int_equal(after,
		    type == MACHINE_EVENT_HOST_SHUTDOWN && step == MACHINE_ABORTING ? MACHINE_SAVING
										    : step);
	}
}

static void test_every_cell(void **state)
{
	(void)state;
	for (enum machine_event_type type = 0; type < MACHINE_EVENT_COUNT; type++) {
		for (enum machine_step step = 0; step < MACHINE_STEP_COUNT; step++) {
			check_cell(type, step);
		}
	}
}

/* Answers about another generation than the one at hand, and timers that were disarmed, do nothing anywhere. */
static void test_stale_events(void **state)
{
	(void)state;
	for (enum machine_step step = 0; step < MACHINE_STEP_COUNT; step++) {
		for (enum machine_event_type type = MACHINE_EVENT_SUSPEND_DONE;
		     type <= MACHINE_EVENT_CONSUME_FAILED; type++) {
			struct drive drive, before;

			drive_to(&drive, step);
			before = drive;
			drive_send(
			    &drive, &(struct machine_event){ .type = type, .generation = 99 });
			assert_int_equal(drive.result, 0);
			assert_int_equal(drive.actions.count, 0);
			assert_memory_equal(&drive.machine, &before.machine, sizeof(drive.machine));
		}
		for (unsigned int timer = 0; timer < MACHINE_TIMER_COUNT + 3; timer++) {
			struct drive drive, before;

			drive_to(&drive, step);
			if (timer < MACHINE_TIMER_COUNT && drive.machine.timers & 1u << timer) {
				continue;
			}
			before = drive;
			drive_send(&drive,
			    &(struct machine_event){ .type = MACHINE_EVENT_TIMER, .timer = timer });
			assert_int_equal(drive.actions.count, 0);
			assert_memory_equal(&drive.machine, &before.machine, sizeof(drive.machine));
		}
	}
}

/* While the host goes down nothing is started in any step. */
static void test_closing_refuses_starts(void **state)
{
	static const enum machine_event_type starts[] = { MACHINE_EVENT_LOGIN,
		MACHINE_EVENT_ADMIN_START, MACHINE_EVENT_ADMIN_RESUME };

	(void)state;
	for (enum machine_step step = 0; step < MACHINE_STEP_COUNT; step++) {
		for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
			struct drive drive;

			drive_to(&drive, step);
			drive_event(&drive, MACHINE_EVENT_HOST_SHUTDOWN);
			send(&drive, starts[i]);
			assert_int_equal(drive.result, -ESHUTDOWN);
			assert_int_equal(drive.actions.count, 0);
		}
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(machine_state_name(MACHINE_STATE_RESUMING), "resuming");
	for (enum machine_event_type type = 0; type < MACHINE_EVENT_COUNT; type++) {
		assert_non_null(machine_event_name(type));
	}
	for (enum machine_action_type type = 0; type < MACHINE_ACTION_COUNT; type++) {
		assert_non_null(machine_action_name(type));
	}
	for (enum machine_timer timer = 0; timer < MACHINE_TIMER_COUNT; timer++) {
		assert_non_null(machine_timer_name(timer));
	}
	assert_string_equal(machine_step_name(MACHINE_STEP_COUNT), "?");
	assert_string_equal(machine_state_name(MACHINE_STATE_COUNT), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header_table),
		cmocka_unit_test(test_every_cell),
		cmocka_unit_test(test_stale_events),
		cmocka_unit_test(test_closing_refuses_starts),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
