/* Messages over a socket pair: descriptors, bounds, and a peer that does not keep to the rules. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/ipc.h"

struct pair {
	int ends[2];
	struct ipc_message *message;
	size_t fds_before;
};

/* How many descriptors this process has: nothing may leak, whatever happens. */
static size_t count_fds(void)
{
	size_t count = 0;

	for (int fd = 0; fd < 1024; fd++) {
		if (fcntl(fd, F_GETFD) >= 0) {
			count++;
		}
	}
	return count;
}

static void pair_init(struct pair *pair)
{
	pair->fds_before = count_fds();
	assert_int_equal(ipc_pair(pair->ends), 0);
	pair->message = malloc(sizeof(*pair->message));
	assert_non_null(pair->message);
}

static void pair_fini(struct pair *pair)
{
	fd_close(&pair->ends[0]);
	fd_close(&pair->ends[1]);
	free(pair->message);
	assert_int_equal(count_fds(), pair->fds_before);
}

static void test_message(void **state)
{
	struct pair pair;
	struct wire body;

	(void)state;
	pair_init(&pair);
	assert_true(fcntl(pair.ends[0], F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(pair.ends[1], F_GETFL) & O_NONBLOCK);
	wire_init_growing(&body, 100);
	wire_put_u32(&body, 0xdeadbeef);
	wire_put_string(&body, "hello");
	assert_int_equal(ipc_send(pair.ends[0], 0x1234, &body, NULL, 0), 0);
	assert_int_equal(ipc_send(pair.ends[0], 7, NULL, NULL, 0), 0);
	wire_fini(&body);

	assert_int_equal(ipc_receive(pair.ends[1], pair.message), 1);
	assert_int_equal(pair.message->type, 0x1234);
	assert_int_equal(wire_get_u32(&pair.message->body), 0xdeadbeef);
	assert_int_equal(pair.message->fd_count, 0);
	ipc_message_fini(pair.message);
	assert_int_equal(ipc_receive(pair.ends[1], pair.message), 1);
	assert_int_equal(pair.message->type, 7);
	assert_true(wire_done(&pair.message->body));
	ipc_message_fini(pair.message);
	assert_int_equal(ipc_receive(pair.ends[1], pair.message), -EAGAIN);
	ipc_message_fini(pair.message);
	pair_fini(&pair);
}

static void test_largest_message(void **state)
{
	struct pair pair;
	struct wire body;
	uint8_t *bytes = malloc(IPC_BODY_MAX + 1);

	(void)state;
	pair_init(&pair);
	assert_non_null(bytes);
	memset(bytes, 0x5a, IPC_BODY_MAX + 1);
	wire_init_growing(&body, IPC_BODY_MAX + 1);
	wire_put_bytes(&body, bytes, IPC_BODY_MAX);
	assert_int_equal(ipc_send(pair.ends[0], 1, &body, NULL, 0), 0);
	assert_int_equal(ipc_receive(pair.ends[1], pair.message), 1);
	assert_int_equal(wire_remaining(&pair.message->body), IPC_BODY_MAX);
	assert_memory_equal(wire_get_view(&pair.message->body, IPC_BODY_MAX), bytes, IPC_BODY_MAX);
	ipc_message_fini(pair.message);

	wire_put_u8(&body, 1);
	assert_int_equal(ipc_send(pair.ends[0], 1, &body, NULL, 0), -EMSGSIZE);
	wire_put_u8(&body, 1); /* beyond its limit: the wire has failed */
	assert_int_equal(ipc_send(pair.ends[0], 1, &body, NULL, 0), -EMSGSIZE);
	wire_fini(&body);
	free(bytes);
	pair_fini(&pair);
}

static void test_descriptors(void **state)
{
	struct pair pair;
	int fds[IPC_FDS_MAX + 1];
	int taken;

	(void)state;
	pair_init(&pair);
	for (size_t i = 0; i < IPC_FDS_MAX + 1; i++) {
		fds[i] = memfd_create("test", MFD_CLOEXEC);
		assert_true(fds[i] >= 0);
		assert_int_equal(ftruncate(fds[i], (off_t)i), 0);
	}
	assert_int_equal(ipc_send(pair.ends[0], 1, NULL, fds, IPC_FDS_MAX + 1), -EINVAL);
	assert_int_equal(ipc_send(pair.ends[0], 1, NULL, fds, IPC_FDS_MAX), 0);
	assert_int_equal(ipc_receive(pair.ends[1], pair.message), 1);
	assert_int_equal(pair.message->fd_count, IPC_FDS_MAX);
	taken = ipc_message_take_fd(pair.message, 9);
	assert_true(taken >= 0);
	assert_true(fcntl(taken, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(lseek(taken, 0, SEEK_END), 9);
	assert_int_equal(ipc_message_take_fd(pair.message, 9), -EBADF);
	assert_int_equal(ipc_message_take_fd(pair.message, IPC_FDS_MAX), -EBADF);
	assert_int_equal(ipc_message_take_fd(pair.message, SIZE_MAX), -EBADF);
	ipc_message_fini(pair.message);
	assert_int_equal(ipc_message_take_fd(pair.message, 0), -EBADF);
	assert_true(fcntl(taken, F_GETFD) >= 0); /* taken, so not closed */
	fd_close(&taken);
	for (size_t i = 0; i < IPC_FDS_MAX + 1; i++) {
		fd_close(&fds[i]);
	}
	pair_fini(&pair);
}

/* What a compromised peer can put on the socket. */
static void send_raw(int socket, size_t size, size_t fd_count)
{
	static uint8_t bytes[2 + IPC_BODY_MAX + 1000];
	char control[CMSG_SPACE(sizeof(int) * 200)] = { 0 };
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
	assert_int_equal(sendmsg(socket, &packet, MSG_NOSIGNAL), (ssize_t)size);
}

static void test_broken_packets(void **state)
{
	struct pair pair;

	(void)state;
	pair_init(&pair);
	send_raw(pair.ends[0], 1, 0); /* half a type */
	send_raw(pair.ends[0], 1, 3);
	send_raw(pair.ends[0], 0, 2);                    /* nothing but descriptors */
	send_raw(pair.ends[0], 2 + IPC_BODY_MAX + 1, 0); /* one byte too long */
	send_raw(pair.ends[0], 2 + IPC_BODY_MAX + 1, 5);
	send_raw(pair.ends[0], 10, IPC_FDS_MAX + 1); /* one descriptor too many */
	send_raw(pair.ends[0], 10, 200);
	for (int i = 0; i < 7; i++) {
		assert_int_equal(ipc_receive(pair.ends[1], pair.message), -EPROTO);
		assert_int_equal(pair.message->fd_count, 0);
		ipc_message_fini(pair.message);
	}
	/* The socket itself is still good. */
	send_raw(pair.ends[0], 2, 1);
	assert_int_equal(ipc_receive(pair.ends[1], pair.message), 1);
	ipc_message_fini(pair.message);
	pair_fini(&pair);
}

static void test_peer_is_gone(void **state)
{
	struct pair pair;

	(void)state;
	pair_init(&pair);
	/* It goes without having read, after having sent: what it sent still arrives. */
	assert_int_equal(ipc_send(pair.ends[1], 1, NULL, NULL, 0), 0);
	assert_int_equal(ipc_send(pair.ends[0], 2, NULL, NULL, 0), 0);
	fd_close(&pair.ends[0]);
	assert_int_equal(ipc_receive(pair.ends[1], pair.message), 1);
	assert_int_equal(pair.message->type, 2);
	ipc_message_fini(pair.message);
	assert_int_equal(ipc_receive(pair.ends[1], pair.message), 0);
	assert_int_equal(ipc_receive(pair.ends[1], pair.message), 0);
	ipc_message_fini(pair.message);
	assert_int_equal(ipc_send(pair.ends[1], 3, NULL, NULL, 0), -EPIPE);
	pair_fini(&pair);
}

static void test_full_socket(void **state)
{
	struct pair pair;
	unsigned int sent = 0;
	int error;

	(void)state;
	pair_init(&pair);
	do {
		error = ipc_send(pair.ends[0], (uint16_t)sent, NULL, NULL, 0);
		sent += error == 0;
		assert_in_range(sent, 0, 100000);
	} while (!error);
	assert_int_equal(error, -EAGAIN);
	for (unsigned int i = 0; i < sent; i++) {
		assert_int_equal(ipc_receive(pair.ends[1], pair.message), 1);
		assert_int_equal(pair.message->type, i);
		ipc_message_fini(pair.message);
	}
	assert_int_equal(ipc_receive(pair.ends[1], pair.message), -EAGAIN);
	pair_fini(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_largest_message),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_broken_packets),
		cmocka_unit_test(test_peer_is_gone),
		cmocka_unit_test(test_full_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
