/* The RFB session by itself: libvncserver does only what it is told, when it is told, and no more than fits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "display/rfb_io.h"
#include "display/server.h"

struct fixture {
	struct server *server;
	uint32_t *pixels;
	uint8_t *output;
	size_t size, capacity;
	int other_end;
	uint32_t asked_width, asked_height;
	bool accepts_size;
};

static int write_output(void *context, const void *data, size_t size)
{
	struct fixture *fixture = context;

	if (fixture->size + size > fixture->capacity) {
		fixture->capacity = 2 * (fixture->size + size);
		fixture->output = realloc(fixture->output, fixture->capacity);
	}
	memcpy(fixture->output + fixture->size, data, size);
	fixture->size += size;
	return 0;
}

static void on_key(void *context, uint32_t keysym, uint32_t scancode, bool down)
{
	(void)context;
	(void)keysym;
	(void)scancode;
	(void)down;
}

static void on_pointer(void *context, uint16_t buttons, uint32_t x, uint32_t y)
{
	(void)context;
	(void)buttons;
	(void)x;
	(void)y;
}

static bool on_resize(void *context, uint32_t width, uint32_t height)
{
	struct fixture *fixture = context;

	fixture->asked_width = width;
	fixture->asked_height = height;
	return fixture->accepts_size;
}

static void on_encodings(void *context)
{
	(void)context;
}

static void feed(struct fixture *fixture, const void *data, size_t size)
{
	size_t room;
	void *to = server_input(fixture->server, &room);

	assert_true(size <= room);
	memcpy(to, data, size);
	assert_int_equal(server_input_done(fixture->server, size), 0);
}

static void begin(struct fixture *fixture, uint32_t width, uint32_t height)
{
	static const struct server_ops ops = {
		.write = write_output,
		.on_key = on_key,
		.on_pointer = on_pointer,
		.on_resize = on_resize,
		.on_encodings = on_encodings,
	};
	int ends[2];

	*fixture = (struct fixture){ .pixels = calloc((size_t)width * height, 4) };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	fixture->other_end = ends[1];
	assert_int_equal(server_create_take(ends[0], "name", fixture->pixels, width, height, &ops,
			     fixture, &fixture->server),
	    0);
	assert_int_equal(fixture->size, 0); /* its own handshake is nobody else's */
	assert_false(server_is_started(fixture->server));
	feed(fixture, "\1", 1);
	assert_true(server_is_started(fixture->server));
	assert_int_equal(fixture->size, 24 + 4); /* ServerInit */
	fixture->size = 0;
}

static void end(struct fixture *fixture)
{
	server_destroy(fixture->server);
	close(fixture->other_end);
	free(fixture->pixels);
	free(fixture->output);
}

static void request(struct fixture *fixture, uint8_t incremental, uint16_t x, uint16_t y,
    uint16_t width, uint16_t height)
{
	uint8_t bytes[10] = { 3, incremental, (uint8_t)(x >> 8), (uint8_t)x, (uint8_t)(y >> 8),
		(uint8_t)y, (uint8_t)(width >> 8), (uint8_t)width, (uint8_t)(height >> 8),
		(uint8_t)height };

	feed(fixture, bytes, sizeof(bytes));
}

static uint32_t be32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

static uint32_t be16(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 8 | bytes[1];
}

/* Takes one update of raw and pseudo rectangles from the output; returns its pixels. */
static uint64_t take_raw_update(struct fixture *fixture, uint32_t *bottom)
{
	const uint8_t *at = fixture->output + 4;
	uint64_t pixels = 0;

	assert_int_equal(fixture->output[0], 0);
	for (uint32_t left = be16(fixture->output + 2); left > 0; left--) {
		uint32_t width = be16(at + 4);
		uint32_t height = be16(at + 6);

		if (be32(at + 8) == 0) {
			pixels += (uint64_t)width * height;
			*bottom = be16(at + 2) + height;
			at += 4u * width * height;
		} else {
			assert_int_equal(width * height, 0);
		}
		at += 12;
	}
	assert_ptr_equal(at, fixture->output + fixture->size);
	fixture->size = 0;
	return pixels;
}

