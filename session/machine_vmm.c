/*
 * The state machine's cells for what a VMM process and the snapshot store report.
 */
#include "session/machine_internal.h"

/* The sentence of the event, or one that says that there is none. */
static const char *event_text(const struct machine_run *run)
{
	return run->event->text && run->event->text[0] ? run->event->text : "no reason was given";
}

/* --- the process -------------------------------------------------------------------------------------------------- */

/* BOOTING or LOADING: there is no VMM, or none any more. */
int machine_on_start_failed(struct machine_run *run)
{
	struct machine *machine = run->machine;
	char reason[MACHINE_TEXT_MAX];

	machine_forget_wishes(machine);
	if (machine->step == MACHINE_BOOTING) {
		machine_set_text(reason,
		    "The desktop could not be started: %.160s. A key tries again.",
		    event_text(run));
		machine_settle(run, MACHINE_FAILED, reason);
	} else if (run->event->exit == MACHINE_EXIT_SNAPSHOT) {
		machine_set_aside(run);
		machine_settle(run, MACHINE_FAILED, machine->reason);
	} else {
		machine_set_text(machine->last_error,
		    "The desktop could not be resumed: %.120s. It is still saved; a key tries "
		    "again.",
		    event_text(run));
		machine_settle(run, MACHINE_SAVED, machine->last_error);
	}
	return 0;
}

int machine_on_ready_boot(struct machine_run *run)
{
	run->machine->last_error[0] = '\0';
	machine_do(run, MACHINE_ACTION_RUN);
	machine_enter_running(run, "");
	return 0;
}

int machine_on_ready_load(struct machine_run *run)
{
	machine_disarm_all(run);
	if (!machine_is_wanted(run->machine)) {
		machine_do(run, MACHINE_ACTION_QUIT_VMM);
		machine_enter_ending(run, MACHINE_SAVED, "Nobody waited for it any more.");
		return 0;
	}
	run->machine->live = false;
	machine_enter(run, MACHINE_MARKING, "");
	machine_do(run, MACHINE_ACTION_MARK_CONSUMED);
	machine_do_arm(run, MACHINE_TIMER_START, run->machine->policy.start_timeout_us);
	return 0;
}

/* It answered VMM_CONFIGURE with an error and still lives. */
int machine_on_refused_start(struct machine_run *run)
{
	struct machine *machine = run->machine;
	char reason[MACHINE_TEXT_MAX];

	machine_do(run, MACHINE_ACTION_QUIT_VMM);
	if (machine->step == MACHINE_BOOTING) {
		machine_set_text(reason,
		    "The desktop could not be started: %.160s. A key tries again.",
		    event_text(run));
		machine_enter_ending(run, MACHINE_FAILED, reason);
	} else if (run->event->exit == MACHINE_EXIT_SNAPSHOT) {
		machine_set_aside(run);
		machine_enter_ending(run, MACHINE_FAILED, machine->reason);
	} else {
		machine_set_text(machine->last_error,
		    "The desktop could not be resumed: %.120s. It is still saved; a key tries "
		    "again.",
		    event_text(run));
		machine_enter_ending(run, MACHINE_SAVED, machine->last_error);
	}
	return 0;
}

int machine_on_refused_run(struct machine_run *run)
{
	char reason[MACHINE_TEXT_MAX];

	machine_set_text(reason, "The desktop could not run: %.160s.", event_text(run));
	machine_detach_all(run);
	machine_do(run, MACHINE_ACTION_KILL_VMM);
	machine_enter_ending(run, MACHINE_FAILED, reason);
	return 0;
}

/* It would not pause, so it still runs. */
int machine_on_refused_pause(struct machine_run *run)
{
	machine_set_text(
	    run->machine->last_error, "The desktop could not be paused: %.160s.", event_text(run));
	machine_enter_running(run, run->machine->last_error);
	return 0;
}

/* The snapshot that it runs from turned out damaged: pages of large layers are verified while it runs. */
static void set_base_aside(struct machine_run *run)
{
	run->machine->generation = run->machine->base;
	machine_set_aside(run);
	machine_settle(run, MACHINE_FAILED, run->machine->reason);
}

int machine_on_exit_running(struct machine_run *run)
{
	struct machine *machine = run->machine;
	bool asked = machine->stopping && run->event->exit == MACHINE_EXIT_QUIT;
	char reason[MACHINE_TEXT_MAX];

	machine_forget_wishes(machine);
	if (run->event->exit == MACHINE_EXIT_POWERED_OFF || asked) {
		machine_settle(run, MACHINE_OFF, "The desktop was switched off.");
		return 0;
	}
	if (run->event->exit == MACHINE_EXIT_SNAPSHOT && machine->base) {
		set_base_aside(run);
		return 0;
	}
	machine_set_text(reason, "The desktop stopped by itself: %.160s. A key starts it afresh.",
	    event_text(run));
	machine_settle(run, MACHINE_FAILED, reason);
	return 0;
}

int machine_on_exit_saving(struct machine_run *run)
{
	struct machine *machine = run->machine;
	char reason[MACHINE_TEXT_MAX];

	machine_do(run, MACHINE_ACTION_DISCARD);
	machine->generation = 0;
	if (run->event->exit == MACHINE_EXIT_POWERED_OFF) {
		machine_settle(run, MACHINE_OFF, "The desktop was switched off.");
		return 0;
	}
	if (run->event->exit == MACHINE_EXIT_SNAPSHOT && machine->base) {
		set_base_aside(run);
		return 0;
	}
	machine_set_text(reason,
	    "The desktop stopped by itself while it was being saved: %.120s. A key starts it "
	    "afresh.",
	    event_text(run));
	machine_settle(run, MACHINE_FAILED, reason);
	return 0;
}

