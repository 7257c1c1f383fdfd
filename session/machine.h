/*
 * The state machine of one desktop, connected or not. Pure: events and the time come in, a short
 * list of actions comes out, which the broker carries out in order. No I/O, no memory beyond the
 * struct; the broker's loop thread.
 *
 * What must stay true, whatever comes in and in whatever order:
 * 1. There is never more than one VMM: START_VMM and LOAD_VMM come only after VMM_EXITED or
 *    START_FAILED for the last.
 * 2. QUIT_VMM after a suspend comes only after COMMIT_DONE; a failed suspend leaves the guest
 *    running.
 * 3. A loaded VMM gets RUN only after CONSUMED for its generation.
 * 4. ATTACH comes only to a VMM that runs, after RUN in order; DETACH before the vCPUs stop.
 * 5. Every step that waits for somebody else has a timer.
 * 6. A viewer is never left without a caption or a picture.
 */
/* clang-format off */
/*
 * Each step of the inside looks like a state to people:
 *
 *   step        state     the VMM                             waits for                         timer
 *   OFF         off       none                                a login, a key, an administrator  -
 *   BOOTING     booting   starts afresh                       VMM_READY                         START
 *   ACTIVE      active    runs, a viewer is attached          -                                 STOP while stopping
 *   DETACHED    detached  runs, nobody is attached            the grace time                    GRACE, RETRY, STOP (1)
 *   PAUSED      paused    stands still, memory kept           a login, an administrator         -
 *   SAVING      saving    writes a generation                 SUSPEND_DONE or SUSPEND_FAILED    SUSPEND
 *   ABORTING    saving    writes, though nobody wants it now  SUSPEND_DONE or SUSPEND_FAILED    SUSPEND
 *   COMMITTING  saving    stands still, all is written        COMMIT_DONE or COMMIT_FAILED      SUSPEND
 *   LEAVING     saving    was told to quit, all is committed  VMM_EXITED                        END
 *   SAVED       saved     none                                a login, a key, an administrator  -
 *   LOADING     resuming  loads a generation                  VMM_READY                         START
 *   MARKING     resuming  loaded, may not run yet (2)         CONSUMED or CONSUME_FAILED        START
 *   ENDING      (3)       was told to quit, or is killed      VMM_EXITED                        END
 *   FAILED      failed    none                                a key, an administrator           -
 *
 *   (1) None while it is held, kept running by its policy, or was started by an administrator and not yet visited.
 *   (2) Or there is none: a saved desktop is being killed, which must be on disk before anything else (state saved).
 *   (3) The state that it ends in: off, saved or failed; machine_has_vmm() is still true.
 *
 * What is done with which event in which step. A lower-case word is the next step, or what is done there; "off/fail" and
 * "ends" depend on how the VMM ended; "busy" and "none" are refusals (-EBUSY, -ENOENT); "." is ignored, being stale or of
 * no matter. A test compares this with the table of the code.
 *
 *                  OFF       BOOTING   ACTIVE    DETACH.   PAUSED    SAVING    ABORT.
 *   LOGIN          booting   wait      attach    active    active    aborting  wait
 *   VIEWER_GONE    forget    forget    detached  forget    forget    forget    forget
 *   VIEWER_ACTION  booting   .         .         .         active    .         .
 *   TIMER          .         ending    ending    policy    .         say       say
 *   START_FAILED   .         failed    .         .         .         .         .
 *   VMM_READY      .         active    .         .         .         .         .
 *   VMM_REFUSED    .         ending    ending    ending    detached  .         .
 *   VMM_EXITED     .         failed    off/fail  off/fail  off/fail  failed    failed
 *   SUSPEND_DONE   .         .         .         .         .         commit    active
 *   SUSPEND_FAILED .         .         .         .         .         detached  active
 *   COMMIT_DONE    .         .         .         .         .         .         .
 *   COMMIT_FAILED  .         .         .         .         .         .         .
 *   CONSUMED       .         .         .         .         .         .         .
 *   CONSUME_FAILED .         .         .         .         .         .         .
 *   ADMIN_START    booting   ok        ok        ok        detached  aborting  ok
 *   ADMIN_RESUME   none      ok        ok        ok        detached  aborting  ok
 *   ADMIN_SUSPEND  none      busy      saving    saving    saving    ok        busy
 *   ADMIN_STOP     ok        ending    button    button    button    busy      busy
 *   ADMIN_KILL     ok        ending    ending    ending    ending    ending    ending
 *   HOLD_TAKEN     ok        ok        ok        ok        ok        ok        ok
 *   HOLD_RELEASED  ok        ok        ok        ok        ok        ok        ok
 *   HOST_SHUTDOWN  close     ending    saving    saving    saving    ok        ok
 *
 *                  COMMIT.   LEAVING   SAVED     LOADING   MARKING   ENDING    FAILED
 *   LOGIN          wait      wait      loading   wait      wait      wait      told
 *   VIEWER_GONE    forget    forget    forget    forget    forget    forget    forget
 *   VIEWER_ACTION  .         .         loading   .         .         .         booting
 *   TIMER          say       kill      .         ending    say       kill      .
 *   START_FAILED   .         .         .         saved     .         ends      .
 *   VMM_READY      .         .         .         marking   .         .         .
 *   VMM_REFUSED    .         .         .         ending    .         .         .
 *   VMM_EXITED     note      saved     .         saved     note      ends      .
 *   SUSPEND_DONE   .         .         .         .         .         .         .
 *   SUSPEND_FAILED .         .         .         .         .         .         .
 *   COMMIT_DONE    leaving   .         .         .         .         .         .
 *   COMMIT_FAILED  detached  .         .         .         .         .         .
 *   CONSUMED       .         .         .         .         active    .         .
 *   CONSUME_FAILED .         .         .         .         ending    .         .
 *   ADMIN_START    wait      wait      loading   ok        ok        busy      booting
 *   ADMIN_RESUME   wait      wait      loading   ok        ok        busy      none
 *   ADMIN_SUSPEND  ok        ok        ok        busy      busy      busy      none
 *   ADMIN_STOP     busy      busy      busy      busy      busy      ok        off
 *   ADMIN_KILL     busy      busy      marking   ending    busy      kill      off
 *   HOLD_TAKEN     ok        ok        ok        ok        ok        ok        ok
 *   HOLD_RELEASED  ok        ok        ok        ok        ok        ok        ok
 *   HOST_SHUTDOWN  ok        ok        close     ending    ok        ok        close
 */
