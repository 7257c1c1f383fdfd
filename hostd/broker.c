/*
 * The broker: its loop, its conversation with the monitor, its sandbox. It ends when the monitor is gone.
 */
#include "hostd/broker.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/sandbox.h"

enum {
	ALIVE_US = 2 * 1000 * 1000,
};

static const struct sandbox_permission PERMISSIONS[] = {
	SANDBOX_PERMIT(accept4, "viewers and control connections on the listeners it was given"),
	SANDBOX_PERMIT(getpeername, "the address of a viewer, for limits and messages"),
	SANDBOX_PERMIT_ARG(
	    getsockopt, 2, SO_PEERCRED, "the peer of a Unix connection, for messages"),
	SANDBOX_PERMIT_ARG(getsockopt, 2, SO_ERROR, "why a connection broke"),
};

struct sandbox_policy broker_sandbox_policy(uint32_t uid)
{
	return (struct sandbox_policy){
		.process = "tanmatsu-hostd --broker",
		.permissions = PERMISSIONS,
		.permission_count = sizeof(PERMISSIONS) / sizeof(PERMISSIONS[0]),
		.uid = uid,
		.gid = uid,
	};
}

void broker_print_sandbox(int fd)
{
	struct sandbox_policy policy = broker_sandbox_policy(0);

	sandbox_print(&policy, fd);
}

uint64_t broker_new_tag(struct broker *broker)
{
	return ++broker->next_tag;
}

void broker_request_fds(struct broker *broker, uint16_t type, const struct request *request,
    const int *fds, size_t fd_count)
{
	struct wire body;
	int error;

	wire_init_growing(&body, IPC_BODY_MAX);
	request_encode(request, &body);
	error = ipc_channel_send(broker->monitor, type, &body, fds, fd_count);
	wire_fini(&body);
	if (error == -EPIPE) {
		(void)sd_event_exit(
		    broker->event, 0); /* the monitor is gone, and so goes the broker */
	} else if (error) {
		log_error("request %u to the monitor: %s", type, strerror(-error));
		(void)sd_event_exit(broker->event, 1);
	}
}

void broker_request(struct broker *broker, uint16_t type, const struct request *request)
{
	broker_request_fds(broker, type, request, NULL, 0);
}

void broker_status_changed(struct broker *broker)
{
	struct request request = { 0 };
	struct session *session = NULL;
	size_t running = 0;

	while ((session = table_next_session(broker->table, session)) != NULL) {
		running += machine_has_vmm(&session->machine);
	}
	(void)snprintf(request.text, sizeof(request.text), "%zu desktops, %zu running, %zu viewers",
	    table_session_count(broker->table), running, table_viewer_count(broker->table));
	if (broker->serving && !broker->stopping && strcmp(request.text, broker->status) != 0) {
		(void)snprintf(broker->status, sizeof(broker->status), "%.127s", request.text);
		broker_request(broker, REQUEST_STATUS, &request);
	}
}

void broker_maybe_finished(struct broker *broker)
{
	struct session *session = NULL;

	if (!broker->stopping || broker->finished_said) {
		return;
	}
	while ((session = table_next_session(broker->table, session)) != NULL) {
		if (machine_has_vmm(&session->machine) || !machine_settled(&session->machine)) {
			return;
		}
	}
	broker->finished_said = true;
	broker_request(broker, REQUEST_FINISHED, &(struct request){ 0 });
}

static int on_alive(sd_event_source *source, uint64_t time_us, void *context)
{
	struct broker *broker = context;

	(void)source;
	(void)time_us;
	broker_request(broker, REQUEST_ALIVE, &(struct request){ 0 });
	(void)sd_event_source_set_time(broker->alive, clock_monotonic_us() + ALIVE_US);
	return sd_event_source_set_enabled(broker->alive, SD_EVENT_ONESHOT);
}

static must_check int on_settings(
    struct broker *broker, struct ipc_message *message, const struct report *report)
{
	struct protocol_settings settings;
	int fds[PROTOCOL_LISTENERS_MAX];
	struct wire wire;

	wire_init_read(&wire, report->payload, report->payload_size);
	if (protocol_settings_decode(&wire, &settings) != 0 ||
	    settings.listener_count != message->fd_count) {
		return -EPROTO;
	}
	broker->settings = settings;
	broker->admission.limits = (struct admission_limits){
		.begin = settings.startup_begin,
		.rate = settings.startup_rate,
		.full = settings.startup_full < ADMISSION_SLOTS ? settings.startup_full
								: ADMISSION_SLOTS,
		.per_source = settings.per_source,
	};
	if (broker->settings_known) {
		return 0; /* a reload: the listeners stay */
	}
	for (size_t i = 0; i < message->fd_count; i++) {
		fds[i] = ipc_message_take_fd(message, i);
	}
	broker->settings_known = true;
	return broker_listen_take(broker, fds, settings.listener_count);
}

static must_check int on_session(struct broker *broker, const struct report *report)
{
	struct protocol_session known;
	struct wire wire;

	wire_init_read(&wire, report->payload, report->payload_size);
	if (protocol_session_decode(&wire, &known) != 0) {
		return -EPROTO;
	}
	broker_session_known(broker, &known);
	return 0;
}

static void on_inventory_end(struct broker *broker)
{
	broker->serving = true;
	broker_request(broker, REQUEST_READY, &(struct request){ 0 });
	broker_status_changed(broker);
	broker_maybe_finished(broker);
}

