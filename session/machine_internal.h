/*
 * Between the parts of the state machine: machine.c has the table and the interface, machine_steps.c the ways into each
 * step, machine_viewers.c, machine_vmm.c and machine_admin.c what the table's cells do. Nobody else includes this.
 *
 * Held between events: without a VMM no timer is armed; in ACTIVE there is a viewer, in DETACHED none, and in both every
 * viewer is attached; `generation` is the one being written, loaded or kept, else 0.
 */
#pragma once

#include "session/machine.h"

/* How long a VMM that was told to quit, or killed, may take before it is killed (again). */
#define MACHINE_END_TIMEOUT_US UINT64_C(5000000)

/* One event being handled. */
struct machine_run {
	struct machine *machine;
	const struct machine_event *event;
	uint64_t now_us;
	struct machine_actions *actions;
};

/* A cell of the table: 0, or the refusal's -errno, after which nothing has changed. */
typedef int (*machine_handler)(struct machine_run *run);

/* What the table says; NULL: ignored. */
machine_handler machine_cell_handler(enum machine_event_type event, enum machine_step step);

/* A new action at the end, with the machine's generation and base in it. */
struct machine_action *machine_add_action(struct machine_run *run, enum machine_action_type type);
void machine_do(struct machine_run *run, enum machine_action_type type);
void machine_do_arm(struct machine_run *run, enum machine_timer timer, uint64_t delay_us);
void machine_disarm(struct machine_run *run, enum machine_timer timer);
void machine_disarm_all(struct machine_run *run);
void machine_show(struct machine_run *run, const struct machine_viewer *viewer,
    enum machine_caption caption, const char *text);
void machine_show_all(struct machine_run *run, enum machine_caption caption, const char *text);
void machine_attach(struct machine_run *run, struct machine_viewer *viewer);
void machine_detach_all(struct machine_run *run);
/* Shown the caption, closed and forgotten. */
void machine_close_viewer(
    struct machine_run *run, size_t index, enum machine_caption caption, const char *text);
/* Nobody waits for the desktop any more. */
void machine_forget_wishes(struct machine *machine);
/* Somebody waits for the desktop who may have it started. */
bool machine_is_wanted(const struct machine *machine);
void machine_set_text(char text[MACHINE_TEXT_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Sets the step, and the time when that changes what people see. */
void machine_enter(struct machine_run *run, enum machine_step step, const char *reason);
/* BOOTING or LOADING, from a step without a VMM. */
void machine_start_desktop(struct machine_run *run);
/* The vCPUs run: everybody who waits is attached. RUN was done before, where it was needed. */
void machine_enter_running(struct machine_run *run, const char *reason);
/* Runs without a viewer; the grace time begins. */
void machine_enter_detached(struct machine_run *run, const char *reason);
void machine_begin_suspend(struct machine_run *run, const char *reason);
/* The guest goes on although it should have been suspended; `what` failed, event.text says why. */
void machine_run_after_failure(struct machine_run *run, const char *what);
/* The VMM was told to go, or is killed. */
void machine_enter_ending(struct machine_run *run, enum machine_step ends_in, const char *reason);
/* There is no VMM any more: OFF, SAVED or FAILED; starts again if somebody is waiting for it. */
void machine_settle(struct machine_run *run, enum machine_step step, const char *reason);
/* A loaded generation turned out to be damaged; sets the reason. */
void machine_set_aside(struct machine_run *run);
/* What a viewer is shown in OFF, SAVED, FAILED. */
enum machine_caption machine_resting_caption(const struct machine *machine);

/* Viewers. */
int machine_on_login_start(struct machine_run *run);  /* off, saved, failed: no VMM */
int machine_on_login_wait(struct machine_run *run);   /* something goes on that ends by itself */
int machine_on_login_attach(struct machine_run *run); /* runs or is paused */
int machine_on_login_abort(struct machine_run *run);  /* saving */
int machine_on_gone(struct machine_run *run);
int machine_on_gone_active(struct machine_run *run);
int machine_on_key(struct machine_run *run);

/* Timers. */
int machine_on_timer_start(struct machine_run *run);
int machine_on_timer_running(struct machine_run *run);
int machine_on_timer_slow(struct machine_run *run);
int machine_on_timer_end(struct machine_run *run);

/* The VMM process. */
int machine_on_start_failed(struct machine_run *run);
int machine_on_ready_boot(struct machine_run *run);
int machine_on_ready_load(struct machine_run *run);
int machine_on_refused_start(struct machine_run *run);
int machine_on_refused_run(struct machine_run *run);
int machine_on_refused_pause(struct machine_run *run);
int machine_on_exit_running(struct machine_run *run);
int machine_on_exit_saving(struct machine_run *run);
int machine_on_exit_early(struct machine_run *run);
int machine_on_exit_left(struct machine_run *run);
int machine_on_exit_ending(struct machine_run *run);

/* The snapshot. */
int machine_on_written(struct machine_run *run);
int machine_on_written_unwanted(struct machine_run *run);
int machine_on_write_failed(struct machine_run *run);
int machine_on_write_failed_unwanted(struct machine_run *run);
int machine_on_committed(struct machine_run *run);
int machine_on_commit_failed(struct machine_run *run);
int machine_on_consumed(struct machine_run *run);
int machine_on_consume_failed(struct machine_run *run);

/* Administrators and the host. */
int machine_on_start(struct machine_run *run);
int machine_on_start_wait(struct machine_run *run);
int machine_on_start_running(struct machine_run *run);
int machine_on_start_paused(struct machine_run *run);
int machine_on_start_abort(struct machine_run *run);
int machine_on_suspend(struct machine_run *run);
int machine_on_suspend_going(struct machine_run *run);
int machine_on_stop(struct machine_run *run);
int machine_on_kill(struct machine_run *run);
int machine_on_kill_load(struct machine_run *run);
int machine_on_kill_saved(struct machine_run *run);
int machine_on_kill_ending(struct machine_run *run);
int machine_on_acknowledge(struct machine_run *run); /* failed: stop or kill makes it off */
int machine_on_hold(struct machine_run *run);
int machine_on_release(struct machine_run *run);
int machine_on_shutdown_rest(struct machine_run *run);
int machine_on_shutdown_start(struct machine_run *run);
int machine_on_shutdown_running(struct machine_run *run);
int machine_on_shutdown_wait(struct machine_run *run);
int machine_refuse_busy(struct machine_run *run);
int machine_refuse_nothing(struct machine_run *run);
int machine_accept(struct machine_run *run);
