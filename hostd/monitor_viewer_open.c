/*
 * How a viewer's display process comes to be: started with the viewer's socket, the certificate and the key, or found
 * running when the daemon starts.
 */
#include "hostd/monitor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "display/control.h"

enum {
	UNATTACHED_WIDTH = 1280,
	UNATTACHED_HEIGHT = 800,
};

/* A copy of a PEM in memory, read-only to whoever gets it: the display process never sees a path. */
static int make_memory_file(const char *name, const char *data, size_t size)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int error;

	if (fd < 0) {
		return -errno;
	}
	error = fd_write_all(fd, data, size);
	if (error == 0 && lseek(fd, 0, SEEK_SET) < 0) {
		error = -errno;
	}
	if (error) {
		fd_close(&fd);
		return error;
	}
	return fd;
}

/* "%h" in the desktop's name is the host; "%u", the user, is left to the display process, which learns it last. */
static void expand_host(const char *template, const char *host, char *name, size_t size)
{
	const char *place = strstr(template, "%h");

	if (place != NULL) {
		(void)snprintf(
		    name, size, "%.*s%s%s", (int)(place - template), template, host, place + 2);
	} else {
		(void)snprintf(name, size, "%s", template);
	}
}

static void fill_config(const struct monitor_viewer *viewer, struct display_config *config)
{
	const struct config_host *host = &viewer->monitor->config->host;

	config->viewer_id = viewer->id;
	memcpy(config->peer, viewer->peer, sizeof(config->peer));
	if (viewer->by_credentials) {
		memcpy(config->peer_user, viewer->user, sizeof(config->peer_user));
		config->security[config->security_count++] = DISPLAY_SECURITY_NONE;
	} else {
		for (size_t i = 0; i < host->security_count && i < DISPLAY_SECURITY_MAX; i++) {
			config->security[config->security_count++] = host->security[i];
		}
	}
	expand_host(host->desktop_name, viewer->monitor->host, config->desktop_name,
	    sizeof(config->desktop_name));
	(void)snprintf(config->layout, sizeof(config->layout), "%s", host->layout);
	(void)snprintf(
	    config->tls_priority, sizeof(config->tls_priority), "%s", host->tls_priority);
	config->grace_s = host->login_grace_s;
	config->width = UNATTACHED_WIDTH;
	config->height = UNATTACHED_HEIGHT;
}

static must_check int configure(struct monitor_viewer *viewer, int socket)
{
	struct monitor *monitor = viewer->monitor;
	struct display_config config = { 0 };
	int fds[3] = { socket, -1, -1 };
	size_t fd_count = 1;
	struct wire body;
	int error = 0;

	fill_config(viewer, &config);
	wire_init_growing(&body, IPC_BODY_MAX);
	display_config_encode(&config, &body);
	if (!viewer->by_credentials) {
		fds[1] = make_memory_file("certificate", monitor->chain, monitor->chain_size);
		fds[2] = make_memory_file("key", monitor->key, monitor->key_size);
		fd_count = 3;
		if (fds[1] < 0 || fds[2] < 0) {
			error = fds[1] < 0 ? fds[1] : fds[2];
		}
	}
	if (error == 0) {
		error = ipc_channel_send(viewer->channel, DISPLAY_HELLO, NULL, NULL, 0);
	}
	if (error == 0) {
		error = ipc_channel_send(viewer->channel, DISPLAY_CONFIGURE, &body, fds, fd_count);
	}
	fd_close(&fds[1]);
	fd_close(&fds[2]);
	wire_fini(&body);
	return error;
}

static struct monitor_viewer *make_viewer(struct monitor *monitor, uint64_t id, const char *peer)
{
	struct monitor_viewer *viewer = calloc(1, sizeof(*viewer));

	if (viewer != NULL) {
		viewer->monitor = monitor;
		viewer->id = id;
		(void)snprintf(viewer->peer, sizeof(viewer->peer), "%s", peer);
		viewer->next = monitor->viewers;
		monitor->viewers = viewer;
	}
	return viewer;
}

