/*
 * The table of what the monitor does for the broker, and nothing else. Each entry says what the request must carry; the
 * desktop or viewer that it names is looked up before the handler sees it, so that no handler acts on a name that the
 * monitor does not know.
 */
#include "hostd/monitor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "base/fd.h"
#include "base/log.h"
#include "display/control.h"

enum {
	EVENTS_MAX = 1024 * 1024,
};

struct call {
	struct monitor *monitor;
	const struct request *request;
	struct monitor_viewer *viewer;
	struct monitor_desktop *desktop;
	int fds[2];
};

enum needs {
	NEEDS_VIEWER = 1 << 0,  /* a known one; else the request is dropped: it has just gone */
	NEEDS_DESKTOP = 1 << 1, /* the same */
	NEEDS_FD = 1 << 2,
	NEEDS_TWO_FDS = 1 << 3,
};

struct entry {
	const char *name;
	void (*handle)(const struct call *call);
	uint32_t needs;
};

static void on_ready(const struct call *call)
{
	monitor_ready(call->monitor);
}

static void on_alive(const struct call *call)
{
	(void)sd_notify(0, "WATCHDOG=1");
	call->monitor->broker_ready = true;
}

static void on_status(const struct call *call)
{
	(void)sd_notifyf(0, "STATUS=%s", call->request->text);
}

static void on_finished(const struct call *call)
{
	monitor_finish(call->monitor);
}

static void on_viewer_open(const struct call *call)
{
	monitor_viewer_open(call->monitor, &(struct viewer_open){
					       .id = call->request->viewer,
					       .peer = call->request->text,
					       .user = "",
					       .session = "",
					       .socket = call->fds[0],
					   });
}

static void on_viewer_open_unix(const struct call *call)
{
	monitor_control_unix(call->monitor, call->request->viewer, call->fds[0]);
}

static void on_viewer_open_control(const struct call *call)
{
	monitor_control_attach(
	    call->monitor, call->request->viewer, call->request->user, call->fds[0], call->fds[1]);
}

static void on_viewer_login(const struct call *call)
{
	monitor_login_permit(call->viewer);
}

static void on_viewer_attempt(const struct call *call)
{
	monitor_login_attempt(call->viewer);
}

static void on_viewer_deny(const struct call *call)
{
	monitor_login_deny(call->viewer);
}

static bool caption_known(uint32_t caption)
{
	return caption >= DISPLAY_CAPTION_STARTING && caption <= DISPLAY_CAPTION_MESSAGE;
}

static void on_viewer_show(const struct call *call)
{
	uint64_t percent = call->request->number[0];

	if (caption_known(call->request->value)) {
		monitor_viewer_show(call->viewer, call->request->value, call->request->text,
		    percent <= 100 ? (uint8_t)percent : 255);
	}
}

static void on_viewer_close(const struct call *call)
{
	if (caption_known(call->request->value)) {
		monitor_viewer_close(call->viewer, call->request->value, call->request->text);
	}
}

static void on_viewer_attach(const struct call *call)
{
	monitor_attach(call->desktop, call->viewer);
}

static void on_viewer_detach(const struct call *call)
{
	monitor_detach(call->desktop, call->viewer);
}

static void on_vmm_start(const struct call *call)
{
	monitor_desktop_start(call->desktop, call->request->number[0]);
}

static void on_vmm_load(const struct call *call)
{
	monitor_desktop_load(call->desktop, call->request->generation, call->request->number[0]);
}

static void on_mark_consumed(const struct call *call)
{
	monitor_desktop_consume(call->desktop, call->request->generation);
}

static void on_vmm_run(const struct call *call)
{
	monitor_desktop_run(call->desktop);
}

static void on_vmm_pause(const struct call *call)
{
	monitor_desktop_simple(call->desktop, VMM_PAUSE);
}

static void on_suspend(const struct call *call)
{
	monitor_suspend(call->desktop, call->request->generation, call->request->base);
}

static void on_commit(const struct call *call)
{
	monitor_commit(call->desktop, call->request->generation, call->request->base);
}

static void on_discard(const struct call *call)
{
	monitor_discard(call->desktop, call->request->generation);
}

