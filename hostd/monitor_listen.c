/*
 * The daemon's listening sockets: those that systemd passed, or our own. Every failure names the address and what to do.
 * A Unix socket that nobody answers on is the remains of a daemon that was killed: it is replaced.
 */
#include "hostd/monitor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "hostd/source.h"

enum {
	BACKLOG = 128,
};

static must_check int add_listener(struct monitor *monitor, enum protocol_listener_kind kind,
    const char *address, uint16_t port, int fd)
{
	struct protocol_listener *listener;

	if (monitor->listener_count == PROTOCOL_LISTENERS_MAX) {
		log_error("listen: more than %d sockets", PROTOCOL_LISTENERS_MAX);
		return -ENOSPC;
	}
	listener = &monitor->listeners[monitor->listener_count];
	listener->kind = kind;
	listener->port = port;
	(void)snprintf(listener->address, sizeof(listener->address), "%.127s", address);
	monitor->listener_fds[monitor->listener_count++] = fd;
	return 0;
}

static bool has_listener(const struct monitor *monitor, enum protocol_listener_kind kind)
{
	for (size_t i = 0; i < monitor->listener_count; i++) {
		if (monitor->listeners[i].kind == kind) {
			return true;
		}
	}
	return false;
}

/* Descriptors of systemd's: by what they are, and a Unix socket by its path. */
static must_check int take_activated(struct monitor *monitor)
{
	int count = sd_listen_fds(1);
	int error = 0;

	if (count < 0) {
		log_error("listen: socket activation: %s", strerror(-count));
		return count;
	}
	for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + count && error == 0; fd++) {
		struct sockaddr_storage address = { 0 };
		socklen_t size = sizeof(address);
		char text[128] = "";
		uint16_t port = 0;
		enum protocol_listener_kind kind = PROTOCOL_LISTENER_TCP;

		if (getsockname(fd, (struct sockaddr *)&address, &size) < 0 ||
		    sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0) {
			log_error("listen: descriptor %d of the socket unit is no listening stream "
				  "socket",
			    fd);
			return -EINVAL;
		}
		if (address.ss_family == AF_UNIX) {
			struct sockaddr_un path;

			memcpy(&path, &address, sizeof(path));
			(void)snprintf(text, sizeof(text), "%.107s", path.sun_path);
			kind = strcmp(text, monitor->config->host.control) == 0
				   ? PROTOCOL_LISTENER_CONTROL
				   : PROTOCOL_LISTENER_UNIX;
		} else {
			struct sockaddr_in6 in6;

			memcpy(&in6, &address,
			    sizeof(in6)); /* the port lies at the same place in both */
			port = ntohs(in6.sin6_port);
			source_describe((const struct sockaddr *)&address, text, sizeof(text));
		}
		error = fd_set_nonblocking(fd);
		if (error == 0) {
			error = add_listener(monitor, kind, text, port, fd);
		}
	}
	return error;
}

static must_check int bind_tcp(const struct sockaddr *address, socklen_t size, int *result)
{
	static const int on = 1;
	static const int off = 0;
	int error;
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		return -errno;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (address->sa_family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0) ||
	    bind(fd, address, size) < 0 || listen(fd, BACKLOG) < 0) {
		error = -errno;
		fd_close(&fd);
		return error;
	}
	*result = fd;
	return 0;
}

static must_check int bind_address(const struct config_listen *listen, int *fd)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(listen->port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(listen->port) };
	int error;

	if (strcmp(listen->address, "*") == 0) {
		in6.sin6_addr = in6addr_any;
		error = bind_tcp((const struct sockaddr *)&in6, sizeof(in6), fd);
		if (error != -EAFNOSUPPORT && error != -EADDRNOTAVAIL) {
			return error;
		}
		return bind_tcp((const struct sockaddr *)&in, sizeof(in), fd);
	}
	if (inet_pton(AF_INET, listen->address, &in.sin_addr) == 1) {
		return bind_tcp((const struct sockaddr *)&in, sizeof(in), fd);
	}
	if (inet_pton(AF_INET6, listen->address, &in6.sin6_addr) == 1) {
		return bind_tcp((const struct sockaddr *)&in6, sizeof(in6), fd);
	}
	return -EINVAL;
}

