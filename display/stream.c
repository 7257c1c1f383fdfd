/*
 * The viewer's connection (display/stream.h). What must stay true: bytes leave in the order they were written, before TLS
 * starts all plain ones have left, the queue never exceeds STREAM_QUEUE_MAX, and a failure found inside a call is told
 * from the loop, so that no caller loses the ground under its feet.
 */
#include "display/stream.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "base/fd.h"
#include "display/tls.h"

enum {
	QUEUE_KEPT = 256 * 1024, /* an empty queue larger than this gives its memory back */
	WRITE_CHUNK = 16 * 1024, /* a TLS record */
	NOT_SENT_LOW =
	    128 *
	    1024, /* the kernel holds about this much that is not sent: news overtakes little */
	KEEPALIVE_IDLE_S = 15, /* a terminal without power is noticed within half a minute */
	KEEPALIVE_INTERVAL_S = 5,
	KEEPALIVE_COUNT = 3,
	USER_TIMEOUT_MS = 30 * 1000,
};

struct stream {
	sd_event_source *io;
	sd_event_source
	    *later; /* for what epoll cannot know: TLS' pending bytes, failures to be told */
	int socket;
	const struct stream_ops *ops;
	void *context;
	struct tls *tls;
	bool securing; /* the TLS handshake runs, or waits for the queue */
	bool secure;
	bool finishing, finished; /* after the queue, and after the goodbye */
	bool reading;
	bool failed, told;
	int error;
	uint8_t *queue;
	size_t capacity, head, tail;
	uint64_t sent;
};

static void set_option(int socket, int level, int option, int value)
{
	/* Not for a Unix socket; without them the connection still works. */
	(void)setsockopt(socket, level, option, &value, sizeof(value));
}

static void update_events(struct stream *stream)
{
	uint32_t events = 0;

	if (stream->failed) {
		(void)sd_event_source_set_enabled(stream->io, SD_EVENT_OFF);
		(void)sd_event_source_set_enabled(
		    stream->later, stream->told ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
		return;
	}
	if (stream->securing && stream_queued(stream) == 0) {
		events = tls_wants_write(stream->tls) ? EPOLLOUT : EPOLLIN;
	} else {
		events = (stream->reading ? EPOLLIN : 0u) |
			 (stream_queued(stream) > 0 ? EPOLLOUT : 0u);
		if (stream->reading && stream->secure && tls_pending(stream->tls)) {
			(void)sd_event_source_set_enabled(stream->later, SD_EVENT_ONESHOT);
		}
	}
	(void)sd_event_source_set_io_events(stream->io, events);
}

static void fail(struct stream *stream, int error)
{
	if (!stream->failed) {
		stream->failed = true;
		stream->error = error;
	}
	update_events(stream);
}

static void tell_failure(struct stream *stream)
{
	if (!stream->told) {
		stream->told = true;
		update_events(stream);
		stream->ops->on_closed(stream, stream->error, stream->context);
	}
}

static void continue_tls(struct stream *stream)
{
	int error = tls_handshake(stream->tls);

	if (error == -EAGAIN) {
		update_events(stream);
		return;
	}
	stream->securing = false;
	stream->secure = !error;
	update_events(stream);
	stream->ops->on_secured(stream, error, stream->context);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct stream *stream = context;

	(void)source;
	(void)fd;
	if (events & (EPOLLERR | EPOLLHUP) && !(events & EPOLLIN)) {
		fail(stream, events & EPOLLERR ? -ECONNRESET : 0);
		return 0;
	}
	if (stream->securing && stream_queued(stream) == 0) {
		continue_tls(stream);
		return 0;
	}
	if (events & EPOLLOUT) {
		size_t before = stream_queued(stream);

		stream_flush(stream);
		if (stream_queued(stream) < before) {
			stream->ops->on_drained(stream, stream->context);
			return 0; /* the callee may have destroyed the stream; what can be read stays readable */
		}
	}
	if (events & EPOLLIN) {
		if (stream->reading) {
			stream->ops->on_readable(stream, stream->context);
		} else if (events & EPOLLHUP) {
			fail(stream, 0);
		}
	}
	return 0;
}

static int on_later(sd_event_source *source, void *context)
{
	struct stream *stream = context;

	(void)source;
	if (stream->failed) {
		tell_failure(stream);
	} else if (stream->securing) {
		update_events(stream);
	} else if (stream->reading) {
		stream->ops->on_readable(stream, stream->context);
	}
	return 0;
}

int stream_create_take(struct sd_event *event, int socket, const struct stream_ops *ops,
    void *context, struct stream **result)
{
	struct stream *stream = calloc(1, sizeof(*stream));
	int error;

	if (!stream) {
		return -ENOMEM;
	}
	stream->ops = ops;
	stream->context = context;
	stream->reading = true;
	error = fd_set_nonblocking(socket);
	if (error) {
		goto fail;
	}
	error = sd_event_add_io(event, &stream->io, socket, EPOLLIN, on_io, stream);
	if (error < 0) {
		goto fail;
	}
	error = sd_event_add_defer(event, &stream->later, on_later, stream);
	if (error < 0) {
		goto fail;
	}
	(void)sd_event_source_set_enabled(stream->later, SD_EVENT_OFF);
	set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOT_SENT_LOW);
	set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
	set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT);
	set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS);
	stream->socket = socket;
	*result = stream;
	return 0;

