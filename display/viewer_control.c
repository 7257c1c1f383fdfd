/*
 * The monitor's conversation with a viewer's process (display/control.h). What must stay true: the newest monitor is the
 * one that is listened to; its loss changes nothing for a viewer that has logged in; the sandbox is entered before a byte
 * of the viewer is read.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "display/session.h"
#include "display/viewer_internal.h"
#include "input/keymap.h"

enum {
	QUEUE_LIMIT = 64, /* events that wait for a monitor that does not read */
};

void viewer_tell(struct viewer *viewer, uint16_t event, const struct wire *body)
{
	int error;

	if (!viewer->monitor) {
		return;
	}
	error = ipc_channel_send(viewer->monitor, event, body, NULL, 0);
	if (error && error != -EPIPE) {
		log_warning(
		    "viewer: cannot tell the monitor about event %#x: %s", event, strerror(-error));
	}
}

static must_check int on_hello(struct viewer *viewer)
{
	uint8_t bytes[512];
	struct wire wire;
	struct display_state state = {
		.viewer_id = viewer->config.viewer_id,
		.phase = viewer->phase,
		.attached = viewer->session && session_is_attached(viewer->session),
		.pid = (uint32_t)getpid(),
	};

	memcpy(state.user, viewer->user, sizeof(state.user));
	memcpy(state.peer, viewer->config.peer, sizeof(state.peer));
	wire_init_write(&wire, bytes, sizeof(bytes));
	display_state_encode(&state, &wire);
	viewer_tell(viewer, DISPLAY_EVENT_STATE, &wire);
	return 0;
}

/* Files are read for the last time: the keyboard layout. Then the sandbox. */
static must_check int prepare(struct viewer *viewer)
{
	struct sandbox_result result;
	int error;

	error = keymap_create(viewer->config.layout, &viewer->keymap);
	if (error) {
		log_error(
		    "viewer: keyboard layout \"%s\": %s", viewer->config.layout, strerror(-error));
		error = keymap_create("us", &viewer->keymap);
	}
	if (error) {
		return error;
	}
	if (!viewer->setup.policy) {
		return 0;
	}
	error = sandbox_enter(viewer->setup.policy, &result);
	if (error) {
		log_error("viewer: entering the sandbox: %s", strerror(-error));
		return error;
	}
	log_debug("viewer: sandbox: uid %s, root %s, landlock %s",
	    result.uid_dropped ? "dropped" : "kept", result.root_emptied ? "empty" : "kept",
	    result.landlocked ? "on" : "not there");
	return 0;
}

static must_check int on_configure(struct viewer *viewer, struct ipc_message *message)
{
	struct display_config config;
	int socket, error;

	if (viewer->phase != DISPLAY_PHASE_EMPTY) {
		return -EPROTO;
	}
	error = display_config_decode(&message->body, &config);
	if (error || !wire_done(&message->body)) {
		return -EPROTO;
	}
	socket = ipc_message_take_fd(message, 0);
	if (socket < 0) {
		return -EPROTO;
	}
	viewer->config = config;
	viewer->certificate = ipc_message_take_fd(message, 1);
	viewer->key = ipc_message_take_fd(message, 2);
	if (!config.peer_user[0] && (viewer->certificate < 0 || viewer->key < 0)) {
		fd_close(&socket);
		return -EPROTO;
	}
	viewer->phase = DISPLAY_PHASE_HANDSHAKE;
	error = prepare(viewer);
	if (!error) {
		error = viewer_start_take(viewer, socket);
	}
	if (error) {
		fd_close(&socket);
		viewer_exit(viewer, DISPLAY_EXIT_ERROR, "cannot be started");
	}
	return 0;
}

/* Name and password to tanmatsu-auth, in one message; after that they are nowhere in this process. */
static must_check int on_auth_channel(struct viewer *viewer, struct ipc_message *message)
{
	uint8_t bytes[2 * (DISPLAY_NAME_MAX + 3)];
	struct wire wire;
	int channel = ipc_message_take_fd(message, 0);
	int error;

	if (channel < 0 || !wire_done(&message->body)) {
		fd_close(&channel);
		return -EPROTO;
	}
	if (viewer->wait != VIEWER_WAIT_CHANNEL) {
		fd_close(&channel);
		return 0;
	}
	wire_init_write(&wire, bytes, sizeof(bytes));
	wire_put_string(&wire, handshake_name(&viewer->handshake));
	wire_put_string(&wire, handshake_password(&viewer->handshake));
	error = ipc_send(channel, AUTH_ATTEMPT, &wire, NULL, 0);
	explicit_bzero(bytes, sizeof(bytes));
	handshake_fini(&viewer->handshake);
	fd_close(&channel);
	viewer->wait = VIEWER_WAIT_VERDICT;
	if (error) {
		log_error("viewer: cannot reach tanmatsu-auth: %s", strerror(-error));
		viewer_refuse(viewer, "Logging in is not possible at the moment.");
	}
	return 0;
}

