/*
 * Carries out what a desktop's state machine asks for: each action is one request to the monitor, or a timer. The answers
 * come back as reports (broker_session.c).
 */
#include "hostd/broker.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum {
	STATISTICS_WAIT_US = 2 * 1000 * 1000,
};

struct action_run {
	struct broker *broker;
	struct session *session;
	const struct machine_action *action;
};

/* Requests that only name the desktop and the generation. */
static const uint16_t SIMPLE[MACHINE_ACTION_COUNT] = {
	[MACHINE_ACTION_MARK_CONSUMED] = REQUEST_MARK_CONSUMED,
	[MACHINE_ACTION_RUN] = REQUEST_VMM_RUN,
	[MACHINE_ACTION_PAUSE] = REQUEST_VMM_PAUSE,
	[MACHINE_ACTION_COMMIT] = REQUEST_COMMIT,
	[MACHINE_ACTION_DISCARD] = REQUEST_DISCARD,
	[MACHINE_ACTION_SET_ASIDE] = REQUEST_SET_ASIDE,
	[MACHINE_ACTION_PRUNE] = REQUEST_PRUNE,
	[MACHINE_ACTION_QUIT_VMM] = REQUEST_VMM_QUIT,
	[MACHINE_ACTION_POWER_BUTTON] = REQUEST_POWER_BUTTON,
	[MACHINE_ACTION_KILL_VMM] = REQUEST_VMM_KILL,
};

static void fill(const struct action_run *run, struct request *request)
{
	(void)snprintf(request->user, sizeof(request->user), "%s", run->session->user);
	(void)snprintf(request->text, sizeof(request->text), "%s", run->action->text);
	request->viewer = run->action->viewer;
	request->generation = run->action->generation;
	request->base = run->action->base;
}

static void simple(const struct action_run *run, uint16_t type)
{
	struct request request = { 0 };

	fill(run, &request);
	request.text[0] = '\0';
	broker_request(run->broker, type, &request);
}

static void start_vmm(const struct action_run *run)
{
	struct broker_session *context = run->session->context;
	bool load = run->action->type == MACHINE_ACTION_LOAD_VMM;
	struct request request = { 0 };

	fill(run, &request);
	request.number[0] = run->session->machine.resumes + (load ? 1 : 0);
	context->begun_us = clock_monotonic_us();
	context->percent = 0;
	context->cpu_at_us = 0;
	broker_request(run->broker, load ? REQUEST_VMM_LOAD : REQUEST_VMM_START, &request);
}

static void begin_suspend(const struct action_run *run)
{
	struct broker_session *context = run->session->context;

	context->begun_us = clock_monotonic_us();
	context->percent = 0;
	simple(run, REQUEST_SUSPEND);
}

static void show(const struct action_run *run)
{
	struct request request = { 0 };

	fill(run, &request);
	request.value = run->action->caption;
	request.number[0] = 255;
	broker_request(run->broker, REQUEST_VIEWER_SHOW, &request);
}

static void close_viewer(const struct action_run *run)
{
	struct viewer *viewer = table_find_viewer(run->broker->table, run->action->viewer);
	struct request request = { 0 };

	if (viewer != NULL) {
		viewer->phase = TABLE_VIEWER_CLOSING;
	}
	fill(run, &request);
	request.value = run->action->caption;
	broker_request(run->broker, REQUEST_VIEWER_CLOSE, &request);
}

/* The grace time ends in a look at how busy the desktop has been; the first figure is taken now. */
static void ask_statistics(const struct action_run *run)
{
	struct request request = { .tag = broker_new_tag(run->broker) };

	fill(run, &request);
	broker_request(run->broker, REQUEST_STATISTICS, &request);
}

static void arm(const struct action_run *run);

static int fire(struct broker_session *context, enum machine_timer timer)
{
	struct session *session = table_find_session(context->broker->table, context->id);

	context->timers[timer] = sd_event_source_disable_unref(context->timers[timer]);
	if (session == NULL) {
		return 0;
	}
	if (timer == MACHINE_TIMER_GRACE && session->machine.policy.busy_permille > 0 &&
	    machine_runs(&session->machine) && !context->grace_waits) {
		/* The answer carries on; if there is none, the timer does, with nothing known. */
		const struct machine_action again = {
			.type = MACHINE_ACTION_ARM,
			.timer = timer,
			.delay_us = STATISTICS_WAIT_US,
		};

		context->grace_waits = true;
		arm(&(struct action_run){ context->broker, session, &again });
		return 0;
	}
	context->grace_waits = false;
	(void)broker_session_event(context->broker, session,
	    &(struct machine_event){ .type = MACHINE_EVENT_TIMER, .timer = timer });
	return 0;
}

