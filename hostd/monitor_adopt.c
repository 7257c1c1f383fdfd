/*
 * Finds what an earlier daemon left running: the sockets in RUNTIME/vmm and RUNTIME/display. A socket with a living process
 * behind it, whose record fits, is taken over; one without is removed. The inventory goes to the broker when every found
 * process has said what it is, or after a moment, so that one that hangs keeps nobody waiting.
 */
#include "hostd/monitor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "hostd/users.h"

enum {
	INVENTORY_WAIT_US = 1500 * 1000,
};

typedef int (*adopt_one)(
    struct monitor *monitor, const char *name, const struct record *record, int connection);

static void forget(int folder, const char *name)
{
	monitor_remove_socket(folder, name);
	record_remove(folder, name);
}

static int adopt_vmm(
    struct monitor *monitor, const char *name, const struct record *record, int connection)
{
	struct monitor_desktop *desktop = NULL;
	int error;

	if (strcmp(record->user, name) != 0 || !users_name_valid(name)) {
		return -EBADMSG;
	}
	error = monitor_open_desktop(monitor, name, true, &desktop);
	if (error) {
		return error;
	}
	if (desktop->process != NULL) {
		return -EEXIST;
	}
	return monitor_desktop_adopt(desktop, record, connection);
}

static int adopt_viewer(
    struct monitor *monitor, const char *name, const struct record *record, int connection)
{
	char *end = NULL;
	unsigned long long id = strtoull(name, &end, 10);

	if (*end != '\0' || id == 0 || id != record->viewer ||
	    monitor_find_viewer(monitor, id) != NULL) {
		return -EBADMSG;
	}
	return monitor_viewer_adopt(monitor, record, connection);
}

static void look_at(struct monitor *monitor, int folder, const char *name, adopt_one adopt)
{
	struct record record;
	int connection = -1;
	int error = monitor_connect(folder, name, &connection);

	if (error) {
		log_info("%s: nobody is behind this socket any more: removed", name);
		forget(folder, name);
		return;
	}
	error = record_read(folder, name, &record);
	if (error == 0) {
		error = adopt(monitor, name, &record, connection);
		if (error == 0) {
			monitor->hellos_awaited++;
			return;
		}
	}
	if (error != -EPIPE) {
		fd_close(&connection);
	}
	log_warning(
	    "%s: a process listens here that no record of this daemon fits (%s): left alone", name,
	    strerror(-error));
	forget(folder, name);
}

static void scan(struct monitor *monitor, int folder, adopt_one adopt)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry;

	if (stream == NULL) {
		log_error("runtime folder: %s", strerror(errno));
		fd_close(&copy);
		return;
	}
	while ((entry = readdir(stream)) != NULL) {
		size_t length = strlen(entry->d_name);
		char name[GRANT_NAME_MAX];

		if (length <= 5 || strcmp(entry->d_name + length - 5, ".sock") != 0 ||
		    length - 5 >= sizeof(name)) {
			continue;
		}
		memcpy(name, entry->d_name, length - 5);
		name[length - 5] = '\0';
		look_at(monitor, folder, name, adopt);
	}
	(void)closedir(stream);
}

static void open_all(struct monitor *monitor)
{
	struct monitor_desktop *desktop;
	char **users = NULL;
	size_t count = 0;
	int error = store_list_users(monitor->store, &users, &count);

	if (error) {
		log_error("state folder: list of sessions: %s", strerror(-error));
		return;
	}
	for (size_t i = 0; i < count; i++) {
		error = monitor_open_desktop(monitor, users[i], false, &desktop);
		if (error) {
			log_error("session=%s: left out: %s", users[i], strerror(-error));
		}
	}
	store_free_users(users, count);
}

static int on_wait_over(sd_event_source *source, uint64_t time_us, void *context)
{
	struct monitor *monitor = context;

	(void)source;
	(void)time_us;
	if (!monitor->inventory_done) {
		log_warning(
		    "%zu processes of an earlier daemon do not answer", monitor->hellos_awaited);
		/* One that writes a large snapshot answers late: it is taken for what it was last known to be. */
		for (struct monitor_desktop *desktop = monitor->desktops; desktop != NULL;
		     desktop = desktop->next) {
			if (desktop->hello_awaited) {
				desktop->found = monitor_desktop_guess(desktop);
			}
		}
		monitor->hellos_awaited = 1;
		monitor_adopt_done(monitor);
	}
	return 0;
}

void monitor_adopt(struct monitor *monitor)
{
	int error;

	open_all(monitor);
	scan(monitor, monitor->vmm_fd, adopt_vmm);
	scan(monitor, monitor->display_fd, adopt_viewer);
	for (struct monitor_desktop *desktop = monitor->desktops; desktop != NULL;
	     desktop = desktop->next) {
		/* Remains of an interrupted suspend; while a VMM lives it may still be writing them. */
		if (desktop->process == NULL && store_session_sweep(desktop->store) != 0) {
			log_warning(
			    "session=%s: remains of an interrupted suspend could not be deleted",
			    desktop->user);
		}
	}
	if (monitor->hellos_awaited == 0) {
		monitor->inventory_done = true;
		return;
	}
	error = sd_event_add_time(monitor->event, &monitor->inventory_timer, CLOCK_MONOTONIC,
	    clock_monotonic_us() + INVENTORY_WAIT_US, 0, on_wait_over, monitor);
	if (error < 0) {
		log_error("timer: %s", strerror(-error));
		monitor->inventory_done = true;
	}
}

void monitor_adopt_done(struct monitor *monitor)
{
	if (monitor->inventory_done || monitor->hellos_awaited == 0) {
		return;
	}
	monitor->hellos_awaited--;
	if (monitor->hellos_awaited > 0) {
		return;
	}
	monitor->inventory_timer = sd_event_source_disable_unref(monitor->inventory_timer);
	monitor->inventory_done = true;
	monitor_inventory(monitor);
}
