/*
 * Connections of the control socket: bytes in, calls out to control_methods.c, answers back. A peer that sends what is no
 * call, too much, or does not read its answers is closed; nobody else notices.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "hostd/control_internal.h"

enum {
	READ_SIZE = 16 * 1024,
	OUT_MAX = 16 * 1024 * 1024,
};

static void serve(struct control_connection *connection);

static void end_call(struct control_connection *connection)
{
	control_call_fini(&connection->call);
	connection->method = NULL;
	connection->tag = 0;
	connection->session = 0;
	connection->user[0] = '\0';
	connection->made = false;
	connection->percent = 0;
	for (size_t i = 0; i < connection->fd_count; i++) {
		fd_close(&connection->fds[i]);
	}
	connection->fd_count = 0;
	connection->phase = CONTROL_IDLE;
}

static void destroy(struct control_connection *connection)
{
	struct control_connection **link = &connection->broker->connections;

	while (*link != connection) {
		link = &(*link)->next;
	}
	*link = connection->next;
	connection->broker->connection_count--;
	control_release_hold(connection);
	end_call(connection);
	sd_event_source_disable_unref(connection->source);
	fd_close(&connection->socket);
	free(connection->in);
	free(connection->out);
	free(connection);
}

/* Sends what there is; asks for EPOLLOUT while something is left. */
static void flush(struct control_connection *connection)
{
	while (connection->out_sent < connection->out_used) {
		ssize_t sent = send(connection->socket, connection->out + connection->out_sent,
		    connection->out_used - connection->out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0) {
			if (errno == EAGAIN) {
				break;
			}
			connection->closing = true;
			connection->out_sent = connection->out_used;
			break;
		}
		connection->out_sent += (size_t)sent;
	}
	if (connection->out_sent == connection->out_used) {
		connection->out_sent = 0;
		connection->out_used = 0;
	}
	(void)sd_event_source_set_io_events(
	    connection->source, connection->out_used > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* Queues a text with its NUL; NULL (no memory) closes. */
static void send_text_take(struct control_connection *connection, char *text)
{
	size_t size = text != NULL ? strlen(text) + 1 : 0;
	char *grown;

	if (text == NULL || connection->out_used + size > OUT_MAX ||
	    (grown = realloc(connection->out, connection->out_used + size)) == NULL) {
		connection->closing = true;
		free(text);
		return;
	}
	connection->out = grown;
	memcpy(connection->out + connection->out_used, text, size);
	connection->out_used += size;
	free(text);
	flush(connection);
}

void control_done(struct control_connection *connection)
{
	end_call(connection);
	/* The next call, if one is waiting, from the loop: this may be deep inside of something. */
	(void)sd_event_source_set_enabled(connection->source, SD_EVENT_ON);
	if (connection->in_used > 0) {
		(void)sd_event_source_set_io_events(connection->source, EPOLLIN | EPOLLOUT);
	}
}

void control_reply_take(struct control_connection *connection, json_t *parameters)
{
	if (parameters == NULL) {
		control_fail(connection, "Failed", "The daemon is out of memory.");
		return;
	}
	send_text_take(connection, control_answer_take(parameters, false));
	control_done(connection);
}

void control_continue_take(struct control_connection *connection, json_t *parameters)
{
	send_text_take(connection, control_answer_take(parameters, true));
}

void control_fail_take(
    struct control_connection *connection, const char *error, const char *message, json_t *more)
{
	send_text_take(connection, control_error_take(error, message, more));
	control_done(connection);
}

void control_fail(struct control_connection *connection, const char *error, const char *message)
{
	control_fail_take(connection, error, message, NULL);
}

static void begin_call(struct control_connection *connection, const char *text, size_t size)
{
	connection->phase = CONTROL_CALLING;
	connection->begun_us = clock_monotonic_us();
	if (control_call_parse(text, size, &connection->call) != 0) {
		send_text_take(
		    connection, control_error_take("InvalidParameter",
				    "This is not a call: {\"method\": \"org.tanmatsu.NAME\", "
				    "\"parameters\": {...}} and a NUL.",
				    NULL));
		connection->closing = true;
		end_call(connection);
		return;
	}
	connection->method = control_find_method(connection->call.method);
	if (connection->method == NULL) {
		control_fail_take(connection, "MethodNotFound", "There is no such method.",
		    json_pack("{s:s}", "method", connection->call.method));
		return;
	}
	connection->method->begin(connection);
}

/* Takes calls out of what was received, one after the other, each when the last is answered and sent. */
static void serve(struct control_connection *connection)
{
	while (connection->phase == CONTROL_IDLE && !connection->closing &&
	       connection->out_used == 0 && connection->in_used > 0) {
		char *end = memchr(connection->in, 0, connection->in_used);
		size_t size;

		if (end == NULL) {
			if (connection->in_used > CONTROL_CALL_MAX) {
				connection->closing = true;
			}
			return;
		}
		size = (size_t)(end - connection->in);
		begin_call(connection, connection->in, size);
		memmove(connection->in, end + 1, connection->in_used - size - 1);
		connection->in_used -= size + 1;
	}
}

static void keep_descriptors(struct control_connection *connection, struct msghdr *message)
{
	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
	     header = CMSG_NXTHDR(message, header)) {
		size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
			continue;
		}
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
			if (connection->fd_count < CONTROL_FDS_MAX) {
				connection->fds[connection->fd_count++] = fd;
			} else {
				fd_close(&fd);
				connection->closing = true;
			}
		}
	}
}