static void test_library_is_replaced(void **state)
{
	struct fixture fixture;
	uint64_t start, best = UINT64_MAX;

	(void)state;
	assert_true(rfb_io_is_effective());
	/* Without the wait for a browser; the fastest of some, as others may use the machine. */
	for (int i = 0; i < 5; i++) {
		start = clock_monotonic_us();
		begin(&fixture, 64, 48);
		start = clock_monotonic_us() - start;
		best = start < best ? start : best;
		end(&fixture);
	}
	assert_true(best < 50 * 1000);
}

static void test_only_what_is_marked_and_asked(void **state)
{
	struct fixture fixture;
	uint32_t bottom = 0;

	(void)state;
	begin(&fixture, 640, 480);
	assert_false(server_is_asked(fixture.server));
	assert_int_equal(server_update(fixture.server), 0);
	request(&fixture, 0, 0, 0, 640, 480);
	assert_true(server_is_asked(fixture.server));
	assert_int_equal(server_update(fixture.server), 1);
	assert_int_equal(take_raw_update(&fixture, &bottom), 640 * 480);
	assert_int_equal(server_update(fixture.server), 0);
	server_mark(fixture.server, 10, 20, 5, 7); /* nobody asks */
	assert_int_equal(server_update(fixture.server), 0);
	assert_int_equal(fixture.size, 0);
	request(&fixture, 1, 0, 0, 640, 22); /* for a part of it */
	assert_int_equal(server_update(fixture.server), 1);
	assert_int_equal(take_raw_update(&fixture, &bottom), 5 * 2);
	request(&fixture, 1, 0, 0, 640, 480); /* for the rest */
	assert_int_equal(server_update(fixture.server), 1);
	assert_int_equal(take_raw_update(&fixture, &bottom), 5 * 5);
	request(&fixture, 1, 0, 0, 640, 480); /* there is nothing more, the request stays open */
	assert_int_equal(server_update(fixture.server), 0);
	assert_true(server_is_asked(fixture.server));
	server_mark(fixture.server, 639, 479, 1, 1);
	assert_int_equal(server_update(fixture.server), 1);
	assert_int_equal(take_raw_update(&fixture, &bottom), 1);
	assert_false(server_is_asked(fixture.server));
	end(&fixture);
}

/* A large picture comes in parts, each of which fits. */
static void test_large_updates_are_cut(void **state)
{
	struct fixture fixture;
	uint64_t pixels = 0;
	uint32_t bottom = 0;
	int parts = 0;

	(void)state;
	begin(&fixture, 3840, 2160);
	request(&fixture, 0, 0, 0, 3840, 2160);
	while (server_update(fixture.server) == 1) {
		assert_true(fixture.size <= SERVER_UPDATE_PIXELS * 4 + 4096);
		pixels += take_raw_update(&fixture, &bottom);
		parts++;
	}
	assert_int_equal(pixels, 3840 * 2160);
	assert_int_equal(bottom, 2160);
	assert_int_equal(parts, 4);
	assert_false(server_is_asked(fixture.server));
	end(&fixture);
}

static void test_requests_for_nothing(void **state)
{
	struct fixture fixture;
	uint32_t bottom;

	(void)state;
	begin(&fixture, 64, 48);
	request(&fixture, 0, 0, 0, 0, 48);
	request(&fixture, 0, 0, 0, 64, 0);
	request(&fixture, 0, 64, 0, 64, 48);
	request(&fixture, 0, 0, 48, 64, 48);
	request(&fixture, 0, 65535, 65535, 65535, 65535);
	assert_false(server_is_asked(fixture.server));
	request(&fixture, 0, 60, 40, 65535, 65535);
	assert_int_equal(server_update(fixture.server), 1);
	assert_int_equal(take_raw_update(&fixture, &bottom), 4 * 8);
	end(&fixture);
}

