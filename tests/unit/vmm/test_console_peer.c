/* Somebody at the serial port: both ways, slow readers and writers, replaced, gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "vmm/console_peer.h"
#include "vmm/timers.h"

enum {
	WAIT_US = 5000000,
	FLOOD = 1024 * 1024,
	LINE = 20,
};

struct fixture {
	sd_event *event;
	pthread_mutex_t lock;
	struct timers *timers;
	struct console_peer *peer;
	/* The guest. */
	char heard[4096];
	size_t heard_size, room;
};

static size_t receive(void *context, const void *bytes, size_t size)
{
	struct fixture *fixture = context;
	size_t taken = size < fixture->room ? size : fixture->room;

	assert_true(fixture->heard_size + taken < sizeof(fixture->heard));
	memcpy(fixture->heard + fixture->heard_size, bytes, taken);
	fixture->heard_size += taken;
	fixture->room -= taken;
	return taken;
}

static void fixture_create(struct fixture *fixture)
{
	memset(fixture, 0, sizeof(*fixture));
	fixture->room = sizeof(fixture->heard) - 1;
	pthread_mutex_init(&fixture->lock, NULL);
	assert_true(sd_event_new(&fixture->event) >= 0);
	assert_int_equal(timers_create(fixture->event, &fixture->lock, &fixture->timers), 0);
	assert_int_equal(console_peer_create(
			     &(struct console_peer_setup){
				 .event = fixture->event,
				 .timers = fixture->timers,
				 .lock = &fixture->lock,
				 .receive = receive,
				 .context = fixture,
			     },
			     &fixture->peer),
	    0);
}

static void fixture_destroy(struct fixture *fixture)
{
	console_peer_destroy(fixture->peer);
	timers_destroy(fixture->timers);
	sd_event_unref(fixture->event);
	pthread_mutex_destroy(&fixture->lock);
}

/* Our end of a new console. */
static int attach(struct fixture *fixture)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(console_peer_attach_take(fixture->peer, ends[1]), 0);
	assert_true(console_peer_attached(fixture->peer));
	return ends[0];
}

static void put(struct fixture *fixture, const char *text)
{
	while (*text) {
		console_peer_put(fixture->peer, (uint8_t)*text++);
	}
}

static void turn(struct fixture *fixture)
{
	assert_true(sd_event_run(fixture->event, WAIT_US) > 0);
}

/* Lets everything that can happen now happen. */
static void settle(struct fixture *fixture)
{
	while (sd_event_run(fixture->event, 50000) > 0) {
	}
}

static void expect(int console, const char *text)
{
	char got[256] = "";

	assert_int_equal(
	    recv(console, got, strlen(text), MSG_DONTWAIT | MSG_WAITALL), (ssize_t)strlen(text));
	assert_string_equal(got, text);
}

static void test_both_ways(void **state)
{
	struct fixture fixture;
	int console;

	(void)state;
	fixture_create(&fixture);
	put(&fixture, "nobody is there");
	console = attach(&fixture);
	put(&fixture, "login: ");
	turn(&fixture);
	expect(console, "login: ");
	assert_int_equal(write(console, "alice\r", 6), 6);
	turn(&fixture);
	assert_string_equal(fixture.heard, "alice\r");
	put(&fixture, "the last words");
	fixture_destroy(&fixture);
	expect(console, "the last words");
	assert_int_equal(recv(console, &(char){ 0 }, 1, 0), 0);
	close(console);
}

