/*
 * The interface of the state machine of one desktop. Its table is in machine_table.c, what the cells do in
 * machine_viewers.c, machine_vmm.c and machine_admin.c.
 */
#include "session/machine.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "session/machine_internal.h"

static const char *const step_names[MACHINE_STEP_COUNT] = {
	[MACHINE_OFF] = "off",
	[MACHINE_BOOTING] = "booting",
	[MACHINE_ACTIVE] = "active",
	[MACHINE_DETACHED] = "detached",
	[MACHINE_PAUSED] = "paused",
	[MACHINE_SAVING] = "saving",
	[MACHINE_ABORTING] = "aborting",
	[MACHINE_COMMITTING] = "committing",
	[MACHINE_LEAVING] = "leaving",
	[MACHINE_SAVED] = "saved",
	[MACHINE_LOADING] = "loading",
	[MACHINE_MARKING] = "marking",
	[MACHINE_ENDING] = "ending",
	[MACHINE_FAILED] = "failed",
};

static const char *const state_names[MACHINE_STATE_COUNT] = {
	[MACHINE_STATE_OFF] = "off",
	[MACHINE_STATE_BOOTING] = "booting",
	[MACHINE_STATE_ACTIVE] = "active",
	[MACHINE_STATE_DETACHED] = "detached",
	[MACHINE_STATE_PAUSED] = "paused",
	[MACHINE_STATE_SAVING] = "saving",
	[MACHINE_STATE_SAVED] = "saved",
	[MACHINE_STATE_RESUMING] = "resuming",
	[MACHINE_STATE_FAILED] = "failed",
};

static const char *const event_names[MACHINE_EVENT_COUNT] = {
	[MACHINE_EVENT_LOGIN] = "login",
	[MACHINE_EVENT_VIEWER_GONE] = "viewer gone",
	[MACHINE_EVENT_VIEWER_ACTION] = "viewer action",
	[MACHINE_EVENT_TIMER] = "timer",
	[MACHINE_EVENT_START_FAILED] = "start failed",
	[MACHINE_EVENT_VMM_READY] = "vmm ready",
	[MACHINE_EVENT_VMM_REFUSED] = "vmm refused",
	[MACHINE_EVENT_VMM_EXITED] = "vmm exited",
	[MACHINE_EVENT_SUSPEND_DONE] = "suspend done",
	[MACHINE_EVENT_SUSPEND_FAILED] = "suspend failed",
	[MACHINE_EVENT_COMMIT_DONE] = "commit done",
	[MACHINE_EVENT_COMMIT_FAILED] = "commit failed",
	[MACHINE_EVENT_CONSUMED] = "consumed",
	[MACHINE_EVENT_CONSUME_FAILED] = "consume failed",
	[MACHINE_EVENT_ADMIN_START] = "start",
	[MACHINE_EVENT_ADMIN_SUSPEND] = "suspend",
	[MACHINE_EVENT_ADMIN_RESUME] = "resume",
	[MACHINE_EVENT_ADMIN_STOP] = "stop",
	[MACHINE_EVENT_ADMIN_KILL] = "kill",
	[MACHINE_EVENT_HOLD_TAKEN] = "hold taken",
	[MACHINE_EVENT_HOLD_RELEASED] = "hold released",
	[MACHINE_EVENT_HOST_SHUTDOWN] = "host shutdown",
};

static const char *const action_names[MACHINE_ACTION_COUNT] = {
	[MACHINE_ACTION_START_VMM] = "start VMM",
	[MACHINE_ACTION_LOAD_VMM] = "load VMM",
	[MACHINE_ACTION_MARK_CONSUMED] = "mark consumed",
	[MACHINE_ACTION_RUN] = "run",
	[MACHINE_ACTION_PAUSE] = "pause",
	[MACHINE_ACTION_ATTACH] = "attach",
	[MACHINE_ACTION_DETACH] = "detach",
	[MACHINE_ACTION_SHOW] = "show",
	[MACHINE_ACTION_CLOSE_VIEWER] = "close viewer",
	[MACHINE_ACTION_BEGIN_SUSPEND] = "begin suspend",
	[MACHINE_ACTION_COMMIT] = "commit",
	[MACHINE_ACTION_ABORT_SUSPEND] = "abort suspend",
	[MACHINE_ACTION_DISCARD] = "discard",
	[MACHINE_ACTION_SET_ASIDE] = "set aside",
	[MACHINE_ACTION_PRUNE] = "prune",
	[MACHINE_ACTION_QUIT_VMM] = "quit VMM",
	[MACHINE_ACTION_POWER_BUTTON] = "power button",
	[MACHINE_ACTION_KILL_VMM] = "kill VMM",
	[MACHINE_ACTION_ARM] = "arm",
	[MACHINE_ACTION_DISARM] = "disarm",
};

