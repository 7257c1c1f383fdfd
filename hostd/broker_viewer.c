/*
 * Viewers in the broker: from the accepted connection through the login to their desktop. The policy on failed logins is
 * here (hostd/throttle.h has the rules); who somebody is, is the monitor's to say.
 */
#include "hostd/broker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* A failed login whose viewer has hung up keeps its place at the door until its answer would have been due. */
struct penalty {
	struct penalty *next;
	struct broker *broker;
	uint64_t id;
	sd_event_source *timer;
};

struct viewer *broker_viewer_add(
    struct broker *broker, const char *peer, const struct source *source)
{
	struct broker_viewer *context = calloc(1, sizeof(*context));
	struct viewer *viewer = NULL;

	if (context == NULL || table_add_viewer(broker->table, peer, &viewer) != 0) {
		free(context);
		log_error("viewer from %s: no room", peer);
		return NULL;
	}
	context->broker = broker;
	context->id = viewer->id;
	context->network = source != NULL;
	if (source != NULL) {
		context->source = *source;
	}
	viewer->context = context;
	viewer->since_us = clock_realtime_us();
	return viewer;
}

void broker_viewer_remove(struct broker *broker, struct viewer *viewer)
{
	struct broker_viewer *context = viewer->context;

	sd_event_source_disable_unref(context->timer);
	free(context);
	viewer->context = NULL;
	table_remove_viewer(broker->table, viewer->id);
}

static struct broker_viewer *find(struct broker *broker, uint64_t id, struct viewer **viewer)
{
	*viewer = table_find_viewer(broker->table, id);
	return *viewer != NULL ? (*viewer)->context : NULL;
}

void broker_viewer_started(struct broker *broker, const struct report *report)
{
	struct viewer *viewer;
	struct broker_viewer *context = find(broker, report->viewer, &viewer);

	if (context == NULL) {
		return;
	}
	viewer->pid = (uint32_t)report->number[0];
	if (context->control_tag != 0) {
		control_viewer_opened(broker, context->control_tag, viewer->id, NULL);
		context->control_tag = 0;
	}
	broker_status_changed(broker);
}

/* Joins a viewer that is somebody now to that somebody's desktop. */
static void join(struct broker *broker, struct viewer *viewer, const struct report *report)
{
	struct session *session = table_find_user(broker->table, report->user);
	struct machine_event event = {
		.type = MACHINE_EVENT_LOGIN,
		.viewer = viewer->id,
		.rights = report->value,
		.peer = viewer->peer,
	};
	struct request request = { .viewer = viewer->id, .value = MACHINE_CAPTION_MESSAGE };
	int error;

	(void)snprintf(viewer->user, sizeof(viewer->user), "%.63s",
	    report->text[0] != '\0' ? report->text : report->user);
	viewer->phase = TABLE_VIEWER_SESSION;
	if (session == NULL) {
		(void)snprintf(request.text, sizeof(request.text), "There is no such desktop.");
		broker_request(broker, REQUEST_VIEWER_CLOSE, &request);
		return;
	}
	viewer->session = session->id;
	broker_session_log(broker, session, "login of %s from %s (viewer %llu)", viewer->user,
	    viewer->peer, (unsigned long long)viewer->id);
	error = broker_session_event(broker, session, &event);
	if (error) {
		viewer->phase = TABLE_VIEWER_CLOSING;
		(void)snprintf(request.text, sizeof(request.text), "%s",
		    machine_refusal(&session->machine, event.type, error));
		broker_request(broker, REQUEST_VIEWER_CLOSE, &request);
	}
}

void broker_viewer_wants_login(struct broker *broker, const struct report *report)
{
	struct viewer *viewer;
	struct broker_viewer *context = find(broker, report->viewer, &viewer);
	struct request request = { .viewer = report->viewer };

	if (context != NULL && viewer->phase == TABLE_VIEWER_CONNECTED) {
		broker_request(broker, REQUEST_VIEWER_LOGIN, &request);
	}
}

static int on_start_time(sd_event_source *source, uint64_t time_us, void *data)
{
	struct broker_viewer *context = data;
	struct request request = { .viewer = context->id };

	(void)source;
	(void)time_us;
	context->timer = sd_event_source_disable_unref(context->timer);
	context->attempt_us = clock_monotonic_us();
	broker_request(context->broker, REQUEST_VIEWER_ATTEMPT, &request);
	return 0;
}

