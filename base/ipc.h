/*
 * Messages between our processes: one SOCK_SEQPACKET packet each, a 16-bit type and a body in wire
 * format, with up to IPC_FDS_MAX file descriptors. The peer may be compromised: an unknown size, a
 * truncated packet or more descriptors than allowed is -EPROTO, and descriptors that nobody takes
 * are closed.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"
#include "base/wire.h"

struct sd_event;

enum {
	IPC_BODY_MAX = 60 * 1024,
	IPC_FDS_MAX = 64,
};

struct ipc_message {
	uint16_t type;
	struct wire body; /* reading, over `buffer` */
	int fds[IPC_FDS_MAX];
	size_t fd_count;
	uint8_t buffer[2 + IPC_BODY_MAX];
};

/* A connected pair, both ends close-on-exec and non-blocking. Returns 0 or -errno. */
must_check int ipc_pair(int ends[2]);

/*
 * Sends one message; the descriptors stay the caller's. Never blocks: -EAGAIN when the socket is
 * full, -EPIPE when the peer is gone, -EMSGSIZE when the body is too long or its wire has failed.
 * `body` is a wire that was written, or NULL.
 */
must_check int ipc_send(
    int socket, uint16_t type, const struct wire *body, const int *fds, size_t fd_count);

/*
 * Receives one message. Returns 1 with `message` filled, 0 at the end of the stream, -EAGAIN when
 * there is none, or another -errno. The descriptors become the caller's: take them with
 * ipc_message_take_fd(), and always call ipc_message_fini() afterwards, which closes those that
 * were not taken.
 */
must_check int ipc_receive(int socket, struct ipc_message *message);
/* The descriptor at `index`, now the caller's, or -EBADF when there is none (left). */
must_check int ipc_message_take_fd(struct ipc_message *message, size_t index);
void ipc_message_fini(struct ipc_message *message);

/*
 * A socket on the event loop with a queue behind it: what does not fit into the socket now is kept
 * (descriptors duplicated) and sent when it does, up to a bound. Loop thread only.
 */
struct ipc_channel;

struct ipc_channel_ops {
	/* A message came; it is the channel's and finished after the call. Returning a negative
	 * errno closes the channel as `on_close` with that error. The callee may destroy the
	 * channel. */
	int (*on_message)(struct ipc_channel *channel, struct ipc_message *message, void *context);
	/* The peer is gone (error 0) or broke the protocol (-errno). Called once, from the loop;
	 * the callee may destroy the channel. Never called from within ipc_channel_send(). */
	void (*on_close)(struct ipc_channel *channel, int error, void *context);
};

/* Takes `socket` on success. `queue_limit` is in messages. Returns 0 or -errno. */
must_check int ipc_channel_create_take(struct sd_event *event, int socket, size_t queue_limit,
    const struct ipc_channel_ops *ops, void *context, struct ipc_channel **channel);
/* Queues behind earlier ones; -ENOBUFS when the queue is full, -EPIPE once closed. Descriptors stay
 * the caller's. */
must_check int ipc_channel_send(struct ipc_channel *channel, uint16_t type, const struct wire *body,
    const int *fds, size_t fd_count);
int ipc_channel_fd(const struct ipc_channel *channel);
void ipc_channel_destroy(struct ipc_channel *channel);
