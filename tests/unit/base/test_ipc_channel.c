/* Channels on an event loop: order, the bounded queue, ends of the stream, destruction anywhere. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <systemd/sd-event.h>

#include "base/fd.h"
#include "base/ipc.h"

/* One side of a conversation. */
struct side {
	struct ipc_channel *channel;
	uint16_t expected; /* type of the next message */
	size_t received;
	size_t fds_received;
	size_t closed;
	int error;
	int answer; /* what on_message returns */
	bool destroy_on_message;
	bool destroy_on_close;
	bool echo;
};

static int on_message(struct ipc_channel *channel, struct ipc_message *message, void *context)
{
	struct side *side = context;

	assert_ptr_equal(channel, side->channel);
	assert_int_equal(message->type, side->expected);
	side->expected++;
	side->received++;
	side->fds_received += message->fd_count;
	if (side->echo) {
		assert_int_equal(ipc_channel_send(channel, message->type, NULL, NULL, 0), 0);
	}
	if (side->destroy_on_message) {
		ipc_channel_destroy(channel);
		side->channel = NULL;
		/* The message stays readable until the callback returns. */
		assert_int_equal(wire_get_u8(&message->body), 0x77);
	}
	return side->answer;
}

static void on_close(struct ipc_channel *channel, int error, void *context)
{
	struct side *side = context;

	side->closed++;
	side->error = error;
	assert_int_equal(ipc_channel_send(channel, 1, NULL, NULL, 0), -EPIPE);
	assert_int_equal(ipc_channel_fd(channel), -1);
	if (side->destroy_on_close) {
		ipc_channel_destroy(channel);
		side->channel = NULL;
	}
}

static const struct ipc_channel_ops OPS = { .on_message = on_message, .on_close = on_close };

struct talk {
	sd_event *event;
	struct side left;
	struct side right;
};

static void talk_init(struct talk *talk, size_t queue_limit)
{
	int ends[2];

	memset(talk, 0, sizeof(*talk));
	assert_return_code(sd_event_new(&talk->event), 0);
	assert_int_equal(ipc_pair(ends), 0);
	assert_int_equal(ipc_channel_create_take(talk->event, ends[0], queue_limit, &OPS,
			     &talk->left, &talk->left.channel),
	    0);
	assert_int_equal(ipc_channel_create_take(talk->event, ends[1], queue_limit, &OPS,
			     &talk->right, &talk->right.channel),
	    0);
}

static void talk_fini(struct talk *talk)
{
	ipc_channel_destroy(talk->left.channel);
	ipc_channel_destroy(talk->right.channel);
	sd_event_unref(talk->event);
}

/* Runs the loop until it has nothing to do, and returns how often it had. */
static size_t run(struct talk *talk)
{
	size_t turns = 0;
	int result;

	do {
		result = sd_event_run(talk->event, 0);
		assert_return_code(result, 0);
		turns += result > 0;
	} while (result > 0);
	return turns;
}

static size_t send_until_full(struct ipc_channel *channel, const int *fds, size_t fd_count)
{
	size_t sent = 0;
	int error;

	for (;;) {
		error = ipc_channel_send(channel, (uint16_t)sent, NULL, fds, fd_count);
		if (error) {
			break;
		}
		sent++;
		assert_in_range(sent, 0, 60000);
	}
	assert_int_equal(error, -ENOBUFS);
	return sent;
}

static void test_queue_keeps_order(void **state)
{
	struct talk talk;
	size_t sent;

	(void)state;
	talk_init(&talk, 500);
	sent = send_until_full(talk.left.channel, NULL, 0);
	assert_in_range(sent, 501, 60000);
	/* While something is queued, the loop turns only for the reader's and the writer's progress. */
	run(&talk);
	assert_int_equal(talk.right.received, sent);
	assert_int_equal(talk.left.closed + talk.right.closed, 0);
	/* Nothing is queued any more: the loop is quiet, and the next message goes straight out. */
	assert_int_equal(run(&talk), 0);
	assert_int_equal(ipc_channel_send(talk.left.channel, (uint16_t)sent, NULL, NULL, 0), 0);
	run(&talk);
	assert_int_equal(talk.right.received, sent + 1);
	talk_fini(&talk);
}

static void test_queue_duplicates_descriptors(void **state)
{
	struct talk talk;
	int fds[2];
	size_t sent;

	(void)state;
	talk_init(&talk, 50);
	fds[0] = memfd_create("one", MFD_CLOEXEC);
	fds[1] = memfd_create("two", MFD_CLOEXEC);
	sent = send_until_full(talk.left.channel, fds, 2);
	fd_close(&fds[0]);
	fd_close(&fds[1]);
	run(&talk);
	assert_int_equal(talk.right.received, sent);
	assert_int_equal(talk.right.fds_received, 2 * sent);
	talk_fini(&talk);
}