/* clang-format on */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"
#include "session/policy.h"

enum {
	MACHINE_VIEWERS_MAX = 16, /* of one desktop at a time */
	MACHINE_ACTIONS_MAX = 96, /* of one event; never reached */
	MACHINE_TEXT_MAX = 256,   /* bytes of a reason or caption with its NUL */
};

/* What people see; the names are those of docs/CONTROL.md. */
enum machine_state {
	MACHINE_STATE_OFF = 0,
	MACHINE_STATE_BOOTING,
	MACHINE_STATE_ACTIVE,
	MACHINE_STATE_DETACHED,
	MACHINE_STATE_PAUSED,
	MACHINE_STATE_SAVING,
	MACHINE_STATE_SAVED,
	MACHINE_STATE_RESUMING,
	MACHINE_STATE_FAILED,
	MACHINE_STATE_COUNT,
};

enum machine_step {
	MACHINE_OFF = 0,
	MACHINE_BOOTING,
	MACHINE_ACTIVE,
	MACHINE_DETACHED,
	MACHINE_PAUSED,
	MACHINE_SAVING,
	MACHINE_ABORTING,
	MACHINE_COMMITTING,
	MACHINE_LEAVING,
	MACHINE_SAVED,
	MACHINE_LOADING,
	MACHINE_MARKING,
	MACHINE_ENDING,
	MACHINE_FAILED,
	MACHINE_STEP_COUNT,
};

enum machine_timer {
	MACHINE_TIMER_GRACE = 0, /* nobody is attached: then the policy's on_disconnect */
	MACHINE_TIMER_START,     /* VMM started or loading: then it is killed */
	MACHINE_TIMER_SUSPEND, /* snapshot being written: then the VMM is killed, it does not answer
				  any more */
	MACHINE_TIMER_STOP,    /* power button pressed: then off (or, by on_disconnect = shutdown,
				  suspended) */
	MACHINE_TIMER_END,     /* told to quit: then killed; killed: said again */
	MACHINE_TIMER_RETRY,   /* a suspend failed: then tried again */
	MACHINE_TIMER_COUNT,
};

