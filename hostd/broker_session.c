/*
 * Desktops in the broker: reports of the monitor become events of the desktop's state machine, and what changes is written
 * to its event log and told to whoever waits on the control socket.
 */
#include "hostd/broker.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "vmm/control.h"

void broker_session_log(
    struct broker *broker, const struct session *session, const char *format, ...)
{
	struct request request = { 0 };
	char when[32] = "";
	char text[PROTOCOL_TEXT_MAX - 40];
	time_t now = time(NULL);
	va_list arguments;
	struct tm tm;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	for (char *byte = text; *byte != '\0'; byte++) {
		if ((unsigned char)*byte < 0x20 || *byte == 0x7f) {
			*byte = '?';
		}
	}
	if (gmtime_r(&now, &tm) != NULL) {
		(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	}
	(void)snprintf(request.user, sizeof(request.user), "%s", session->user);
	(void)snprintf(request.text, sizeof(request.text), "%s %s\n", when, text);
	broker_request(broker, REQUEST_LOG, &request);
}

/* Writes down a change of state or of its reason, once. */
static void tell_change(struct broker *broker, struct session *session)
{
	struct broker_session *context = session->context;
	const struct machine *machine = &session->machine;
	enum machine_state state = machine_state(machine);

	if (state == context->told_state && strcmp(machine->reason, context->told_reason) == 0) {
		return;
	}
	if (state != context->told_state) {
		session->since_us = clock_realtime_us();
	}
	context->told_state = state;
	memcpy(context->told_reason, machine->reason, sizeof(context->told_reason));
	log_write(state == MACHINE_STATE_FAILED ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO,
	    "session=%s: %s%s%s", session->user, machine_state_name(state),
	    machine->reason[0] != '\0' ? ": " : "", machine->reason);
	broker_session_log(broker, session, "%s%s%s", machine_state_name(state),
	    machine->reason[0] != '\0' ? ": " : "", machine->reason);
	broker_status_changed(broker);
}

static void after(
    struct broker *broker, struct session *session, const struct machine_actions *actions)
{
	broker_actions_run(broker, session, actions);
	tell_change(broker, session);
	control_session_changed(broker, session);
	broker_maybe_finished(broker);
}

int broker_session_event(
    struct broker *broker, struct session *session, const struct machine_event *event)
{
	struct machine_actions actions;
	int error;

	log_debug("session=%s: %s in %s", session->user, machine_event_name(event->type),
	    machine_step_name(session->machine.step));
	error = machine_handle(&session->machine, event, clock_monotonic_us(), &actions);
	if (error) {
		return error;
	}
	after(broker, session, &actions);
	return 0;
}

void broker_session_adopt_viewer(
    struct broker *broker, struct session *session, uint64_t viewer, uint32_t rights)
{
	struct machine_actions actions;

	machine_adopt_viewer(&session->machine, viewer, rights, clock_monotonic_us(), &actions);
	after(broker, session, &actions);
}

static void init_machine(
    struct broker *broker, struct session *session, const struct protocol_session *known)
{
	const struct machine_initial initial = {
		.generation = known->generation,
		.next = known->next,
		.resumes = known->resumes,
		.reason = known->reason[0] != '\0' ? known->reason : NULL,
		.found = known->found <= MACHINE_FOUND_SUSPENDED ? known->found
								 : MACHINE_FOUND_NONE,
		.base = known->base,
	};
	struct broker_session *context = session->context;
	struct machine_actions actions;

