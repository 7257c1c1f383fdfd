/*
 * The state machine's cells for administrators, holds and the host's end. A handler that refuses has changed nothing.
 */
#include "session/machine_internal.h"

#include <errno.h>

int machine_refuse_busy(struct machine_run *run)
{
	(void)run;
	return -EBUSY;
}

int machine_refuse_nothing(struct machine_run *run)
{
	(void)run;
	return -ENOENT;
}

int machine_accept(struct machine_run *run)
{
	(void)run;
	return 0;
}

/* --- start and resume --------------------------------------------------------------------------------------------- */

int machine_on_start(struct machine_run *run)
{
	run->machine->wanted = true;
	machine_start_desktop(run);
	return 0;
}

int machine_on_start_wait(struct machine_run *run)
{
	run->machine->wanted = true;
	return 0;
}

/* What an administrator started stays until its first viewer has left. */
int machine_on_start_running(struct machine_run *run)
{
	struct machine *machine = run->machine;

	if (machine->stopping && !machine->stop_suspends) {
		return -EBUSY;
	}
	machine->stopping = false;
	machine_disarm_all(run);
	machine->wanted = machine->step == MACHINE_DETACHED;
	return 0;
}

int machine_on_start_paused(struct machine_run *run)
{
	run->machine->wanted = true;
	machine_do(run, MACHINE_ACTION_RUN);
	machine_enter_running(run, "");
	return 0;
}

int machine_on_start_abort(struct machine_run *run)
{
	run->machine->wanted = true;
	machine_enter(run, MACHINE_ABORTING, run->machine->reason);
	machine_do(run, MACHINE_ACTION_ABORT_SUSPEND);
	machine_show_all(run, MACHINE_CAPTION_RESUMING, "");
	return 0;
}

/* --- suspend ------------------------------------------------------------------------------------------------------ */

int machine_on_suspend(struct machine_run *run)
{
	machine_begin_suspend(run, "It is suspended on request.");
	return 0;
}

int machine_on_suspend_going(struct machine_run *run)
{
	machine_forget_wishes(run->machine);
	machine_show_all(run, MACHINE_CAPTION_SUSPENDING, run->machine->reason);
	return 0;
}

/* --- stop and kill ------------------------------------------------------------------------------------------------ */

int machine_on_stop(struct machine_run *run)
{
	struct machine *machine = run->machine;
	uint64_t timeout_us = run->event->timeout_us;

	if (machine->step == MACHINE_PAUSED) {
		machine_do(run, MACHINE_ACTION_RUN);
		machine_enter_running(run, "");
	}
	machine_disarm_all(run);
	machine->wanted = false;
	machine->stopping = true;
	machine->stop_suspends = false;
	machine_enter(run, machine->step, "It is being shut down on request.");
	machine_do(run, MACHINE_ACTION_POWER_BUTTON);
	machine_do_arm(
	    run, MACHINE_TIMER_STOP, timeout_us ? timeout_us : machine->policy.stop_timeout_us);
	return 0;
}

int machine_on_kill(struct machine_run *run)
{
	struct machine *machine = run->machine;

	machine_detach_all(run);
	machine_do(run, MACHINE_ACTION_KILL_VMM);
	if (machine->step == MACHINE_SAVING || machine->step == MACHINE_ABORTING) {
		machine_do(run, MACHINE_ACTION_DISCARD);
		machine->generation = 0;
	}
	machine_enter_ending(run, MACHINE_OFF, "It was switched off on request.");
	return 0;
}

int machine_on_kill_load(struct machine_run *run)
{
	machine_do(run, MACHINE_ACTION_KILL_VMM);
	machine_enter_ending(run, MACHINE_SAVED, "Its resuming was ended on request.");
	return 0;
}

/* The plug is pulled on a saved desktop: its memory is given up, its disk stays; so it must never be resumed again. */
int machine_on_kill_saved(struct machine_run *run)
{
	struct machine *machine = run->machine;

	machine->vmm_exited = true;
	machine->ends_in = MACHINE_OFF;
	machine_enter(run, MACHINE_MARKING, "Its saved memory was given up on request.");
	machine_do(run, MACHINE_ACTION_MARK_CONSUMED);
	machine_do_arm(run, MACHINE_TIMER_START, machine->policy.start_timeout_us);
	return 0;
}

int machine_on_kill_ending(struct machine_run *run)
{
	machine_do(run, MACHINE_ACTION_KILL_VMM);
	return 0;
}

int machine_on_acknowledge(struct machine_run *run)
{
	machine_settle(run, MACHINE_OFF, "");
	return 0;
}

/* --- holds -------------------------------------------------------------------------------------------------------- */

int machine_on_hold(struct machine_run *run)
{
	if (run->machine->holds == UINT32_MAX) {
		return -EBUSY;
	}
	run->machine->holds++;
	return 0;
}

int machine_on_release(struct machine_run *run)
{
	struct machine *machine = run->machine;

	if (!machine->holds) {
		return -ENOENT;
	}
	machine->holds--;
	if (!machine->holds && machine->step == MACHINE_DETACHED && !machine->timers) {
		machine_enter_detached(run, "");
	}
	return 0;
}

/* --- the host goes down ------------------------------------------------------------------------------------------- */

int machine_on_shutdown_rest(struct machine_run *run)
{
	run->machine->closing = true;
	machine_settle(run, run->machine->step, run->machine->reason);
	return 0;
}

int machine_on_shutdown_start(struct machine_run *run)
{
	struct machine *machine = run->machine;
	bool load = machine->step == MACHINE_LOADING;

	machine->closing = true;
	machine_do(run, load ? MACHINE_ACTION_QUIT_VMM : MACHINE_ACTION_KILL_VMM);
	machine_enter_ending(run, load ? MACHINE_SAVED : MACHINE_OFF, "The host is going down.");
	return 0;
}

int machine_on_shutdown_running(struct machine_run *run)
{
	run->machine->closing = true;
	machine_begin_suspend(run, "The host is going down.");
	return 0;
}

int machine_on_shutdown_wait(struct machine_run *run)
{
	struct machine *machine = run->machine;

	machine->closing = true;
	machine_forget_wishes(machine);
	if (machine->step == MACHINE_ABORTING) {
		machine_enter(run, MACHINE_SAVING, machine->reason);
	}
	machine_show_all(run, MACHINE_CAPTION_SUSPENDING, "The host is going down.");
	return 0;
}