/* sd-event gives a handler one pointer; which timer it is, is told by the handler. */
#define TIMER_HANDLER(name, timer)                                                \
	static int name(sd_event_source *source, uint64_t time_us, void *context) \
	{                                                                         \
		(void)source;                                                     \
		(void)time_us;                                                    \
		return fire(context, (timer));                                    \
	}

TIMER_HANDLER(on_grace, MACHINE_TIMER_GRACE)
TIMER_HANDLER(on_start, MACHINE_TIMER_START)
TIMER_HANDLER(on_suspend, MACHINE_TIMER_SUSPEND)
TIMER_HANDLER(on_stop, MACHINE_TIMER_STOP)
TIMER_HANDLER(on_end, MACHINE_TIMER_END)
TIMER_HANDLER(on_retry, MACHINE_TIMER_RETRY)

static const sd_event_time_handler_t HANDLERS[MACHINE_TIMER_COUNT] = {
	[MACHINE_TIMER_GRACE] = on_grace,
	[MACHINE_TIMER_START] = on_start,
	[MACHINE_TIMER_SUSPEND] = on_suspend,
	[MACHINE_TIMER_STOP] = on_stop,
	[MACHINE_TIMER_END] = on_end,
	[MACHINE_TIMER_RETRY] = on_retry,
};

static void arm(const struct action_run *run)
{
	struct broker_session *context = run->session->context;
	enum machine_timer timer = run->action->timer;
	int error;

	context->timers[timer] = sd_event_source_disable_unref(context->timers[timer]);
	error = sd_event_add_time(run->broker->event, &context->timers[timer], CLOCK_MONOTONIC,
	    clock_monotonic_us() + run->action->delay_us, 1000, HANDLERS[timer], context);
	if (error < 0) {
		log_error("session=%s: timer: %s", run->session->user, strerror(-error));
		(void)sd_event_exit(run->broker->event, 1);
		return;
	}
	if (timer == MACHINE_TIMER_GRACE && run->session->machine.policy.busy_permille > 0) {
		ask_statistics(run);
	}
}

static void disarm(const struct action_run *run)
{
	struct broker_session *context = run->session->context;

	if (run->action->timer == MACHINE_TIMER_GRACE) {
		context->grace_waits = false;
	}
	context->timers[run->action->timer] = sd_event_source_disable_unref(
	    context->timers[run->action->timer]);
}

static void run_one(const struct action_run *run)
{
	switch (run->action->type) {
	case MACHINE_ACTION_START_VMM:
	case MACHINE_ACTION_LOAD_VMM:
		start_vmm(run);
		break;
	case MACHINE_ACTION_BEGIN_SUSPEND:
		begin_suspend(run);
		break;
	case MACHINE_ACTION_ATTACH:
		simple(run, REQUEST_VIEWER_ATTACH);
		break;
	case MACHINE_ACTION_DETACH:
		simple(run, REQUEST_VIEWER_DETACH);
		break;
	case MACHINE_ACTION_SHOW:
		show(run);
		break;
	case MACHINE_ACTION_CLOSE_VIEWER:
		close_viewer(run);
		break;
	case MACHINE_ACTION_ARM:
		arm(run);
		break;
	case MACHINE_ACTION_DISARM:
		disarm(run);
		break;
	case MACHINE_ACTION_ABORT_SUSPEND:
		break; /* the VMM writes on; its answer finds that nobody wants it */
	default:
		simple(run, SIMPLE[run->action->type]);
		break;
	}
}

void broker_actions_run(
    struct broker *broker, struct session *session, const struct machine_actions *actions)
{
	for (size_t i = 0; i < actions->count; i++) {
		log_debug(
		    "session=%s: %s", session->user, machine_action_name(actions->items[i].type));
		run_one(&(struct action_run){ broker, session, &actions->items[i] });
	}
}