static void on_shutdown(struct broker *broker)
{
	struct session *session = NULL;

	broker->stopping = true;
	broker_listen_stop_viewers(broker);
	while ((session = table_next_session(broker->table, session)) != NULL) {
		(void)broker_session_event(broker, session,
		    &(struct machine_event){ .type = MACHINE_EVENT_HOST_SHUTDOWN });
	}
	broker_maybe_finished(broker);
}

static must_check int dispatch(
    struct broker *broker, struct ipc_message *message, const struct report *report)
{
	switch (message->type) {
	case REPORT_SETTINGS:
		return on_settings(broker, message, report);
	case REPORT_SESSION:
		return on_session(broker, report);
	case REPORT_VIEWER:
		broker_viewer_found(broker, report);
		return 0;
	case REPORT_INVENTORY_END:
		on_inventory_end(broker);
		return 0;
	case REPORT_SHUTDOWN:
		on_shutdown(broker);
		return 0;
	case REPORT_VIEWER_STARTED:
		broker_viewer_started(broker, report);
		return 0;
	case REPORT_VIEWER_LOGIN:
		broker_viewer_wants_login(broker, report);
		return 0;
	case REPORT_VIEWER_ATTEMPT:
		broker_viewer_attempt(broker, report);
		return 0;
	case REPORT_VIEWER_VERDICT:
		broker_viewer_verdict(broker, report);
		return 0;
	case REPORT_VIEWER_GONE:
		broker_viewer_gone(broker, report);
		return 0;
	case REPORT_VIEWER_ACTION:
		broker_viewer_action(broker, report);
		return 0;
	case REPORT_VIEWER_SHOWN:
		broker_viewer_shown(broker, report);
		return 0;
	case REPORT_LINK_BROKEN:
		broker_viewer_link_broken(broker, report);
		return 0;
	case REPORT_STATISTICS:
		if (!control_report(broker, message->type, report)) {
			broker_session_statistics(broker, report);
		}
		return 0;
	case REPORT_PEER:
	case REPORT_ANSWERED:
	case REPORT_DOCTOR:
		(void)control_report(broker, message->type, report);
		return 0;
	default:
		if (message->type >= REPORT_VMM_STARTED && message->type <= REPORT_PROGRESS) {
			broker_session_report(broker, message->type, report);
			return 0;
		}
		return -EPROTO;
	}
}

static int on_message(struct ipc_channel *channel, struct ipc_message *message, void *context)
{
	struct broker *broker = context;
	struct report report;
	int error = report_decode(&message->body, &report);

	(void)channel;
	if (error == 0) {
		error = dispatch(broker, message, &report);
	}
	if (error) {
		log_error("report %u of the monitor makes no sense", message->type);
	}
	return error;
}

static void on_close(struct ipc_channel *channel, int error, void *context)
{
	struct broker *broker = context;

	(void)channel;
	if (error) {
		log_error("the monitor's socket: %s", strerror(-error));
	}
	(void)sd_event_exit(broker->event, error ? 1 : 0);
}

static const struct ipc_channel_ops channel_ops = {
	.on_message = on_message,
	.on_close = on_close,
};

static must_check int start(struct broker *broker, uint32_t uid)
{
	struct sandbox_policy policy = broker_sandbox_policy(uid);
	struct sandbox_result result = { 0 };
	int error;

	broker->accept_limiter = (struct log_limiter){ .burst = 20, .interval_ms = 1000 };
	broker->login_limiter = (struct log_limiter){ .burst = 20, .interval_ms = 1000 };
	broker->throttle = calloc(1, sizeof(*broker->throttle));
	if (broker->throttle == NULL) {
		return -ENOMEM;
	}
	error = table_create(BROKER_SESSIONS_MAX, 8192, &broker->table);
	if (error) {
		return error;
	}
	error = sd_event_new(&broker->event);
	if (error < 0) {
		return error;
	}
	error = ipc_channel_create_take(broker->event, PROTOCOL_BROKER_FD, BROKER_QUEUE,
	    &channel_ops, broker, &broker->monitor);
	if (error) {
		return error;
	}
	error = sd_event_add_time(broker->event, &broker->alive, CLOCK_MONOTONIC,
	    clock_monotonic_us(), 0, on_alive, broker);
	if (error < 0) {
		return error;
	}
	/* gmtime_r() and jansson's hash tables each read a file at their first use. */
	json_object_seed(0);
	tzset();
	error = sandbox_enter(&policy, &result);
	if (error) {
		log_error("sandbox: %s", strerror(-error));
	}
	return error;
}

int broker_run(uint32_t uid)
{
	struct broker *broker = calloc(1, sizeof(*broker));
	struct session *session;
	struct viewer *viewer;
	int code = 1;
	int error;

	if (broker == NULL) {
		return 1;
	}
	error = start(broker, uid);
	if (error) {
		log_error("broker: start: %s", strerror(-error));
		goto out;
	}
	code = sd_event_loop(broker->event);
	if (code < 0) {
		log_error("broker: event loop: %s", strerror(-code));
		code = 1;
	}
out:
	broker_listen_close(broker);
	control_close_all(broker);
	broker_viewer_end_penalties(broker);
	while (
	    broker->table != NULL && (viewer = table_next_viewer(broker->table, 0, NULL)) != NULL) {
		broker_viewer_remove(broker, viewer);
	}
	while (
	    broker->table != NULL && (session = table_next_session(broker->table, NULL)) != NULL) {
		broker_session_destroy(broker, session);
	}
	table_destroy(broker->table);
	ipc_channel_destroy(broker->monitor);
	sd_event_source_disable_unref(broker->alive);
	sd_event_unref(broker->event);
	free(broker->throttle);
	free(broker);
	return code;
}
