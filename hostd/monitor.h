/*
 * The monitor's own structures, shared by the monitor_*.c files and by nobody else. The monitor is the part of the daemon
 * that holds files, keys and (in the system's daemon) root. It reads no byte that a viewer or a guest sent: what it hears
 * from VMM, display and auth processes and from the broker are small messages of fixed shape, each of which is treated as
 * if the sender had been taken over.
 *
 * What must stay true:
 *  - a viewer is bound to a user only by tanmatsu-auth's verdict or by its socket's peer credentials, and attached only
 *    to the desktop that it was granted then; nothing the broker says changes that;
 *  - a VMM is told to quit after a suspend only by the broker's request after COMMIT_DONE, and RUN after LOAD only when
 *    the generation is marked as consumed (checked here too);
 *  - VMM and display processes outlive the monitor.
 *
 * One thread: the event loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "base/ipc.h"
#include "base/log.h"
#include "base/must_check.h"
#include "hostd/auth_protocol.h"
#include "hostd/config.h"
#include "hostd/process.h"
#include "hostd/protocol.h"
#include "hostd/record.h"
#include "hostd/store.h"
#include "session/machine.h"
#include "vmm/control.h"

enum {
	MONITOR_SLOTS = 8192, /* uids for display and VMM processes */
	MONITOR_PENDING = 64, /* unanswered requests to one VMM */
	MONITOR_QUEUE = 1024, /* messages queued to one process */
	MONITOR_BROKER_QUEUE = 65536,
	MONITOR_LIBEXEC_MAX = 512,
	MONITOR_VIEWER_NAME_MAX = 32,
};

struct monitor;

/* A viewer's display process. */
struct monitor_viewer {
	struct monitor_viewer *next;
	struct monitor *monitor;
	uint64_t id;
	char peer[64];
	char user[GRANT_NAME_MAX];    /* who it is, once granted */
	char session[GRANT_NAME_MAX]; /* the desktop it was granted */
	uint32_t rights;              /* enum machine_right, of that grant */
	bool granted;
	bool by_credentials; /* of its socket: no password is asked */
	bool attached;
	bool found; /* by this daemon, started by an earlier one */
	bool exited;
	bool gone_said;
	uint32_t slot;
	uint64_t attempt_us; /* when its password came */
	struct process *process;
	struct ipc_channel *channel;
	struct process *auth;
	struct ipc_channel *auth_channel;
	bool auth_asked; /* the broker was asked to permit the login */
	bool verdict_said;
	char gone_text[256];
};

struct monitor_pending {
	uint16_t type;
	uint64_t tag;
	uint64_t generation;
	uint64_t viewer;
	int control; /* descriptor that is answered on, or -1 */
};

/* A user's desktop: its folder, and its VMM while there is one. */
struct monitor_desktop {
	struct monitor_desktop *next;
	struct monitor *monitor;
	char user[GRANT_NAME_MAX];
	struct store_session *store;
	/* The VMM. */
	struct process *process;
	struct ipc_channel *channel;
	bool exited; /* the process; the channel may still hold its last words */
	int exit_status;
	bool configured;
	bool ran;
	bool paused; /* by VMM_PAUSE */
	bool quit_asked;
	uint32_t slot;
	uint64_t base;     /* generation it was loaded from */
	uint64_t consumed; /* generation whose mark is durable, in this VMM's life */
	uint32_t memory_mib, vcpus;
	bool exit_known;
	uint8_t exit_code; /* enum vmm_exit, by its own word */
	char exit_text[PROTOCOL_TEXT_MAX];
	enum machine_found found; /* of one that outlived an earlier daemon */
	bool hello_awaited;
	struct monitor_pending pending[MONITOR_PENDING];
	size_t pending_first, pending_count;
	/* The snapshot being written. */
	uint64_t suspend_generation; /* 0: none */
	bool suspend_complete;       /* the VMM has written all and said this of its layer */
	bool suspend_full;
	bool
	    suspend_orphan; /* the broker that asked for it is gone: the desktop runs on when it is done */
};

