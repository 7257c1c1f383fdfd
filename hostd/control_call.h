/*
 * The messages of the control socket (docs/CONTROL.md) as text: parsing a call, writing an answer. The peer may be anybody
 * on this host. Pure; any thread.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/must_check.h"
#include "base/wire.h"

enum {
	CONTROL_CALL_MAX = 256 * 1024, /* bytes of a call without its NUL */
	CONTROL_METHOD_MAX = 64,
	CONTROL_EVENTS_MAX = 1024, /* of one Input call */
};

struct control_call {
	char method[CONTROL_METHOD_MAX]; /* without "org.tanmatsu." */
	json_t *parameters;              /* an object, never NULL after parsing; the call's */
	bool more;
};

/* Parses one message. 0; -EPROTO when it is not a call. control_call_fini() afterwards, in any case. */
must_check int control_call_parse(const char *text, size_t size, struct control_call *call);
void control_call_fini(struct control_call *call);

/* The string parameter `key` into `text`: 0; -ENOENT when it is not there; -EINVAL when it is none, or too long. */
must_check int control_call_string(
    const struct control_call *call, const char *key, char *text, size_t size);
/* A whole number from 0 to `maximum`; `fallback` when it is not there. 0 or -EINVAL. */
must_check int control_call_number(const struct control_call *call, const char *key,
    uint64_t maximum, uint64_t fallback, uint64_t *number);
/*
 * The parameter `events` as VMM_INPUT has it: u16 count and events of input/event.h. 0 or -EINVAL. `count` gets their number.
 */
must_check int control_call_events(
    const struct control_call *call, struct wire *out, size_t *count);

/* Answers as malloc'ed text, its NUL being part of the message; NULL without memory. `parameters` is taken. */
char *control_answer_take(json_t *parameters, bool continues);
/* `error` without "org.tanmatsu."; `more` (may be NULL) is taken and gives further parameters. */
char *control_error_take(const char *error, const char *message, json_t *more);
