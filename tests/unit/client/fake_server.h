/*
 * A daemon for tests of the client: listens on a control socket in a folder of its own and answers by a script, on a
 * thread. What it was asked is kept.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
	FAKE_CALLS_MAX = 64,
	FAKE_CALL_SIZE = 64 * 1024,
};

/* One scripted answer. The first whose method fits, and which was not used up, is given. */
struct fake_answer {
	const char *method; /* without org.tanmatsu. */
	const char *
	    text; /* sent with a NUL behind it; "" sends nothing and hangs up; NULL never answers */
	size_t size;    /* 0: strlen(text) + 1; else that many bytes, for several answers in one */
	int fd;         /* sent along, unless 0 */
	unsigned times; /* how often; 0: always */
	bool split;     /* byte by byte */
};

struct fake_server;

/* Starts the thread; the script lasts as long as the server. Asserts on failure, as all of this does. */
struct fake_server *fake_server_start(const struct fake_answer *script, size_t count);
const char *fake_server_path(const struct fake_server *server);
/* Ends the thread and frees everything. */
void fake_server_stop(struct fake_server *server);
/* What the client sent, complete calls in their order; valid until the server is stopped. NULL behind the last. */
const char *fake_server_call(struct fake_server *server, size_t index);
/* The descriptor that came with the last call, now the caller's, or -1. */
int fake_server_take_fd(struct fake_server *server);