struct monitor_options {
	const char *config_path; /* NULL: the mode's own */
	const char *libexec;
	int ready_fd; /* -1: none */
};

struct monitor {
	sd_event *event;
	struct monitor_options options;
	bool root;
	struct config *config;
	struct store *store;
	int runtime_fd, vmm_fd, display_fd; /* folders */
	char host[64];
	uint64_t started_us;
	struct store_identity
	    identity; /* of this host; memory and vcpus are filled in per desktop */
	uint8_t name_key[AUTH_KEY_SIZE];
	/* Listeners, kept open so that a restarted broker gets them again. */
	struct protocol_listener listeners[PROTOCOL_LISTENERS_MAX];
	int listener_fds[PROTOCOL_LISTENERS_MAX];
	size_t listener_count;
	size_t
	    activated_count; /* of them, the first: systemd made them, and their paths are its own */
	char *chain;         /* PEM, as handed to display processes */
	size_t chain_size;
	char *key;
	size_t key_size;
	char ca_path[256];
	char *ca_pem;
	char ca_sha256[128];
	/* The broker. */
	struct process *broker;
	struct ipc_channel *broker_channel;
	bool broker_ready;
	uint32_t broker_failures;
	uint64_t broker_started_us;
	sd_event_source *broker_restart;
	/* Desktops and viewers. */
	struct monitor_desktop *desktops;
	struct monitor_viewer *viewers;
	uint8_t slots[MONITOR_SLOTS / 8];
	size_t hellos_awaited; /* processes found at the start that have not said what they are */
	sd_event_source *inventory_timer;
	bool inventory_done;
	struct log_limiter
	    stranger_limiter; /* of messages that somebody who has not logged in can cause */
	/* The end. */
	bool ready_said;
	bool stopping;
	int exit_code;
};

/* monitor.c */

/* Runs the daemon until it is told to end. Returns the exit code of the process. */
int monitor_run(const struct monitor_options *options);
/* Sends a report to the broker, if there is one; errors end the broker (it is started again with a new inventory). */
void monitor_report(struct monitor *monitor, uint16_t type, const struct report *report);
void monitor_report_fds(struct monitor *monitor, uint16_t type, const struct report *report,
    const int *fds, size_t fd_count);
/* Begins the end: the broker suspends all desktops. A second call ends at once and leaves them running. */
void monitor_stop(struct monitor *monitor);
/* The broker has finished: ends the viewers that are left and leaves the loop. */
void monitor_finish(struct monitor *monitor);
/* Tells the service manager. */
void monitor_ready(struct monitor *monitor);

/* monitor_setup.c: what is done once, before the broker runs. */

/* Runtime folders, store, certificate, listeners. Logs what is wrong and what to do. 0 or -errno. */
must_check int monitor_setup(struct monitor *monitor);
void monitor_teardown(struct monitor *monitor);
/* Reads certificate and key again. 0 or -errno; on an error the old ones are kept. */
must_check int monitor_load_certificate(struct monitor *monitor);

/* monitor_listen.c */
must_check int monitor_listen(struct monitor *monitor);

/* monitor_broker.c: the broker's process. */
must_check int monitor_broker_start(struct monitor *monitor);
/* Sends settings, desktops and viewers; once all found processes have said what they are. */
void monitor_inventory(struct monitor *monitor);
void monitor_report_settings(struct monitor *monitor);
void monitor_report_session(struct monitor *monitor, struct monitor_desktop *desktop);

/* monitor_requests.c: the table of permitted requests. 0, or -EPROTO: the broker is ended. */
must_check int monitor_handle_request(struct monitor *monitor, struct ipc_message *message);

/* monitor_spawn.c: sockets and processes. */