fail:
	sd_event_source_disable_unref(stream->io);
	free(stream);
	return error;
}

void stream_destroy(struct stream *stream)
{
	if (!stream) {
		return;
	}
	if (!stream->failed) {
		stream_flush(stream);
	}
	if (stream->secure && !stream->failed && !stream->finished) {
		tls_goodbye(stream->tls);
	}
	tls_destroy(stream->tls);
	sd_event_source_disable_unref(stream->io);
	sd_event_source_disable_unref(stream->later);
	fd_close(&stream->socket);
	free(stream->queue);
	free(stream);
}

void stream_set_owner(struct stream *stream, const struct stream_ops *ops, void *context)
{
	stream->ops = ops;
	stream->context = context;
}

void stream_start_tls_take(struct stream *stream, struct tls *tls)
{
	assert(!stream->tls);
	stream->tls = tls;
	stream->securing = true;
	stream_flush(stream);
	update_events(stream);
}

bool stream_is_secure(const struct stream *stream)
{
	return stream->secure;
}

const struct tls *stream_tls(const struct stream *stream)
{
	return stream->tls;
}

ssize_t stream_read(struct stream *stream, void *data, size_t size)
{
	ssize_t count;

	if (stream->failed) {
		return stream->error;
	}
	if (stream->secure) {
		count = tls_read(stream->tls, data, size);
		update_events(stream);
		return count;
	}
	do {
		count = recv(stream->socket, data, size, 0);
	} while (count < 0 && errno == EINTR);
	return count < 0 ? -errno : count;
}

void stream_set_reading(struct stream *stream, bool enabled)
{
	if (stream->reading != enabled) {
		stream->reading = enabled;
		update_events(stream);
	}
}

static must_check int reserve(struct stream *stream, size_t size)
{
	size_t queued = stream_queued(stream);
	size_t capacity = stream->capacity ? stream->capacity : 16 * 1024;
	uint8_t *queue;

	if (size > STREAM_QUEUE_MAX - queued) {
		return -ENOBUFS;
	}
	if (stream->head > 0 && stream->tail + size > stream->capacity) {
		memmove(stream->queue, stream->queue + stream->head, queued);
		stream->head = 0;
		stream->tail = queued;
	}
	while (capacity < queued + size) {
		capacity *= 2;
	}
	if (capacity > stream->capacity) {
		queue = realloc(stream->queue, capacity);
		if (!queue) {
			return -ENOMEM;
		}
		stream->queue = queue;
		stream->capacity = capacity;
	}
	return 0;
}

int stream_write(struct stream *stream, const void *data, size_t size)
{
	int error;

	assert(!stream->securing);
	if (stream->failed) {
		return 0; /* on_closed is on its way */
	}
	error = reserve(stream, size);
	if (error) {
		return error;
	}
	memcpy(stream->queue + stream->tail, data, size);
	stream->tail += size;
	return 0;
}

static ssize_t send_some(struct stream *stream, const uint8_t *data, size_t size)
{
	ssize_t count;

	if (stream->secure) {
		return tls_write(stream->tls, data, size < WRITE_CHUNK ? size : WRITE_CHUNK);
	}
	do {
		count = send(stream->socket, data, size, MSG_NOSIGNAL);
	} while (count < 0 && errno == EINTR);
	return count < 0 ? -errno : count;
}

void stream_flush(struct stream *stream)
{
	while (!stream->failed && stream_queued(stream) > 0) {
		ssize_t count = send_some(
		    stream, stream->queue + stream->head, stream_queued(stream));

		if (count == -EAGAIN) {
			break;
		}
		if (count < 0) {
			fail(stream, count == -EPIPE || count == -ECONNRESET ? 0 : (int)count);
			return;
		}
		stream->head += (size_t)count;
		stream->sent += (size_t)count;
	}
	if (stream->head == stream->tail) {
		stream->head = stream->tail = 0;
		if (stream->capacity > QUEUE_KEPT) {
			free(stream->queue);
			stream->queue = NULL;
			stream->capacity = 0;
		}
	}
	if (stream->finishing && !stream->finished && !stream->failed &&
	    stream_queued(stream) == 0) {
		stream->finished = true;
		if (stream->secure) {
			tls_goodbye(stream->tls);
		}
		(void)shutdown(stream->socket, SHUT_WR);
	}
	update_events(stream);
}

void stream_finish(struct stream *stream)
{
	stream->finishing = true;
	stream_flush(stream);
}

int stream_fd(const struct stream *stream)
{
	return stream->socket;
}

size_t stream_queued(const struct stream *stream)
{
	return stream->tail - stream->head;
}

uint64_t stream_sent(const struct stream *stream)
{
	return stream->sent;
}