static void on_set_aside(const struct call *call)
{
	monitor_set_aside(call->desktop, call->request->generation);
}

static void on_prune(const struct call *call)
{
	monitor_prune(call->desktop, call->desktop->base);
}

static void on_vmm_quit(const struct call *call)
{
	monitor_desktop_simple(call->desktop, VMM_QUIT);
}

static void on_power_button(const struct call *call)
{
	monitor_desktop_simple(call->desktop, VMM_POWER_BUTTON);
}

static void on_vmm_kill(const struct call *call)
{
	monitor_desktop_kill(call->desktop);
}

static void on_peer(const struct call *call)
{
	monitor_control_peer(call->monitor, call->request->tag, call->fds[0]);
}

static void on_picture(const struct call *call)
{
	monitor_control_picture(
	    call->monitor, call->request->tag, call->request->user, call->fds[0]);
}

static void on_logs(const struct call *call)
{
	monitor_control_logs(call->monitor, call->request->tag, call->request->user,
	    call->request->value, call->fds[0]);
}

static void on_input(const struct call *call)
{
	monitor_control_input(call->monitor, call->request);
}

static void on_console(const struct call *call)
{
	monitor_control_console(
	    call->monitor, call->request->tag, call->request->user, call->fds[0], call->fds[1]);
}

static void on_statistics(const struct call *call)
{
	monitor_control_statistics(call->monitor, call->request);
}

static void on_doctor(const struct call *call)
{
	monitor_doctor(call->monitor, call->request->tag);
}

static void on_session(const struct call *call)
{
	monitor_control_session(call->monitor, call->request);
}

/* The event log keeps to its size: when it is full it becomes events.log.old, and begins anew. */
static void rotate_log(int folder, int *fd)
{
	struct stat status;

	if (fstat(*fd, &status) == 0 && status.st_size > EVENTS_MAX &&
	    renameat(folder, "events.log", folder, "events.log.old") == 0) {
		fd_close(fd);
	}
}

static void on_log(const struct call *call)
{
	struct store_session *store = call->desktop->store;
	int fd = -1;
	int error = store_session_log(store, STORE_LOG_EVENTS, true, &fd);

	if (error == 0) {
		rotate_log(store_session_folder(store), &fd);
		if (fd < 0) {
			error = store_session_log(store, STORE_LOG_EVENTS, true, &fd);
		}
	}
	if (error == 0) {
		error = fd_write_all(fd, call->request->text, strlen(call->request->text));
		fd_close(&fd);
	}
	if (error) {
		log_debug("session=%s: events log: %s", call->desktop->user, strerror(-error));
	}
}

