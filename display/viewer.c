/*
 * The life of a viewer's connection (display/viewer.h). What must stay true: before the login the viewer costs one
 * handshake of fixed size and no more than the grace time; name and password are wiped as soon as they are sent; and
 * whatever happens, the end goes through viewer_exit(), which tells the monitor why.
 */
#include "display/viewer.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"
#include "display/session.h"
#include "display/stream.h"
#include "display/tls.h"
#include "display/viewer_internal.h"
#include "input/keymap.h"

enum {
	GOODBYE_US = 2 * 1000 * 1000, /* a viewer has this long to take the reason */
	READ_CHUNK = 256,
};

void viewer_exit(struct viewer *viewer, int status, const char *text)
{
	uint8_t bytes[256];
	struct wire wire;

	if (viewer->exited) {
		return;
	}
	viewer->exited = true;
	viewer->exit_status = status;
	wire_init_write(&wire, bytes, sizeof(bytes));
	wire_put_u8(&wire, (uint8_t)status);
	wire_put_string(&wire, text);
	viewer_tell(viewer, DISPLAY_EVENT_GONE, &wire);
	log_debug("viewer: ends: %s", text);
	(void)sd_event_exit(viewer->setup.event, status);
}

static void finish_goodbye(struct viewer *viewer)
{
	viewer_exit(viewer, viewer->exit_status, viewer->exit_text);
}

void viewer_say_goodbye(struct viewer *viewer, int status, const char *text)
{
	if (viewer->ending || viewer->exited) {
		return;
	}
	viewer->ending = true;
	viewer->exit_status = status;
	(void)snprintf(viewer->exit_text, sizeof(viewer->exit_text), "%s", text);
	if (viewer_set_timer(viewer, GOODBYE_US) != 0) {
		finish_goodbye(viewer);
		return;
	}
	if (viewer->stream) {
		stream_set_reading(viewer->stream, true);
		stream_finish(viewer->stream);
	}
}

static int on_timer(sd_event_source *source, uint64_t now, void *context)
{
	struct viewer *viewer = context;

	(void)source;
	(void)now;
	if (viewer->ending) {
		finish_goodbye(viewer);
	} else if (viewer->phase != DISPLAY_PHASE_SESSION) {
		viewer_exit(viewer, DISPLAY_EXIT_HANDSHAKE, "took too long to log in");
	}
	return 0;
}

int viewer_set_timer(struct viewer *viewer, uint64_t delay_us)
{
	int error;

	viewer->timer = sd_event_source_disable_unref(viewer->timer);
	error = sd_event_add_time_relative(
	    viewer->setup.event, &viewer->timer, CLOCK_MONOTONIC, delay_us, 0, on_timer, viewer);
	return error < 0 ? error : 0;
}

static void start_tls(struct viewer *viewer)
{
	bool anonymous = handshake_chosen(&viewer->handshake) == DISPLAY_SECURITY_TLS_PLAIN;
	struct tls *tls;
	int error;

	error = tls_create(stream_fd(viewer->stream), anonymous ? -1 : viewer->certificate,
	    anonymous ? -1 : viewer->key, viewer->config.tls_priority, &tls);
	if (error) {
		viewer_exit(viewer, DISPLAY_EXIT_ERROR, "TLS cannot be set up");
		return;
	}
	stream_start_tls_take(viewer->stream, tls);
}

/* Does what the handshake says comes next. */
static void follow(struct viewer *viewer, enum handshake_step step)
{
	size_t size;
	const uint8_t *output = handshake_output(&viewer->handshake, &size);

	if (size > 0) {
		if (stream_write(viewer->stream, output, size)) {
			viewer_exit(viewer, DISPLAY_EXIT_ERROR, "out of memory");
			return;
		}
		handshake_sent(&viewer->handshake, size);
		stream_flush(viewer->stream);
	}
	switch (step) {
	case HANDSHAKE_READ:
		return;
	case HANDSHAKE_START_TLS:
		start_tls(viewer);
		return;
	case HANDSHAKE_ASK:
	case HANDSHAKE_DONE: /* type None: the monitor binds the viewer to its user all the same */
		viewer->phase = DISPLAY_PHASE_AUTHENTICATING;
		viewer->wait = step == HANDSHAKE_ASK ? VIEWER_WAIT_CHANNEL : VIEWER_WAIT_VERDICT;
		/* What the viewer sends meanwhile is the session's to read. */
		stream_set_reading(viewer->stream, false);
		viewer_tell(viewer, DISPLAY_EVENT_LOGIN, NULL);
		return;
	case HANDSHAKE_REFUSE:
	default:
		viewer_say_goodbye(
		    viewer, DISPLAY_EXIT_HANDSHAKE, handshake_error(&viewer->handshake));
		return;
	}
}

