/*
 * Holds: while somebody on the host holds a desktop it is not suspended by itself. What must stay true: a hold belongs to
 * the control connection that took it and ends with it, whatever ends that, so that none is ever left behind.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "hostd/control_internal.h"

/* One line that a log and a terminal can show. */
static bool is_reason(const char *text)
{
	for (const char *c = text; *c != '\0'; c++) {
		if (iscntrl((unsigned char)*c)) {
			return false;
		}
	}
	return text[0] != '\0';
}

void control_begin_hold(struct control_connection *connection)
{
	char reason[CONTROL_HOLD_REASON_MAX];
	struct session *session = control_named_session(connection, grant_may_manage);

	if (session == NULL) {
		return;
	}
	if (control_call_string(&connection->call, "reason", reason, sizeof(reason)) != 0 ||
	    !is_reason(reason)) {
		control_fail_take(connection, "InvalidParameter",
		    "reason: a line of 1 to 199 bytes that says what the desktop is held for",
		    json_pack("{s:s}", "parameter", "reason"));
		return;
	}
	if (connection->hold.session != 0) {
		control_fail(connection, "Busy", "This connection holds a desktop already.");
		return;
	}
	if (broker_session_event(connection->broker, session,
		&(struct machine_event){ .type = MACHINE_EVENT_HOLD_TAKEN }) != 0) {
		control_fail(connection, "Busy", "The desktop cannot be held now.");
		return;
	}
	connection->hold.session = session->id;
	connection->hold.since_us = clock_realtime_us();
	memcpy(connection->hold.reason, reason, sizeof(reason));
	(void)snprintf(connection->hold.user, sizeof(connection->hold.user), "%s",
	    connection->subject.user[0] != '\0' ? connection->subject.user : "an administrator");
	broker_session_log(connection->broker, session, "held by %s: %s", connection->hold.user,
	    connection->hold.reason);
	control_reply_take(connection,
	    json_pack("{s:o}", "session", control_json_session(connection->broker, session)));
}

void control_release_hold(struct control_connection *connection)
{
	struct session *session = table_find_session(
	    connection->broker->table, connection->hold.session);

	if (connection->hold.session == 0) {
		return;
	}
	connection->hold.session = 0;
	if (session != NULL) {
		broker_session_log(connection->broker, session, "no longer held by %s: %s",
		    connection->hold.user, connection->hold.reason);
		/* It was taken, so it can be released. */
		(void)broker_session_event(connection->broker, session,
		    &(struct machine_event){ .type = MACHINE_EVENT_HOLD_RELEASED });
	}
}

json_t *control_json_holds(struct broker *broker, const struct session *session)
{
	json_t *list = json_array();

	for (const struct control_connection *connection = broker->connections;
	     list != NULL && connection != NULL; connection = connection->next) {
		const struct control_hold *hold = &connection->hold;

		if (hold->session != session->id) {
			continue;
		}
		if (json_array_append_new(
			list, json_pack("{s:s,s:s,s:I}", "user", hold->user, "reason", hold->reason,
				  "since_us", (json_int_t)hold->since_us)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}