static const struct entry TABLE[] = {
	[REQUEST_READY] = { "ready", on_ready, 0 },
	[REQUEST_ALIVE] = { "alive", on_alive, 0 },
	[REQUEST_STATUS] = { "status", on_status, 0 },
	[REQUEST_FINISHED] = { "finished", on_finished, 0 },
	[REQUEST_VIEWER_OPEN] = { "viewer-open", on_viewer_open, NEEDS_FD },
	[REQUEST_VIEWER_OPEN_UNIX] = { "viewer-open-unix", on_viewer_open_unix, NEEDS_FD },
	[REQUEST_VIEWER_OPEN_CONTROL] = { "viewer-open-control", on_viewer_open_control,
	    NEEDS_TWO_FDS },
	[REQUEST_VIEWER_LOGIN] = { "viewer-login", on_viewer_login, NEEDS_VIEWER },
	[REQUEST_VIEWER_ATTEMPT] = { "viewer-attempt", on_viewer_attempt, NEEDS_VIEWER },
	[REQUEST_VIEWER_DENY] = { "viewer-deny", on_viewer_deny, NEEDS_VIEWER },
	[REQUEST_VIEWER_SHOW] = { "viewer-show", on_viewer_show, NEEDS_VIEWER },
	[REQUEST_VIEWER_CLOSE] = { "viewer-close", on_viewer_close, NEEDS_VIEWER },
	[REQUEST_VIEWER_ATTACH] = { "viewer-attach", on_viewer_attach,
	    NEEDS_VIEWER | NEEDS_DESKTOP },
	[REQUEST_VIEWER_DETACH] = { "viewer-detach", on_viewer_detach,
	    NEEDS_VIEWER | NEEDS_DESKTOP },
	[REQUEST_VMM_START] = { "vmm-start", on_vmm_start, NEEDS_DESKTOP },
	[REQUEST_VMM_LOAD] = { "vmm-load", on_vmm_load, NEEDS_DESKTOP },
	[REQUEST_MARK_CONSUMED] = { "mark-consumed", on_mark_consumed, NEEDS_DESKTOP },
	[REQUEST_VMM_RUN] = { "vmm-run", on_vmm_run, NEEDS_DESKTOP },
	[REQUEST_VMM_PAUSE] = { "vmm-pause", on_vmm_pause, NEEDS_DESKTOP },
	[REQUEST_SUSPEND] = { "suspend", on_suspend, NEEDS_DESKTOP },
	[REQUEST_COMMIT] = { "commit", on_commit, NEEDS_DESKTOP },
	[REQUEST_DISCARD] = { "discard", on_discard, NEEDS_DESKTOP },
	[REQUEST_SET_ASIDE] = { "set-aside", on_set_aside, NEEDS_DESKTOP },
	[REQUEST_PRUNE] = { "prune", on_prune, NEEDS_DESKTOP },
	[REQUEST_VMM_QUIT] = { "vmm-quit", on_vmm_quit, NEEDS_DESKTOP },
	[REQUEST_POWER_BUTTON] = { "power-button", on_power_button, NEEDS_DESKTOP },
	[REQUEST_VMM_KILL] = { "vmm-kill", on_vmm_kill, NEEDS_DESKTOP },
	[REQUEST_PEER] = { "peer", on_peer, NEEDS_FD },
	[REQUEST_PICTURE] = { "picture", on_picture, NEEDS_FD },
	[REQUEST_LOGS] = { "logs", on_logs, NEEDS_FD },
	[REQUEST_INPUT] = { "input", on_input, 0 },
	[REQUEST_STATISTICS] = { "statistics", on_statistics, 0 },
	[REQUEST_DOCTOR] = { "doctor", on_doctor, 0 },
	[REQUEST_SESSION] = { "session", on_session, 0 },
	[REQUEST_CONSOLE] = { "console", on_console, NEEDS_TWO_FDS },
	[REQUEST_LOG] = { "log", on_log, NEEDS_DESKTOP },
};

static must_check int take_fds(struct call *call, uint32_t needs, struct ipc_message *message)
{
	size_t wanted = needs & NEEDS_TWO_FDS ? 2 : needs & NEEDS_FD ? 1 : 0;

	if (message->fd_count != wanted) {
		return -EPROTO;
	}
	for (size_t i = 0; i < wanted; i++) {
		call->fds[i] = ipc_message_take_fd(message, i);
		if (call->fds[i] < 0) {
			return -EPROTO;
		}
	}
	return 0;
}

int monitor_handle_request(struct monitor *monitor, struct ipc_message *message)
{
	struct request request;
	struct call call = { .monitor = monitor, .request = &request, .fds = { -1, -1 } };
	const struct entry *entry;
	int error;

	if (message->type >= sizeof(TABLE) / sizeof(TABLE[0]) ||
	    TABLE[message->type].handle == NULL) {
		log_error("broker: unknown request %u", message->type);
		return -EPROTO;
	}
	entry = &TABLE[message->type];
	error = request_decode(&message->body, &request);
	if (error == 0) {
		error = take_fds(&call, entry->needs, message);
	}
	if (error) {
		log_error("broker: malformed request %s", entry->name);
		goto out;
	}
	call.viewer = monitor_find_viewer(monitor, request.viewer);
	call.desktop = monitor_find_desktop(monitor, request.user);
	if ((entry->needs & NEEDS_VIEWER && call.viewer == NULL) ||
	    (entry->needs & NEEDS_DESKTOP && call.desktop == NULL)) {
		log_debug("broker: request %s: viewer %llu session=%s: not there (any more)",
		    entry->name, (unsigned long long)request.viewer, request.user);
		goto out;
	}
	entry->handle(&call);
out:
	fd_close(&call.fds[0]);
	fd_close(&call.fds[1]);
	return error;
}