/* A uid slot, or 0 when none is free. */
uint32_t monitor_slot_take(struct monitor *monitor);
void monitor_slot_mark(struct monitor *monitor, uint32_t slot);
void monitor_slot_free(struct monitor *monitor, uint32_t slot);
struct monitor_child {
	const char *program; /* "tanmatsu-vmm" */
	int folder;          /* where its socket lies */
	const char *name;    /* NAME.sock */
	uint32_t slot;
	process_on_exit on_exit;
	void *context;
};
/* Binds NAME.sock, starts the program with it on descriptor 3, and connects. The socket is the caller's. 0 or -errno. */
must_check int monitor_spawn_child(struct monitor *monitor, const struct monitor_child *child,
    struct process **process, int *connection);
/* Connects to FOLDER/NAME.sock. 0 or -errno; -ECONNREFUSED: nobody is behind it. */
must_check int monitor_connect(int folder, const char *name, int *connection);
void monitor_remove_socket(int folder, const char *name);

/* monitor_viewer.c */
struct monitor_viewer *monitor_find_viewer(struct monitor *monitor, uint64_t id);

/* monitor_viewer_open.c */
struct viewer_open {
	uint64_t id;
	const char *peer;
	const char *user;    /* "" : asks for name and password */
	const char *session; /* with user: the desktop it is granted */
	uint32_t rights;
	int socket; /* stays the caller's */
};
void monitor_viewer_open(struct monitor *monitor, const struct viewer_open *open);
/* A process that was found: takes over `connection`. */
must_check int monitor_viewer_adopt(
    struct monitor *monitor, const struct record *record, int connection);
void monitor_viewer_show(
    struct monitor_viewer *viewer, uint32_t caption, const char *text, uint8_t percent);
void monitor_viewer_close(struct monitor_viewer *viewer, uint32_t caption, const char *text);
/* Sends a message to its process; a viewer that cannot take it is ended. */
void monitor_viewer_send(struct monitor_viewer *viewer, uint16_t type, const struct wire *body,
    const int *fds, size_t fd_count);
/* Binds it to a user and a desktop, durably, and tells display process and broker. */
void monitor_viewer_grant(
    struct monitor_viewer *viewer, const char *user, const char *session, uint32_t rights);
void monitor_viewer_record(struct monitor_viewer *viewer);
void monitor_viewer_kill(struct monitor_viewer *viewer, const char *why);
void monitor_viewer_destroy(struct monitor_viewer *viewer);

/* The name of its socket and record. */
void monitor_viewer_name(uint64_t id, char name[MONITOR_VIEWER_NAME_MAX]);
/* Tells the broker, once, that it is gone. */
void monitor_viewer_say_gone(struct monitor_viewer *viewer);
void monitor_viewer_on_ended(struct process *process, int status, void *context);
extern const struct ipc_channel_ops monitor_viewer_channel_ops;

/* monitor_login.c: one password login, from EVENT_LOGIN to the verdict. */
void monitor_login_wanted(struct monitor_viewer *viewer);
void monitor_login_permit(struct monitor_viewer *viewer);
void monitor_login_attempt(struct monitor_viewer *viewer);
void monitor_login_deny(struct monitor_viewer *viewer);
void monitor_login_end(struct monitor_viewer *viewer);

/* monitor_desktop.c: the VMM's life. */
struct monitor_desktop *monitor_find_desktop(struct monitor *monitor, const char *user);
/* Finds it, or opens its folder (made when `create`). 0 or -errno, logged. */
must_check int monitor_open_desktop(
    struct monitor *monitor, const char *user, bool create, struct monitor_desktop **desktop);
void monitor_desktop_start(struct monitor_desktop *desktop, uint64_t resumes);
void monitor_desktop_load(struct monitor_desktop *desktop, uint64_t generation, uint64_t resumes);
void monitor_desktop_consume(struct monitor_desktop *desktop, uint64_t generation);
void monitor_desktop_run(struct monitor_desktop *desktop);
void monitor_desktop_simple(struct monitor_desktop *desktop, uint16_t type);
void monitor_desktop_kill(struct monitor_desktop *desktop);
/* Sends a request and remembers that its reply is awaited. 0 or -errno; `control` stays the caller's (duplicated). */
must_check int monitor_vmm_request(struct monitor_desktop *desktop, uint16_t type,
    const struct wire *body, const int *fds, size_t fd_count,
    const struct monitor_pending *pending);
