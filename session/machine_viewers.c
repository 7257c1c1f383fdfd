/*
 * The state machine's cells for viewers and timers. A handler that refuses has changed nothing.
 */
#include "session/machine_internal.h"

#include <errno.h>
#include <string.h>

#define SECOND_US UINT64_C(1000000)

/* Takes the event's viewer in, with the takeover. 0 or -EBUSY. */
static int add_viewer(struct machine_run *run, struct machine_viewer **viewer)
{
	struct machine *machine = run->machine;
	const struct machine_event *event = run->event;
	bool owner = event->rights & MACHINE_RIGHT_OWNER;
	size_t staying = 0;
	char text[MACHINE_TEXT_MAX];

	for (size_t i = 0; i < machine->viewer_count; i++) {
		if (machine->viewers[i].id == event->viewer) {
			return -EBUSY;
		}
		staying += !owner || !(machine->viewers[i].rights & MACHINE_RIGHT_OWNER);
	}
	if (staying == MACHINE_VIEWERS_MAX) {
		return -EBUSY;
	}
	machine_set_text(text, "Your desktop has moved to another terminal%s%s%s.",
	    event->peer ? " (" : "", event->peer ? event->peer : "", event->peer ? ")" : "");
	for (size_t i = machine->viewer_count; owner && i-- > 0;) {
		if (machine->viewers[i].rights & MACHINE_RIGHT_OWNER) {
			machine_close_viewer(run, i, MACHINE_CAPTION_MOVED, text);
		}
	}
	*viewer = &machine->viewers[machine->viewer_count++];
	**viewer = (struct machine_viewer){
		.id = event->viewer,
		.rights = event->rights,
		.wants = true,
		.since_us = run->now_us,
	};
	return 0;
}

/* --- handlers: viewers -------------------------------------------------------------------------------------------- */

int machine_on_login_start(struct machine_run *run)
{
	struct machine_viewer *viewer;
	int error = add_viewer(run, &viewer);

	if (error) {
		return error;
	}
	if (run->machine->step != MACHINE_FAILED && machine_is_wanted(run->machine)) {
		machine_start_desktop(run);
	} else {
		viewer->wants = false;
		machine_show(
		    run, viewer, machine_resting_caption(run->machine), run->machine->reason);
	}
	return 0;
}

int machine_on_login_wait(struct machine_run *run)
{
	struct machine_viewer *viewer;
	int error = add_viewer(run, &viewer);

	if (error) {
		return error;
	}
	machine_show(run, viewer,
	    run->machine->step == MACHINE_BOOTING ? MACHINE_CAPTION_STARTING
						  : MACHINE_CAPTION_RESUMING,
	    "");
	return 0;
}

int machine_on_login_attach(struct machine_run *run)
{
	struct machine *machine = run->machine;
	struct machine_viewer *viewer;
	int error = add_viewer(run, &viewer);

	if (error) {
		return error;
	}
	if (machine->step == MACHINE_PAUSED) {
		if (!(viewer->rights & MACHINE_RIGHT_START)) {
			viewer->wants = false;
			machine_show(run, viewer, MACHINE_CAPTION_SAVED, "The desktop is paused.");
			return 0;
		}
		machine_do(run, MACHINE_ACTION_RUN);
		machine_enter_running(run, "");
		return 0;
	}
	machine_disarm(run, MACHINE_TIMER_GRACE);
	machine_disarm(run, MACHINE_TIMER_RETRY);
	if (machine->stopping && machine->stop_suspends) {
		machine->stopping = false;
		machine_disarm(run, MACHINE_TIMER_STOP);
	}
	machine->wanted = false;
	machine_enter(run, MACHINE_ACTIVE, machine->step == MACHINE_ACTIVE ? machine->reason : "");
	machine_attach(run, viewer);
	return 0;
}

int machine_on_login_abort(struct machine_run *run)
{
	struct machine_viewer *viewer;
	int error = add_viewer(run, &viewer);

	if (error) {
		return error;
	}
	if (!machine_is_wanted(run->machine)) {
		viewer->wants = false;
		machine_show(run, viewer, MACHINE_CAPTION_SUSPENDING, run->machine->reason);
		return 0;
	}
	machine_enter(run, MACHINE_ABORTING, run->machine->reason);
	machine_do(run, MACHINE_ACTION_ABORT_SUSPEND);
	machine_show_all(run, MACHINE_CAPTION_RESUMING, "");
	return 0;
}

int machine_on_gone(struct machine_run *run)
{
	struct machine *machine = run->machine;

	for (size_t i = 0; i < machine->viewer_count; i++) {
		if (machine->viewers[i].id == run->event->viewer) {
			machine->viewer_count--;
			memmove(&machine->viewers[i], &machine->viewers[i + 1],
			    (machine->viewer_count - i) * sizeof(machine->viewers[0]));
			break;
		}
	}
	return 0;
}

