/*
 * The broker's process: started with one end of a socket and nothing else, given its settings, listeners and the inventory,
 * and started again when it dies, ever more slowly. The monitor knows all that a new broker needs, so that nobody notices.
 */
#include "hostd/monitor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"

enum {
	RESTART_FIRST_US = 100 * 1000,
	RESTART_MAX_US = 30 * 1000 * 1000,
	STABLE_US = 60 * 1000 * 1000,
	BROKER_SLOT_UID = 0, /* the first uid of the range is the broker's */
};

void monitor_report_fds(struct monitor *monitor, uint16_t type, const struct report *report,
    const int *fds, size_t fd_count)
{
	struct wire body;
	int error;

	if (monitor->broker_channel == NULL) {
		return;
	}
	wire_init_growing(&body, IPC_BODY_MAX);
	report_encode(report, &body);
	error = ipc_channel_send(monitor->broker_channel, type, &body, fds, fd_count);
	wire_fini(&body);
	if (error && error != -EPIPE && monitor->broker != NULL) {
		log_error("broker: report %u: %s: it is started again", type, strerror(-error));
		(void)process_signal(monitor->broker, SIGKILL);
	}
}

void monitor_report(struct monitor *monitor, uint16_t type, const struct report *report)
{
	monitor_report_fds(monitor, type, report, NULL, 0);
}

void monitor_report_settings(struct monitor *monitor)
{
	const struct config_host *host = &monitor->config->host;
	struct protocol_settings settings = {
		.version = PROTOCOL_VERSION,
		.single_user = !monitor->root,
		.startup_begin = host->startup_begin,
		.startup_rate = host->startup_rate,
		.startup_full = host->startup_full,
		.per_source = host->startup_full / 4 > 0 ? host->startup_full / 4 : 1,
		.viewers_max = host->max_viewers,
		.started_us = monitor->started_us,
		.monitor_pid = (uint32_t)getpid(),
		.listener_count = (uint32_t)monitor->listener_count,
	};
	struct report report = { 0 };
	struct wire body;

	(void)snprintf(settings.host, sizeof(settings.host), "%s", monitor->host);
	(void)snprintf(settings.layout, sizeof(settings.layout), "%s", host->layout);
	(void)snprintf(settings.state, sizeof(settings.state), "%.255s", host->state);
	(void)snprintf(settings.runtime, sizeof(settings.runtime), "%.255s", host->runtime);
	memcpy(settings.ca_path, monitor->ca_path, sizeof(settings.ca_path));
	memcpy(settings.ca_sha256, monitor->ca_sha256, sizeof(settings.ca_sha256));
	if (monitor->ca_pem != NULL && strlen(monitor->ca_pem) < sizeof(settings.ca_pem)) {
		(void)snprintf(settings.ca_pem, sizeof(settings.ca_pem), "%s", monitor->ca_pem);
	}
	memcpy(settings.listeners, monitor->listeners, sizeof(settings.listeners));

	wire_init_growing(&body, PROTOCOL_PAYLOAD_MAX);
	protocol_settings_encode(&settings, &body);
	report.payload = body.data;
	report.payload_size = wire_ok(&body) ? body.position : 0;
	monitor_report_fds(
	    monitor, REPORT_SETTINGS, &report, monitor->listener_fds, monitor->listener_count);
	wire_fini(&body);
}

/* When the state that the desktop is in began, as far as files can tell. */
static uint64_t state_began(struct monitor_desktop *desktop, uint64_t generation)
{
	char message[STORE_TEXT_MAX];
	struct store_generation manifest;

	if (desktop->process != NULL) {
		return clock_realtime_us();
	}
	if (generation != 0 &&
	    store_generation_read(desktop->store, generation, &manifest, message) == 0) {
		return manifest.created_us;
	}
	return store_session_info(desktop->store)->created_us;
}

