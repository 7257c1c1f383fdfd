/* Drives a state machine by hand; see drive.h. */
#include "drive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

void drive_init(struct drive *drive, enum policy_disconnect on_disconnect, uint64_t generation)
{
	struct policy policy;
	struct machine_initial initial = { .generation = generation, .next = generation + 1 };

	policy_default(&policy);
	policy.on_disconnect = on_disconnect;
	memset(drive, 0, sizeof(*drive));
	drive->now_us = 1000 * SECOND;
	machine_init(&drive->machine, &policy, &initial, drive->now_us, &drive->actions);
}

void drive_send(struct drive *drive, const struct machine_event *event)
{
	drive->now_us += 1000;
	drive->result = machine_handle(&drive->machine, event, drive->now_us, &drive->actions);
}

void drive_event(struct drive *drive, enum machine_event_type type)
{
	struct machine_event event = {
		.type = type,
		.viewer = 1,
		.rights = OWNER,
		.generation = drive->machine.generation,
		.exit = MACHINE_EXIT_ERROR,
		.text = "told by the test",
	};

	drive_send(drive, &event);
}

static void must(struct drive *drive, const struct machine_event *event)
{
	drive_send(drive, event);
	assert_int_equal(drive->result, 0);
}

void drive_login(struct drive *drive, uint64_t viewer, uint32_t rights)
{
	must(drive, &(struct machine_event){ .type = MACHINE_EVENT_LOGIN,
			.viewer = viewer,
			.rights = rights,
			.peer = "192.0.2.7" });
}

void drive_gone(struct drive *drive, uint64_t viewer)
{
	must(drive, &(struct machine_event){ .type = MACHINE_EVENT_VIEWER_GONE, .viewer = viewer });
}

void drive_timer(struct drive *drive, enum machine_timer timer)
{
	assert_true(drive->machine.timers & 1u << timer);
	must(drive, &(struct machine_event){ .type = MACHINE_EVENT_TIMER, .timer = timer });
}

void drive_exit(struct drive *drive, enum machine_exit exit, const char *text)
{
	must(drive, &(struct machine_event){
			.type = MACHINE_EVENT_VMM_EXITED, .exit = exit, .text = text });
}

static void go(struct drive *drive, enum machine_event_type type)
{
	drive_event(drive, type);
	assert_int_equal(drive->result, 0);
}

static void to_running(struct drive *drive, enum machine_step step)
{
	drive_login(drive, 1, OWNER);
	if (step == MACHINE_BOOTING) {
		return;
	}
	go(drive, MACHINE_EVENT_VMM_READY);
	if (step == MACHINE_ACTIVE) {
		return;
	}
	if (step == MACHINE_ENDING) {
		go(drive, MACHINE_EVENT_ADMIN_KILL);
		return;
	}
	if (step == MACHINE_FAILED) {
		drive_exit(drive, MACHINE_EXIT_ERROR, "it crashed");
		return;
	}
	drive_gone(drive, 1);
	if (step == MACHINE_DETACHED) {
		return;
	}
	if (step == MACHINE_PAUSED) {
		drive->machine.policy.on_disconnect = POLICY_DISCONNECT_PAUSE;
	}
	drive_timer(drive, MACHINE_TIMER_GRACE);
	if (step == MACHINE_PAUSED || step == MACHINE_SAVING) {
		return;
	}
	if (step == MACHINE_ABORTING) {
		drive_login(drive, 2, OWNER);
		return;
	}
	go(drive, MACHINE_EVENT_SUSPEND_DONE);
	if (step == MACHINE_COMMITTING) {
		return;
	}
	go(drive, MACHINE_EVENT_COMMIT_DONE);
}

void drive_to(struct drive *drive, enum machine_step step)
{
	bool loads = step == MACHINE_SAVED || step == MACHINE_LOADING || step == MACHINE_MARKING;

	drive_init(drive, POLICY_DISCONNECT_SUSPEND, loads ? 7 : 0);
	if (loads) {
		if (step != MACHINE_SAVED) {
			drive_login(drive, 1, OWNER);
		}
		if (step == MACHINE_MARKING) {
			go(drive, MACHINE_EVENT_VMM_READY);
		}
	} else if (step != MACHINE_OFF) {
		to_running(drive, step);
	}
	assert_int_equal(drive->machine.step, step);
}

const struct machine_action *drive_action(const struct drive *drive, enum machine_action_type type)
{
	size_t index = drive_index(drive, type);

	return index == SIZE_MAX ? NULL : &drive->actions.items[index];
}

size_t drive_count(const struct drive *drive, enum machine_action_type type)
{
	size_t count = 0;

	for (size_t i = 0; i < drive->actions.count; i++) {
		count += drive->actions.items[i].type == type;
	}
	return count;
}

size_t drive_index(const struct drive *drive, enum machine_action_type type)
{
	for (size_t i = 0; i < drive->actions.count; i++) {
		if (drive->actions.items[i].type == type) {
			return i;
		}
	}
	return SIZE_MAX;
}

enum machine_caption drive_caption(const struct drive *drive, uint64_t viewer, const char **text)
{
	enum machine_caption caption = 0;

	for (size_t i = 0; i < drive->actions.count; i++) {
		const struct machine_action *action = &drive->actions.items[i];

		if (action->viewer == viewer && (action->type == MACHINE_ACTION_SHOW ||
						    action->type == MACHINE_ACTION_CLOSE_VIEWER)) {
			caption = action->caption;
			if (text) {
				*text = action->text;
			}
		}
	}
	return caption;
}