static void set_timer(
    struct broker_viewer *context, uint64_t time_us, sd_event_time_handler_t handler)
{
	context->timer = sd_event_source_disable_unref(context->timer);
	if (sd_event_add_time(context->broker->event, &context->timer, CLOCK_MONOTONIC, time_us,
		1000, handler, context) < 0) {
		log_error("viewer %llu: timer", (unsigned long long)context->id);
		(void)sd_event_exit(context->broker->event, 1);
	}
}

void broker_viewer_attempt(struct broker *broker, const struct report *report)
{
	struct viewer *viewer;
	struct broker_viewer *context = find(broker, report->viewer, &viewer);
	uint64_t now = clock_monotonic_us();
	uint64_t start;

	if (context == NULL || context->attempted) {
		return;
	}
	context->attempted = true;
	context->hash = report->number[0];
	admission_mark(&broker->admission, viewer->id, ADMISSION_BUSY);
	start = throttle_start_time(broker->throttle, &context->source, context->hash, now);
	if (start > now) {
		set_timer(context, start, on_start_time);
	} else {
		(void)on_start_time(NULL, 0, context);
	}
}

static int on_answer_time(sd_event_source *source, uint64_t time_us, void *data)
{
	struct broker_viewer *context = data;
	struct request request = { .viewer = context->id };

	(void)source;
	(void)time_us;
	context->timer = sd_event_source_disable_unref(context->timer);
	admission_leave(&context->broker->admission, context->id);
	broker_request(context->broker, REQUEST_VIEWER_DENY, &request);
	return 0;
}

void broker_viewer_verdict(struct broker *broker, const struct report *report)
{
	struct viewer *viewer;
	struct broker_viewer *context = find(broker, report->viewer, &viewer);
	uint64_t answer;

	if (context == NULL || viewer->phase != TABLE_VIEWER_CONNECTED) {
		return;
	}
	if (report->error == 0) {
		admission_leave(&broker->admission, viewer->id);
		if (context->attempted) {
			throttle_succeeded(broker->throttle, &context->source, context->hash);
		}
		join(broker, viewer, report);
		broker_status_changed(broker);
		return;
	}
	answer = throttle_failed(broker->throttle, &context->source, context->hash,
	    context->attempt_us, clock_monotonic_us());
	admission_mark(&broker->admission, viewer->id, ADMISSION_PENALTY);
	set_timer(context, answer, on_answer_time);
}

static void end_penalty(struct penalty *penalty)
{
	struct penalty **link = &penalty->broker->penalties;

	while (*link != penalty) {
		link = &(*link)->next;
	}
	*link = penalty->next;
	sd_event_source_disable_unref(penalty->timer);
	free(penalty);
}

void broker_viewer_end_penalties(struct broker *broker)
{
	while (broker->penalties != NULL) {
		end_penalty(broker->penalties);
	}
}

static int on_penalty_over(sd_event_source *source, uint64_t time_us, void *data)
{
	struct penalty *penalty = data;

	(void)source;
	(void)time_us;
	admission_leave(&penalty->broker->admission, penalty->id);
	end_penalty(penalty);
	return 0;
}

/* Frees a viewer's place at the door, now or when its answer was due. */
static void leave_door(struct broker *broker, const struct broker_viewer *context)
{
	struct penalty *penalty;
	uint64_t due = 0;

	if (admission_state_of(&broker->admission, context->id) == ADMISSION_PENALTY &&
	    context->timer != NULL && sd_event_source_get_time(context->timer, &due) >= 0 &&
	    (penalty = calloc(1, sizeof(*penalty))) != NULL) {
		*penalty = (struct penalty){
			.next = broker->penalties, .broker = broker, .id = context->id
		};
		broker->penalties = penalty;
		if (sd_event_add_time(broker->event, &penalty->timer, CLOCK_MONOTONIC, due, 1000,
			on_penalty_over, penalty) >= 0) {
			return;
		}
		end_penalty(penalty);
	}
	admission_leave(&broker->admission, context->id);
}