static void test_refused_messages(void **state)
{
	struct talk talk;
	uint8_t bytes[4];
	struct wire body;
	int bad = -1;

	(void)state;
	talk_init(&talk, 2);
	wire_init_write(&body, bytes, sizeof(bytes));
	wire_fail(&body);
	assert_int_equal(ipc_channel_send(talk.left.channel, 0, &body, NULL, 0), -EMSGSIZE);
	assert_int_equal(ipc_channel_send(talk.left.channel, 0, NULL, &bad, 1), -EBADF);
	send_until_full(talk.left.channel, NULL, 0);
	/* The same answers when there is a queue. */
	assert_int_equal(ipc_channel_send(talk.left.channel, 0, &body, NULL, 0), -EMSGSIZE);
	assert_int_equal(
	    ipc_channel_send(talk.left.channel, 0, NULL, &bad, IPC_FDS_MAX + 1), -EINVAL);
	talk_fini(&talk);
}

static void test_peer_leaves(void **state)
{
	struct talk talk;

	(void)state;
	talk_init(&talk, 10);
	for (uint16_t i = 0; i < 40; i++) {
		assert_int_equal(ipc_channel_send(talk.left.channel, i, NULL, NULL, 0), 0);
	}
	/* The left side reads nothing of this before it goes. */
	assert_int_equal(ipc_channel_send(talk.right.channel, 0, NULL, NULL, 0), 0);
	ipc_channel_destroy(talk.left.channel);
	talk.left.channel = NULL;
	/* Not from within a send; what was sent before is delivered first. */
	assert_int_equal(ipc_channel_send(talk.right.channel, 0, NULL, NULL, 0), -EPIPE);
	assert_int_equal(talk.right.closed, 0);
	run(&talk);
	assert_int_equal(talk.right.received, 40);
	assert_int_equal(talk.right.closed, 1);
	assert_int_equal(talk.right.error, 0);
	run(&talk);
	assert_int_equal(talk.right.closed, 1);
	talk_fini(&talk);
}

static void test_protocol_error(void **state)
{
	struct talk talk;
	int raw = -1;

	(void)state;
	talk_init(&talk, 10);
	raw = fcntl(ipc_channel_fd(talk.left.channel), F_DUPFD_CLOEXEC, 0);
	assert_int_equal(write(raw, "x", 1), 1);
	run(&talk);
	assert_int_equal(talk.right.closed, 1);
	assert_int_equal(talk.right.error, -EPROTO);
	fd_close(&raw);
	talk_fini(&talk);
}

static void test_refusing_callback(void **state)
{
	struct talk talk;

	(void)state;
	talk_init(&talk, 10);
	talk.right.answer = -EBADMSG;
	talk.right.destroy_on_close = true;
	for (uint16_t i = 0; i < 5; i++) {
		assert_int_equal(ipc_channel_send(talk.left.channel, i, NULL, NULL, 0), 0);
	}
	run(&talk);
	assert_int_equal(talk.right.received, 1);
	assert_int_equal(talk.right.closed, 1);
	assert_int_equal(talk.right.error, -EBADMSG);
	assert_int_equal(talk.left.closed, 1);
	talk_fini(&talk);
}

static void test_destroy_inside_message(void **state)
{
	struct talk talk;
	uint8_t bytes[1] = { 0x77 };
	struct wire body = { .data = bytes, .size = 1, .position = 1 };

	(void)state;
	talk_init(&talk, 10);
	talk.right.destroy_on_message = true;
	talk.right.answer = -EIO; /* no on_close after destruction */
	assert_int_equal(ipc_channel_send(talk.left.channel, 0, &body, NULL, 0), 0);
	assert_int_equal(ipc_channel_send(talk.left.channel, 1, &body, NULL, 0), 0);
	run(&talk);
	assert_int_equal(talk.right.received, 1);
	assert_int_equal(talk.right.closed, 0);
	assert_int_equal(talk.left.closed, 1);
	talk_fini(&talk);
}

static void test_destroy_with_queue(void **state)
{
	struct talk talk;
	int fd = memfd_create("test", MFD_CLOEXEC);

	(void)state;
	talk_init(&talk, 30);
	send_until_full(talk.left.channel, &fd, 1);
	fd_close(&fd);
	talk_fini(&talk); /* the leak checkers have the word */
	ipc_channel_destroy(NULL);
}

static void test_echo(void **state)
{
	struct talk talk;

	(void)state;
	talk_init(&talk, 10);
	talk.right.echo = true;
	for (uint16_t i = 0; i < 100; i++) {
		assert_int_equal(ipc_channel_send(talk.left.channel, i, NULL, NULL, 0), 0);
		run(&talk);
	}
	assert_int_equal(talk.left.received, 100);
	talk_fini(&talk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queue_keeps_order),
		cmocka_unit_test(test_queue_duplicates_descriptors),
		cmocka_unit_test(test_refused_messages),
		cmocka_unit_test(test_peer_leaves),
		cmocka_unit_test(test_protocol_error),
		cmocka_unit_test(test_refusing_callback),
		cmocka_unit_test(test_destroy_inside_message),
		cmocka_unit_test(test_destroy_with_queue),
		cmocka_unit_test(test_echo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