/* Returns false at the end of the stream. */
static bool receive(struct control_connection *connection)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(16 * sizeof(int))];
	} control;
	struct iovec part;
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	ssize_t received;

	if (connection->in_size - connection->in_used < READ_SIZE) {
		char *grown = realloc(connection->in, connection->in_used + READ_SIZE);

		if (grown == NULL) {
			return false;
		}
		connection->in = grown;
		connection->in_size = connection->in_used + READ_SIZE;
	}
	part.iov_base = connection->in + connection->in_used;
	part.iov_len = connection->in_size - connection->in_used;
	received = recvmsg(connection->socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (received < 0) {
		return errno == EAGAIN || errno == EINTR;
	}
	keep_descriptors(connection, &message);
	connection->in_used += (size_t)received;
	/* One call beyond the current one is kept; who sends more without listening is not a client of ours. */
	return received > 0 && connection->in_used <= 2 * CONTROL_CALL_MAX;
}

static int on_event(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct control_connection *connection = context;

	(void)source;
	(void)fd;
	if (events & EPOLLOUT) {
		flush(connection);
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) && !receive(connection)) {
		destroy(connection);
		return 0;
	}
	serve(connection);
	if (connection->closing && connection->out_used == 0) {
		destroy(connection);
	}
	return 0;
}

void control_accept(struct broker *broker, int socket)
{
	struct control_connection *connection;
	struct request request = { 0 };

	if (broker->connection_count >= CONTROL_CONNECTIONS_MAX ||
	    (connection = calloc(1, sizeof(*connection))) == NULL) {
		if (log_limiter_permits(&broker->accept_limiter)) {
			log_warning("control: too many connections: one is refused");
		}
		fd_close(&socket);
		return;
	}
	if (sd_event_add_io(
		broker->event, &connection->source, socket, EPOLLIN, on_event, connection) < 0) {
		free(connection);
		fd_close(&socket);
		return;
	}
	connection->broker = broker;
	connection->id = ++broker->next_connection;
	connection->socket = socket;
	connection->next = broker->connections;
	broker->connections = connection;
	broker->connection_count++;
	connection->tag = request.tag = broker_new_tag(broker);
	broker_request_fds(broker, REQUEST_PEER, &request, &socket, 1);
}

static size_t count_uid(const struct broker *broker, uint64_t uid)
{
	size_t count = 0;

	for (struct control_connection *other = broker->connections; other != NULL;
	     other = other->next) {
		count += other->phase != CONTROL_IDENTIFYING && other->uid == uid;
	}
	return count;
}

static void identified(
    struct control_connection *connection, uint16_t type, const struct report *report)
{
	connection->tag = 0;
	if (type != REPORT_PEER ||
	    (!report->flag &&
		count_uid(connection->broker, report->number[0]) >= CONTROL_CONNECTIONS_OF_UID)) {
		connection->closing = true;
	} else {
		memcpy(connection->subject.user, report->user, sizeof(connection->subject.user));
		connection->subject.admin = report->flag;
		connection->uid = report->number[0];
		connection->phase = CONTROL_IDLE;
	}
	/* What has come meanwhile is looked at from the loop. */
	(void)sd_event_source_set_io_events(connection->source, EPOLLIN | EPOLLOUT);
}

bool control_report(struct broker *broker, uint16_t type, const struct report *report)
{
	for (struct control_connection *connection = broker->connections;
	     connection != NULL && report->tag != 0; connection = connection->next) {
		if (connection->tag != report->tag) {
			continue;
		}
		if (connection->phase == CONTROL_IDENTIFYING) {
			identified(connection, type, report);
		} else if (connection->phase == CONTROL_CALLING &&
			   connection->method->answered != NULL) {
			connection->tag = 0;
			connection->method->answered(connection, type, report);
		}
		return true;
	}
	return false;
}

void control_session_changed(struct broker *broker, struct session *session)
{
	for (struct control_connection *connection = broker->connections; connection != NULL;
	     connection = connection->next) {
		if (connection->phase == CONTROL_CALLING && connection->session == session->id) {
			control_check_wait(connection, session);
		}
	}
}

void control_viewer_opened(struct broker *broker, uint64_t tag, uint64_t viewer, const char *error)
{
	for (struct control_connection *connection = broker->connections; connection != NULL;
	     connection = connection->next) {
		if (connection->phase != CONTROL_CALLING || connection->tag != tag) {
			continue;
		}
		if (error == NULL) {
			control_reply_take(
			    connection, json_pack("{s:I}", "viewer", (json_int_t)viewer));
		} else {
			control_fail(
			    connection, strcmp(error, "denied") == 0 ? "Denied" : "Failed", error);
		}
		return;
	}
}

void control_close_all(struct broker *broker)
{
	while (broker->connections != NULL) {
		/* Desktops are not to be suspended because the daemon ends. */
		broker->connections->hold.session = 0;
		destroy(broker->connections);
	}
}