static must_check int on_granted(struct viewer *viewer, struct ipc_message *message)
{
	char user[sizeof(viewer->user)];

	wire_get_string(&message->body, user, sizeof(user));
	if (!wire_done(&message->body)) {
		return -EPROTO;
	}
	return viewer_on_granted(viewer, user);
}

static must_check int on_denied(struct viewer *viewer, struct ipc_message *message)
{
	char reason[HANDSHAKE_REASON_MAX];

	wire_get_string(&message->body, reason, sizeof(reason));
	if (!wire_done(&message->body)) {
		return -EPROTO;
	}
	viewer_refuse(viewer, reason);
	return 0;
}

static int on_message(struct ipc_channel *channel, struct ipc_message *message, void *context)
{
	struct viewer *viewer = context;

	(void)channel;
	if (viewer->exited) {
		return 0;
	}
	switch (message->type) {
	case DISPLAY_HELLO:
		return on_hello(viewer);
	case DISPLAY_CONFIGURE:
		return on_configure(viewer, message);
	case DISPLAY_AUTH_CHANNEL:
		return on_auth_channel(viewer, message);
	case DISPLAY_GRANTED:
		return on_granted(viewer, message);
	case DISPLAY_DENIED:
		return on_denied(viewer, message);
	case DISPLAY_SHOW:
		return viewer_on_show(viewer, message);
	case DISPLAY_ATTACH:
		return viewer_on_attach(viewer, message);
	case DISPLAY_DETACH:
		if (viewer->session) {
			session_detach(viewer->session);
		}
		return 0;
	case DISPLAY_CLOSE:
		return viewer_on_close_request(viewer, message);
	default:
		return -EPROTO;
	}
}

static void on_close(struct ipc_channel *channel, int error, void *context)
{
	struct viewer *viewer = context;

	ipc_channel_destroy(channel);
	viewer->monitor = NULL;
	if (error) {
		log_error("viewer: the monitor's message is refused: %s", strerror(-error));
	}
	if (viewer->phase == DISPLAY_PHASE_EMPTY) {
		viewer_exit(
		    viewer, DISPLAY_EXIT_CLOSED, "the monitor left before there was a viewer");
	}
}

static must_check bool may_be_monitor(const struct viewer *viewer, int socket)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || size != sizeof(peer)) {
		return false;
	}
	return peer.uid == 0 || peer.uid == viewer->setup.monitor_uid;
}

static int on_connection(sd_event_source *source, int fd, uint32_t events, void *context)
{
	static const struct ipc_channel_ops ops = { .on_message = on_message,
		.on_close = on_close };
	struct viewer *viewer = context;
	struct ipc_channel *monitor;
	int socket = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int error;

	(void)source;
	(void)events;
	if (socket < 0) {
		return 0; /* gone again, or nothing after all */
	}
	if (!may_be_monitor(viewer, socket)) {
		log_warning("viewer: somebody else than the monitor connected");
		fd_close(&socket);
		return 0;
	}
	error = ipc_channel_create_take(
	    viewer->setup.event, socket, QUEUE_LIMIT, &ops, viewer, &monitor);
	if (error) {
		log_error("viewer: cannot take the monitor's connection: %s", strerror(-error));
		fd_close(&socket);
		return 0;
	}
	/* One that is there already has lost its life or its mind. */
	ipc_channel_destroy(viewer->monitor);
	viewer->monitor = monitor;
	return 0;
}

int viewer_control_init(struct viewer *viewer)
{
	int error = fd_set_nonblocking(viewer->setup.listen_fd);

	if (error) {
		return error;
	}
	error = sd_event_add_io(viewer->setup.event, &viewer->listener, viewer->setup.listen_fd,
	    EPOLLIN, on_connection, viewer);
	return error < 0 ? error : 0;
}

void viewer_control_fini(struct viewer *viewer)
{
	sd_event_source_disable_unref(viewer->listener);
	ipc_channel_destroy(viewer->monitor);
}
