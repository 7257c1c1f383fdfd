/*
 * The link between a desktop and a viewer (display/scanout.h): made here, one end to each process, and only for a viewer
 * that was granted this very desktop.
 */
#include "hostd/monitor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "display/control.h"

static void report_broken(struct monitor_desktop *desktop, const struct monitor_viewer *viewer)
{
	struct report report = { .viewer = viewer->id };

	(void)snprintf(report.user, sizeof(report.user), "%s", desktop->user);
	monitor_report(desktop->monitor, REPORT_LINK_BROKEN, &report);
}

void monitor_attach(struct monitor_desktop *desktop, struct monitor_viewer *viewer)
{
	struct monitor_pending pending = { .viewer = viewer->id, .control = -1 };
	int ends[2] = { -1, -1 };
	struct wire body;
	int error;

	if (!viewer->granted || strcmp(viewer->session, desktop->user) != 0) {
		log_error("attach: viewer %llu was not granted the desktop of %s: refused",
		    (unsigned long long)viewer->id, desktop->user);
		report_broken(desktop, viewer);
		return;
	}
	if (viewer->channel == NULL) {
		return; /* just gone: said already */
	}
	wire_init_growing(&body, IPC_BODY_MAX);
	wire_put_u64(&body, viewer->id);
	error = ipc_pair(ends);
	if (error == 0) {
		error = monitor_vmm_request(desktop, VMM_ATTACH, &body, &ends[0], 1, &pending);
	}
	if (error == 0) {
		viewer->attached = true;
		monitor_viewer_send(viewer, DISPLAY_ATTACH, NULL, &ends[1], 1);
		monitor_viewer_record(viewer);
	} else {
		log_warning("attach: viewer %llu to the desktop of %s: %s",
		    (unsigned long long)viewer->id, desktop->user, strerror(-error));
		report_broken(desktop, viewer);
	}
	wire_fini(&body);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

void monitor_detach(struct monitor_desktop *desktop, struct monitor_viewer *viewer)
{
	struct wire body;
	int error;

	if (!viewer->attached || strcmp(viewer->session, desktop->user) != 0) {
		return;
	}
	viewer->attached = false;
	monitor_viewer_send(viewer, DISPLAY_DETACH, NULL, NULL, 0);
	wire_init_growing(&body, IPC_BODY_MAX);
	wire_put_u64(&body, viewer->id);
	error = monitor_vmm_request(desktop, VMM_DETACH, &body, NULL, 0, NULL);
	wire_fini(&body);
	if (error && error != -ENOTCONN) {
		log_warning(
		    "detach: viewer %llu: %s", (unsigned long long)viewer->id, strerror(-error));
	}
	monitor_viewer_record(viewer);
}
