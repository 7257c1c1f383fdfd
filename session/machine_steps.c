/*
 * How the state machine moves between its steps: what each way into a step does, so that the handlers of the table's
 * cells (machine_viewers.c, machine_vmm.c, machine_admin.c) only say which way is taken.
 *
 * Held between events: outside the steps with a VMM no timer is armed; in ACTIVE every viewer is attached and there is
 * at least one; in DETACHED there is none; `generation` is the one being written, loaded or kept, else 0.
 */
#include "session/machine_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void machine_set_text(char text[MACHINE_TEXT_MAX], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, MACHINE_TEXT_MAX, format, arguments);
	va_end(arguments);
}

/* --- actions ----------------------------------------------------------------------------------------------------- */

struct machine_action *machine_add_action(struct machine_run *run, enum machine_action_type type)
{
	struct machine_actions *actions = run->actions;
	struct machine_action *action;

	assert(actions->count < MACHINE_ACTIONS_MAX);
	action = &actions->items[actions->count++];
	memset(action, 0, sizeof(*action));
	action->type = type;
	action->generation = run->machine->generation;
	action->base = run->machine->base;
	return action;
}

void machine_do(struct machine_run *run, enum machine_action_type type)
{
	machine_add_action(run, type);
}

void machine_do_arm(struct machine_run *run, enum machine_timer timer, uint64_t delay_us)
{
	struct machine_action *action = machine_add_action(run, MACHINE_ACTION_ARM);

	action->timer = timer;
	action->delay_us = delay_us;
	run->machine->timers |= 1u << timer;
}

void machine_disarm(struct machine_run *run, enum machine_timer timer)
{
	if (run->machine->timers & 1u << timer) {
		machine_add_action(run, MACHINE_ACTION_DISARM)->timer = timer;
		run->machine->timers &= ~(1u << timer);
	}
}

void machine_disarm_all(struct machine_run *run)
{
	for (unsigned int timer = 0; timer < MACHINE_TIMER_COUNT; timer++) {
		machine_disarm(run, timer);
	}
}

void machine_show(struct machine_run *run, const struct machine_viewer *viewer,
    enum machine_caption caption, const char *text)
{
	struct machine_action *action = machine_add_action(run, MACHINE_ACTION_SHOW);

	action->viewer = viewer->id;
	action->caption = caption;
	machine_set_text(action->text, "%s", text);
}

void machine_show_all(struct machine_run *run, enum machine_caption caption, const char *text)
{
	for (size_t i = 0; i < run->machine->viewer_count; i++) {
		machine_show(run, &run->machine->viewers[i], caption, text);
	}
}

/* --- viewers ------------------------------------------------------------------------------------------------------ */

void machine_attach(struct machine_run *run, struct machine_viewer *viewer)
{
	struct machine_action *action = machine_add_action(run, MACHINE_ACTION_ATTACH);

	action->viewer = viewer->id;
	action->rights = viewer->rights;
	viewer->attached = true;
	viewer->wants = false;
}

static void detach(struct machine_run *run, struct machine_viewer *viewer)
{
	if (viewer->attached) {
		machine_add_action(run, MACHINE_ACTION_DETACH)->viewer = viewer->id;
		viewer->attached = false;
	}
}

void machine_detach_all(struct machine_run *run)
{
	for (size_t i = 0; i < run->machine->viewer_count; i++) {
		detach(run, &run->machine->viewers[i]);
	}
}

void machine_forget_wishes(struct machine *machine)
{
	machine->wanted = false;
	for (size_t i = 0; i < machine->viewer_count; i++) {
		machine->viewers[i].wants = false;
	}
}

/* Somebody waits for the desktop who may have it started. */
bool machine_is_wanted(const struct machine *machine)
{
	bool wanted = machine->wanted;

	for (size_t i = 0; i < machine->viewer_count; i++) {
		wanted |= machine->viewers[i].wants &&
			  machine->viewers[i].rights & MACHINE_RIGHT_START;
	}
	return wanted && !machine->closing;
}

