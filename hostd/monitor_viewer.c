/*
 * A viewer's display process in the monitor: started with the viewer's socket, the certificate and the key, bound to a user
 * once, told what to show, ended. What it says about itself is believed in nothing that matters.
 */
#include "hostd/monitor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "display/control.h"

struct monitor_viewer *monitor_find_viewer(struct monitor *monitor, uint64_t id)
{
	for (struct monitor_viewer *viewer = monitor->viewers; viewer != NULL;
	     viewer = viewer->next) {
		if (viewer->id == id) {
			return viewer;
		}
	}
	return NULL;
}

void monitor_viewer_name(uint64_t id, char name[MONITOR_VIEWER_NAME_MAX])
{
	(void)snprintf(name, MONITOR_VIEWER_NAME_MAX, "%llu", (unsigned long long)id);
}

static void report_viewer(struct monitor_viewer *viewer, uint16_t type, const char *text)
{
	struct report report = { .viewer = viewer->id };

	(void)snprintf(report.text, sizeof(report.text), "%s", text);
	monitor_report(viewer->monitor, type, &report);
}

void monitor_viewer_record(struct monitor_viewer *viewer)
{
	struct monitor *monitor = viewer->monitor;
	struct record record = {
		.pid = viewer->process != NULL ? process_pid(viewer->process) : 0,
		.viewer = viewer->id,
		.slot = viewer->slot,
		.rights = viewer->rights,
		.attached = viewer->attached,
		.granted = viewer->granted,
	};
	char name[MONITOR_VIEWER_NAME_MAX];
	int error;

	record.start = process_start_time(record.pid);
	memcpy(record.user, viewer->user, sizeof(record.user));
	memcpy(record.session, viewer->session, sizeof(record.session));
	memcpy(record.peer, viewer->peer, sizeof(record.peer));
	monitor_viewer_name(viewer->id, name);
	error = record_write(monitor->display_fd, name, &record);
	if (error) {
		log_error("viewer %s: record: %s: after a restart of the daemon this viewer has to "
			  "log in "
			  "again",
		    name, strerror(-error));
	}
}

void monitor_viewer_say_gone(struct monitor_viewer *viewer)
{
	if (!viewer->gone_said) {
		viewer->gone_said = true;
		report_viewer(viewer, REPORT_VIEWER_GONE, viewer->gone_text);
	}
}

/* Process and channel have both ended: nothing more will come. */
static void maybe_gone(struct monitor_viewer *viewer)
{
	if (viewer->exited && viewer->channel == NULL) {
		monitor_viewer_say_gone(viewer);
		monitor_viewer_destroy(viewer);
	}
}

void monitor_viewer_destroy(struct monitor_viewer *viewer)
{
	struct monitor *monitor = viewer->monitor;
	char name[MONITOR_VIEWER_NAME_MAX];

	for (struct monitor_viewer **link = &monitor->viewers; *link != NULL;
	     link = &(*link)->next) {
		if (*link == viewer) {
			*link = viewer->next;
			break;
		}
	}
	monitor_login_end(viewer);
	monitor_viewer_name(viewer->id, name);
	if (viewer->exited) {
		monitor_remove_socket(monitor->display_fd, name);
		record_remove(monitor->display_fd, name);
	}
	ipc_channel_destroy(viewer->channel);
	process_destroy(viewer->process);
	monitor_slot_free(monitor, viewer->slot);
	free(viewer);
}

void monitor_viewer_kill(struct monitor_viewer *viewer, const char *why)
{
	if (viewer->gone_text[0] == '\0') {
		(void)snprintf(viewer->gone_text, sizeof(viewer->gone_text), "%s", why);
	}
	if (viewer->process != NULL && !viewer->exited) {
		(void)process_signal(viewer->process, SIGKILL);
	}
}

void monitor_viewer_on_ended(struct process *process, int status, void *context)
{
	struct monitor_viewer *viewer = context;

	(void)process;
	viewer->exited = true;
	if (viewer->gone_text[0] == '\0') {
		process_describe(status, viewer->gone_text, sizeof(viewer->gone_text));
	}
	log_debug("viewer %llu: its process has ended: %s", (unsigned long long)viewer->id,
	    viewer->gone_text);
	maybe_gone(viewer);
}

static void take_gone(struct monitor_viewer *viewer, struct wire *body)
{
	uint8_t reason = wire_get_u8(body);
	char text[256];

	wire_get_string(body, text, sizeof(text));
	if (!wire_ok(body)) {
		(void)snprintf(text, sizeof(text), "?");
	}
	if (text[0] == '\0') {
		(void)snprintf(text, sizeof(text), "%s",
		    reason == DISPLAY_EXIT_VIEWER_LEFT ? "closed by the viewer" : "-");
	}
	if (viewer->granted || log_limiter_permits(&viewer->monitor->stranger_limiter)) {
		log_info("viewer %llu from %s has left: %s", (unsigned long long)viewer->id,
		    viewer->peer, text);
	}
	(void)snprintf(viewer->gone_text, sizeof(viewer->gone_text), "%s", text);
	monitor_viewer_say_gone(viewer);
}