static const char *const timer_names[MACHINE_TIMER_COUNT] = {
	[MACHINE_TIMER_GRACE] = "grace",
	[MACHINE_TIMER_START] = "start",
	[MACHINE_TIMER_SUSPEND] = "suspend",
	[MACHINE_TIMER_STOP] = "stop",
	[MACHINE_TIMER_END] = "end",
	[MACHINE_TIMER_RETRY] = "retry",
};

#define NAME_OF(names, index) \
	((size_t)(index) < sizeof(names) / sizeof((names)[0]) ? (names)[index] : "?")

const char *machine_state_name(enum machine_state state)
{
	return NAME_OF(state_names, state);
}

const char *machine_step_name(enum machine_step step)
{
	return NAME_OF(step_names, step);
}

const char *machine_event_name(enum machine_event_type type)
{
	return NAME_OF(event_names, type);
}

const char *machine_action_name(enum machine_action_type type)
{
	return NAME_OF(action_names, type);
}

const char *machine_timer_name(enum machine_timer timer)
{
	return NAME_OF(timer_names, timer);
}

static enum machine_state state_of(enum machine_step step)
{
	static const enum machine_state states[MACHINE_STEP_COUNT] = {
		[MACHINE_OFF] = MACHINE_STATE_OFF,
		[MACHINE_BOOTING] = MACHINE_STATE_BOOTING,
		[MACHINE_ACTIVE] = MACHINE_STATE_ACTIVE,
		[MACHINE_DETACHED] = MACHINE_STATE_DETACHED,
		[MACHINE_PAUSED] = MACHINE_STATE_PAUSED,
		[MACHINE_SAVING] = MACHINE_STATE_SAVING,
		[MACHINE_ABORTING] = MACHINE_STATE_SAVING,
		[MACHINE_COMMITTING] = MACHINE_STATE_SAVING,
		[MACHINE_LEAVING] = MACHINE_STATE_SAVING,
		[MACHINE_SAVED] = MACHINE_STATE_SAVED,
		[MACHINE_LOADING] = MACHINE_STATE_RESUMING,
		[MACHINE_MARKING] = MACHINE_STATE_RESUMING,
		[MACHINE_ENDING] = MACHINE_STATE_OFF,
		[MACHINE_FAILED] = MACHINE_STATE_FAILED,
	};

	return states[step];
}

enum machine_state machine_state(const struct machine *machine)
{
	if (machine->step == MACHINE_ENDING) {
		return state_of(machine->ends_in);
	}
	if (machine->step == MACHINE_MARKING && machine->vmm_exited) {
		return MACHINE_STATE_SAVED; /* a kill of a saved desktop */
	}
	return state_of(machine->step);
}

bool machine_has_vmm(const struct machine *machine)
{
	switch (machine->step) {
	case MACHINE_OFF:
	case MACHINE_SAVED:
	case MACHINE_FAILED:
		return false;
	default:
		return !machine->vmm_exited;
	}
}

bool machine_runs(const struct machine *machine)
{
	return machine->step == MACHINE_ACTIVE || machine->step == MACHINE_DETACHED;
}

bool machine_settled(const struct machine *machine)
{
	switch (machine->step) {
	case MACHINE_OFF:
	case MACHINE_SAVED:
	case MACHINE_FAILED:
		return true;
	case MACHINE_ACTIVE:
	case MACHINE_DETACHED:
	case MACHINE_PAUSED:
		return !machine->stopping && !machine->closing;
	default:
		return false;
	}
}

const struct machine_viewer *machine_find_viewer(const struct machine *machine, uint64_t viewer)
{
	for (size_t i = 0; i < machine->viewer_count; i++) {
		if (machine->viewers[i].id == viewer) {
			return &machine->viewers[i];
		}
	}
	return NULL;
}

void machine_set_policy(struct machine *machine, const struct policy *policy)
{
	machine->policy = *policy;
}

/* --- start of the daemon -------------------------------------------------------------------------------------------- */

static void init_found(struct machine_run *run, const struct machine_initial *initial)
{
	struct machine *machine = run->machine;
	enum machine_found found = initial->found;

	machine->base = initial->base;
	machine->generation = initial->generation;
	if (found == MACHINE_FOUND_SUSPENDED && initial->generation) {
		/* The last daemon died between the commit and the end of the VMM. */
		machine_enter(run, MACHINE_LEAVING, "");
		machine_do(run, MACHINE_ACTION_QUIT_VMM);
		machine_do_arm(run, MACHINE_TIMER_END, MACHINE_END_TIMEOUT_US);
		return;
	}
	if (found == MACHINE_FOUND_STANDING && (initial->generation || !initial->base)) {
		machine_do(run, MACHINE_ACTION_QUIT_VMM);
		machine_enter_ending(run, initial->generation ? MACHINE_SAVED : MACHINE_OFF, "");
		return;
	}
	if (initial->generation) {
		/* It must not be resumed a second time beside a VM that runs on. The answer finds nobody waiting. */
		machine_do(run, MACHINE_ACTION_MARK_CONSUMED);
		machine->generation = 0;
	}
	if (found == MACHINE_FOUND_PAUSED) {
		machine_enter(run, MACHINE_PAUSED, "");
		return;
	}
	if (found != MACHINE_FOUND_RUNNING) {
		machine_do(run, MACHINE_ACTION_RUN);
	}
	machine_enter_detached(run, "");
}