static uint16_t bound_port(int fd, uint16_t port)
{
	struct sockaddr_in6 address = { 0 };
	socklen_t size = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &size) == 0) {
		return ntohs(address.sin6_port);
	}
	return port;
}

static must_check int listen_tcp(struct monitor *monitor, const struct config_listen *listen)
{
	int fd = -1;
	int error = bind_address(listen, &fd);

	switch (-error) {
	case 0:
		break;
	case EADDRINUSE:
		log_error(
		    "listen = %s:%u: the port is in use by another program (which one: "
		    "`ss -ltnp sport = :%u`): end it, or choose another port in [host] listen",
		    listen->address, listen->port, listen->port);
		return error;
	case EACCES:
		log_error("listen = %s:%u: ports below 1024 are for root: choose another in [host] "
			  "listen",
		    listen->address, listen->port);
		return error;
	case EADDRNOTAVAIL:
		log_error("listen = %s:%u: this host has no such address: see `ip address`, then "
			  "[host] listen",
		    listen->address, listen->port);
		return error;
	default:
		log_error("listen = %s:%u: %s", listen->address, listen->port, strerror(-error));
		return error;
	}
	error = add_listener(
	    monitor, PROTOCOL_LISTENER_TCP, listen->address, bound_port(fd, listen->port), fd);
	if (error) {
		fd_close(&fd);
	}
	return error;
}

/* Whether somebody answers on a Unix socket. */
static bool answers(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool answered = fd >= 0 &&
			connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;

	fd_close(&fd);
	return answered;
}

static must_check int listen_unix(
    struct monitor *monitor, enum protocol_listener_kind kind, const char *key, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat status;
	int error = 0;
	int fd;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (lstat(path, &status) == 0) {
		if (!S_ISSOCK(status.st_mode)) {
			log_error("%s = %s: is there already and is no socket: move it away, or "
				  "change [host] %s",
			    key, path, key);
			return -EEXIST;
		}
		if (answers(&address)) {
			log_error("%s = %s: another daemon answers on this socket: end it, or "
				  "change [host] %s",
			    key, path, key);
			return -EADDRINUSE;
		}
		log_info("%s: nobody is behind this socket any more: replaced", path);
		(void)unlink(path);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    chmod(path, monitor->root ? 0666 : 0600) < 0 || listen(fd, BACKLOG) < 0) {
		error = -errno;
		log_error("%s = %s: %s", key, path, strerror(-error));
	} else {
		error = add_listener(monitor, kind, path, 0, fd);
	}
	if (error) {
		fd_close(&fd);
	}
	return error;
}

int monitor_listen(struct monitor *monitor)
{
	const struct config_host *host = &monitor->config->host;
	int error = take_activated(monitor);
	size_t tcp_count = has_listener(monitor, PROTOCOL_LISTENER_TCP) ? 0 : host->listen_count;

	monitor->activated_count = monitor->listener_count;
	for (size_t i = 0; error == 0 && i < tcp_count; i++) {
		error = listen_tcp(monitor, &host->listen[i]);
	}
	if (error == 0 && host->unix_socket[0] != '\0' &&
	    !has_listener(monitor, PROTOCOL_LISTENER_UNIX)) {
		error = listen_unix(monitor, PROTOCOL_LISTENER_UNIX, "unix", host->unix_socket);
	}
	if (error == 0 && !has_listener(monitor, PROTOCOL_LISTENER_CONTROL)) {
		error = listen_unix(monitor, PROTOCOL_LISTENER_CONTROL, "control", host->control);
	}
	return error;
}