static void refuse_open(struct monitor *monitor, uint64_t id, const char *text)
{
	struct report report = { .viewer = id };

	(void)snprintf(report.text, sizeof(report.text), "%s", text);
	monitor_report(monitor, REPORT_VIEWER_GONE, &report);
}

void monitor_viewer_open(struct monitor *monitor, const struct viewer_open *open)
{
	struct report report = { .viewer = open->id };
	struct monitor_viewer *viewer;
	struct monitor_child child = { .program = "tanmatsu-display",
		.folder = monitor->display_fd };
	char name[MONITOR_VIEWER_NAME_MAX];
	int connection = -1;
	int error;

	if (open->id == 0 || monitor_find_viewer(monitor, open->id) != NULL) {
		refuse_open(monitor, open->id, "the viewer's number is in use");
		return;
	}
	viewer = make_viewer(monitor, open->id, open->peer);
	if (viewer == NULL) {
		refuse_open(monitor, open->id, "out of memory");
		return;
	}
	viewer->by_credentials = open->user[0] != '\0';
	(void)snprintf(viewer->user, sizeof(viewer->user), "%s", open->user);
	(void)snprintf(viewer->session, sizeof(viewer->session), "%s", open->session);
	viewer->rights = open->rights;
	monitor_viewer_name(open->id, name);
	viewer->slot = monitor_slot_take(monitor);
	child.name = name;
	child.slot = viewer->slot;
	child.on_exit = monitor_viewer_on_ended;
	child.context = viewer;
	error = viewer->slot == 0
		    ? -EUSERS
		    : monitor_spawn_child(monitor, &child, &viewer->process, &connection);
	if (error == 0) {
		error = ipc_channel_create_take(monitor->event, connection, MONITOR_QUEUE,
		    &monitor_viewer_channel_ops, viewer, &viewer->channel);
		if (error) {
			fd_close(&connection);
		} else {
			error = configure(viewer, open->socket);
		}
	}
	if (error) {
		log_error("viewer from %s: cannot be served: %s", open->peer, strerror(-error));
		monitor_viewer_kill(viewer, "its process could not be started");
		viewer->exited = viewer->process == NULL || viewer->exited;
		monitor_viewer_say_gone(viewer);
		if (viewer->exited) {
			monitor_viewer_destroy(viewer);
		}
		return;
	}
	monitor_viewer_record(viewer);
	report.number[0] = (uint64_t)process_pid(viewer->process);
	memcpy(report.user, viewer->user, sizeof(report.user));
	monitor_report(monitor, REPORT_VIEWER_STARTED, &report);
}

int monitor_viewer_adopt(struct monitor *monitor, const struct record *record, int connection)
{
	struct monitor_viewer *viewer = make_viewer(monitor, record->viewer, record->peer);
	int error;

	if (viewer == NULL) {
		return -ENOMEM;
	}
	viewer->found = true;
	viewer->granted = record->granted;
	viewer->attached = record->attached;
	viewer->slot = record->slot;
	memcpy(viewer->user, record->user, sizeof(viewer->user));
	memcpy(viewer->session, record->session, sizeof(viewer->session));
	viewer->rights = record->rights;
	monitor_slot_mark(monitor, record->slot);
	error = process_adopt(monitor->event, record->pid, record->start, monitor_viewer_on_ended,
	    viewer, &viewer->process);
	if (error == 0) {
		error = ipc_channel_create_take(monitor->event, connection, MONITOR_QUEUE,
		    &monitor_viewer_channel_ops, viewer, &viewer->channel);
	}
	if (error == 0) {
		error = ipc_channel_send(viewer->channel, DISPLAY_HELLO, NULL, NULL, 0);
	}
	if (error) {
		bool taken = viewer->channel != NULL;

		viewer->gone_said = true;
		monitor_viewer_destroy(viewer);
		return taken ? -EPIPE : error;
	}
	return 0;
}
