/* See control.h. Blocking sockets with poll: the command does nothing else meanwhile. */
#include "client/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "version.h"

static const char prefix[] = "org.tanmatsu.";

enum {
	READ_SIZE = 64 * 1024,
	FDS_MAX = 8,
};

struct control {
	int socket;
	int timeout_ms;
	char *buffer; /* what was received and not yet parsed */
	size_t used;
	size_t capacity;
	int fd; /* a descriptor that came and belongs to the answer being received, or -1 */
};

int control_find_path(const char *given, char *path, size_t size)
{
	static const char system_path[] = TANMATSU_RUNSTATEDIR "/tanmatsu/control.sock";
	const char *environment = getenv("TANMATSU_CONTROL");
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	int length;

	if (!given && environment && environment[0]) {
		given = environment;
	}
	if (given) {
		length = snprintf(path, size, "%s", given);
	} else if (geteuid() == 0 || access(system_path, F_OK) == 0 || !runtime || !runtime[0]) {
		length = snprintf(path, size, "%s", system_path);
	} else {
		length = snprintf(path, size, "%s/tanmatsu/control.sock", runtime);
	}
	return (size_t)length < size ? 0 : -ENAMETOOLONG;
}

int control_open(const char *path, struct control **control)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct control *opened;
	int error;

	if (strlen(path) >= sizeof(address.sun_path)) {
		return -ENAMETOOLONG;
	}
	strcpy(address.sun_path, path);
	opened = calloc(1, sizeof(*opened));
	if (!opened) {
		return -ENOMEM;
	}
	opened->fd = -1;
	opened->timeout_ms = -1;
	opened->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (opened->socket < 0) {
		error = -errno;
		goto fail;
	}
	if (connect(opened->socket, (struct sockaddr *)&address, sizeof(address)) < 0) {
		error = -errno;
		goto fail;
	}
	*control = opened;
	return 0;
fail:
	control_close(opened);
	return error;
}

void control_close(struct control *control)
{
	if (!control) {
		return;
	}
	fd_close(&control->fd);
	fd_close(&control->socket);
	free(control->buffer);
	free(control);
}

void control_set_timeout(struct control *control, int ms)
{
	control->timeout_ms = ms;
}

static int send_all(int socket, const char *data, size_t size, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} ancillary = { 0 };

	while (size > 0) {
		struct iovec part = { .iov_base = (void *)(uintptr_t)data, .iov_len = size };
		struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
		ssize_t sent;

		if (fd >= 0) {
			ancillary.header = (struct cmsghdr){
				.cmsg_len = CMSG_LEN(sizeof(int)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS,
			};
			memcpy(CMSG_DATA(&ancillary.header), &fd, sizeof(int));
			message.msg_control = ancillary.space;
			message.msg_controllen = sizeof(ancillary.space);
		}
		sent = sendmsg(socket, &message, MSG_NOSIGNAL);
		if (sent < 0) {
			if (errno == EINTR) {
				continue;
			}
			return -errno;
		}
		fd = -1; /* it went with the first byte */
		data += sent;
		size -= (size_t)sent;
	}
	return 0;
}

/* Keeps the first descriptor of a message, closes all others: no answer has more than one. */
static void keep_descriptors(struct control *control, struct msghdr *message)
{
	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
	     header = CMSG_NXTHDR(message, header)) {
		size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
			continue;
		}
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
			if (control->fd < 0) {
				control->fd = fd;
			} else {
				close(fd);
			}
		}
	}
}

/* Waits until there is something to read, at most until `deadline_us` (0: for ever). */
static int wait_readable(int socket, uint64_t deadline_us)
{
	struct pollfd poll_fd = { .fd = socket, .events = POLLIN };

	for (;;) {
		uint64_t now = clock_monotonic_us();
		int timeout = -1;
		int ready;

		if (deadline_us != 0) {
			timeout = now < deadline_us ? (int)((deadline_us - now + 999) / 1000) : 0;
		}
		ready = poll(&poll_fd, 1, timeout);
		if (ready > 0) {
			return 0;
		}
		if (ready == 0) {
			return -ETIMEDOUT;
		}
		if (errno != EINTR) {
			return -errno;
		}
	}
}

