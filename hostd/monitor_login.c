/*
 * One login with name and password: the display process asks, the broker permits, tanmatsu-auth is started with a socket
 * that the display process gets the other end of, and tells the verdict here. Neither the broker nor this process ever
 * holds the name of a failed login or any password.
 */
#include "hostd/monitor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "display/control.h"
#include "hostd/users.h"

/* The one text of every refusal. */
static const char DENIED_TEXT[] = "The name or the password is wrong.";

void monitor_login_end(struct monitor_viewer *viewer)
{
	ipc_channel_destroy(viewer->auth_channel);
	viewer->auth_channel = NULL;
	if (viewer->auth != NULL) {
		(void)process_signal(viewer->auth, SIGKILL);
		process_destroy(viewer->auth);
		viewer->auth = NULL;
	}
}

static void report_failed(struct monitor_viewer *viewer, uint64_t hash)
{
	struct report report = { .viewer = viewer->id, .error = -EACCES, .number = { hash } };

	viewer->verdict_said = true;
	monitor_report(viewer->monitor, REPORT_VIEWER_VERDICT, &report);
}

/* A login that succeeded: the user's desktop is made if there is none yet, and the viewer bound to it. */
static void succeed(struct monitor_viewer *viewer, const char *user)
{
	struct monitor_desktop *desktop = NULL;
	int error;

	viewer->verdict_said = true;
	error = monitor_open_desktop(viewer->monitor, user, true, &desktop);
	if (error) {
		monitor_viewer_close(viewer, DISPLAY_CAPTION_FAILED,
		    "Your desktop's folder cannot be opened. Please ask the administrator.");
		report_failed(viewer, 0);
		return;
	}
	log_notice("login: user=%s from %s (viewer %llu)", user, viewer->peer,
	    (unsigned long long)viewer->id);
	monitor_viewer_grant(
	    viewer, user, user, MACHINE_RIGHT_STEER | MACHINE_RIGHT_START | MACHINE_RIGHT_OWNER);
}

static int on_message(struct ipc_channel *channel, struct ipc_message *message, void *context)
{
	struct monitor_viewer *viewer = context;
	struct report report = { .viewer = viewer->id };
	char user[USERS_NAME_MAX];
	bool ok;

	(void)channel;
	switch (message->type) {
	case AUTH_EVENT_ATTEMPT:
		if (viewer->attempt_us != 0) {
			return -EPROTO;
		}
		viewer->attempt_us = clock_monotonic_us();
		report.number[0] = wire_get_u64(&message->body);
		if (!wire_done(&message->body)) {
			return -EPROTO;
		}
		monitor_report(viewer->monitor, REPORT_VIEWER_ATTEMPT, &report);
		return 0;
	case AUTH_EVENT_VERDICT:
		ok = wire_get_bool(&message->body);
		wire_get_string(&message->body, user, sizeof(user));
		if (!wire_done(&message->body) || viewer->verdict_said || viewer->attempt_us == 0 ||
		    (ok && !users_name_valid(user))) {
			return -EPROTO;
		}
		if (ok) {
			succeed(viewer, user);
		} else {
			log_notice("login refused: from %s (viewer %llu)", viewer->peer,
			    (unsigned long long)viewer->id);
			report_failed(viewer, 0);
		}
		return 0;
	default:
		return -EPROTO;
	}
}

static void on_close(struct ipc_channel *channel, int error, void *context)
{
	struct monitor_viewer *viewer = context;

	(void)channel;
	ipc_channel_destroy(viewer->auth_channel);
	viewer->auth_channel = NULL;
	if (!viewer->verdict_said && viewer->attempt_us != 0) {
		log_error("login from %s: tanmatsu-auth ended without a verdict (%s)", viewer->peer,
		    error ? strerror(-error) : "see its messages above");
		report_failed(viewer, 0);
	}
}

static const struct ipc_channel_ops channel_ops = {
	.on_message = on_message,
	.on_close = on_close,
};

static void on_ended(struct process *process, int status, void *context)
{
	struct monitor_viewer *viewer = context;

	(void)status;
	process_destroy(process);
	viewer->auth = NULL;
}

