/*
 * The client's end of the control socket (docs/CONTROL.md): JSON objects with a NUL after each, file descriptors beside
 * them. The daemon is not trusted with our memory: an answer that is too long, no JSON, or of another shape is
 * -EPROTO, and descriptors that nobody expects are closed.
 *
 * One call at a time; one thread.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/must_check.h"

enum {
	CONTROL_MESSAGE_MAX = 16 * 1024 * 1024, /* bytes of one answer */
	CONTROL_NAME_MAX = 64,                  /* of an error's name, with its NUL */
	CONTROL_QUERY_TIMEOUT_MS = 10000,       /* for what the daemon answers at once */
};

struct control;

/* An answer. Fini it, also after an error. */
struct control_reply {
	json_t *parameters;           /* an object, or NULL */
	char error[CONTROL_NAME_MAX]; /* without "org.tanmatsu."; empty when the call succeeded */
	bool continues;
	int fd; /* what came with the last answer, or -1 */
};

/* Called for every answer but the last of a long call. */
typedef void (*control_progress)(const struct control_reply *reply, void *context);

/*
 * The socket to use: `given` if not NULL, else $TANMATSU_CONTROL, else the system's if there is one or we are root, else
 * the one of the user's own daemon ($XDG_RUNTIME_DIR/tanmatsu). 0, or -ENAMETOOLONG.
 */
must_check int control_find_path(const char *given, char *path, size_t size);

/* Connects. 0 or -errno: -ENOENT, -ECONNREFUSED (nobody listens), -EACCES, -ENAMETOOLONG... */
must_check int control_open(const char *path, struct control **control);
void control_close(struct control *control);
/* How long a call may take without a word from the daemon, -1 for ever (the default). Then -ETIMEDOUT. */
void control_set_timeout(struct control *control, int ms);

/*
 * Calls org.tanmatsu.`method`. `parameters` (may be NULL) is taken in any case. `fd` (or -1) is sent along and stays the
 * caller's. With `progress` the daemon is asked to tell how far it is. Returns 0 when an answer came, be it an error
 * answer; -EPROTO, -ECONNRESET (the daemon hung up), -ETIMEDOUT or another -errno.
 */
must_check int control_call_take(struct control *control, const char *method, json_t *parameters,
    int fd, control_progress progress, void *context, struct control_reply *reply);

/* Parses one message, without its NUL. 0 or -EPROTO; on success reply->parameters is an object. */
must_check int control_reply_parse(const char *text, size_t size, struct control_reply *reply);
void control_reply_init(struct control_reply *reply);
void control_reply_fini(struct control_reply *reply);
/* What is said in words: parameters.message, or "" when there is none. */
const char *control_reply_message(const struct control_reply *reply);