/* COMMITTING, MARKING: an answer of the store is under way that decides what this means. */
int machine_on_exit_early(struct machine_run *run)
{
	struct machine *machine = run->machine;

	if (!machine->vmm_exited) {
		machine->vmm_exited = true;
		machine->ends_in = MACHINE_FAILED;
		machine_set_text(machine->reason,
		    "The desktop stopped by itself while it was being resumed: %.100s. A key "
		    "starts it afresh.",
		    event_text(run));
	}
	return 0;
}

int machine_on_exit_left(struct machine_run *run)
{
	struct machine *machine = run->machine;

	machine->base = 0;
	machine_do(run, MACHINE_ACTION_PRUNE);
	machine_settle(run, MACHINE_SAVED, machine->reason);
	return 0;
}

int machine_on_exit_ending(struct machine_run *run)
{
	struct machine *machine = run->machine;

	if (machine->ends_in == MACHINE_SAVED && run->event->exit == MACHINE_EXIT_SNAPSHOT) {
		machine_set_aside(run);
		machine->ends_in = MACHINE_FAILED;
	}
	machine_settle(run, machine->ends_in, machine->reason);
	return 0;
}

/* --- the snapshot ------------------------------------------------------------------------------------------------- */

int machine_on_written(struct machine_run *run)
{
	machine_enter(run, MACHINE_COMMITTING, run->machine->reason);
	machine_do(run, MACHINE_ACTION_COMMIT);
	machine_do_arm(run, MACHINE_TIMER_SUSPEND, run->machine->policy.suspend_timeout_us);
	return 0;
}

int machine_on_written_unwanted(struct machine_run *run)
{
	machine_do(run, MACHINE_ACTION_DISCARD);
	machine_do(run, MACHINE_ACTION_RUN);
	run->machine->generation = 0;
	run->machine->last_error[0] = '\0';
	machine_enter_running(run, "");
	return 0;
}

int machine_on_write_failed(struct machine_run *run)
{
	machine_run_after_failure(run, "The desktop could not be saved");
	return 0;
}

/* The VMM runs its vCPUs again by itself. */
int machine_on_write_failed_unwanted(struct machine_run *run)
{
	machine_do(run, MACHINE_ACTION_DISCARD);
	run->machine->generation = 0;
	machine_enter_running(run, "");
	return 0;
}

int machine_on_committed(struct machine_run *run)
{
	struct machine *machine = run->machine;

	machine_disarm_all(run);
	machine->failures = 0;
	machine->last_error[0] = '\0';
	if (machine->vmm_exited) {
		machine->base = 0;
		machine_do(run, MACHINE_ACTION_PRUNE);
		machine_settle(run, MACHINE_SAVED, "");
	} else if (machine_is_wanted(machine)) {
		/* Somebody came back meanwhile: the VMM goes on itself, once its own snapshot can no longer be resumed. */
		machine->live = true;
		machine_enter(run, MACHINE_MARKING, "");
		machine_do(run, MACHINE_ACTION_MARK_CONSUMED);
		machine_do_arm(run, MACHINE_TIMER_START, machine->policy.start_timeout_us);
	} else {
		machine_enter(run, MACHINE_LEAVING, machine->reason);
		machine_do(run, MACHINE_ACTION_QUIT_VMM);
		machine_do_arm(run, MACHINE_TIMER_END, MACHINE_END_TIMEOUT_US);
	}
	return 0;
}

int machine_on_commit_failed(struct machine_run *run)
{
	struct machine *machine = run->machine;
	char reason[MACHINE_TEXT_MAX];

	machine_set_text(
	    reason, "The saved desktop could not be made safe on disk: %.160s.", event_text(run));
	if (run->event->uncertain) {
		/* It is there, but nobody knows whether a power cut would leave it; running on would make it a lie. */
		machine_disarm_all(run);
		machine_set_text(machine->last_error, "%s", reason);
		if (machine->vmm_exited) {
			machine_settle(run, MACHINE_SAVED, reason);
			return 0;
		}
		machine_enter(run, MACHINE_LEAVING, reason);
		machine_do(run, MACHINE_ACTION_QUIT_VMM);
		machine_do_arm(run, MACHINE_TIMER_END, MACHINE_END_TIMEOUT_US);
		return 0;
	}
	if (machine->vmm_exited) {
		machine_do(run, MACHINE_ACTION_DISCARD);
		machine_settle(run, MACHINE_FAILED, reason);
		return 0;
	}
	machine_do(run, MACHINE_ACTION_RUN);
	machine_run_after_failure(run, "The desktop could not be saved");
	return 0;
}

int machine_on_consumed(struct machine_run *run)
{
	struct machine *machine = run->machine;

	if (!machine->live) {
		machine->base = machine->generation;
		machine->resumes += !(machine->vmm_exited && machine->ends_in == MACHINE_OFF);
	}
	machine->generation = 0;
	if (machine->vmm_exited) {
		machine_settle(run, machine->ends_in, machine->reason);
		return 0;
	}
	machine->last_error[0] = '\0';
	machine_do(run, MACHINE_ACTION_RUN);
	machine_enter_running(run, "");
	return 0;
}

/* Without the mark it must not run; the snapshot is as good as before. */
int machine_on_consume_failed(struct machine_run *run)
{
	struct machine *machine = run->machine;

	machine_set_text(machine->last_error,
	    "The desktop could not be resumed: its mark was not written (%.120s). It is still "
	    "saved; a key tries again.",
	    event_text(run));
	machine_forget_wishes(machine);
	if (machine->vmm_exited) {
		machine_settle(run, MACHINE_SAVED, machine->last_error);
		return 0;
	}
	machine_do(run, MACHINE_ACTION_QUIT_VMM);
	machine_enter_ending(run, MACHINE_SAVED, machine->last_error);
	return 0;
}
