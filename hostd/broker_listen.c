/*
 * Accepting: a viewer's connection goes to the monitor, which gives it to a display process; the broker reads no byte of
 * it. What comes above the limits is closed at once.
 */
#include "hostd/broker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/fd.h"

enum {
	ACCEPT_BATCH = 16,
};

static void drop_viewer(struct broker *broker, uint64_t id)
{
	struct request request = { .viewer = id, .value = MACHINE_CAPTION_MESSAGE };

	if (log_limiter_permits(&broker->accept_limiter)) {
		log_notice("too many connections that have not logged in: viewer %llu is dropped",
		    (unsigned long long)id);
	}
	(void)snprintf(request.text, sizeof(request.text), "Too many connections.");
	broker_request(broker, REQUEST_VIEWER_CLOSE, &request);
}

static void accept_tcp(struct broker *broker, int socket, const struct sockaddr_storage *address)
{
	struct request request = { 0 };
	struct source source = source_from_address((const struct sockaddr *)address);
	struct admission_decision decision;
	struct viewer *viewer;
	uint32_t random = 0;

	source_describe((const struct sockaddr *)address, request.text, sizeof(request.text));
	if (table_viewer_count(broker->table) >= broker->settings.viewers_max) {
		if (log_limiter_permits(&broker->accept_limiter)) {
			log_warning(
			    "viewer from %s refused: there are %u already ([host] max_viewers)",
			    request.text, broker->settings.viewers_max);
		}
		return;
	}
	viewer = broker_viewer_add(broker, request.text, &source);
	if (viewer == NULL) {
		return;
	}
	(void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
	decision = admission_enter(&broker->admission, viewer->id, &source, random);
	if (decision.drop) {
		drop_viewer(broker, decision.drop_id);
	}
	if (!decision.accept) {
		if (log_limiter_permits(&broker->accept_limiter)) {
			log_notice("viewer from %s refused: too many that have not logged in",
			    request.text);
		}
		broker_viewer_remove(broker, viewer);
		return;
	}
	request.viewer = viewer->id;
	broker_request_fds(broker, REQUEST_VIEWER_OPEN, &request, &socket, 1);
}

static void accept_unix(struct broker *broker, int socket)
{
	struct viewer *viewer = broker_viewer_add(broker, "unix", NULL);
	struct request request = { 0 };

	if (viewer != NULL) {
		request.viewer = viewer->id;
		broker_request_fds(broker, REQUEST_VIEWER_OPEN_UNIX, &request, &socket, 1);
	}
}

static int on_connection(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct broker *broker = context;
	size_t index = 0;

	(void)events;
	while (
	    index < broker->settings.listener_count && broker->listeners[index].source != source) {
		index++;
	}
	for (int i = 0; i < ACCEPT_BATCH && index < broker->settings.listener_count; i++) {
		struct sockaddr_storage address = { 0 };
		socklen_t size = sizeof(address);
		int socket = accept4(
		    fd, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (socket < 0) {
			if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED &&
			    log_limiter_permits(&broker->accept_limiter)) {
				log_error("accept: %s", strerror(errno));
			}
			return 0;
		}
		switch (broker->settings.listeners[index].kind) {
		case PROTOCOL_LISTENER_TCP:
			accept_tcp(broker, socket, &address);
			break;
		case PROTOCOL_LISTENER_UNIX:
			accept_unix(broker, socket);
			break;
		case PROTOCOL_LISTENER_CONTROL:
			control_accept(broker, socket);
			continue; /* it keeps the socket */
		}
		fd_close(&socket);
	}
	return 0;
}

int broker_listen_take(struct broker *broker, int *fds, size_t fd_count)
{
	int error = 0;

	for (size_t i = 0; i < fd_count; i++) {
		broker->listeners[i].fd = fds[i];
		error = error ? error
			      : sd_event_add_io(broker->event, &broker->listeners[i].source, fds[i],
				    EPOLLIN, on_connection, broker);
	}
	return error;
}

void broker_listen_stop_viewers(struct broker *broker)
{
	for (size_t i = 0; i < broker->settings.listener_count && broker->settings_known; i++) {
		if (broker->settings.listeners[i].kind != PROTOCOL_LISTENER_CONTROL) {
			broker->listeners[i].source = sd_event_source_disable_unref(
			    broker->listeners[i].source);
			fd_close(&broker->listeners[i].fd);
		}
	}
}

void broker_listen_close(struct broker *broker)
{
	for (size_t i = 0; i < PROTOCOL_LISTENERS_MAX; i++) {
		if (broker->listeners[i].source != NULL) {
			broker->listeners[i].source = sd_event_source_disable_unref(
			    broker->listeners[i].source);
			fd_close(&broker->listeners[i].fd);
		}
	}
}