void monitor_login_wanted(struct monitor_viewer *viewer)
{
	struct monitor_desktop *desktop = NULL;

	if (viewer->granted || viewer->auth_asked) {
		monitor_viewer_kill(viewer, "asked for a second login");
		return;
	}
	viewer->auth_asked = true;
	if (viewer->by_credentials) {
		if (monitor_open_desktop(viewer->monitor, viewer->session, true, &desktop) != 0) {
			monitor_viewer_close(viewer, DISPLAY_CAPTION_FAILED,
			    "The desktop's folder cannot be opened. Please ask the administrator.");
			return;
		}
		log_notice("login: user=%s session=%s by its socket (viewer %llu)", viewer->user,
		    viewer->session, (unsigned long long)viewer->id);
		monitor_viewer_grant(viewer, viewer->user, viewer->session, viewer->rights);
		return;
	}
	monitor_report(
	    viewer->monitor, REPORT_VIEWER_LOGIN, &(struct report){ .viewer = viewer->id });
}

static must_check int start_auth(struct monitor_viewer *viewer, int display_end, int monitor_end)
{
	char path[MONITOR_LIBEXEC_MAX + 64];
	const char *arguments[] = { path, NULL };
	int fds[2] = { display_end, monitor_end };
	const struct process_spec spec = {
		.path = path,
		.arguments = arguments,
		.fds = fds,
		.fd_count = 2,
		.log_fd = -1,
	};
	int error;

	(void)snprintf(path, sizeof(path), "%s/tanmatsu-auth", viewer->monitor->options.libexec);
	error = process_spawn(viewer->monitor->event, &spec, on_ended, viewer, &viewer->auth);
	if (error) {
		log_error("login from %s: %s: %s (is --libexec right?)", viewer->peer, path,
		    strerror(-error));
	}
	return error;
}

void monitor_login_permit(struct monitor_viewer *viewer)
{
	struct monitor *monitor = viewer->monitor;
	const struct config_host *host = &monitor->config->host;
	int display[2] = { -1, -1 };
	int verdict[2] = { -1, -1 };
	struct wire body;
	int error;

	if (!viewer->auth_asked || viewer->by_credentials || viewer->granted ||
	    viewer->auth != NULL || viewer->auth_channel != NULL || viewer->verdict_said) {
		return;
	}
	wire_init_growing(&body, IPC_BODY_MAX);
	error = ipc_pair(display);
	if (error == 0) {
		error = ipc_pair(verdict);
	}
	if (error == 0) {
		error = start_auth(viewer, display[1], verdict[1]);
	}
	if (error) {
		goto out;
	}
	error = ipc_channel_create_take(
	    monitor->event, verdict[0], MONITOR_QUEUE, &channel_ops, viewer, &viewer->auth_channel);
	if (error) {
		goto out;
	}
	verdict[0] = -1;
	wire_put_string(&body, host->pam_service);
	wire_put_string(&body, host->pam_confdir);
	wire_put_string(&body, viewer->peer);
	wire_put_bytes(&body, monitor->name_key, sizeof(monitor->name_key));
	error = ipc_channel_send(viewer->auth_channel, AUTH_SETUP, &body, NULL, 0);
	if (error == 0) {
		monitor_viewer_send(viewer, DISPLAY_AUTH_CHANNEL, NULL, &display[0], 1);
	}
out:
	wire_fini(&body);
	for (size_t i = 0; i < 2; i++) {
		fd_close(&display[i]);
		fd_close(&verdict[i]);
	}
	if (error) {
		log_error("login from %s: cannot be served: %s", viewer->peer, strerror(-error));
		monitor_login_end(viewer);
		monitor_viewer_kill(viewer, "logging in is not possible just now");
	}
}

void monitor_login_attempt(struct monitor_viewer *viewer)
{
	if (viewer->auth_channel == NULL || viewer->attempt_us == 0 ||
	    ipc_channel_send(viewer->auth_channel, AUTH_GO, NULL, NULL, 0) != 0) {
		monitor_viewer_kill(viewer, "logging in is not possible just now");
	}
}

void monitor_login_deny(struct monitor_viewer *viewer)
{
	struct wire body;

	if (viewer->granted) {
		return;
	}
	wire_init_growing(&body, IPC_BODY_MAX);
	wire_put_string(&body, DENIED_TEXT);
	monitor_viewer_send(viewer, DISPLAY_DENIED, &body, NULL, 0);
	wire_fini(&body);
}
