/*
 * One packet, one message. What must stay true: no descriptor that the kernel handed us leaks,
 * whatever the peer sent, and a packet that did not arrive whole is never looked at.
 */
#include "base/ipc.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/fd.h"

enum {
	TYPE_SIZE = 2, /* bytes of the type at the head of a packet */
};

/* Room for the largest control message, aligned as the kernel writes it. */
union control {
	char bytes[CMSG_SPACE(sizeof(int) * IPC_FDS_MAX)];
	struct cmsghdr header;
};

int ipc_pair(int ends[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0) {
		return -errno;
	}
	return 0;
}

/* The errors by which the kernel says that nobody is at the other end. */
static bool means_gone(int error)
{
	return error == EPIPE || error == ECONNRESET || error == ENOTCONN || error == ECONNREFUSED;
}

int ipc_send(int socket, uint16_t type, const struct wire *body, const int *fds, size_t fd_count)
{
	uint8_t head[TYPE_SIZE] = { (uint8_t)(type & 0xff), (uint8_t)(type >> 8) };
	struct iovec parts[2] = { { .iov_base = head, .iov_len = sizeof(head) } };
	struct msghdr packet = { .msg_iov = parts, .msg_iovlen = 1 };
	union control control;

	if (fd_count > IPC_FDS_MAX) {
		return -EINVAL;
	}
	if (body && (!wire_ok(body) || body->position > IPC_BODY_MAX)) {
		return -EMSGSIZE;
	}
	if (body && body->position > 0) {
		parts[1] = (struct iovec){ .iov_base = body->data, .iov_len = body->position };
		packet.msg_iovlen = 2;
	}
	if (fd_count > 0) {
		struct cmsghdr *header;

		memset(&control, 0, sizeof(control));
		packet.msg_control = control.bytes;
		packet.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		header = CMSG_FIRSTHDR(&packet);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(header), fds, sizeof(int) * fd_count);
	}
	while (sendmsg(socket, &packet, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		if (errno != EINTR) {
			return means_gone(errno) ? -EPIPE : -errno;
		}
	}
	return 0;
}

/* Takes every descriptor of the packet into the message. Returns false, with those it has no room
 * for closed. */
static bool collect_fds(struct msghdr *packet, struct ipc_message *message)
{
	bool fits = true;

	for (struct cmsghdr *header = CMSG_FIRSTHDR(packet); header;
	     header = CMSG_NXTHDR(packet, header)) {
		size_t count;

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
		    header->cmsg_len < CMSG_LEN(0)) {
			continue;
		}
		count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
			if (message->fd_count < IPC_FDS_MAX) {
				message->fds[message->fd_count++] = fd;
			} else {
				fd_close(&fd);
				fits = false;
			}
		}
	}
	return fits;
}

int ipc_receive(int socket, struct ipc_message *message)
{
	struct iovec part = { .iov_base = message->buffer, .iov_len = sizeof(message->buffer) };
	union control control;
	struct msghdr packet;
	ssize_t count;

	message->type = 0;
	message->fd_count = 0;
	wire_init_read(&message->body, NULL, 0);
	do {
		packet = (struct msghdr){
			.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = control.bytes,
			.msg_controllen = sizeof(control.bytes),
		};
		count = recvmsg(socket, &packet, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
		/* A peer that went away without reading everything leaves ECONNRESET once, ahead of
		 * what it had sent. */
	} while (count < 0 && (errno == EINTR || errno == ECONNRESET));
	if (count < 0) {
		return -errno;
	}
	if (!collect_fds(&packet, message) || (packet.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		ipc_message_fini(message);
		return -EPROTO;
	}
	if (count == 0 && message->fd_count == 0) {
		return 0;
	}
	if (count < TYPE_SIZE) {
		ipc_message_fini(message);
		return -EPROTO;
	}
	message->type = (uint16_t)(message->buffer[0] | message->buffer[1] << 8);
	wire_init_read(&message->body, message->buffer + TYPE_SIZE, (size_t)count - TYPE_SIZE);
	return 1;
}

int ipc_message_take_fd(struct ipc_message *message, size_t index)
{
	int fd;

	if (index >= message->fd_count || message->fds[index] < 0) {
		return -EBADF;
	}
	fd = message->fds[index];
	message->fds[index] = -1;
	return fd;
}

void ipc_message_fini(struct ipc_message *message)
{
	for (size_t i = 0; i < message->fd_count; i++) {
		fd_close(&message->fds[i]);
	}
	message->fd_count = 0;
	wire_fini(&message->body);
}
