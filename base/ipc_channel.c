/*
 * A message socket on the event loop. What must stay true: messages leave in the order they were
 * given; EPOLLOUT is asked for only while something is queued; and a channel that is destroyed from
 * inside one of its own callbacks stays in memory, inert, until that callback has returned.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-event.h>

#include "base/fd.h"
#include "base/ipc.h"

enum {
	RECEIVE_BATCH = 16, /* messages taken before other sources of the loop get their turn */
};

/* A message that did not fit into the socket. */
struct queued {
	struct queued *next;
	uint16_t type;
	size_t fd_count;
	int fds[IPC_FDS_MAX];
	size_t size;
	uint8_t body[];
};

struct ipc_channel {
	sd_event_source *source;
	int socket;
	const struct ipc_channel_ops *ops;
	void *context;
	struct queued *first;
	struct queued *last;
	size_t queue_length;
	size_t queue_limit;
	bool closed;       /* on_close was or is being called */
	bool write_failed; /* the peer does not read any more; its end of stream is still to come */
	bool dispatching;  /* inside on_event() */
	bool destroyed;    /* freed as soon as `dispatching` ends */
};

static void queued_destroy(struct queued *queued)
{
	for (size_t i = 0; i < queued->fd_count; i++) {
		fd_close(&queued->fds[i]);
	}
	free(queued);
}

/* Copies a message, its descriptors duplicated. Returns 0 or -errno. */
static must_check int queued_create(
    uint16_t type, const struct wire *body, const int *fds, size_t fd_count, struct queued **result)
{
	size_t size = body ? body->position : 0;
	struct queued *queued = malloc(sizeof(*queued) + size);

	if (!queued) {
		return -ENOMEM;
	}
	queued->next = NULL;
	queued->type = type;
	queued->fd_count = 0;
	queued->size = size;
	if (size > 0) {
		memcpy(queued->body, body->data, size);
	}
	for (size_t i = 0; i < fd_count; i++) {
		int copy = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);

		if (copy < 0) {
			int error = -errno;

			queued_destroy(queued);
			return error;
		}
		queued->fds[queued->fd_count++] = copy;
	}
	*result = queued;
	return 0;
}

static void drop_queue(struct ipc_channel *channel)
{
	while (channel->first) {
		struct queued *next = channel->first->next;

		queued_destroy(channel->first);
		channel->first = next;
	}
	channel->last = NULL;
	channel->queue_length = 0;
}

static void release(struct ipc_channel *channel)
{
	channel->source = sd_event_source_disable_unref(channel->source);
	fd_close(&channel->socket);
	drop_queue(channel);
}

static void close_channel(struct ipc_channel *channel, int error)
{
	if (channel->closed || channel->destroyed) {
		return;
	}
	channel->closed = true;
	release(channel);
	channel->ops->on_close(channel, error, channel->context);
}

/* Sends what is queued until the socket is full. Returns 0, or -errno when it will never take it.
 */
static must_check int flush(struct ipc_channel *channel)
{
	while (channel->first) {
		struct queued *queued = channel->first;
		struct wire body = {
			.data = queued->body, .size = queued->size, .position = queued->size
		};
		int error = ipc_send(
		    channel->socket, queued->type, &body, queued->fds, queued->fd_count);

		if (error == -EAGAIN) {
			return 0;
		}
		if (error == -EPIPE) {
			channel->write_failed = true;
			drop_queue(channel);
			break;
		}
		if (error) {
			return error;
		}
		channel->first = queued->next;
		if (!channel->first) {
			channel->last = NULL;
		}
		channel->queue_length--;
		queued_destroy(queued);
	}
	return sd_event_source_set_io_events(channel->source, EPOLLIN);
}

/*
 * Takes a batch of messages and hands them out; stops as soon as the channel is closed or
 * destroyed. The message is on the stack, so that a thousand channels do not have a buffer each.
 */
static void receive(struct ipc_channel *channel)
{
	struct ipc_message message;

	for (int i = 0; i < RECEIVE_BATCH && !channel->closed && !channel->destroyed; i++) {
		int result = ipc_receive(channel->socket, &message);

		if (result == -EAGAIN) {
			return;
		}
		if (result <= 0) {
			close_channel(channel, result);
			return;
		}
		result = channel->ops->on_message(channel, &message, channel->context);
		ipc_message_fini(&message);
		if (result < 0) {
			close_channel(channel, result);
		}
	}
}

static int on_event(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct ipc_channel *channel = context;

	(void)source;
	(void)fd;
	channel->dispatching = true;
	if (events & EPOLLOUT) {
		int error = flush(channel);

		if (error) {
			close_channel(channel, error);
		}
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		receive(channel);
	}
	channel->dispatching = false;
	if (channel->destroyed) {
		free(channel);
	}
	return 0;
}

int ipc_channel_create_take(struct sd_event *event, int socket, size_t queue_limit,
    const struct ipc_channel_ops *ops, void *context, struct ipc_channel **result)
{
	struct ipc_channel *channel = calloc(1, sizeof(*channel));
	int error;

	if (!channel) {
		return -ENOMEM;
	}
	channel->ops = ops;
	channel->context = context;
	channel->queue_limit = queue_limit;
	error = fd_set_nonblocking(socket);
	if (error) {
		goto fail;
	}
	error = sd_event_add_io(event, &channel->source, socket, EPOLLIN, on_event, channel);
	if (error < 0) {
		goto fail;
	}
	channel->socket = socket;
	*result = channel;
	return 0;

fail:
	free(channel);
	return error;
}

int ipc_channel_send(struct ipc_channel *channel, uint16_t type, const struct wire *body,
    const int *fds, size_t fd_count)
{
	struct queued *queued = NULL;
	int error;

	if (channel->closed || channel->destroyed || channel->write_failed) {
		return -EPIPE;
	}
	if (!channel->first) {
		error = ipc_send(channel->socket, type, body, fds, fd_count);
		if (error == -EPIPE) {
			/* The loop finds the end of the stream and says so; what the peer had sent
			 * is read first. */
			channel->write_failed = true;
		}
		if (error != -EAGAIN) {
			return error;
		}
	}
	if (fd_count > IPC_FDS_MAX) {
		return -EINVAL;
	}
	if (body && (!wire_ok(body) || body->position > IPC_BODY_MAX)) {
		return -EMSGSIZE;
	}
	if (channel->queue_length >= channel->queue_limit) {
		return -ENOBUFS;
	}
	error = queued_create(type, body, fds, fd_count, &queued);
	if (error) {
		return error;
	}
	if (!channel->first) {
		error = sd_event_source_set_io_events(channel->source, EPOLLIN | EPOLLOUT);
		if (error < 0) {
			queued_destroy(queued);
			return error;
		}
		channel->first = queued;
	} else {
		channel->last->next = queued;
	}
	channel->last = queued;
	channel->queue_length++;
	return 0;
}

int ipc_channel_fd(const struct ipc_channel *channel)
{
	return channel->socket;
}

void ipc_channel_destroy(struct ipc_channel *channel)
{
	if (!channel) {
		return;
	}
	assert(!channel->destroyed);
	release(channel);
	channel->destroyed = true;
	if (!channel->dispatching) {
		free(channel);
	}
}