int machine_on_gone_active(struct machine_run *run)
{
	machine_on_gone(run);
	if (!run->machine->viewer_count) {
		bool retry = run->machine->timers & 1u << MACHINE_TIMER_RETRY;

		machine_enter_detached(run, run->machine->stopping ? run->machine->reason : "");
		if (retry) {
			machine_disarm(run, MACHINE_TIMER_GRACE);
		}
	}
	return 0;
}

int machine_on_key(struct machine_run *run)
{
	struct machine *machine = run->machine;
	const struct machine_viewer *viewer = machine_find_viewer(machine, run->event->viewer);

	if (!viewer || !(viewer->rights & MACHINE_RIGHT_START) || machine->closing) {
		return 0;
	}
	if (machine->step == MACHINE_PAUSED) {
		machine_do(run, MACHINE_ACTION_RUN);
		machine_enter_running(run, "");
	} else {
		machine_start_desktop(run);
	}
	return 0;
}

/* --- handlers: timers --------------------------------------------------------------------------------------------- */

int machine_on_timer_start(struct machine_run *run)
{
	bool load = run->machine->step == MACHINE_LOADING;
	char reason[MACHINE_TEXT_MAX];

	if (run->event->timer != MACHINE_TIMER_START) {
		return 0;
	}
	machine_set_text(reason, "The desktop did not %s within %llu s.", load ? "load" : "start",
	    (unsigned long long)(run->machine->policy.start_timeout_us / SECOND_US));
	machine_set_text(run->machine->last_error, "%s", reason);
	machine_do(run, MACHINE_ACTION_KILL_VMM);
	machine_enter_ending(run, load ? MACHINE_SAVED : MACHINE_FAILED, reason);
	return 0;
}

/* Nobody has been here for the grace time, or since the last failed attempt. */
static void on_grace(struct machine_run *run)
{
	struct machine *machine = run->machine;
	const struct policy *policy = &machine->policy;

	if (machine->closing) {
		machine_begin_suspend(run, "The host is going down.");
		return;
	}
	if (machine->step != MACHINE_DETACHED) {
		return;
	}
	if (policy->honour_hold && machine->holds) {
		machine_enter(run, MACHINE_DETACHED, "It is held.");
		return;
	}
	if (policy->busy_permille && run->event->busy_permille >= policy->busy_permille &&
	    policy->on_disconnect != POLICY_DISCONNECT_KEEP) {
		machine_enter(run, MACHINE_DETACHED, "It is busy.");
		machine_do_arm(run, MACHINE_TIMER_GRACE, policy->busy_recheck_us);
		return;
	}
	switch (policy->on_disconnect) {
	case POLICY_DISCONNECT_SUSPEND:
		machine_begin_suspend(run, "Nobody is connected.");
		break;
	case POLICY_DISCONNECT_PAUSE:
		machine_do(run, MACHINE_ACTION_PAUSE);
		machine_enter(run, MACHINE_PAUSED, "Nobody is connected.");
		break;
	case POLICY_DISCONNECT_SHUTDOWN:
		machine->stopping = true;
		machine->stop_suspends = true;
		machine_enter(run, MACHINE_DETACHED, "Nobody is connected: it is being shut down.");
		machine_do(run, MACHINE_ACTION_POWER_BUTTON);
		machine_do_arm(run, MACHINE_TIMER_STOP, policy->stop_timeout_us);
		break;
	case POLICY_DISCONNECT_KEEP:
		break;
	}
}

int machine_on_timer_running(struct machine_run *run)
{
	struct machine *machine = run->machine;

	if (run->event->timer == MACHINE_TIMER_GRACE || run->event->timer == MACHINE_TIMER_RETRY) {
		on_grace(run);
	} else if (run->event->timer == MACHINE_TIMER_STOP && machine->stopping) {
		if (machine->stop_suspends) {
			machine_begin_suspend(run, "The guest did not shut down.");
			return 0;
		}
		machine_detach_all(run);
		machine_do(run, MACHINE_ACTION_KILL_VMM);
		machine_enter_ending(run, MACHINE_OFF,
		    "The guest did not follow the power button in time and was switched off.");
	}
	return 0;
}

/* The disk is slow. Killing the VMM would lose the desktop, so nothing is done but to say it. */
int machine_on_timer_slow(struct machine_run *run)
{
	enum machine_timer timer = run->event->timer;

	machine_set_text(run->machine->last_error, "The disk is slow: still %s after %llu s.",
	    run->machine->step == MACHINE_MARKING ? "waiting to resume" : "saving",
	    (unsigned long long)((run->now_us - run->machine->since_us) / SECOND_US));
	machine_do_arm(run, timer,
	    timer == MACHINE_TIMER_START ? run->machine->policy.start_timeout_us
					 : run->machine->policy.suspend_timeout_us);
	return 0;
}

int machine_on_timer_end(struct machine_run *run)
{
	machine_do(run, MACHINE_ACTION_KILL_VMM);
	machine_do_arm(run, MACHINE_TIMER_END, MACHINE_END_TIMEOUT_US);
	return 0;
}