static void fill_catalogue(struct monitor_desktop *desktop, struct protocol_session *session)
{
	const struct catalogue *catalogue = store_session_catalogue(desktop->store);
	const struct store_session_info *info = store_session_info(desktop->store);
	const char *reason = NULL;

	session->next = catalogue_next(catalogue);
	session->resumes = info->resumes;
	session->generation = catalogue_restorable(catalogue, &reason);
	session->since_us = state_began(desktop, session->generation);
	if (session->generation == 0 && reason != NULL && desktop->process == NULL) {
		(void)snprintf(session->reason, sizeof(session->reason), "%s", reason);
	} else if (session->generation == 0 && info->running && desktop->process == NULL) {
		(void)snprintf(session->reason, sizeof(session->reason),
		    "It was running when the host went down, and starts afresh.");
	}
}

void monitor_report_session(struct monitor *monitor, struct monitor_desktop *desktop)
{
	struct protocol_session session = { 0 };
	struct config_resolved resolved;
	struct report report = { 0 };
	struct wire body;

	config_resolve(monitor->config, desktop->user, NULL, &resolved);
	memcpy(session.user, desktop->user, sizeof(session.user));
	session.policy = resolved.policy;
	session.helper_count = (uint32_t)resolved.grant.helper_count;
	memcpy(session.helpers, resolved.grant.helpers, sizeof(session.helpers));
	fill_catalogue(desktop, &session);
	if (store_session_usage(desktop->store, &session.snapshot_bytes) != 0) {
		session.snapshot_bytes = 0;
	}
	if (desktop->process != NULL) {
		session.found = desktop->found;
		session.base = desktop->base;
		session.pid = (uint32_t)process_pid(desktop->process);
	}
	memcpy(report.user, desktop->user, sizeof(report.user));
	wire_init_growing(&body, PROTOCOL_PAYLOAD_MAX);
	protocol_session_encode(&session, &body);
	report.payload = body.data;
	report.payload_size = wire_ok(&body) ? body.position : 0;
	monitor_report(monitor, REPORT_SESSION, &report);
	wire_fini(&body);
}

void monitor_inventory(struct monitor *monitor)
{
	if (monitor->broker_channel == NULL || !monitor->inventory_done) {
		return;
	}
	monitor_report_settings(monitor);
	for (struct monitor_desktop *desktop = monitor->desktops; desktop != NULL;
	     desktop = desktop->next) {
		monitor_report_session(monitor, desktop);
	}
	for (struct monitor_viewer *viewer = monitor->viewers; viewer != NULL;
	     viewer = viewer->next) {
		struct report report = { .viewer = viewer->id, .flag = viewer->attached };

		if (!viewer->granted) {
			monitor_viewer_kill(
			    viewer, "had not logged in when the broker was started again");
			continue;
		}
		(void)snprintf(report.user, sizeof(report.user), "%s", viewer->session);
		(void)snprintf(report.text, sizeof(report.text), "%s", viewer->user);
		memcpy(report.peer, viewer->peer, sizeof(report.peer));
		report.number[0] = viewer->process != NULL ? (uint64_t)process_pid(viewer->process)
							   : 0;
		report.value = viewer->rights;
		monitor_report(monitor, REPORT_VIEWER, &report);
	}
	monitor_report(monitor, REPORT_INVENTORY_END, &(struct report){ 0 });
}

/* What is running must be told afresh to a broker that knows nothing. */
static void recall_found(struct monitor *monitor)
{
	for (struct monitor_desktop *desktop = monitor->desktops; desktop != NULL;
	     desktop = desktop->next) {
		if (desktop->process == NULL) {
			continue;
		}
		/* The new broker lets it run on: a suspend that was under way is dropped with its files. */
		if (desktop->suspend_generation != 0 && desktop->suspend_complete) {
			desktop->found = MACHINE_FOUND_SUSPENDED;
			monitor_discard(desktop, desktop->suspend_generation);
		} else {
			desktop->suspend_orphan = desktop->suspend_generation != 0;
			desktop->found = desktop->paused ? MACHINE_FOUND_PAUSED
							 : monitor_desktop_guess(desktop);
		}
	}
}