static int receive_more(struct control *control, uint64_t deadline_us)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} ancillary;
	struct iovec part;
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = ancillary.space,
		.msg_controllen = sizeof(ancillary.space),
	};
	ssize_t received;
	int error;

	if (control->used + READ_SIZE > control->capacity) {
		char *grown;

		if (control->used > CONTROL_MESSAGE_MAX) {
			return -EPROTO;
		}
		grown = realloc(control->buffer, (control->used + READ_SIZE) * 2);
		if (!grown) {
			return -ENOMEM;
		}
		control->buffer = grown;
		control->capacity = (control->used + READ_SIZE) * 2;
	}
	error = wait_readable(control->socket, deadline_us);
	if (error) {
		return error;
	}
	part.iov_base = control->buffer + control->used;
	part.iov_len = control->capacity - control->used;
	do {
		received = recvmsg(control->socket, &message, MSG_CMSG_CLOEXEC);
	} while (received < 0 && errno == EINTR);
	if (received < 0) {
		return -errno;
	}
	keep_descriptors(control, &message);
	if (received == 0) {
		return -ECONNRESET;
	}
	control->used += (size_t)received;
	return 0;
}

static int receive_reply(struct control *control, uint64_t deadline_us, struct control_reply *reply)
{
	size_t searched = 0;
	const char *end;
	size_t size;
	int error;

	for (;;) {
		end = searched < control->used
			  ? memchr(control->buffer + searched, 0, control->used - searched)
			  : NULL;
		if (end) {
			break;
		}
		searched = control->used;
		error = receive_more(control, deadline_us);
		if (error) {
			return error;
		}
	}
	size = (size_t)(end - control->buffer);
	error = control_reply_parse(control->buffer, size, reply);
	memmove(control->buffer, end + 1, control->used - size - 1);
	control->used -= size + 1;
	if (error) {
		return error;
	}
	reply->fd = control->fd;
	control->fd = -1;
	return 0;
}

static int send_call(
    struct control *control, const char *method, const json_t *parameters, int fd, bool more)
{
	json_t *call;
	char *text;
	int error;

	call = json_pack("{s:s+}", "method", prefix, method);
	if (!call) {
		return -ENOMEM;
	}
	if (parameters &&
	    json_object_set(call, "parameters", (json_t *)(uintptr_t)parameters) < 0) {
		json_decref(call);
		return -ENOMEM;
	}
	if (more) {
		json_object_set_new(call, "more", json_true());
	}
	text = json_dumps(call, JSON_COMPACT);
	json_decref(call);
	if (!text) {
		return -ENOMEM;
	}
	error = send_all(control->socket, text, strlen(text) + 1, fd);
	free(text);
	return error;
}

int control_call_take(struct control *control, const char *method, json_t *parameters, int fd,
    control_progress progress, void *context, struct control_reply *reply)
{
	int error;

	control_reply_init(reply);
	error = send_call(control, method, parameters, fd, progress != NULL);
	json_decref(parameters);
	/* A daemon that refuses us may have answered and hung up before it read the call: look for its answer. */
	if (error && error != -EPIPE && error != -ECONNRESET) {
		return error;
	}
	for (;;) {
		uint64_t deadline_us = 0;

		if (control->timeout_ms >= 0) {
			deadline_us = clock_monotonic_us() + (uint64_t)control->timeout_ms * 1000;
		}
		error = receive_reply(control, deadline_us, reply);
		if (error) {
			control_reply_fini(reply);
			return error;
		}
		if (!reply->continues) {
			return 0;
		}
		if (progress) {
			progress(reply, context);
		}
		control_reply_fini(reply);
	}
}

void control_reply_init(struct control_reply *reply)
{
	*reply = (struct control_reply){ .fd = -1 };
}

void control_reply_fini(struct control_reply *reply)
{
	json_decref(reply->parameters);
	fd_close(&reply->fd);
	control_reply_init(reply);
}

int control_reply_parse(const char *text, size_t size, struct control_reply *reply)
{
	json_t *message = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	json_t *parameters, *error, *continues;
	const char *name;

	control_reply_init(reply);
	if (!json_is_object(message)) {
		goto malformed;
	}
	parameters = json_object_get(message, "parameters");
	error = json_object_get(message, "error");
	continues = json_object_get(message, "continues");
	if ((parameters && !json_is_object(parameters)) || (error && !json_is_string(error)) ||
	    (continues && !json_is_boolean(continues))) {
		goto malformed;
	}
	if (error) {
		name = json_string_value(error);
		if (strncmp(name, prefix, strlen(prefix)) == 0) {
			name += strlen(prefix);
		}
		if (!name[0] || strlen(name) >= sizeof(reply->error)) {
			goto malformed;
		}
		strcpy(reply->error, name);
	}
	reply->continues = json_is_true(continues) && !error;
	reply->parameters = parameters ? json_incref(parameters) : json_object();
	json_decref(message);
	return reply->parameters ? 0 : -ENOMEM;
malformed:
	json_decref(message);
	return -EPROTO;
}

const char *control_reply_message(const struct control_reply *reply)
{
	const char *message = json_string_value(json_object_get(reply->parameters, "message"));

	return message ? message : "";
}
