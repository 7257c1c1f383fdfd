/*
 * What each method of docs/CONTROL.md does. Who may do it is asked of session/grant.h, here to refuse politely; for pictures,
 * logs and viewers the monitor asks again.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "hostd/control_internal.h"

enum {
	STOP_TIMEOUT_S = 60,
	STOP_TIMEOUT_MAX_S = 24 * 3600,
};

struct session *control_named_session(struct control_connection *connection, control_may permitted)
{
	struct session *session;
	int error = control_call_string(
	    &connection->call, "session", connection->user, sizeof(connection->user));

	if (error || connection->user[0] == '\0') {
		control_fail_take(connection, "InvalidParameter",
		    "session: the name of a session is wanted",
		    json_pack("{s:s}", "parameter", "session"));
		return NULL;
	}
	session = table_find_user(connection->broker->table, connection->user);
	if (session != NULL && permitted(&connection->subject, &session->grant)) {
		return session;
	}
	if (session == NULL && (connection->subject.admin ||
				   strcmp(connection->subject.user, connection->user) == 0)) {
		control_fail(connection, "NotFound", "There is no such session.");
	} else {
		control_fail(connection, "Denied", "This session is somebody else's.");
	}
	return NULL;
}

static void fail_by_error(struct control_connection *connection, int error, const char *text)
{
	switch (-error) {
	case EACCES:
	case EPERM:
		control_fail(connection, "Denied", text);
		break;
	case ENOENT:
		control_fail(connection, "NotFound", text);
		break;
	case ENOTCONN:
		control_fail(connection, "NotRunning", text);
		break;
	case EBUSY:
		control_fail(connection, "Busy", text);
		break;
	default:
		control_fail(connection, "Failed", text[0] != '\0' ? text : strerror(-error));
		break;
	}
}

static void on_answer_error(
    struct control_connection *connection, uint16_t type, const struct report *report)
{
	(void)type;
	if (report->error == 0) {
		control_done(connection);
	} else {
		fail_by_error(connection, report->error, report->text);
	}
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

static void begin_info(struct control_connection *connection)
{
	control_reply_take(connection,
	    control_json_info(connection->broker, grant_may_see_host(&connection->subject)));
}

static void begin_list(struct control_connection *connection)
{
	json_t *list = json_array();
	struct session *session = NULL;

	while ((session = table_next_session(connection->broker->table, session)) != NULL) {
		if (grant_may_list(&connection->subject, &session->grant)) {
			(void)json_array_append_new(
			    list, control_json_session(connection->broker, session));
		}
	}
	control_reply_take(connection, json_pack("{s:o}", "sessions", list));
}

static void request_for(struct control_connection *connection, uint16_t type, uint32_t value,
    const int *fds, size_t fd_count)
{
	struct request request = { .value = value };

	connection->tag = request.tag = broker_new_tag(connection->broker);
	(void)snprintf(request.user, sizeof(request.user), "%s", connection->user);
	broker_request_fds(connection->broker, type, &request, fds, fd_count);
}

static void begin_status(struct control_connection *connection)
{
	struct session *session = control_named_session(connection, grant_may_list);

	if (session == NULL) {
		return;
	}
	if (machine_runs(&session->machine)) {
		request_for(connection, REQUEST_STATISTICS, 0, NULL, 0);
		return;
	}
	control_reply_take(connection,
	    json_pack("{s:o}", "session", control_json_session(connection->broker, session)));
}

static void status_answered(
    struct control_connection *connection, uint16_t type, const struct report *report)
{
	struct session *session = table_find_user(connection->broker->table, connection->user);
	json_t *answer;
	json_t *statistics = NULL;

	if (session == NULL) {
		control_fail(connection, "NotFound", "There is no such session.");
		return;
	}
	answer = json_pack("{s:o}", "session", control_json_session(connection->broker, session));
	if (type == REPORT_STATISTICS) {
		statistics = control_json_statistics(report);
	}
	if (answer != NULL && statistics != NULL) {
		(void)json_object_set_new(answer, "statistics", statistics);
	}
	control_reply_take(connection, answer);
}

static void begin_cert(struct control_connection *connection)
{
	const struct protocol_settings *settings = &connection->broker->settings;

	if (settings->ca_pem[0] == '\0') {
		control_fail(connection, "Failed",
		    "The host uses a certificate that it was given, and no CA is configured to "
		    "hand out ([host] ca).");
		return;
	}
	control_reply_take(connection, json_pack("{s:s,s:s,s:s}", "pem", settings->ca_pem, "sha256",
					   settings->ca_sha256, "path", settings->ca_path));
}

static void begin_doctor(struct control_connection *connection)
{
	if (!grant_may_see_host(&connection->subject)) {
		control_fail(connection, "Denied", "Only an administrator may examine the host.");
		return;
	}
	request_for(connection, REQUEST_DOCTOR, 0, NULL, 0);
}

static void doctor_answered(
    struct control_connection *connection, uint16_t type, const struct report *report)
{
	if (type == REPORT_DOCTOR) {
		control_reply_take(connection, control_json_doctor(report));
	} else {
		on_answer_error(connection, type, report);
	}
}

/* --- steering ----------------------------------------------------------------------------------------------------- */

