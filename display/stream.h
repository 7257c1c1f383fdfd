/*
 * The viewer's connection as bytes: the socket, plain or inside TLS, with what is to be sent queued behind it up to a
 * bound. Driven by the event loop, never blocking. Loop thread only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/must_check.h"

struct sd_event;
struct stream;
struct tls;

enum {
	STREAM_QUEUE_MAX = 20 * 1024 *
			   1024, /* bytes; nothing that we produce at once comes near it */
};

struct stream_ops {
	/* Bytes can be read. Called while reading is enabled. */
	void (*on_readable)(struct stream *stream, void *context);
	/* Queued bytes have left, stream_queued() is smaller than before. */
	void (*on_drained)(struct stream *stream, void *context);
	/* TLS is established (0) or failed (-errno). */
	void (*on_secured)(struct stream *stream, int error, void *context);
	/* The connection is over: 0 when the peer closed it, else -errno. Called once; never from within a call of ours. */
	void (*on_closed)(struct stream *stream, int error, void *context);
};

/* Takes `socket` on success; reading is enabled. Sets what a TCP connection needs (no delay, keep-alive). 0 or -errno. */
must_check int stream_create_take(struct sd_event *event, int socket, const struct stream_ops *ops,
    void *context, struct stream **stream);
/* Sends what the socket takes at once, says goodbye in TLS, closes. */
void stream_destroy(struct stream *stream);

/* Another owner: further events go there. */
void stream_set_owner(struct stream *stream, const struct stream_ops *ops, void *context);
/* Runs the handshake of `tls`, which becomes the stream's, as soon as the queue is empty; on_secured follows. */
void stream_start_tls_take(struct stream *stream, struct tls *tls);
bool stream_is_secure(const struct stream *stream);
/* Of the established session, for the log. */
const struct tls *stream_tls(const struct stream *stream);

/* Bytes read (> 0), 0 at the end, -EAGAIN, or another -errno. */
must_check ssize_t stream_read(struct stream *stream, void *data, size_t size);
/* Stops or continues calls of on_readable. */
void stream_set_reading(struct stream *stream, bool enabled);

/* Copies into the queue; -ENOBUFS when it is full, -ENOMEM. Nothing is sent before stream_flush(). */
must_check int stream_write(struct stream *stream, const void *data, size_t size);
/* Sends as much of the queue as the socket takes now; a broken connection is told by on_closed, later. */
void stream_flush(struct stream *stream);
/* Nothing more will be written: what is queued leaves, then the peer is told that this was all. */
void stream_finish(struct stream *stream);
/* The socket, still the stream's. */
int stream_fd(const struct stream *stream);
/* Bytes that were written and have not left. */
size_t stream_queued(const struct stream *stream);
/* Bytes that have left since the start. */
uint64_t stream_sent(const struct stream *stream);