void machine_close_viewer(
    struct machine_run *run, size_t index, enum machine_caption caption, const char *text)
{
	struct machine *machine = run->machine;
	struct machine_action *action;
	uint64_t id = machine->viewers[index].id;

	detach(run, &machine->viewers[index]);
	action = machine_add_action(run, MACHINE_ACTION_CLOSE_VIEWER);
	action->viewer = id;
	action->caption = caption;
	machine_set_text(action->text, "%s", text);
	machine->viewer_count--;
	memmove(&machine->viewers[index], &machine->viewers[index + 1],
	    (machine->viewer_count - index) * sizeof(machine->viewers[0]));
}

/* --- steps -------------------------------------------------------------------------------------------------------- */

void machine_enter(struct machine_run *run, enum machine_step step, const char *reason)
{
	struct machine *machine = run->machine;
	enum machine_state before = machine_state(machine);

	machine->step = step;
	if (machine_state(machine) != before) {
		machine->since_us = run->now_us;
	}
	if (reason != machine->reason) {
		machine_set_text(machine->reason, "%s", reason);
	}
}

/* The VMM was told to go, or is killed: waits for its end. */
void machine_enter_ending(struct machine_run *run, enum machine_step ends_in, const char *reason)
{
	struct machine *machine = run->machine;

	machine_disarm_all(run);
	machine->ends_in = ends_in;
	machine->stopping = false;
	machine_forget_wishes(machine);
	machine_enter(run, MACHINE_ENDING, reason);
	machine_do_arm(run, MACHINE_TIMER_END, MACHINE_END_TIMEOUT_US);
}

/* No VMM, and something should change that. */
void machine_start_desktop(struct machine_run *run)
{
	struct machine *machine = run->machine;
	bool load = machine->generation;
	enum machine_caption caption = load ? MACHINE_CAPTION_RESUMING : MACHINE_CAPTION_STARTING;
	char text[MACHINE_TEXT_MAX];

	machine_set_text(text, "%s", machine->reason);
	for (size_t i = 0; i < machine->viewer_count; i++) {
		machine->viewers[i].wants = true;
	}
	machine->base = 0;
	machine->live = false;
	machine_enter(run, load ? MACHINE_LOADING : MACHINE_BOOTING, "");
	machine_do(run, load ? MACHINE_ACTION_LOAD_VMM : MACHINE_ACTION_START_VMM);
	machine_do_arm(run, MACHINE_TIMER_START, machine->policy.start_timeout_us);
	machine_show_all(run, caption, text);
}

enum machine_caption machine_resting_caption(const struct machine *machine)
{
	if (machine->step == MACHINE_OFF) {
		return MACHINE_CAPTION_OFF;
	}
	/* A desktop that could not be resumed is still saved, but its viewer has to be told why. */
	return machine->step == MACHINE_SAVED && !machine->last_error[0] ? MACHINE_CAPTION_SAVED
									 : MACHINE_CAPTION_FAILED;
}

/* There is no VMM any more: off, saved or failed, until somebody wants the desktop, who may be waiting already. */
void machine_settle(struct machine_run *run, enum machine_step step, const char *reason)
{
	struct machine *machine = run->machine;
	const char *text;

	machine_disarm_all(run);
	machine->base = 0;
	machine->stopping = false;
	machine->live = false;
	machine->vmm_exited = false;
	if (step != MACHINE_SAVED) {
		machine->generation = 0;
	}
	for (size_t i = 0; i < machine->viewer_count; i++) {
		machine->viewers[i].attached = false;
	}
	machine_enter(run, step, reason);
	if (step == MACHINE_FAILED) {
		machine_set_text(machine->last_error, "%s", machine->reason);
	}
	if (step != MACHINE_FAILED && machine_is_wanted(machine)) {
		machine_start_desktop(run);
		return;
	}
	machine_forget_wishes(machine);
	text = step == MACHINE_SAVED && machine->last_error[0] ? machine->last_error
							       : machine->reason;
	machine_show_all(run, machine_resting_caption(machine), text);
	while (machine->closing && machine->viewer_count) {
		machine_close_viewer(run, machine->viewer_count - 1, MACHINE_CAPTION_MESSAGE,
		    step == MACHINE_SAVED ? "The host is going down. Your desktop is saved."
					  : "The host is going down.");
	}
}