void machine_init(struct machine *machine, const struct policy *policy,
    const struct machine_initial *initial, uint64_t now_us, struct machine_actions *actions)
{
	struct machine_event none = { .type = MACHINE_EVENT_COUNT };
	struct machine_run run = { machine, &none, now_us, actions };

	memset(machine, 0, sizeof(*machine));
	actions->count = 0;
	machine->policy = *policy;
	machine->since_us = now_us;
	machine->next = initial->next ? initial->next : 1;
	machine->resumes = initial->resumes;
	if (initial->found != MACHINE_FOUND_NONE) {
		init_found(&run, initial);
		return;
	}
	machine->generation = initial->generation;
	machine_enter(&run, initial->generation ? MACHINE_SAVED : MACHINE_OFF,
	    initial->reason ? initial->reason : "");
}

void machine_adopt_viewer(struct machine *machine, uint64_t viewer, uint32_t rights,
    uint64_t now_us, struct machine_actions *actions)
{
	struct machine_event none = { .type = MACHINE_EVENT_COUNT };
	struct machine_run run = { machine, &none, now_us, actions };

	actions->count = 0;
	if (!machine_runs(machine) || machine->viewer_count == MACHINE_VIEWERS_MAX ||
	    machine_find_viewer(machine, viewer)) {
		return;
	}
	machine_disarm_all(&run);
	machine->viewers[machine->viewer_count++] = (struct machine_viewer){
		.id = viewer,
		.rights = rights,
		.attached = true,
		.since_us = now_us,
	};
	machine_enter(&run, MACHINE_ACTIVE, "");
}

/* --- events --------------------------------------------------------------------------------------------------------- */

/* An answer about another generation than the one that is dealt with, or a timer that was disarmed meanwhile. */
static bool is_stale(const struct machine *machine, const struct machine_event *event)
{
	switch (event->type) {
	case MACHINE_EVENT_SUSPEND_DONE:
	case MACHINE_EVENT_SUSPEND_FAILED:
	case MACHINE_EVENT_COMMIT_DONE:
	case MACHINE_EVENT_COMMIT_FAILED:
	case MACHINE_EVENT_CONSUMED:
	case MACHINE_EVENT_CONSUME_FAILED:
		return event->generation != machine->generation;
	case MACHINE_EVENT_TIMER:
		return (unsigned int)event->timer >= MACHINE_TIMER_COUNT ||
		       !(machine->timers & 1u << event->timer);
	default:
		return false;
	}
}

static bool is_start(enum machine_event_type type)
{
	return type == MACHINE_EVENT_LOGIN || type == MACHINE_EVENT_ADMIN_START ||
	       type == MACHINE_EVENT_ADMIN_RESUME;
}

int machine_handle(struct machine *machine, const struct machine_event *event, uint64_t now_us,
    struct machine_actions *actions)
{
	struct machine_run run = { machine, event, now_us, actions };
	machine_handler handle;

	assert((unsigned int)event->type < MACHINE_EVENT_COUNT);
	actions->count = 0;
	if (is_stale(machine, event)) {
		return 0;
	}
	if (machine->closing && is_start(event->type)) {
		return -ESHUTDOWN;
	}
	handle = machine_cell_handler(event->type, machine->step);
	if (event->type == MACHINE_EVENT_TIMER) {
		machine->timers &= ~(1u << event->timer);
	}
	return handle ? handle(&run) : 0;
}

const char *machine_refusal(const struct machine *machine, enum machine_event_type event, int error)
{
	if (error == -ESHUTDOWN) {
		return "The host is going down.";
	}
	if (event == MACHINE_EVENT_LOGIN) {
		return "Too many viewers are connected to this desktop.";
	}
	if (error == -ENOENT) {
		return event == MACHINE_EVENT_ADMIN_RESUME ? "There is no saved desktop to resume."
		       : event == MACHINE_EVENT_HOLD_RELEASED ? "Nobody holds the desktop."
							      : "The desktop does not run.";
	}
	switch (machine->step) {
	case MACHINE_BOOTING:
		return "The desktop is starting; try again when it runs.";
	case MACHINE_SAVED:
		return "The desktop is saved: resume it to shut it down, or kill it to give up its "
		       "memory.";
	case MACHINE_SAVING:
	case MACHINE_COMMITTING:
	case MACHINE_LEAVING:
		return "The desktop is being saved; try again when it is.";
	case MACHINE_ABORTING:
	case MACHINE_LOADING:
	case MACHINE_MARKING:
		return "The desktop is being resumed; try again when it runs.";
	case MACHINE_ENDING:
		return "The desktop is being switched off; try again when it is.";
	default:
		return machine->stopping ? "The desktop is being shut down."
					 : "That does not go with the desktop's state now.";
	}
}
