/* The serial port's log, and the timers it hangs on: a guest's flood costs a bounded file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/clock.h"
#include "vmm/console.h"
#include "vmm/timers.h"

struct fixture {
	sd_event *event;
	pthread_mutex_t lock;
	struct timers *timers;
	int fd; /* a second descriptor of the log */
	struct console *console;
};

static void fixture_create(struct fixture *fixture, uint64_t limit)
{
	char path[] = "/tmp/tanmatsu-test-console.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	fixture->fd = dup(fd);
	pthread_mutex_init(&fixture->lock, NULL);
	assert_true(sd_event_new(&fixture->event) >= 0);
	assert_int_equal(timers_create(fixture->event, &fixture->lock, &fixture->timers), 0);
	assert_int_equal(console_create_take(fixture->timers, fd, limit, &fixture->console), 0);
}

static void fixture_destroy(struct fixture *fixture)
{
	console_destroy(fixture->console);
	timers_destroy(fixture->timers);
	sd_event_unref(fixture->event);
	close(fixture->fd);
}

static size_t read_log(const struct fixture *fixture, char *text, size_t size)
{
	ssize_t count = pread(fixture->fd, text, size - 1, 0);

	assert_true(count >= 0);
	text[count] = '\0';
	return (size_t)count;
}

static void put(struct console *console, const char *text)
{
	while (*text) {
		console_put(console, (uint8_t)*text++);
	}
}

static void test_written_by_timer(void **state)
{
	struct fixture fixture;
	char text[100];

	(void)state;
	fixture_create(&fixture, 0);
	put(fixture.console, "hello\n");
	assert_int_equal(read_log(&fixture, text, sizeof(text)), 0);
	assert_true(sd_event_run(fixture.event, 5000000) > 0);
	assert_int_equal(read_log(&fixture, text, sizeof(text)), 6);
	put(fixture.console, "x");
	fixture_destroy(&fixture);
}

static void test_bounded(void **state)
{
	enum {
		LIMIT = 20000,
	};
	struct fixture fixture;
	struct stat status;
	static char text[LIMIT + 1];

	(void)state;
	fixture_create(&fixture, LIMIT);
	for (int i = 0; i < 20000; i++) {
		put(fixture.console, "a line of the guest\n");
		assert_int_equal(fstat(fixture.fd, &status), 0);
		assert_true(status.st_size <= LIMIT);
	}
	put(fixture.console, "the end\n");
	console_flush(fixture.console);
	assert_true(read_log(&fixture, text, sizeof(text)) > 0);
	assert_non_null(strstr(text, "starts afresh"));
	assert_non_null(strstr(text, "the end"));
	fixture_destroy(&fixture);
}

static void test_without_file(void **state)
{
	struct fixture fixture;
	struct console *console;

	(void)state;
	fixture_create(&fixture, 0);
	assert_int_equal(console_create_take(fixture.timers, -1, 0, &console), 0);
	put(console, "nobody listens");
	console_flush(console);
	console_destroy(console);
	fixture_destroy(&fixture);
}

struct order {
	struct device_timer *timers[3];
	char said[8];
	size_t count;
};

static void say_a(void *context)
{
	struct order *order = context;

	order->said[order->count++] = 'a';
	timer_set_at(order->timers[1], UINT64_MAX); /* takes b's turn away */
}

static void say_b(void *context)
{
	struct order *order = context;

	order->said[order->count++] = 'b';
}

static void say_c(void *context)
{
	struct order *order = context;

	order->said[order->count++] = 'c';
	if (order->count < 3) {
		timer_set_at(order->timers[2], clock_monotonic_us() + 1000);
	}
}

static void test_timers(void **state)
{
	struct fixture fixture;
	struct order order = { .count = 0 };
	uint64_t now = clock_monotonic_us();

	(void)state;
	fixture_create(&fixture, 0);
	order.timers[0] = timer_create_in(fixture.timers, say_a, &order);
	order.timers[1] = timer_create_in(fixture.timers, say_b, &order);
	order.timers[2] = timer_create_in(fixture.timers, say_c, &order);
	timer_set_at(order.timers[0], now + 1000);
	timer_set_at(order.timers[1], now + 20000);
	while (order.count < 1) {
		assert_true(sd_event_run(fixture.event, 5000000) > 0);
	}
	timer_set_at(order.timers[2], 0); /* long past: at once */
	while (order.count < 3) {
		assert_true(sd_event_run(fixture.event, 5000000) > 0);
	}
	assert_int_equal(sd_event_run(fixture.event, 30000), 0); /* nothing is left */
	assert_memory_equal(order.said, "acc", 3);
	timer_destroy_in(order.timers[1]);
	timer_destroy_in(order.timers[0]);
	timer_destroy_in(order.timers[2]);
	timer_destroy_in(NULL);
	fixture_destroy(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written_by_timer),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_without_file),
		cmocka_unit_test(test_timers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