static void on_state(struct monitor_viewer *viewer, struct wire *body)
{
	struct display_state state;

	if (display_state_decode(body, &state) != 0) {
		monitor_viewer_kill(viewer, "its process broke the protocol");
		return;
	}
	if (!viewer->found) {
		return;
	}
	if (!viewer->granted || state.phase != DISPLAY_PHASE_SESSION) {
		monitor_viewer_kill(viewer, "had not logged in when the daemon was started again");
	} else if (!state.attached && viewer->attached) {
		viewer->attached = false;
	}
	monitor_adopt_done(viewer->monitor);
}

static int on_message(struct ipc_channel *channel, struct ipc_message *message, void *context)
{
	struct monitor_viewer *viewer = context;
	struct report report = { .viewer = viewer->id };

	(void)channel;
	switch (message->type) {
	case DISPLAY_EVENT_STATE:
		on_state(viewer, &message->body);
		break;
	case DISPLAY_EVENT_LOGIN:
		monitor_login_wanted(viewer);
		break;
	case DISPLAY_EVENT_ACTION:
		report_viewer(viewer, REPORT_VIEWER_ACTION, "");
		break;
	case DISPLAY_EVENT_GONE:
		take_gone(viewer, &message->body);
		break;
	case DISPLAY_EVENT_SHOWN:
		report.number[0] = wire_get_u64(&message->body);
		monitor_report(viewer->monitor, REPORT_VIEWER_SHOWN, &report);
		break;
	case DISPLAY_EVENT_RESIZE: /* goes to the desktop over the link */
		break;
	default:
		return -EPROTO;
	}
	return 0;
}

static void on_close(struct ipc_channel *channel, int error, void *context)
{
	struct monitor_viewer *viewer = context;

	(void)channel;
	ipc_channel_destroy(viewer->channel);
	viewer->channel = NULL;
	if (error) {
		log_warning("viewer %llu: its process broke the protocol: %s",
		    (unsigned long long)viewer->id, strerror(-error));
	}
	/* A display process without its socket is at its end, or ought to be. */
	monitor_viewer_kill(
	    viewer, error ? "its process broke the protocol" : "its process has ended");
	maybe_gone(viewer);
}

const struct ipc_channel_ops monitor_viewer_channel_ops = {
	.on_message = on_message,
	.on_close = on_close,
};

void monitor_viewer_send(struct monitor_viewer *viewer, uint16_t type, const struct wire *body,
    const int *fds, size_t fd_count)
{
	int error;

	if (viewer->channel == NULL) {
		return;
	}
	error = ipc_channel_send(viewer->channel, type, body, fds, fd_count);
	if (error && error != -EPIPE) {
		log_warning("viewer %llu: message %u: %s: it is closed",
		    (unsigned long long)viewer->id, type, strerror(-error));
		monitor_viewer_kill(viewer, "its process does not answer");
	}
}

void monitor_viewer_grant(
    struct monitor_viewer *viewer, const char *user, const char *session, uint32_t rights)
{
	struct report report = { .viewer = viewer->id, .value = rights };
	struct wire body;

	if (user != viewer->user) { /* by its socket it has both already */
		(void)snprintf(viewer->user, sizeof(viewer->user), "%s", user);
		(void)snprintf(viewer->session, sizeof(viewer->session), "%s", session);
	}
	viewer->rights = rights;
	viewer->granted = true;
	monitor_viewer_record(viewer);

	wire_init_growing(&body, IPC_BODY_MAX);
	wire_put_string(&body, user);
	monitor_viewer_send(viewer, DISPLAY_GRANTED, &body, NULL, 0);
	wire_fini(&body);

	(void)snprintf(report.user, sizeof(report.user), "%s", session);
	(void)snprintf(report.text, sizeof(report.text), "%s", user);
	monitor_report(viewer->monitor, REPORT_VIEWER_VERDICT, &report);
}

void monitor_viewer_show(
    struct monitor_viewer *viewer, uint32_t caption, const char *text, uint8_t percent)
{
	struct monitor_desktop *desktop;
	struct wire body;
	int frame = -1;

	/* The last frame, so that something is on the screen before the desktop is. An attached viewer has a newer one. */
	if (viewer->granted && !viewer->attached &&
	    (caption == DISPLAY_CAPTION_RESUMING || caption == DISPLAY_CAPTION_SAVED)) {
		desktop = monitor_find_desktop(viewer->monitor, viewer->session);
		if (desktop != NULL && store_frame_open(desktop->store, &frame) != 0) {
			frame = -1;
		}
	}
	wire_init_growing(&body, IPC_BODY_MAX);
	wire_put_u8(&body, (uint8_t)caption);
	wire_put_string(&body, text);
	wire_put_u8(&body, percent);
	monitor_viewer_send(viewer, DISPLAY_SHOW, &body, &frame, frame >= 0 ? 1 : 0);
	wire_fini(&body);
	fd_close(&frame);
}

void monitor_viewer_close(struct monitor_viewer *viewer, uint32_t caption, const char *text)
{
	struct wire body;

	wire_init_growing(&body, IPC_BODY_MAX);
	wire_put_u8(&body, (uint8_t)caption);
	wire_put_string(&body, text);
	monitor_viewer_send(viewer, DISPLAY_CLOSE, &body, NULL, 0);
	wire_fini(&body);
}