/* What a viewer may do; from session/grant.h when it logs in or is attached. */
enum machine_right {
	MACHINE_RIGHT_STEER = 1 << 0, /* types; else it only looks */
	MACHINE_RIGHT_START =
	    1 << 1, /* wakes the desktop by being there, and by a key on a caption */
	MACHINE_RIGHT_OWNER = 1 << 2, /* takes over: other owners' viewers are closed */
};

enum machine_event_type {
	/* Viewers. `viewer`, `rights`, `peer` (for the old viewer's message). -EBUSY when there are
	   too many. */
	MACHINE_EVENT_LOGIN = 0,
	MACHINE_EVENT_VIEWER_GONE,   /* `viewer`: its display process has ended, or the VMM says its
					link broke */
	MACHINE_EVENT_VIEWER_ACTION, /* `viewer`: a key on a caption that offers something */
	/* The clock. `timer`; for GRACE `busy_permille`: CPU use of the desktop lately, 0 when
	   unknown. */
	MACHINE_EVENT_TIMER,
	/* The VMM process. */
	MACHINE_EVENT_START_FAILED, /* the process could not be started: `text` */
	MACHINE_EVENT_VMM_READY,    /* answered VMM_CONFIGURE: built or loaded, stands still */
	MACHINE_EVENT_VMM_REFUSED,  /* answered CONFIGURE, RUN or PAUSE with an error: `text` */
	MACHINE_EVENT_VMM_EXITED,   /* `exit`, `text`: the process is gone, reaped. Comes once for
				       each started VMM */
	/* The snapshot. `generation` must be the one of the action, others are stale and ignored.
	 */
	MACHINE_EVENT_SUSPEND_DONE,   /* the VMM has written all files */
	MACHINE_EVENT_SUSPEND_FAILED, /* `text`: it runs on */
	MACHINE_EVENT_COMMIT_DONE,    /* the generation is durable */
	MACHINE_EVENT_COMMIT_FAILED,  /* `text`, `uncertain` */
	MACHINE_EVENT_CONSUMED,       /* the mark is durable */
	MACHINE_EVENT_CONSUME_FAILED, /* `text` */
	/* Administrators, and the user by the command line. */
	MACHINE_EVENT_ADMIN_START,
	MACHINE_EVENT_ADMIN_SUSPEND,
	MACHINE_EVENT_ADMIN_RESUME, /* of a paused or saved desktop; elsewhere as START, but never
				       boots: -ENOENT */
	MACHINE_EVENT_ADMIN_STOP,   /* `timeout_us`: 0 for the policy's */
	MACHINE_EVENT_ADMIN_KILL,
	MACHINE_EVENT_HOLD_TAKEN, /* counted */
	MACHINE_EVENT_HOLD_RELEASED,
	/* The host goes down, or the daemon is told to take all desktops with it: suspend, refuse
	   whatever would start. */
	MACHINE_EVENT_HOST_SHUTDOWN,
	MACHINE_EVENT_COUNT,
};

/* Why a VMM process ended, as far as it matters here; the broker maps enum vmm_exit of
 * vmm/control.h to it. */
enum machine_exit {
	MACHINE_EXIT_QUIT = 0,    /* asked to */
	MACHINE_EXIT_POWERED_OFF, /* the guest switched itself off */
	MACHINE_EXIT_SNAPSHOT,    /* the generation is damaged or foreign */
	MACHINE_EXIT_KILLED,      /* by a signal: ours, or somebody's */
	MACHINE_EXIT_ERROR,       /* all others */
};

struct machine_event {
	enum machine_event_type type;
	uint64_t viewer;
	uint32_t rights; /* enum machine_right */
	enum machine_timer timer;
	uint32_t busy_permille;
	enum machine_exit exit;
	uint64_t generation;
	uint64_t timeout_us;
	bool
	    uncertain; /* COMMIT_FAILED: it cannot even be said that the generation is gone (-EUCLEAN) */
	const char *peer; /* read during the call only; may be NULL */
	const char *text; /* the same */
};

