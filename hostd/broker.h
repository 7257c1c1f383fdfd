/*
 * The broker's own structures, shared by the broker_*.c and control_*.c files and by nobody else. The broker accepts
 * connections, keeps the table of desktops and viewers, drives each desktop's state machine, and answers the control
 * socket. It has no files, no keys and no root; all that it wants done it asks the monitor for (hostd/protocol.h).
 *
 * What must stay true: it never learns a password, nor the name of a failed login; it can be killed at any time, since
 * the monitor knows all that the next one needs.
 *
 * One thread: the event loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/ipc.h"
#include "base/log.h"
#include "base/must_check.h"
#include "base/sandbox.h"
#include "hostd/admission.h"
#include "hostd/protocol.h"
#include "hostd/source.h"
#include "hostd/throttle.h"
#include "session/machine.h"
#include "session/table.h"

enum {
	BROKER_QUEUE = 65536,
	BROKER_SESSIONS_MAX = 16384,
};

struct broker;
struct control_connection;
struct penalty;

/* What the broker keeps beside a session of the table (session->context). */
struct broker_session {
	struct broker *broker;
	uint64_t id;
	sd_event_source *timers[MACHINE_TIMER_COUNT];
	enum machine_state told_state; /* last written to the log */
	char told_reason[MACHINE_TEXT_MAX];
	uint32_t percent; /* of what is going on */
	/* Figures of the last suspend, for the answer of Suspend. */
	uint64_t ram_bytes, state_bytes, stopped_us;
	uint64_t begun_us,
	    took_us; /* monotonic: when the current change began; how long the last took */
	/* CPU use, from two statistics: for the policy on busy desktops. */
	uint64_t cpu_us, cpu_at_us;
	bool grace_waits; /* the grace time is over, statistics are awaited */
};

/* What the broker keeps beside a viewer of the table (viewer->context). */
struct broker_viewer {
	struct broker *broker;
	uint64_t id;
	struct source source;
	bool network;   /* came over TCP: counts against the start-up limit */
	bool attempted; /* name and password were sent */
	uint64_t hash;  /* keyed hash of that name */
	uint64_t attempt_us;
	uint64_t control_tag;   /* the Attach call that waits for it */
	sd_event_source *timer; /* start of the attempt, or its answer */
};

struct broker {
	sd_event *event;
	struct ipc_channel *monitor;
	struct protocol_settings settings;
	bool settings_known;
	bool serving; /* the inventory is complete */
	bool stopping;
	bool finished_said;
	struct {
		int fd;
		sd_event_source *source;
	} listeners[PROTOCOL_LISTENERS_MAX];
	struct table *table;
	struct admission admission;
	struct throttle *throttle;
	struct penalty *penalties;
	struct log_limiter accept_limiter, login_limiter;
	sd_event_source *alive;
	struct control_connection *connections;
	size_t connection_count;
	uint64_t next_tag;
	uint64_t next_connection;
	char status[128];
};

/* broker.c */

/* The broker's main, with the monitor's socket on PROTOCOL_BROKER_FD. Returns the exit code. */
int broker_run(uint32_t uid);
/* What the broker may do once it has started. With `uid` 0 it keeps the one it has. */
struct sandbox_policy broker_sandbox_policy(uint32_t uid);
/* Prints the broker's sandbox. */
void broker_print_sandbox(int fd);
/* Sends a request; failing that, ends the process: the monitor starts a new one. */
void broker_request(struct broker *broker, uint16_t type, const struct request *request);
void broker_request_fds(struct broker *broker, uint16_t type, const struct request *request,
    const int *fds, size_t fd_count);
uint64_t broker_new_tag(struct broker *broker);
/* After a change: tells the service manager the new figures. */
void broker_status_changed(struct broker *broker);
/* While stopping: says so to the monitor once nothing is left to wait for. */
void broker_maybe_finished(struct broker *broker);

/* broker_listen.c */

/* Takes over listeners that came with REPORT_SETTINGS; the descriptors become the broker's. */
must_check int broker_listen_take(struct broker *broker, int *fds, size_t fd_count);
void broker_listen_stop_viewers(struct broker *broker);
void broker_listen_close(struct broker *broker);

/* broker_viewer.c */

/* A viewer for a connection that was accepted; the socket stays the caller's. `source` NULL: a local one. NULL: no room. */
struct viewer *broker_viewer_add(
    struct broker *broker, const char *peer, const struct source *source);
void broker_viewer_found(struct broker *broker, const struct report *report);
void broker_viewer_started(struct broker *broker, const struct report *report);
void broker_viewer_wants_login(struct broker *broker, const struct report *report);
void broker_viewer_attempt(struct broker *broker, const struct report *report);
void broker_viewer_verdict(struct broker *broker, const struct report *report);
void broker_viewer_gone(struct broker *broker, const struct report *report);
void broker_viewer_action(struct broker *broker, const struct report *report);
void broker_viewer_shown(struct broker *broker, const struct report *report);
void broker_viewer_link_broken(struct broker *broker, const struct report *report);
void broker_viewer_remove(struct broker *broker, struct viewer *viewer);
void broker_viewer_end_penalties(struct broker *broker);

/* broker_session.c */

/* New, or with new settings. */
void broker_session_known(struct broker *broker, const struct protocol_session *known);
/* Gives one event to a session's machine and carries out what comes of it. 0 or the machine's refusal. */
int broker_session_event(
    struct broker *broker, struct session *session, const struct machine_event *event);
/* A report about a desktop (32 to 63). */
void broker_session_report(struct broker *broker, uint16_t type, const struct report *report);
void broker_session_statistics(struct broker *broker, const struct report *report);
void broker_session_adopt_viewer(
    struct broker *broker, struct session *session, uint64_t viewer, uint32_t rights);
void broker_session_destroy(struct broker *broker, struct session *session);
/* A line for the desktop's event log. */
void broker_session_log(struct broker *broker, const struct session *session, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

/* broker_actions.c */
void broker_actions_run(
    struct broker *broker, struct session *session, const struct machine_actions *actions);

/* control_server.c */
void control_accept(struct broker *broker, int socket);
/* A report that answers a control call: REPORT_PEER, _ANSWERED, _STATISTICS, _DOCTOR. False: not one of ours. */
bool control_report(struct broker *broker, uint16_t type, const struct report *report);
/* A session has changed, gone on, or a viewer of an Attach has come or gone. */
void control_session_changed(struct broker *broker, struct session *session);
void control_viewer_opened(struct broker *broker, uint64_t tag, uint64_t viewer, const char *error);
void control_close_all(struct broker *broker);