static int on_restart(sd_event_source *source, uint64_t time_us, void *context)
{
	struct monitor *monitor = context;

	(void)source;
	(void)time_us;
	monitor->broker_restart = sd_event_source_disable_unref(monitor->broker_restart);
	recall_found(monitor);
	if (monitor_broker_start(monitor) != 0) {
		monitor->exit_code = 1;
		(void)sd_event_exit(monitor->event, 1);
	}
	return 0;
}

static void restart_later(struct monitor *monitor)
{
	uint64_t delay = RESTART_FIRST_US;
	uint64_t now = clock_monotonic_us();
	int error;

	if (now - monitor->broker_started_us > STABLE_US) {
		monitor->broker_failures = 0;
	}
	for (uint32_t i = 0; i < monitor->broker_failures && delay < RESTART_MAX_US; i++) {
		delay *= 2;
	}
	monitor->broker_failures++;
	error = sd_event_add_time(monitor->event, &monitor->broker_restart, CLOCK_MONOTONIC,
	    now + (delay < RESTART_MAX_US ? delay : RESTART_MAX_US), 0, on_restart, monitor);
	if (error < 0) {
		log_error("timer: %s", strerror(-error));
		(void)sd_event_exit(monitor->event, 1);
	}
}

static void on_ended(struct process *process, int status, void *context)
{
	struct monitor *monitor = context;
	char text[128];

	process_describe(status, text, sizeof(text));
	process_destroy(process);
	monitor->broker = NULL;
	monitor->broker_ready = false;
	ipc_channel_destroy(monitor->broker_channel);
	monitor->broker_channel = NULL;
	if (monitor->stopping) {
		log_error("broker: %s while stopping: desktops are left running", text);
		(void)sd_event_exit(monitor->event, 1);
		return;
	}
	log_error("broker: %s: it is started again; desktops and viewers run on", text);
	restart_later(monitor);
}

static int on_message(struct ipc_channel *channel, struct ipc_message *message, void *context)
{
	(void)channel;
	return monitor_handle_request(context, message);
}

static void on_close(struct ipc_channel *channel, int error, void *context)
{
	struct monitor *monitor = context;

	(void)channel;
	ipc_channel_destroy(monitor->broker_channel);
	monitor->broker_channel = NULL;
	if (error) {
		log_error("broker: broke the protocol: %s", strerror(-error));
	}
	if (monitor->broker != NULL) {
		(void)process_signal(monitor->broker, SIGKILL);
	}
}

static const struct ipc_channel_ops channel_ops = {
	.on_message = on_message,
	.on_close = on_close,
};

int monitor_broker_start(struct monitor *monitor)
{
	char path[256];
	char uid[16];
	const char *arguments[8] = { path, "--broker", NULL };
	int ends[2] = { -1, -1 };
	const struct process_spec spec = {
		.path = path,
		.arguments = arguments,
		.fds = &ends[1],
		.fd_count = 1,
		.log_fd = -1,
	};
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	int error;

	if (length <= 0) {
		return -errno;
	}
	path[length] = '\0';
	if (monitor->root) {
		(void)snprintf(
		    uid, sizeof(uid), "%u", monitor->config->host.uid_base + BROKER_SLOT_UID);
		arguments[2] = "--uid";
		arguments[3] = uid;
	}
	error = ipc_pair(ends);
	if (error == 0) {
		error = process_spawn(monitor->event, &spec, on_ended, monitor, &monitor->broker);
	}
	if (error == 0) {
		error = ipc_channel_create_take(monitor->event, ends[0], MONITOR_BROKER_QUEUE,
		    &channel_ops, monitor, &monitor->broker_channel);
		if (error == 0) {
			ends[0] = -1;
		}
	}
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	if (error) {
		log_error("broker: %s: %s", path, strerror(-error));
		return error;
	}
	monitor->broker_started_us = clock_monotonic_us();
	monitor_inventory(monitor);
	return 0;
}