/* The cursor: none over a desktop, which draws its own; an arrow over a caption. */
static void test_arrow(void **state)
{
	static const uint8_t encodings[] = { 2, 0, 0, 2, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x11 };
	struct fixture fixture;

	(void)state;
	begin(&fixture, 64, 48);
	feed(&fixture, encodings, sizeof(encodings));
	request(&fixture, 0, 0, 0, 64, 48);
	assert_int_equal(server_update(fixture.server), 1);
	assert_int_equal(be32(fixture.output + 12), 0xffffff11);
	assert_int_equal(be32(fixture.output + 8), 0); /* 0 x 0 */
	for (int shown = 1; shown >= 0; shown--) {
		fixture.size = 0;
		server_show_arrow(fixture.server, shown);
		request(&fixture, 1, 0, 0, 64, 48);
		assert_int_equal(server_update(fixture.server), 1);
		assert_int_equal(be32(fixture.output + 12), 0xffffff11);
		assert_int_equal(be16(fixture.output + 8), shown ? 12 : 0);
		assert_int_equal(fixture.size, 4 + 12 + (shown ? 12 * 16 * 4 + 2 * 16 : 0));
	}
	end(&fixture);
}

static void ask_size(struct fixture *fixture, uint16_t width, uint16_t height, uint8_t screens)
{
	uint8_t bytes[8 + 16 * 4] = { 251, 0, (uint8_t)(width >> 8), (uint8_t)width,
		(uint8_t)(height >> 8), (uint8_t)height, screens };

	feed(fixture, bytes, 8 + 16u * screens);
}

/* ExtendedDesktopSize: reason and result lie in x and y. */
static void check_size(
    struct fixture *fixture, uint32_t reason, uint32_t result, uint32_t width, uint32_t height)
{
	fixture->size = 0;
	request(fixture, 1, 0, 0, 64, 48);
	assert_int_equal(server_update(fixture->server), 1);
	assert_int_equal(be32(fixture->output + 12), 0u - 308u);
	assert_int_equal(be16(fixture->output + 4), reason);
	assert_int_equal(be16(fixture->output + 6), result);
	assert_int_equal(be16(fixture->output + 8), width);
	assert_int_equal(be16(fixture->output + 10), height);
}

static void test_sizes(void **state)
{
	static const uint8_t encodings[] = { 2, 0, 0, 2, 0, 0, 0, 0, 0xff, 0xff, 0xfe, 0xcc };
	struct fixture fixture;
	uint32_t *larger = calloc(100 * 50, 4);

	(void)state;
	begin(&fixture, 64, 48);
	feed(&fixture, encodings, sizeof(encodings));
	assert_true(server_can_resize(fixture.server));
	request(&fixture, 0, 0, 0, 64, 48); /* the size is told first, the pixels after it */
	check_size(&fixture, 0, 0, 64, 48);
	assert_int_equal(server_update(fixture.server), 1);
	ask_size(&fixture, 100, 50, 1); /* refused */
	check_size(&fixture, 1, 3, 64, 48);
	fixture.accepts_size = true;
	ask_size(&fixture, 100, 50, 0); /* without a screen */
	check_size(&fixture, 1, 3, 64, 48);
	ask_size(&fixture, 100, 50, 1); /* taken: answered when it is there */
	fixture.size = 0;
	assert_int_equal(server_update(fixture.server), 0);
	assert_int_equal(fixture.asked_width, 100);
	assert_int_equal(fixture.asked_height, 50);
	server_set_picture(fixture.server, larger, 100, 50);
	check_size(&fixture, 1, 0, 100, 50);
	ask_size(&fixture, 100, 50, 4); /* there already */
	check_size(&fixture, 1, 0, 100, 50);
	server_set_picture(fixture.server, fixture.pixels, 64, 48); /* the guest by itself */
	check_size(&fixture, 0, 0, 64, 48);
	end(&fixture);
	free(larger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_library_is_replaced),
		cmocka_unit_test(test_only_what_is_marked_and_asked),
		cmocka_unit_test(test_large_updates_are_cut),
		cmocka_unit_test(test_requests_for_nothing),
		cmocka_unit_test(test_arrow),
		cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