void machine_begin_suspend(struct machine_run *run, const char *reason)
{
	struct machine *machine = run->machine;

	machine_disarm_all(run);
	machine_detach_all(run);
	machine->stopping = false;
	machine_forget_wishes(machine);
	machine->generation = machine->next++;
	machine_enter(run, MACHINE_SAVING, reason);
	machine_do(run, MACHINE_ACTION_BEGIN_SUSPEND);
	machine_do_arm(run, MACHINE_TIMER_SUSPEND, machine->policy.suspend_timeout_us);
	machine_show_all(run, MACHINE_CAPTION_SUSPENDING, reason);
}

void machine_enter_detached(struct machine_run *run, const char *reason)
{
	struct machine *machine = run->machine;

	machine_enter(run, MACHINE_DETACHED, reason);
	if (!machine->wanted && !machine->stopping &&
	    machine->policy.on_disconnect != POLICY_DISCONNECT_KEEP) {
		machine_do_arm(run, MACHINE_TIMER_GRACE, machine->policy.disconnect_grace_us);
	}
}

/* The vCPUs run (RUN stands before in the actions, where it was needed): everybody who waits is attached. */
void machine_enter_running(struct machine_run *run, const char *reason)
{
	struct machine *machine = run->machine;

	machine_disarm_all(run);
	machine->live = false;
	if (machine->closing) {
		machine_enter(run, MACHINE_DETACHED, reason);
		machine_begin_suspend(run, "The host is going down.");
		return;
	}
	if (!machine->viewer_count) {
		machine_enter_detached(run, reason);
		return;
	}
	machine->wanted = false;
	machine_enter(run, MACHINE_ACTIVE, reason);
	for (size_t i = 0; i < machine->viewer_count; i++) {
		if (!machine->viewers[i].attached) {
			machine_attach(run, &machine->viewers[i]);
		}
	}
}

/* The guest goes on although it should have been suspended; later it is tried again, where a policy or the host's end
 * wants it and not only a person, who is told. */
void machine_run_after_failure(struct machine_run *run, const char *what)
{
	struct machine *machine = run->machine;
	bool closing = machine->closing;
	unsigned int doublings = machine->failures < 16 ? machine->failures : 16;
	uint64_t delay = machine->policy.retry_first_us << doublings;
	char reason[MACHINE_TEXT_MAX];

	if (delay > machine->policy.retry_max_us) {
		delay = machine->policy.retry_max_us;
	}
	machine->failures++;
	machine_set_text(reason, "%s: %.160s. The desktop goes on running.", what,
	    run->event->text ? run->event->text : "unknown error");
	machine_set_text(machine->last_error, "%s", reason);
	machine_do(run, MACHINE_ACTION_DISCARD);
	machine->generation = 0;
	/* machine_enter_running() would begin the next attempt at once. */
	machine->closing = false;
	machine_enter_running(run, reason);
	machine->closing = closing;
	machine_disarm(run, MACHINE_TIMER_GRACE);
	if (closing || (machine->step == MACHINE_DETACHED &&
			   (machine->policy.on_disconnect == POLICY_DISCONNECT_SUSPEND ||
			       machine->policy.on_disconnect == POLICY_DISCONNECT_SHUTDOWN))) {
		machine_do_arm(run, MACHINE_TIMER_RETRY, delay);
	}
}

/* A loaded generation turned out to be damaged: never again, and never deleted. */
void machine_set_aside(struct machine_run *run)
{
	machine_do(run, MACHINE_ACTION_SET_ASIDE);
	run->machine->generation = 0;
	machine_set_text(run->machine->reason,
	    "The saved desktop is damaged and was set aside (%.120s). A key starts it from its "
	    "disk.",
	    run->event->text ? run->event->text : "unreadable");
}
