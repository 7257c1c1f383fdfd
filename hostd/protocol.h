/*
 * What broker and monitor say to each other: messages of base/ipc.h. The broker asks (requests), the monitor tells
 * (reports). Every request has one handler in monitor_requests.c and there is nothing else the monitor does for the
 * broker; it trusts no request: users, viewers and generations are checked against what the monitor itself knows.
 *
 * One shape serves all requests and one all reports; fields that a type does not name are 0 or empty. A desktop is named
 * by its user. Pure formats; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"
#include "base/wire.h"
#include "session/grant.h"
#include "session/policy.h"

enum {
	PROTOCOL_VERSION = 1,
	PROTOCOL_BROKER_FD = 3, /* the broker's end of the socket */
	PROTOCOL_TEXT_MAX = 512,
	PROTOCOL_PAYLOAD_MAX = 32 * 1024,
	PROTOCOL_LISTENERS_MAX = 16,
	PROTOCOL_NUMBERS = 8,
};

enum request_type {
	REQUEST_READY = 1,    /* the broker serves its listeners and control socket */
	REQUEST_ALIVE = 2,    /* the broker's loop turns: the watchdog may be told */
	REQUEST_STATUS = 3,   /* `text`: one line for the service manager */
	REQUEST_FINISHED = 4, /* answer to REPORT_SHUTDOWN: every desktop is at rest */

	/* Viewers. `viewer` is the broker's number, new for each. */
	REQUEST_VIEWER_OPEN = 16, /* `text` peer's address; fd: an accepted TCP connection */
	REQUEST_VIEWER_OPEN_UNIX =
	    17, /* fd: an accepted Unix connection; its peer credentials are the login */
	REQUEST_VIEWER_OPEN_CONTROL =
	    18, /* `user` the desktop; fds: control connection (who asks), stream (the viewer) */
	REQUEST_VIEWER_LOGIN =
	    19, /* REPORT_VIEWER_LOGIN is granted: tanmatsu-auth may be started */
	REQUEST_VIEWER_ATTEMPT =
	    20,                   /* REPORT_VIEWER_ATTEMPT may go on: the password may be checked */
	REQUEST_VIEWER_DENY = 21, /* after a failed verdict, when its time has come */
	REQUEST_VIEWER_SHOW = 22, /* `value` caption, `number[0]` percent, `text` */
	REQUEST_VIEWER_CLOSE = 23,  /* `value` caption, `text` */
	REQUEST_VIEWER_ATTACH = 24, /* `user` the desktop */
	REQUEST_VIEWER_DETACH = 25, /* `user` the desktop */

	/* Desktops: the actions of session/machine.h. */
	REQUEST_VMM_START = 32,     /* `number[0]` resumes so far */
	REQUEST_VMM_LOAD = 33,      /* `generation`, `number[0]` resumes, this one included */
	REQUEST_MARK_CONSUMED = 34, /* `generation` */
	REQUEST_VMM_RUN = 35,
	REQUEST_VMM_PAUSE = 36,
	REQUEST_SUSPEND = 37,   /* `generation`, `base` */
	REQUEST_COMMIT = 38,    /* `generation`, `base` */
	REQUEST_DISCARD = 39,   /* `generation` */
	REQUEST_SET_ASIDE = 40, /* `generation` */
	REQUEST_PRUNE = 41,     /* `base` */
	REQUEST_VMM_QUIT = 42,
	REQUEST_POWER_BUTTON = 43,
	REQUEST_VMM_KILL = 44,

	/* Control connections. `tag` comes back in the answer. */
	REQUEST_PEER = 64,    /* fd: whose connection is this? REPORT_PEER */
	REQUEST_PICTURE = 65, /* `user`; fd: answered on it. REPORT_ANSWERED */
	REQUEST_LOGS =
	    66, /* `user`, `value` 0 events, 1 console; fd: answered on it. REPORT_ANSWERED */
	REQUEST_INPUT =
	    67, /* `user`, payload: u16 count and events of input/event.h. REPORT_ANSWERED */
	REQUEST_STATISTICS = 68, /* `user`. REPORT_STATISTICS or REPORT_ANSWERED with an error */
	REQUEST_DOCTOR = 69,     /* REPORT_DOCTOR */
	REQUEST_SESSION =
	    70, /* `user`, `value` 1: make it if the user is known. REPORT_ANSWERED, after REPORT_SESSION */
	REQUEST_LOG = 71, /* `user`, `text`: a line of the desktop's event log */
	REQUEST_CONSOLE =
	    72, /* `user`; fds: control connection (who asks), stream (the console). REPORT_ANSWERED */
};

enum report_type {
	REPORT_SETTINGS =
	    1, /* struct protocol_settings in the payload; fds: the listeners. First, and after a reload */
	REPORT_SESSION = 2, /* struct protocol_session in the payload */
	REPORT_VIEWER =
	    3, /* found again: `viewer`, `user`, `peer`, `number[0]` pid, `flag` attached;
			       `error`: it never logged in and is being closed */
	REPORT_INVENTORY_END = 4,
	REPORT_SHUTDOWN = 5, /* suspend every desktop, tell the viewers, then REQUEST_FINISHED */