/* Gives the machine the caller's wish and waits for what comes of it. */
static void wish(struct control_connection *connection, struct session *session,
    const struct machine_event *event)
{
	struct broker *broker = connection->broker;
	int error;

	broker_session_log(broker, session, "%s by %s", connection->method->name,
	    connection->subject.user[0] != '\0' ? connection->subject.user : "an administrator");
	error = broker_session_event(broker, session, event);
	if (error == -ENOENT) {
		control_fail_take(connection, "NotRunning",
		    machine_refusal(&session->machine, event->type, error),
		    json_pack(
			"{s:s}", "state", machine_state_name(machine_state(&session->machine))));
		return;
	}
	if (error) {
		fail_by_error(connection, error == -ESHUTDOWN ? -EBUSY : error,
		    machine_refusal(&session->machine, event->type, error));
		return;
	}
	connection->session = session->id;
	control_check_wait(connection, session);
}

static bool runs(const struct session *session)
{
	return machine_runs(&session->machine);
}

static bool is_saved(const struct session *session)
{
	return machine_state(&session->machine) == MACHINE_STATE_SAVED;
}

static bool is_off(const struct session *session)
{
	return !machine_has_vmm(&session->machine) && machine_settled(&session->machine);
}

void control_check_wait(struct control_connection *connection, struct session *session)
{
	struct broker_session *context = session->context;
	const struct machine *machine = &session->machine;
	json_t *answer;

	if (!machine_settled(machine)) {
		if (connection->call.more && context->percent != connection->percent) {
			connection->percent = context->percent;
			control_continue_take(
			    connection, json_pack("{s:i,s:s}", "percent", (int)context->percent,
					    "message", machine_state_name(machine_state(machine))));
		}
		return;
	}
	connection->session = 0;
	if (!connection->method->reached(session)) {
		control_fail(connection, "Failed",
		    machine->last_error[0] != '\0' ? machine->last_error
		    : machine->reason[0] != '\0'   ? machine->reason
						   : "It did not come to that.");
		return;
	}
	answer = json_pack("{s:o,s:I}", "session",
	    control_json_session(connection->broker, session), "took_us",
	    (json_int_t)(clock_monotonic_us() - connection->begun_us));
	if (answer != NULL && connection->method->reached == is_saved) {
		(void)json_object_set_new(
		    answer, "ram_bytes", json_integer((json_int_t)context->ram_bytes));
		(void)json_object_set_new(
		    answer, "state_bytes", json_integer((json_int_t)context->state_bytes));
		(void)json_object_set_new(
		    answer, "stopped_us", json_integer((json_int_t)context->stopped_us));
	}
	control_reply_take(connection, answer);
}