void broker_viewer_gone(struct broker *broker, const struct report *report)
{
	struct viewer *viewer;
	struct broker_viewer *context = find(broker, report->viewer, &viewer);
	struct session *session;
	uint64_t id;

	if (context == NULL) {
		return;
	}
	id = viewer->id;
	if (context->control_tag != 0) {
		control_viewer_opened(broker, context->control_tag, id,
		    report->text[0] != '\0' ? report->text : "the viewer could not be served");
	}
	leave_door(broker, context);
	session = viewer->session != 0 ? table_find_session(broker->table, viewer->session) : NULL;
	if (session != NULL) {
		broker_session_log(broker, session, "viewer %llu from %s has left",
		    (unsigned long long)id, viewer->peer);
	}
	broker_viewer_remove(broker, viewer);
	if (session != NULL) {
		(void)broker_session_event(broker, session,
		    &(struct machine_event){ .type = MACHINE_EVENT_VIEWER_GONE, .viewer = id });
	}
	broker_status_changed(broker);
}

void broker_viewer_action(struct broker *broker, const struct report *report)
{
	struct viewer *viewer;
	struct session *session;

	if (find(broker, report->viewer, &viewer) == NULL || viewer->session == 0) {
		return;
	}
	session = table_find_session(broker->table, viewer->session);
	if (session != NULL) {
		(void)broker_session_event(broker, session,
		    &(struct machine_event){
			.type = MACHINE_EVENT_VIEWER_ACTION, .viewer = viewer->id });
	}
}

void broker_viewer_shown(struct broker *broker, const struct report *report)
{
	struct viewer *viewer;
	struct session *session;

	if (find(broker, report->viewer, &viewer) == NULL || viewer->session == 0) {
		return;
	}
	session = table_find_session(broker->table, viewer->session);
	if (session != NULL) {
		log_info("session=%s: viewer %llu sees it %llu ms after the login", session->user,
		    (unsigned long long)viewer->id, (unsigned long long)(report->number[0] / 1000));
	}
}

/*
 * The VMM lost its end of the link. Nearly always the viewer is leaving, which its own process says; if it does not, it is
 * closed, since it would look at a picture that never changes.
 */
void broker_viewer_link_broken(struct broker *broker, const struct report *report)
{
	struct viewer *viewer;
	struct session *session;
	const struct machine_viewer *known;
	struct request request = { .viewer = report->viewer, .value = MACHINE_CAPTION_MESSAGE };

	if (find(broker, report->viewer, &viewer) == NULL || viewer->session == 0) {
		return;
	}
	session = table_find_session(broker->table, viewer->session);
	known = session != NULL ? machine_find_viewer(&session->machine, viewer->id) : NULL;
	if (known == NULL || !known->attached) {
		return;
	}
	viewer->phase = TABLE_VIEWER_CLOSING;
	(void)snprintf(request.text, sizeof(request.text),
	    "The link to your desktop broke. Please connect again.");
	broker_request(broker, REQUEST_VIEWER_CLOSE, &request);
	(void)broker_session_event(broker, session,
	    &(struct machine_event){ .type = MACHINE_EVENT_VIEWER_GONE, .viewer = viewer->id });
}

void broker_viewer_found(struct broker *broker, const struct report *report)
{
	struct session *session = table_find_user(broker->table, report->user);
	struct broker_viewer *context = calloc(1, sizeof(*context));
	struct viewer *viewer = NULL;
	const char *peer = report->peer[0] != '\0' ? report->peer : "unix";

	if ((session == NULL && report->error == 0) || context == NULL ||
	    table_adopt_viewer(broker->table, report->viewer, peer, &viewer) != 0) {
		free(context);
		log_warning("viewer %llu was found, but cannot be taken over",
		    (unsigned long long)report->viewer);
		return;
	}
	context->broker = broker;
	context->id = viewer->id;
	viewer->context = context;
	viewer->since_us = clock_realtime_us();
	viewer->pid = (uint32_t)report->number[0];
	if (report->error) {
		viewer->phase = TABLE_VIEWER_CLOSING; /* on its way out: only its number counts */
		return;
	}
	if (report->flag && machine_runs(&session->machine)) {
		(void)snprintf(viewer->user, sizeof(viewer->user), "%.63s", report->text);
		viewer->phase = TABLE_VIEWER_SESSION;
		viewer->session = session->id;
		broker_session_adopt_viewer(broker, session, viewer->id, report->value);
	} else {
		join(broker, viewer, report);
	}
}