	REPORT_VIEWER_STARTED =
	    16, /* `viewer`, `number[0]` pid; with `user` when the peer's credentials were the login */
	REPORT_VIEWER_LOGIN = 17, /* `viewer`: wants to log in */
	REPORT_VIEWER_ATTEMPT =
	    18, /* `viewer`, `number[0]` keyed hash of the name: has sent name and password */
	REPORT_VIEWER_VERDICT = 19, /* `viewer`, `error` 0: it is `user` now; else wrong */
	REPORT_VIEWER_GONE = 20,    /* `viewer`, `text`: its process has ended or is ending */
	REPORT_VIEWER_ACTION = 21,  /* `viewer`: a key on a caption */
	REPORT_VIEWER_SHOWN =
	    22, /* `viewer`, `number[0]` microseconds from login to the first frame */
	REPORT_LINK_BROKEN =
	    23, /* `viewer`, `user`: the VMM says its link is gone, or an attach failed */

	/* Answers to the requests of the same name; `user` names the desktop. */
	REPORT_VMM_STARTED = 32,  /* `number[0]` pid */
	REPORT_START_FAILED = 33, /* `text` */
	REPORT_VMM_READY = 34,
	REPORT_VMM_REFUSED = 35,    /* `text` */
	REPORT_VMM_EXITED = 36,     /* `value` enum machine_exit, `text` */
	REPORT_SUSPEND_DONE = 37,   /* `generation`, `number` ram_bytes, state_bytes, stopped_us */
	REPORT_SUSPEND_FAILED = 38, /* `generation`, `text` */
	REPORT_COMMIT_DONE = 39,    /* `generation`, `number[0]` bytes on disk */
	REPORT_COMMIT_FAILED =
	    40,               /* `generation`, `text`; `flag`: nobody knows whether it is valid */
	REPORT_CONSUMED = 41, /* `generation` */
	REPORT_CONSUME_FAILED = 42, /* `generation`, `text` */
	REPORT_PROGRESS = 43,       /* `number[0]` percent */

	REPORT_PEER =
	    64, /* `tag`, `user` ("" without a name), `flag` administrator, `number[0]` uid, `number[1]` pid */
	REPORT_ANSWERED = 65,   /* `tag`, `error`, `text` */
	REPORT_STATISTICS = 66, /* `tag`, payload: struct vmm_statistics as vmm/control.h has it */
	REPORT_DOCTOR = 67, /* `tag`, payload: u16 count, each bool ok, string name, detail, mend */
};

struct request {
	uint64_t tag;
	uint64_t viewer;
	uint64_t generation;
	uint64_t base;
	uint64_t number[2];
	uint32_t value;
	char user[GRANT_NAME_MAX];
	char text[PROTOCOL_TEXT_MAX];
	const uint8_t *payload; /* after decoding it points into the message */
	size_t payload_size;
};

struct report {
	uint64_t tag;
	uint64_t viewer;
	uint64_t generation;
	uint64_t number[PROTOCOL_NUMBERS];
	uint32_t value;
	int32_t error;
	bool flag;
	char user[GRANT_NAME_MAX];
	char peer[64];
	char text[PROTOCOL_TEXT_MAX];
	const uint8_t *payload;
	size_t payload_size;
};

enum protocol_listener_kind {
	PROTOCOL_LISTENER_TCP = 1,     /* viewers */
	PROTOCOL_LISTENER_UNIX = 2,    /* viewers */
	PROTOCOL_LISTENER_CONTROL = 3, /* docs/CONTROL.md */
};

/* What the broker needs of the configuration, and what it tells in Info and Cert. */
struct protocol_settings {
	uint32_t version; /* PROTOCOL_VERSION */
	bool single_user;
	uint32_t startup_begin, startup_rate, startup_full, per_source;
	uint32_t viewers_max;
	uint64_t started_us; /* UTC */
	uint32_t monitor_pid;
	char host[64];
	char layout[32];
	char state[256], runtime[256], ca_path[256];
	char ca_sha256[128];
	char ca_pem[8192];
	uint32_t listener_count;
	struct protocol_listener {
		enum protocol_listener_kind kind;
		char address[128]; /* "127.0.0.1", or a path */
		uint16_t port;
	} listeners[PROTOCOL_LISTENERS_MAX];
};

/* A desktop as the monitor knows it: when the broker starts, when a user's first login makes it, and after a reload. */
struct protocol_session {
	char user[GRANT_NAME_MAX];
	struct policy policy;
	struct grant_helper helpers[GRANT_HELPERS_MAX];
	uint32_t helper_count;
	uint64_t generation; /* what it would resume from, or 0 */
	uint64_t next;       /* number of the next generation */
	uint64_t resumes;
	uint64_t snapshot_bytes;
	uint64_t since_us; /* UTC: last change that the store knows of */
	char reason[PROTOCOL_TEXT_MAX];
	uint32_t found; /* enum machine_found */
	uint64_t base;
	uint32_t pid;
};

void request_encode(const struct request *request, struct wire *wire);
/* 0 or -EPROTO. `payload` points into the wire's bytes. */
must_check int request_decode(struct wire *wire, struct request *request);
void report_encode(const struct report *report, struct wire *wire);
must_check int report_decode(struct wire *wire, struct report *report);
void protocol_settings_encode(const struct protocol_settings *settings, struct wire *wire);
must_check int protocol_settings_decode(struct wire *wire, struct protocol_settings *settings);
void protocol_session_encode(const struct protocol_session *session, struct wire *wire);
must_check int protocol_session_decode(struct wire *wire, struct protocol_session *session);