/* What the broker is to do, in order. The fields that count are named. */
enum machine_action_type {
	MACHINE_ACTION_START_VMM = 0, /* -: start and configure a VMM that boots. Answer: VMM_READY,
					 VMM_REFUSED, START_FAILED */
	MACHINE_ACTION_LOAD_VMM,      /* `generation`: the same, from the snapshot */
	MACHINE_ACTION_MARK_CONSUMED, /* `generation`: durably. Answer: CONSUMED, CONSUME_FAILED */
	MACHINE_ACTION_RUN,           /* VMM_RUN. Answer only on error: VMM_REFUSED */
	MACHINE_ACTION_PAUSE,         /* VMM_PAUSE. The same */
	MACHINE_ACTION_ATTACH,        /* `viewer`, `rights`: link between VMM and display process */
	MACHINE_ACTION_DETACH,        /* `viewer`: the other way round; the last frame stays on the
					 viewer's screen */
	MACHINE_ACTION_SHOW,          /* `viewer`, `caption`, `text` */
	MACHINE_ACTION_CLOSE_VIEWER,  /* `viewer`, `caption`, `text`: shown, then closed; forgotten
					 already */
	MACHINE_ACTION_BEGIN_SUSPEND, /* `generation`, `base`: make gen.N.tmp, VMM_SUSPEND. Answer:
					 SUSPEND_DONE, _FAILED */
	MACHINE_ACTION_COMMIT, /* `generation`: make it valid. Answer: COMMIT_DONE, _FAILED */
	MACHINE_ACTION_ABORT_SUSPEND, /* `generation`: nobody wants it now; the VMM may be told so.
					 Answer as before */
	MACHINE_ACTION_DISCARD,       /* `generation`: delete gen.N.tmp */
	MACHINE_ACTION_SET_ASIDE,     /* `generation`: gen.N becomes gen.N.damaged */
	MACHINE_ACTION_PRUNE,         /* `base`: delete what catalogue_plan_prune() names */
	MACHINE_ACTION_QUIT_VMM,      /* VMM_QUIT. Answer: VMM_EXITED */
	MACHINE_ACTION_POWER_BUTTON,  /* VMM_POWER_BUTTON */
	MACHINE_ACTION_KILL_VMM,      /* SIGKILL. Answer: VMM_EXITED */
	MACHINE_ACTION_ARM,    /* `timer`, `delay_us`: (re)arm, from now; ends in EVENT_TIMER */
	MACHINE_ACTION_DISARM, /* `timer` */
	MACHINE_ACTION_COUNT,
};

/* The numbers are those of enum display_caption in display/control.h. */
enum machine_caption {
	MACHINE_CAPTION_STARTING = 1,
	MACHINE_CAPTION_RESUMING = 2,
	MACHINE_CAPTION_SUSPENDING = 3,
	MACHINE_CAPTION_SAVED = 4,
	MACHINE_CAPTION_FAILED = 5,
	MACHINE_CAPTION_MOVED = 6,
	MACHINE_CAPTION_OFF = 7,
	MACHINE_CAPTION_MESSAGE = 8,
};

struct machine_action {
	enum machine_action_type type;
	uint64_t viewer;
	uint32_t rights;
	uint64_t generation;
	uint64_t base; /* generation that the running VMM was loaded from, 0 when it booted */
	enum machine_timer timer;
	uint64_t delay_us;
	enum machine_caption caption;
	char text[MACHINE_TEXT_MAX]; /* UTF-8 */
};

struct machine_actions {
	size_t count;
	struct machine_action items[MACHINE_ACTIONS_MAX];
};

struct machine_viewer {
	uint64_t id;
	uint32_t rights;
	bool attached;
	bool wants; /* waits for the desktop, as its login or key asked; else it only looks at a
		       caption */
	uint64_t since_us;
};

