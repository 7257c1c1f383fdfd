/*
 * Packets as a compromised peer puts them on the socket: any bytes, any number of descriptors. Each
 * is received and its descriptors taken or left; none may leak. Input: per packet a byte for the
 * descriptors, a 16-bit length, and that many bytes (the length alone counts if there are fewer).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/ipc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	FDS_SENT_MAX = 128,
};

static void expect(bool condition)
{
	if (!condition) {
		abort();
	}
}

static void send_packet(int socket, uint8_t *bytes, size_t size, size_t fd_count)
{
	char control[CMSG_SPACE(sizeof(int) * FDS_SENT_MAX)] = { 0 };
	struct iovec part = { .iov_base = bytes, .iov_len = size };
	struct msghdr packet = { .msg_iov = &part, .msg_iovlen = 1 };

	if (fd_count > 0) {
		struct cmsghdr *header;

		packet.msg_control = control;
		packet.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		header = CMSG_FIRSTHDR(&packet);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		for (size_t i = 0; i < fd_count; i++) {
			memcpy(CMSG_DATA(header) + i * sizeof(int), &socket, sizeof(int));
		}
	}
	expect(sendmsg(socket, &packet, MSG_NOSIGNAL) == (ssize_t)size);
}

static void receive_packet(int socket, struct ipc_message *message, size_t size, size_t fd_count)
{
	int result = ipc_receive(socket, message);
	int fd;

	if (size < 2 || size > 2 + IPC_BODY_MAX || fd_count > IPC_FDS_MAX) {
		expect(result == -EPROTO || (result == 0 && size == 0 && fd_count == 0));
		expect(message->fd_count == 0);
	} else {
		expect(result == 1);
		expect(message->fd_count == fd_count && wire_remaining(&message->body) == size - 2);
		fd = ipc_message_take_fd(message, size % IPC_FDS_MAX);
		expect((fd >= 0) == (size % IPC_FDS_MAX < fd_count));
		fd_close(&fd);
		while (wire_remaining(&message->body) > 0) {
			char string[64];

			wire_get_string(&message->body, string, sizeof(string));
		}
	}
	ipc_message_fini(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ipc_message *message = malloc(sizeof(*message));
	uint8_t *bytes = calloc(1, UINT16_MAX);
	struct wire input;
	int ends[2];
	int lowest;

	expect(message && bytes && ipc_pair(ends) == 0);
	wire_init_read(&input, data, size);
	while (wire_remaining(&input) >= 3) {
		size_t fd_count = wire_get_u8(&input) % (FDS_SENT_MAX + 1);
		size_t length = wire_get_u16(&input);
		size_t given = length < wire_remaining(&input) ? length : wire_remaining(&input);

		wire_get_bytes(&input, bytes, given);
		memset(bytes + given, 0, length - given);
		send_packet(ends[0], bytes, length, fd_count);
		receive_packet(ends[1], message, length, fd_count);
	}
	/* Every descriptor that came has gone: the next one gets the number after ours. */
	lowest = fcntl(ends[0], F_DUPFD_CLOEXEC, 0);
	expect(lowest == ends[1] + 1 || lowest < ends[1]);
	fd_close(&lowest);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	free(bytes);
	free(message);
	return 0;
}