static void begin_start(struct control_connection *connection)
{
	struct session *session = NULL;
	bool own;

	/* The desktop of somebody who has never logged in is made, if there is such a user. */
	if (!connection->made &&
	    control_call_string(
		&connection->call, "session", connection->user, sizeof(connection->user)) == 0 &&
	    table_find_user(connection->broker->table, connection->user) == NULL) {
		own = connection->subject.user[0] != '\0' &&
		      strcmp(connection->subject.user, connection->user) == 0;
		if (connection->subject.admin || own) {
			request_for(connection, REQUEST_SESSION, 1, NULL, 0);
			return;
		}
	}
	session = control_named_session(connection, grant_may_manage);
	if (session != NULL) {
		wish(connection, session,
		    &(struct machine_event){ .type = MACHINE_EVENT_ADMIN_START });
	}
}

static void start_answered(
    struct control_connection *connection, uint16_t type, const struct report *report)
{
	if (report->error != 0) {
		on_answer_error(connection, type, report);
		return;
	}
	connection->made = true;
	begin_start(connection);
}

static bool refuse_unless(
    struct control_connection *connection, const struct session *session, bool running)
{
	if (running) {
		return false;
	}
	control_fail_take(connection, "NotRunning", "The desktop does not run.",
	    json_pack("{s:s}", "state", machine_state_name(machine_state(&session->machine))));
	return true;
}

static void begin_suspend(struct control_connection *connection)
{
	struct session *session = control_named_session(connection, grant_may_manage);

	if (session != NULL && !refuse_unless(connection, session,
				   machine_has_vmm(&session->machine) || is_saved(session))) {
		wish(connection, session,
		    &(struct machine_event){ .type = MACHINE_EVENT_ADMIN_SUSPEND });
	}
}

static void begin_resume(struct control_connection *connection)
{
	struct session *session = control_named_session(connection, grant_may_manage);

	if (session != NULL) {
		wish(connection, session,
		    &(struct machine_event){ .type = MACHINE_EVENT_ADMIN_RESUME });
	}
}

static void begin_stop(struct control_connection *connection)
{
	struct session *session = control_named_session(connection, grant_may_manage);
	uint64_t timeout_s = 0;

	if (session == NULL) {
		return;
	}
	if (control_call_number(&connection->call, "timeout_s", STOP_TIMEOUT_MAX_S, STOP_TIMEOUT_S,
		&timeout_s) != 0) {
		control_fail_take(connection, "InvalidParameter", "timeout_s: 0 to 86400 seconds",
		    json_pack("{s:s}", "parameter", "timeout_s"));
		return;
	}
	if (!refuse_unless(connection, session, machine_has_vmm(&session->machine))) {
		wish(connection, session,
		    &(struct machine_event){ .type = MACHINE_EVENT_ADMIN_STOP,
			.timeout_us = timeout_s > 0 ? timeout_s * 1000000 : 1 });
	}
}

static void begin_kill(struct control_connection *connection)
{
	struct session *session = control_named_session(connection, grant_may_manage);

	if (session != NULL) {
		wish(connection, session,
		    &(struct machine_event){ .type = MACHINE_EVENT_ADMIN_KILL });
	}
}

/* --- pictures, input, logs, viewers ------------------------------------------------------------------------------- */

static void begin_picture(struct control_connection *connection)
{
	if (control_named_session(connection, grant_may_see) != NULL) {
		request_for(connection, REQUEST_PICTURE, 0, &connection->socket, 1);
	}
}

static void begin_logs(struct control_connection *connection)
{
	char kind[16] = "events";
	int error = control_call_string(&connection->call, "kind", kind, sizeof(kind));
	bool console = strcmp(kind, "console") == 0;

	if ((error && error != -ENOENT) || (!console && strcmp(kind, "events") != 0)) {
		control_fail_take(connection, "InvalidParameter", "kind: \"events\" or \"console\"",
		    json_pack("{s:s}", "parameter", "kind"));
		return;
	}
	if (control_named_session(connection, grant_may_read_logs) != NULL) {
		request_for(connection, REQUEST_LOGS, console, &connection->socket, 1);
	}
}