/* Read what you like; written only by machine_*(). */
struct machine {
	enum machine_step step;
	uint64_t since_us;             /* when `step`'s state began, in the caller's clock */
	char reason[MACHINE_TEXT_MAX]; /* why it is in that state; "" when that needs no words */
	char last_error[MACHINE_TEXT_MAX]; /* of the last operation that failed; "" when none did
					      since the last success */
	struct policy policy;              /* replaced with machine_set_policy() */
	uint64_t generation; /* what SAVED resumes from; being loaded or written in the steps that
				do that; else 0 */
	uint64_t base;       /* what the running VMM was loaded from; 0 when it booted */
	uint64_t next;       /* number for the next snapshot */
	uint64_t resumes;    /* how often it was resumed in its life */
	uint32_t holds;
	uint32_t failures; /* suspends that failed in a row */
	bool wanted; /* start or resume goes on although no viewer waits: an administrator asked */
	bool suspend_wanted; /* an administrator or the host asked: no policy, hold or busy CPU
				stands against it */
	bool stopping;       /* the power button was pressed */
	bool stop_suspends;  /* ... by on_disconnect = shutdown */
	bool closing;        /* the host goes down */
	bool
	    vmm_exited; /* COMMITTING, MARKING: there is no VMM (any more), only the store's answer is due */
	bool live; /* MARKING: the VMM wrote this generation itself and is to run on */
	enum machine_step
	    ends_in;     /* ENDING: OFF, SAVED, FAILED, or LOADING/BOOTING to go on with */
	uint32_t timers; /* armed, bit per enum machine_timer */
	size_t viewer_count;
	struct machine_viewer viewers[MACHINE_VIEWERS_MAX];
};

/* What is known of the desktop when the daemon starts. */
struct machine_initial {
	/* From the catalogue. */
	uint64_t generation; /* restorable, or 0 */
	uint64_t next;       /* next number */
	uint64_t resumes;
	const char *reason; /* why there is nothing to resume although something was saved or ran;
			       NULL: nothing to say */
	/* A VMM that outlived the last daemon; with one, `generation` is 0 unless it was written in
	 * the moment. */
	enum machine_found {
		MACHINE_FOUND_NONE = 0,
		MACHINE_FOUND_STANDING, /* built or loaded, has never run: it is told to quit; the
					   snapshot is as it was */
		MACHINE_FOUND_RUNNING,
		MACHINE_FOUND_PAUSED,    /* has run, stands still */
		MACHINE_FOUND_SUSPENDED, /* has written a snapshot that was not committed: it runs
					    on */
	} found;
	uint64_t base; /* of that VMM */
};

/* Starts a machine; the first actions (a found VMM's timers, a quit) are put into `actions`.
 * `now_us` is any monotonic clock, the same in every call. */
void machine_init(struct machine *machine, const struct policy *policy,
    const struct machine_initial *initial, uint64_t now_us, struct machine_actions *actions);

/* A viewer that outlived the last daemon and is attached to the running VMM already. Once, after
 * machine_init(). */
void machine_adopt_viewer(struct machine *machine, uint64_t viewer, uint32_t rights,
    uint64_t now_us, struct machine_actions *actions);

/*
 * One event. `actions` is emptied first, then filled. Returns 0 when it was taken (also when there
 * was nothing to do), -EBUSY when it does not go with the state now, -ENOENT for a resume of what
 * was never saved, -ESHUTDOWN while the host goes down; then nothing has changed and
 * `machine_refusal()` says it in a sentence.
 */
must_check int machine_handle(struct machine *machine, const struct machine_event *event,
    uint64_t now_us, struct machine_actions *actions);
/* Why `event` was refused with `error` in the machine's step: a sentence. */
const char *machine_refusal(
    const struct machine *machine, enum machine_event_type event, int error);

/* New settings; what runs already keeps its memory and size. The grace time counts from the next
 * disconnect. */
void machine_set_policy(struct machine *machine, const struct policy *policy);

enum machine_state machine_state(const struct machine *machine);
const char *machine_state_name(enum machine_state state);
const char *machine_step_name(enum machine_step step);
const char *machine_event_name(enum machine_event_type type);
const char *machine_action_name(enum machine_action_type type);
const char *machine_timer_name(enum machine_timer timer);
/* What the table above says: the cell's word. For the test that compares them, and for debugging. */
const char *machine_cell_label(enum machine_event_type event, enum machine_step step);
/* A VMM process exists, or its start was asked for. */
bool machine_has_vmm(const struct machine *machine);
/* Its vCPUs run, so that pictures, input and statistics can be had. */
bool machine_runs(const struct machine *machine);
const struct machine_viewer *machine_find_viewer(const struct machine *machine, uint64_t viewer);
/* Nothing goes on that will end by itself: what Start, Suspend, Stop and a host's shutdown wait
 * for. */
bool machine_settled(const struct machine *machine);