	machine_init(&session->machine, &known->policy, &initial, clock_monotonic_us(), &actions);
	session->pid = known->pid;
	session->since_us = known->since_us;
	context->told_state = machine_state(&session->machine);
	memcpy(context->told_reason, session->machine.reason, sizeof(context->told_reason));
	if (session->machine.reason[0] != '\0') {
		log_notice("session=%s: %s: %s", session->user,
		    machine_state_name(context->told_state), session->machine.reason);
	}
	after(broker, session, &actions);
}

void broker_session_known(struct broker *broker, const struct protocol_session *known)
{
	struct session *session = table_find_user(broker->table, known->user);
	struct broker_session *context;
	bool is_new = session == NULL;
	int error;

	if (is_new) {
		context = calloc(1, sizeof(*context));
		error = context == NULL ? -ENOMEM
					: table_add_session(broker->table, known->user, &session);
		if (error) {
			log_error("session=%s: %s", known->user, strerror(-error));
			free(context);
			return;
		}
		context->broker = broker;
		context->id = session->id;
		session->context = context;
	}
	(void)snprintf(session->grant.owner, sizeof(session->grant.owner), "%s", known->user);
	session->grant.helper_count = known->helper_count;
	memcpy(session->grant.helpers, known->helpers, sizeof(session->grant.helpers));
	session->snapshot_bytes = known->snapshot_bytes;
	if (is_new) {
		init_machine(broker, session, known);
	} else {
		machine_set_policy(&session->machine, &known->policy);
	}
}

void broker_session_destroy(struct broker *broker, struct session *session)
{
	struct broker_session *context = session->context;

	if (context != NULL) {
		for (size_t i = 0; i < MACHINE_TIMER_COUNT; i++) {
			sd_event_source_disable_unref(context->timers[i]);
		}
		free(context);
	}
	table_remove_session(broker->table, session->id);
}

/* How busy the desktop has been since the last look, all vCPUs together, in thousandths of one CPU. */
static uint32_t busy_permille(struct broker_session *context, uint64_t cpu_us)
{
	uint64_t now = clock_monotonic_us();
	uint64_t busy = 0;

	if (context->cpu_at_us != 0 && now > context->cpu_at_us && cpu_us > context->cpu_us) {
		busy = (cpu_us - context->cpu_us) * 1000 / (now - context->cpu_at_us);
	}
	context->cpu_us = cpu_us;
	context->cpu_at_us = now;
	return busy < UINT32_MAX ? (uint32_t)busy : UINT32_MAX;
}

void broker_session_statistics(struct broker *broker, const struct report *report)
{
	struct session *session = table_find_user(broker->table, report->user);
	struct broker_session *context;
	struct vmm_statistics statistics;
	struct wire wire;
	uint32_t busy;

	if (session == NULL) {
		return;
	}
	context = session->context;
	wire_init_read(&wire, report->payload, report->payload_size);
	if (vmm_statistics_decode(&wire, &statistics) != 0) {
		return;
	}
	busy = busy_permille(context, statistics.vcpu_us);
	if (context->grace_waits) {
		context->grace_waits = false;
		(void)broker_session_event(broker, session,
		    &(struct machine_event){
			.type = MACHINE_EVENT_TIMER,
			.timer = MACHINE_TIMER_GRACE,
			.busy_permille = busy,
		    });
	}
}

/* The event that a report stands for; those without one are handled before. */
static const enum machine_event_type EVENTS[] = {
	[REPORT_START_FAILED - REPORT_VMM_STARTED] = MACHINE_EVENT_START_FAILED,
	[REPORT_VMM_READY - REPORT_VMM_STARTED] = MACHINE_EVENT_VMM_READY,
	[REPORT_VMM_REFUSED - REPORT_VMM_STARTED] = MACHINE_EVENT_VMM_REFUSED,
	[REPORT_VMM_EXITED - REPORT_VMM_STARTED] = MACHINE_EVENT_VMM_EXITED,
	[REPORT_SUSPEND_DONE - REPORT_VMM_STARTED] = MACHINE_EVENT_SUSPEND_DONE,
	[REPORT_SUSPEND_FAILED - REPORT_VMM_STARTED] = MACHINE_EVENT_SUSPEND_FAILED,
	[REPORT_COMMIT_DONE - REPORT_VMM_STARTED] = MACHINE_EVENT_COMMIT_DONE,
	[REPORT_COMMIT_FAILED - REPORT_VMM_STARTED] = MACHINE_EVENT_COMMIT_FAILED,
	[REPORT_CONSUMED - REPORT_VMM_STARTED] = MACHINE_EVENT_CONSUMED,
	[REPORT_CONSUME_FAILED - REPORT_VMM_STARTED] = MACHINE_EVENT_CONSUME_FAILED,
};

static void show_progress(struct broker *broker, struct session *session, uint32_t percent)
{
	struct broker_session *context = session->context;
	const struct machine *machine = &session->machine;
	bool saving = machine_state(machine) == MACHINE_STATE_SAVING;

	if (percent == context->percent ||
	    (!saving && machine_state(machine) != MACHINE_STATE_RESUMING)) {
		return;
	}
	context->percent = percent;
	for (size_t i = 0; i < machine->viewer_count; i++) {
		struct request request = {
			.viewer = machine->viewers[i].id,
			.value = saving ? MACHINE_CAPTION_SUSPENDING : MACHINE_CAPTION_RESUMING,
			.number = { percent },
		};

		broker_request(broker, REQUEST_VIEWER_SHOW, &request);
	}
	control_session_changed(broker, session);
}

static void note_figures(struct session *session, uint16_t type, const struct report *report)
{
	struct broker_session *context = session->context;
	uint64_t now = clock_monotonic_us();

	switch (type) {
	case REPORT_SUSPEND_DONE:
		context->ram_bytes = report->number[0];
		context->state_bytes = report->number[1];
		context->stopped_us = report->number[2];
		log_info("session=%s gen=%llu: written: RAM %llu KiB, state %llu KiB, stood still "
			 "for %llu ms",
		    session->user, (unsigned long long)report->generation,
		    (unsigned long long)(report->number[0] >> 10),
		    (unsigned long long)(report->number[1] >> 10),
		    (unsigned long long)(report->number[2] / 1000));
		break;
	case REPORT_COMMIT_DONE:
		context->took_us = now - context->begun_us;
		session->snapshot_bytes = report->number[0];
		break;
	case REPORT_VMM_READY:
		context->took_us = now - context->begun_us;
		break;
	case REPORT_VMM_EXITED:
		session->pid = 0;
		break;
	default:
		break;
	}
}

void broker_session_report(struct broker *broker, uint16_t type, const struct report *report)
{
	struct session *session = table_find_user(broker->table, report->user);
	struct machine_event event = {
		.generation = report->generation,
		.text = report->text,
		.uncertain = report->flag,
		.exit = report->value <= MACHINE_EXIT_ERROR ? report->value : MACHINE_EXIT_ERROR,
	};

	if (session == NULL) {
		return;
	}
	if (type == REPORT_VMM_STARTED) {
		session->pid = (uint32_t)report->number[0];
		control_session_changed(broker, session);
		return;
	}
	if (type == REPORT_PROGRESS) {
		show_progress(broker, session, (uint32_t)report->number[0]);
		return;
	}
	note_figures(session, type, report);
	event.type = EVENTS[type - REPORT_VMM_STARTED];
	(void)broker_session_event(broker, session, &event);
}
