/*
 * Drives a state machine by hand: one call per event, and questions about the actions that came. Test only; every call
 * that the machine must take fails the test when it is refused.
 */
#pragma once

#include "session/machine.h"

#define SECOND UINT64_C(1000000)

enum {
	OWNER = MACHINE_RIGHT_STEER | MACHINE_RIGHT_START | MACHINE_RIGHT_OWNER,
	LOOKER = 0, /* a helper with view */
};

struct drive {
	struct machine machine;
	struct machine_actions actions;
	uint64_t now_us;
	int result;
};

void drive_init(struct drive *drive, enum policy_disconnect on_disconnect, uint64_t generation);
/* The event with the machine's generation, viewer 1 and what else the tests' defaults are. Result in drive->result. */
void drive_send(struct drive *drive, const struct machine_event *event);
void drive_event(struct drive *drive, enum machine_event_type type);
void drive_login(struct drive *drive, uint64_t viewer, uint32_t rights);
void drive_gone(struct drive *drive, uint64_t viewer);
void drive_timer(struct drive *drive, enum machine_timer timer);
void drive_exit(struct drive *drive, enum machine_exit exit, const char *text);
/* From OFF (or SAVED, where the step needs it) to `step`, along the usual way. */
void drive_to(struct drive *drive, enum machine_step step);

/* The first action of that type, or NULL. */
const struct machine_action *drive_action(const struct drive *drive, enum machine_action_type type);
size_t drive_count(const struct drive *drive, enum machine_action_type type);
/* Index of the first action of that type, or SIZE_MAX. */
size_t drive_index(const struct drive *drive, enum machine_action_type type);
/* The last caption for the viewer in these actions, SHOW or CLOSE; 0: none. */
enum machine_caption drive_caption(const struct drive *drive, uint64_t viewer, const char **text);
