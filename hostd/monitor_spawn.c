/*
 * Sockets and processes of the monitor. Each VMM and display process listens on a socket that was bound for it here, in a
 * folder that only the daemon's user can enter; the daemon then connects to it like any later daemon would. Sockets are
 * named through /proc/self/fd, so that the length of the runtime folder's path does not matter.
 */
#include "hostd/monitor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

enum {
	BACKLOG = 4,
};

uint32_t monitor_slot_take(struct monitor *monitor)
{
	for (uint32_t slot = 1; slot < MONITOR_SLOTS; slot++) {
		if (!(monitor->slots[slot / 8] & (1u << slot % 8))) {
			monitor_slot_mark(monitor, slot);
			return slot;
		}
	}
	return 0;
}

void monitor_slot_mark(struct monitor *monitor, uint32_t slot)
{
	if (slot < MONITOR_SLOTS) {
		monitor->slots[slot / 8] = (uint8_t)(monitor->slots[slot / 8] | 1u << slot % 8);
	}
}

void monitor_slot_free(struct monitor *monitor, uint32_t slot)
{
	if (slot > 0 && slot < MONITOR_SLOTS) {
		monitor->slots[slot / 8] = (uint8_t)(monitor->slots[slot / 8] & ~(1u << slot % 8));
	}
}

static int name_socket(int folder, const char *name, struct sockaddr_un *address)
{
	int length;

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	length = snprintf(
	    address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/%s.sock", folder, name);
	return length > 0 && (size_t)length < sizeof(address->sun_path) ? 0 : -ENAMETOOLONG;
}

void monitor_remove_socket(int folder, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s.sock", name);
	(void)unlinkat(folder, path, 0);
}

static must_check int bind_socket(int folder, const char *name, int *listener)
{
	struct sockaddr_un address;
	int error = name_socket(folder, name, &address);
	int fd;

	if (error) {
		return error;
	}
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return -errno;
	}
	monitor_remove_socket(folder, name);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, BACKLOG) < 0) {
		error = -errno;
		fd_close(&fd);
		return error;
	}
	*listener = fd;
	return 0;
}

int monitor_connect(int folder, const char *name, int *connection)
{
	struct sockaddr_un address;
	int error = name_socket(folder, name, &address);
	int fd;

	if (error) {
		return error;
	}
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return -errno;
	}
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		error = -errno;
		fd_close(&fd);
		return error;
	}
	*connection = fd;
	return 0;
}

int monitor_spawn_child(struct monitor *monitor, const struct monitor_child *child,
    struct process **process, int *connection)
{
	char path[MONITOR_LIBEXEC_MAX + 64];
	char uid[16];
	const char *arguments[6] = { path, NULL };
	int listener = -1;
	int error;
	struct process_spec spec = {
		.path = path,
		.arguments = arguments,
		.fds = &listener,
		.fd_count = 1,
		.log_fd = -1,
	};

	(void)snprintf(path, sizeof(path), "%s/%s", monitor->options.libexec, child->program);
	(void)snprintf(uid, sizeof(uid), "%u", monitor->config->host.uid_base + child->slot);
	if (monitor->root) {
		arguments[1] = "--uid";
		arguments[2] = uid;
		arguments[3] = "--gid";
		arguments[4] = uid;
	}
	error = bind_socket(child->folder, child->name, &listener);
	if (error) {
		log_error(
		    "start %s: socket for %s: %s", child->program, child->name, strerror(-error));
		return error;
	}
	error = process_spawn(monitor->event, &spec, child->on_exit, child->context, process);
	fd_close(&listener);
	if (error) {
		log_error("start %s: %s: %s (is --libexec right?)", child->program, path,
		    strerror(-error));
		monitor_remove_socket(child->folder, child->name);
		return error;
	}
	error = monitor_connect(child->folder, child->name, connection);
	if (error) {
		log_error(
		    "start %s: connect to %s: %s", child->program, child->name, strerror(-error));
		(void)process_signal(*process, SIGKILL);
		process_destroy(*process);
		*process = NULL;
		monitor_remove_socket(child->folder, child->name);
	}
	return error;
}