static void begin_input(struct control_connection *connection)
{
	struct session *session = control_named_session(connection, grant_may_steer);
	struct request request = { 0 };
	struct wire payload;

	if (session == NULL || refuse_unless(connection, session, runs(session))) {
		return;
	}
	wire_init_growing(&payload, PROTOCOL_PAYLOAD_MAX);
	if (control_call_events(&connection->call, &payload, &connection->accepted) != 0) {
		control_fail_take(connection, "InvalidParameter",
		    "events: a list of [type, code, value, x, y] as input/event.h has them",
		    json_pack("{s:s}", "parameter", "events"));
	} else {
		connection->tag = request.tag = broker_new_tag(connection->broker);
		(void)snprintf(request.user, sizeof(request.user), "%s", connection->user);
		request.payload = payload.data;
		request.payload_size = payload.position;
		broker_request(connection->broker, REQUEST_INPUT, &request);
	}
	wire_fini(&payload);
}

static void input_answered(
    struct control_connection *connection, uint16_t type, const struct report *report)
{
	if (report->error != 0) {
		on_answer_error(connection, type, report);
		return;
	}
	control_reply_take(
	    connection, json_pack("{s:I}", "accepted", (json_int_t)connection->accepted));
}

/* The caller's end of what it wants to talk with. */
static bool refuse_without_stream(struct control_connection *connection)
{
	if (connection->fd_count == 1) {
		return false;
	}
	control_fail(connection, "InvalidParameter",
	    "One descriptor, a connected stream socket, is to come with this call.");
	return true;
}

static void begin_attach(struct control_connection *connection)
{
	struct session *session = control_named_session(connection, grant_may_see);
	struct broker_viewer *context;
	struct request request = { 0 };
	struct viewer *viewer;

	if (session == NULL || refuse_without_stream(connection)) {
		return;
	}
	viewer = broker_viewer_add(connection->broker, "unix", NULL);
	if (viewer == NULL) {
		control_fail(connection, "Failed", "There is no room for another viewer.");
		return;
	}
	context = viewer->context;
	connection->tag = context->control_tag = broker_new_tag(connection->broker);
	request.viewer = viewer->id;
	(void)snprintf(request.user, sizeof(request.user), "%s", connection->user);
	broker_request_fds(connection->broker, REQUEST_VIEWER_OPEN_CONTROL, &request,
	    (const int[]){ connection->socket, connection->fds[0] }, 2);
}

static void begin_console(struct control_connection *connection)
{
	if (control_named_session(connection, grant_may_read_logs) != NULL &&
	    !refuse_without_stream(connection)) {
		request_for(connection, REQUEST_CONSOLE, 0,
		    (const int[]){ connection->socket, connection->fds[0] }, 2);
	}
}

static void console_answered(
    struct control_connection *connection, uint16_t type, const struct report *report)
{
	if (report->error != 0) {
		on_answer_error(connection, type, report);
		return;
	}
	control_reply_take(connection, json_object());
}

static const struct control_method METHODS[] = {
	{ .name = "Info", .begin = begin_info },
	{ .name = "List", .begin = begin_list },
	{ .name = "Status", .begin = begin_status, .answered = status_answered },
	{ .name = "Start", .begin = begin_start, .answered = start_answered, .reached = runs },
	{ .name = "Suspend", .begin = begin_suspend, .reached = is_saved },
	{ .name = "Resume", .begin = begin_resume, .reached = runs },
	{ .name = "Stop", .begin = begin_stop, .reached = is_off },
	{ .name = "Kill", .begin = begin_kill, .reached = is_off },
	{ .name = "Hold", .begin = control_begin_hold },
	{ .name = "Picture", .begin = begin_picture, .answered = on_answer_error },
	{ .name = "Input", .begin = begin_input, .answered = input_answered },
	{ .name = "Logs", .begin = begin_logs, .answered = on_answer_error },
	{ .name = "Attach", .begin = begin_attach, .answered = on_answer_error },
	{ .name = "Console", .begin = begin_console, .answered = console_answered },
	{ .name = "Cert", .begin = begin_cert },
	{ .name = "Doctor", .begin = begin_doctor, .answered = doctor_answered },
};

const struct control_method *control_find_method(const char *name)
{
	for (size_t i = 0; i < sizeof(METHODS) / sizeof(METHODS[0]); i++) {
		if (strcmp(METHODS[i].name, name) == 0) {
			return &METHODS[i];
		}
	}
	return NULL;
}