static void on_readable(struct stream *stream, void *context)
{
	struct viewer *viewer = context;
	uint8_t bytes[READ_CHUNK];
	size_t wanted = handshake_wanted(&viewer->handshake);
	ssize_t count;

	if (viewer->ending) {
		wanted = sizeof(bytes); /* thrown away */
	}
	if (wanted == 0) {
		return;
	}
	count = stream_read(stream, bytes, wanted < sizeof(bytes) ? wanted : sizeof(bytes));
	if (count == -EAGAIN) {
		return;
	}
	if (count <= 0) {
		if (viewer->ending) {
			finish_goodbye(viewer);
		} else {
			viewer_exit(viewer, DISPLAY_EXIT_HANDSHAKE, "left before logging in");
		}
	} else if (!viewer->ending) {
		follow(viewer, handshake_feed(&viewer->handshake, bytes, (size_t)count));
	}
	explicit_bzero(bytes, sizeof(bytes));
}

static void on_drained(struct stream *stream, void *context)
{
	(void)stream;
	(void)context;
}

static void on_secured(struct stream *stream, int error, void *context)
{
	struct viewer *viewer = context;
	char text[64];

	if (error) {
		log_info("viewer: TLS with %s failed: %s", viewer->config.peer,
		    tls_error(stream_tls(stream)));
		viewer_exit(viewer, DISPLAY_EXIT_HANDSHAKE, "TLS failed");
		return;
	}
	log_debug("viewer: %s: %s", viewer->config.peer,
	    tls_describe(stream_tls(stream), text, sizeof(text)));
	follow(viewer, handshake_tls_done(&viewer->handshake));
}

static void on_closed(struct stream *stream, int error, void *context)
{
	struct viewer *viewer = context;

	(void)stream;
	(void)error;
	if (viewer->ending) {
		finish_goodbye(viewer);
	} else {
		viewer_exit(viewer, DISPLAY_EXIT_HANDSHAKE, "left before logging in");
	}
}

/* True if nobody can listen between the viewer and this host. */
static bool path_is_private(const char *peer)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (strcmp(peer, "unix") == 0) {
		return true;
	}
	if (inet_pton(AF_INET, peer, &v4) == 1) {
		return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
	}
	if (inet_pton(AF_INET6, peer, &v6) == 1) {
		return IN6_IS_ADDR_LOOPBACK(&v6) ||
		       (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == IN_LOOPBACKNET);
	}
	return false;
}

int viewer_start_take(struct viewer *viewer, int socket)
{
	static const struct stream_ops ops = {
		.on_readable = on_readable,
		.on_drained = on_drained,
		.on_secured = on_secured,
		.on_closed = on_closed,
	};
	const struct display_config *config = &viewer->config;
	int error;

	error = viewer_set_timer(viewer, (uint64_t)config->grace_s * 1000 * 1000);
	if (error) {
		return error;
	}
	error = stream_create_take(viewer->setup.event, socket, &ops, viewer, &viewer->stream);
	if (error) {
		return error;
	}
	viewer->phase = DISPLAY_PHASE_HANDSHAKE;
	handshake_init(&viewer->handshake, config->security, config->security_count,
	    config->peer_user[0] != '\0', path_is_private(config->peer));
	follow(viewer, HANDSHAKE_READ);
	return 0;
}

void viewer_refuse(struct viewer *viewer, const char *reason)
{
	if (viewer->ending || viewer->exited) {
		return;
	}
	if (viewer->stream && handshake_is_asking(&viewer->handshake)) {
		viewer->wait = VIEWER_WAIT_NOTHING;
		(void)handshake_answer(&viewer->handshake, false, reason);
		follow(viewer, HANDSHAKE_READ); /* the answer leaves; then the goodbye */
	}
	viewer_say_goodbye(viewer, DISPLAY_EXIT_DENIED, "login denied");
}

int viewer_create(const struct viewer_setup *setup, struct viewer **result)
{
	struct viewer *viewer = calloc(1, sizeof(*viewer));
	int error;

	if (!viewer) {
		return -ENOMEM;
	}
	viewer->setup = *setup;
	viewer->certificate = viewer->key = -1;
	viewer->exit_status = DISPLAY_EXIT_ERROR;
	/* Made now, since the sandbox has no socketpair(). */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, viewer->spares) <
	    0) {
		error = -errno;
		free(viewer);
		return error;
	}
	error = viewer_control_init(viewer);
	if (error) {
		viewer_destroy(viewer);
		return error;
	}
	*result = viewer;
	return 0;
}

void viewer_destroy(struct viewer *viewer)
{
	if (!viewer) {
		return;
	}
	sd_event_source_disable_unref(viewer->timer);
	handshake_fini(&viewer->handshake);
	session_destroy(viewer->session);
	stream_destroy(viewer->stream);
	viewer_control_fini(viewer);
	keymap_destroy(viewer->keymap);
	fd_close(&viewer->certificate);
	fd_close(&viewer->key);
	fd_close(&viewer->spares[0]);
	fd_close(&viewer->spares[1]);
	free(viewer);
}

int viewer_exit_status(const struct viewer *viewer)
{
	return viewer->exit_status;
}
