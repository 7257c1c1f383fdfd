/*
 * One run of the `tanmatsu` command: where it prints, what it may print there, and the connection to the daemon.
 * Everything a command touches hangs off struct client, so that tests run commands in-process against a server of
 * their own and read back what was printed.
 *
 * What must stay true: nothing that came from the daemon reaches a terminal without passing through text.h, since a
 * guest or another user may have chosen it. Only `tanmatsu console` passes everything on: it is a terminal's line.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/must_check.h"

struct control;
struct control_reply;

/* Exit status of every command; part of the interface, see tanmatsu(1). */
enum client_exit {
	CLIENT_DONE = 0,
	CLIENT_FAILED = 1,
	CLIENT_USAGE = 2,
	CLIENT_NOT_RUNNING = 3, /* the desktop; a daemon that does not run is CLIENT_FAILED */
	CLIENT_NOT_FOUND = 4,
	CLIENT_DENIED = 77,
};

struct client {
	FILE *out;
	FILE *err;
	bool json;
	bool terminal;            /* out is a terminal: control characters are made visible */
	bool colour;              /* ... that takes colours */
	bool unicode;             /* ... and shows UTF-8 */
	bool progress;            /* err is a terminal: a progress bar may be drawn */
	unsigned width;           /* of the terminal behind err, in columns */
	const char *control_path; /* --control, or NULL */
	struct control *control;  /* NULL until client_connect() */
	uint64_t now_us;          /* CLOCK_REALTIME when the command began */
};

/*
 * Runs one command line and returns its exit status (enum client_exit). `argv` may be reordered. `client` holds the
 * streams and what they can show; the rest is zero. The connection is closed before this returns.
 */
must_check int client_run(struct client *client, int argc, char **argv);

/* Fills in streams and abilities from the process: isatty, TERM, NO_COLOR, locale, window size, time. */
void client_init(struct client *client);

/* Connects to the daemon unless that is done. CLIENT_DONE, or the exit status after saying what to do. */
must_check int client_connect(struct client *client);

/* "tanmatsu: MESSAGE" on err; a hint goes on a line of its own ("  hint"), NULL for none. */
void client_error(const struct client *client, const char *hint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Connects if need be, calls org.tanmatsu.`method` and looks at the answer. `parameters` (may be NULL) is taken. `what` is
 * what is being tried, "suspend alice", for messages. CLIENT_DONE with `reply` to be fini'ed by the caller, or the exit
 * status after saying what went wrong, with nothing left to fini.
 */
must_check int client_call_take(struct client *client, const char *what, const char *method,
    json_t *parameters, int fd, struct control_reply *reply);
/* The same for what may take long: shows progress if there is a terminal. */
must_check int client_call_long_take(struct client *client, const char *what, const char *method,
    json_t *parameters, struct control_reply *reply);
/* Says that the daemon's answer to `what` makes no sense, and returns CLIENT_FAILED. */
must_check int client_bad_answer(const struct client *client, const char *what);

/* {"session": name}; NULL without memory, which client_call_take() reports. */
json_t *client_session_parameter(const char *name);

/* Prints `json` (taken) and a newline on out; for `--json`. CLIENT_DONE or CLIENT_FAILED. */
must_check int client_print_json_take(const struct client *client, json_t *json);

/*
 * The session a command is about: `name` if it is not NULL, else the caller's only one, else the one that bears the
 * caller's name. CLIENT_DONE with `session` (of 64 bytes) filled, or an exit status after saying why.
 */
must_check int client_pick_session(struct client *client, const char *name, char session[64]);
