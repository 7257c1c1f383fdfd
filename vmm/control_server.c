/*
 * See control_server.h; control_requests.c has the requests. What must stay true: every request gets exactly one
 * reply, in order; and the reply is on its way before the process ends.
 */
#include "vmm/control_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "base/fd.h"
#include "base/log.h"
#include "vmm/control_internal.h"

enum {
	CONTROL_QUEUE = 256,
	CONTROL_REPLY_MAX = 4096,
};

static void finish(struct control_server *server)
{
	uint8_t buffer[4 + VMM_TEXT_MAX];
	struct wire wire;

	if (server->end_code == VMM_EXIT_QUIT || server->end_code == VMM_EXIT_POWERED_OFF) {
		log_info("vmm: ending: %s", server->end_text);
	} else {
		log_error("vmm: ending (%d): %s", (int)server->end_code, server->end_text);
	}
	if (server->monitor) {
		wire_init_write(&wire, buffer, sizeof(buffer));
		wire_put_u8(&wire, (uint8_t)server->end_code);
		wire_put_string(&wire, server->end_text);
		/* Whoever misses it has the exit status. */
		(void)!ipc_channel_send(server->monitor, VMM_EVENT_EXITING, &wire, NULL, 0);
	}
	sd_event_exit(server->setup.event, (int)server->end_code);
}

void control_server_end(struct control_server *server, enum vmm_exit code, const char *text)
{
	if (server->ending) {
		return;
	}
	server->ending = true;
	server->end_code = code;
	snprintf(server->end_text, sizeof(server->end_text), "%s", text);
	if (!server->answering) {
		finish(server);
	}
}

/* The error, and what follows it when there is none. */
static int send_reply(
    struct control_server *server, uint16_t type, int error, struct exchange *exchange)
{
	uint8_t buffer[4 + CONTROL_REPLY_MAX];
	struct wire wire;
	bool with_fd = !error && exchange->fd >= 0;

	wire_init_write(&wire, buffer, sizeof(buffer));
	wire_put_u32(&wire, (uint32_t)error);
	if (!error) {
		wire_put_bytes(&wire, exchange->reply.data, exchange->reply.position);
	}
	return ipc_channel_send(
	    server->monitor, (uint16_t)(type + VMM_REPLY), &wire, &exchange->fd, with_fd);
}

static int on_message(struct ipc_channel *channel, struct ipc_message *message, void *context)
{
	struct control_server *server = context;
	uint8_t buffer[CONTROL_REPLY_MAX];
	struct exchange exchange = { .message = message, .body = &message->body, .fd = -1 };
	int error;

	(void)channel;
	if (!control_requests_know(message->type)) {
		return -EPROTO;
	}
	if (server->ending) {
		return 0;
	}
	wire_init_write(&exchange.reply, buffer, sizeof(buffer));
	server->answering = true;
	error = control_requests_handle(server, message->type, &exchange);
	if (!error && !wire_ok(&exchange.reply)) {
		error = -EMSGSIZE;
	}
	error = send_reply(server, message->type, error, &exchange);
	server->answering = false;
	if (server->ending) {
		finish(server);
	}
	return error ? -EPIPE : 0;
}

static void on_close(struct ipc_channel *channel, int error, void *context)
{
	struct control_server *server = context;

	log_notice("vmm: the monitor is gone%s%s", error ? ": " : "",
	    error ? strerrordesc_np(-error) : "");
	ipc_channel_destroy(channel);
	server->monitor = NULL;
	(void)sd_event_source_set_enabled(server->listen, SD_EVENT_ON);
}

static const struct ipc_channel_ops monitor_ops = { .on_message = on_message,
	.on_close = on_close };

static bool may_connect(const struct control_server *server, int socket)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       size == sizeof(peer) && (peer.uid == 0 || peer.uid == server->setup.monitor_uid);
}

static int on_connection(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct control_server *server = context;
	int socket = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int error;

	(void)events;
	if (socket < 0) {
		return 0;
	}
	if (!may_connect(server, socket)) {
		log_warning("vmm: a connection that is not the monitor's was refused");
		fd_close(&socket);
		return 0;
	}
	error = ipc_channel_create_take(
	    server->setup.event, socket, CONTROL_QUEUE, &monitor_ops, server, &server->monitor);
	if (error) {
		log_error("vmm: the monitor's connection: %s", strerrordesc_np(-error));
		fd_close(&socket);
		return 0;
	}
	/* One at a time; the next waits in the socket's backlog. */
	return sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

int control_server_create(const struct control_server_setup *setup, struct control_server **server)
{
	struct control_server *created = calloc(1, sizeof(*created));
	int error;

	if (!created) {
		return -ENOMEM;
	}
	created->setup = *setup;
	error = fd_set_nonblocking(setup->listen_fd);
	if (!error) {
		error = sd_event_add_io(setup->event, &created->listen, setup->listen_fd, EPOLLIN,
		    on_connection, created);
	}
	if (error < 0) {
		free(created);
		return error;
	}
	*server = created;
	return 0;
}

void control_server_destroy(struct control_server *server)
{
	if (!server) {
		return;
	}
	if (server->machine) {
		/* From here on no vCPU calls back. */
		machine_stop(server->machine);
	}
	viewers_destroy(server->viewers);
	server->viewers = NULL;
	machine_destroy(server->machine);
	ipc_channel_destroy(server->monitor);
	sd_event_source_disable_unref(server->listen);
	free(server);
}