/* The guest takes as much as it likes; the rest waits in order, and the writer finds its socket full in the end. */
static void test_slow_guest(void **state)
{
	static char flood[FLOOD];
	struct fixture fixture;
	ssize_t sent;
	int console;

	(void)state;
	memset(flood, 'f', sizeof(flood));
	fixture_create(&fixture);
	console = attach(&fixture);
	fixture.room = 3;
	assert_int_equal(write(console, "abcdefghij", 10), 10);
	turn(&fixture);
	assert_string_equal(fixture.heard, "abc");
	sent = send(console, flood, sizeof(flood), MSG_DONTWAIT);
	assert_true(sent > 0 && sent < FLOOD);
	settle(&fixture);
	assert_int_equal(send(console, "x", 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(fixture.heard_size, 3);

	fixture.room = 10;
	console_peer_room(fixture.peer);
	settle(&fixture);
	assert_string_equal(fixture.heard, "abcdefghijfff");
	/* What is left goes with the one who wrote it. */
	close(console);
	settle(&fixture);
	assert_false(console_peer_attached(fixture.peer));
	fixture_destroy(&fixture);
}

/* Reads until nothing more comes; checks that lines are whole but at a note. Returns how many notes there were. */
static unsigned read_flood(struct fixture *fixture, int console, uint64_t *missing, size_t *read)
{
	static char text[2 * FLOOD];
	size_t used = 0;
	unsigned notes = 0;
	ssize_t size;

	for (;;) {
		size = recv(console, text + used, sizeof(text) - 1 - used, MSG_DONTWAIT);
		if (size > 0) {
			used += (size_t)size;
		} else if (sd_event_run(fixture->event, 50000) == 0) {
			break;
		}
	}
	text[used] = '\0';
	*read = used;
	*missing = 0;
	for (const char *at = text; (at = strstr(at, "\r\n[")); at++) {
		const char *end = strstr(at, "]\r\n");

		assert_non_null(end);
		*missing += strtoull(at + 3, NULL, 10);
		*read -= (size_t)(end + 3 - at);
		notes++;
	}
	return notes;
}

static void test_slow_reader(void **state)
{
	struct fixture fixture;
	uint64_t missing;
	size_t read;
	int console;

	(void)state;
	fixture_create(&fixture);
	console = attach(&fixture);
	for (int i = 0; i < FLOOD / LINE; i++) {
		put(&fixture, "a line of the guest\n");
		if (i % 1000 == 0) {
			(void)!sd_event_run(fixture.event, 0);
		}
	}
	assert_in_range(read_flood(&fixture, console, &missing, &read), 1, 20);
	assert_true(missing > 0);
	assert_int_equal(read + missing, FLOOD / LINE * LINE);
	put(&fixture, "and on");
	turn(&fixture);
	expect(console, "and on");
	close(console);
	fixture_destroy(&fixture);
}

static void test_replaced(void **state)
{
	struct fixture fixture;
	char text[256] = "";
	int first, second, datagram[2];

	(void)state;
	fixture_create(&fixture);
	first = attach(&fixture);
	put(&fixture, "for the first");
	second = attach(&fixture);
	put(&fixture, "for the second");
	settle(&fixture);
	assert_true(recv(first, text, sizeof(text) - 1, MSG_WAITALL) > 0);
	assert_memory_equal(text, "for the first\r\n[", 16);
	assert_non_null(strstr(text, "another console"));
	expect(second, "for the second");

	/* What is no stream is refused, and nobody loses anything. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, datagram), 0);
	assert_int_equal(console_peer_attach_take(fixture.peer, datagram[0]), -EPROTOTYPE);
	assert_int_equal(console_peer_attach_take(fixture.peer, dup(STDIN_FILENO)), -EPROTOTYPE);
	put(&fixture, "still here");
	settle(&fixture);
	expect(second, "still here");
	close(first);
	close(second);
	close(datagram[1]);
	fixture_destroy(&fixture);
}

static void test_gone(void **state)
{
	struct fixture fixture;
	int console;

	(void)state;
	fixture_create(&fixture);
	console = attach(&fixture);
	assert_int_equal(write(console, "bye", 3), 3);
	close(console);
	settle(&fixture);
	assert_string_equal(fixture.heard, "bye");
	assert_false(console_peer_attached(fixture.peer));
	put(&fixture, "to nobody");
	console_peer_room(fixture.peer);
	/* Gone while something is on its way. */
	console = attach(&fixture);
	put(&fixture, "x");
	close(console);
	settle(&fixture);
	assert_false(console_peer_attached(fixture.peer));
	fixture_destroy(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_slow_guest),
		cmocka_unit_test(test_slow_reader),
		cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