/* A process that was found; takes over `connection`. */
must_check int monitor_desktop_adopt(
    struct monitor_desktop *desktop, const struct record *record, int connection);
void monitor_desktop_record(struct monitor_desktop *desktop);
/* What it is, as far as the record and the catalogue tell. */
enum machine_found monitor_desktop_guess(struct monitor_desktop *desktop);
void monitor_desktop_destroy(struct monitor_desktop *desktop);
void monitor_desktop_report(
    struct monitor_desktop *desktop, uint16_t type, uint64_t generation, const char *text);
/* The end of its process: reported once process and channel are both at their end. */
void monitor_desktop_on_exit(struct process *process, int status, void *context);
void monitor_desktop_maybe_gone(struct monitor_desktop *desktop);
extern const struct ipc_channel_ops monitor_desktop_channel_ops;

/* monitor_start.c: descriptors and settings of a VMM to be built or loaded. */
must_check int monitor_start_vmm(struct monitor_desktop *desktop, uint64_t generation,
    uint64_t resumes, char text[PROTOCOL_TEXT_MAX]);

/* monitor_replies.c: what a VMM answers and tells. */
must_check int monitor_vmm_message(struct monitor_desktop *desktop, struct ipc_message *message);

/* monitor_snapshot.c */
void monitor_suspend(struct monitor_desktop *desktop, uint64_t generation, uint64_t base);
void monitor_suspend_reply(struct monitor_desktop *desktop, uint64_t generation, int error,
    const struct vmm_suspend_report *report);
void monitor_commit(struct monitor_desktop *desktop, uint64_t generation, uint64_t base);
void monitor_discard(struct monitor_desktop *desktop, uint64_t generation);
void monitor_set_aside(struct monitor_desktop *desktop, uint64_t generation);
void monitor_prune(struct monitor_desktop *desktop, uint64_t base);

/* monitor_attach.c: the link between a desktop and a viewer. */
void monitor_attach(struct monitor_desktop *desktop, struct monitor_viewer *viewer);
void monitor_detach(struct monitor_desktop *desktop, struct monitor_viewer *viewer);

/* monitor_control.c: requests on behalf of control connections; each reads the peer's credentials itself. */
void monitor_control_peer(struct monitor *monitor, uint64_t tag, int socket);
void monitor_control_picture(struct monitor *monitor, uint64_t tag, const char *user, int socket);
void monitor_control_picture_reply(struct monitor_desktop *desktop,
    const struct monitor_pending *pending, int error, struct ipc_message *message);
void monitor_control_logs(
    struct monitor *monitor, uint64_t tag, const char *user, uint32_t kind, int socket);
void monitor_control_attach(
    struct monitor *monitor, uint64_t viewer, const char *user, int socket, int stream);
void monitor_control_console(
    struct monitor *monitor, uint64_t tag, const char *user, int socket, int stream);
void monitor_control_unix(struct monitor *monitor, uint64_t viewer, int socket);
void monitor_control_input(struct monitor *monitor, const struct request *request);
void monitor_control_statistics(struct monitor *monitor, const struct request *request);
void monitor_control_session(struct monitor *monitor, const struct request *request);
void monitor_answer(struct monitor *monitor, uint64_t tag, int error, const char *text);

/* monitor_doctor.c */
void monitor_doctor(struct monitor *monitor, uint64_t tag);

/* monitor_adopt.c: finds what an earlier daemon left running. */
void monitor_adopt(struct monitor *monitor);
/* One found process has said what it is, or has gone: the inventory is sent when it was the last. */
void monitor_adopt_done(struct monitor *monitor);
