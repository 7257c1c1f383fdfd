/*
 * Scrolls and moves, as a model: a desktop that is drawn into, scrolled in parts and overpainted at random, a server that
 * is told, a viewer (libvncclient's decoder) that asks now and then. Whenever the viewer has caught up it shows the
 * desktop, exactly; and what was a plain scroll has cost next to nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "decoding.h"
#include "display/picture.h"
#include "display/scanout.h"
#include "display/scroll.h"
#include "display/server.h"

enum {
	WIDTH = 400,
	HEIGHT = 300,
	SEQUENCES = 10000,
	OUTPUT_MAX = 4 << 20,
	ENCODING_RAW = 0,
	ENCODING_COPY = 1,
	ENCODING_TIGHT = 7,
	ENCODING_ZRLE = 16,
	ENCODING_QUALITY_9 = -23,
	ENCODING_CURSOR = -239,
};

struct model {
	uint32_t desktop[WIDTH * HEIGHT];
	struct picture picture;
	struct scroll *scroll;
	struct server *server;
	struct decoding *viewer;
	uint8_t *output;
	size_t size;       /* of the output of one update */
	uint64_t sent;     /* bytes of updates */
	size_t moves_told; /* calls */
	uint32_t seed;
};

static uint32_t next_random(struct model *model, uint32_t below)
{
	model->seed = model->seed * 1664525u + 1013904223u;
	return (model->seed >> 8) % below;
}

static int write_output(void *context, const void *data, size_t size)
{
	struct model *model = context;

	assert_true(model->size + size <= OUTPUT_MAX);
	memcpy(model->output + model->size, data, size);
	model->size += size;
	return 0;
}

static void on_changed(void *context, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	struct model *model = context;

	server_mark(model->server, x, y, width, height);
}

static void on_moved(void *context, const struct scroll_move *moves, size_t count)
{
	struct model *model = context;

	assert_true(count > 0);
	for (size_t i = 0; i < count; i++) {
		assert_true(moves[i].x + moves[i].width <= WIDTH);
		assert_true(moves[i].y + moves[i].height <= HEIGHT);
		assert_true((int32_t)moves[i].y - moves[i].down >= 0);
		assert_true((int32_t)(moves[i].y + moves[i].height) - moves[i].down <= HEIGHT);
		assert_int_equal(moves[i].down, moves[0].down);
	}
	model->moves_told++;
	server_move(model->server, moves, count);
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
	(void)context;
	(void)width;
	(void)height;
	return false;
}

static void on_encodings(void *context)
{
	(void)context;
}

static void say(struct model *model, const void *data, size_t size)
{
	size_t room;
	void *input = server_input(model->server, &room);

	assert_true(size <= room);
	memcpy(input, data, size);
	assert_int_equal(server_input_done(model->server, size), 0);
}

static void set_encodings(struct model *model, const int32_t *encodings, size_t count)
{
	uint8_t message[64] = { 2, 0, 0, (uint8_t)count };

	for (size_t i = 0; i < count; i++) {
		for (size_t byte = 0; byte < 4; byte++) {
			message[4 + 4 * i + byte] = (uint8_t)((uint32_t)encodings[i] >>
							      (24 - 8 * byte));
		}
	}
	say(model, message, 4 + 4 * count);
}

static void ask(struct model *model, uint32_t y, uint32_t height)
{
	uint8_t message[10] = { 3, 1, 0, 0, (uint8_t)(y >> 8), (uint8_t)y, WIDTH >> 8, WIDTH & 0xff,
		(uint8_t)(height >> 8), (uint8_t)height };

	say(model, message, sizeof(message));
}

/* Everything that is asked for reaches the viewer. */
static void update(struct model *model)
{
	for (;;) {
		model->size = 0;
		if (server_update(model->server) != 1) {
			break;
		}
		model->sent += model->size;
		assert_true(decoding_feed(model->viewer, model->output, model->size));
	}
}

static void damage(struct model *model, uint32_t y, uint32_t height)
{
	struct picture_source source = { (const uint8_t *)model->desktop, WIDTH, HEIGHT,
		WIDTH * 4 };
	struct scanout_span span = { y * WIDTH * 4, height * WIDTH * 4 };

	if (server_can_copy(model->server)) {
		scroll_apply(model->scroll, &model->picture, &source, &span, 1, on_moved, model);
	}
	picture_copy_spans(&model->picture, &source, &span, 1, on_changed, model);
	assert_memory_equal(model->picture.pixels + y * WIDTH, model->desktop + y * WIDTH,
	    (size_t)height * WIDTH * 4);
}

static bool viewer_is_exact(struct model *model)
{
	const uint32_t *shown = decoding_pixels(model->viewer);

	for (size_t i = 0; i < WIDTH * HEIGHT; i++) {
		if ((shown[i] ^ model->desktop[i]) & 0xffffff) {
			return false;
		}
	}
	return true;
}

static void catch_up(struct model *model)
{
	ask(model, 0, HEIGHT);
	update(model);
	if (server_is_lossy(model->server)) {
		server_repair(model->server);
		ask(model, 0, HEIGHT);
		update(model);
		assert_false(server_is_lossy(model->server));
	}
	assert_true(viewer_is_exact(model));
}

struct area {
	uint32_t x, y, width, height;
};

static struct area random_area(struct model *model)
{
	struct area area;

	area.x = next_random(model, WIDTH - 1);
	area.y = next_random(model, HEIGHT - 1);
	area.width = 1 + next_random(model, WIDTH - area.x);
	area.height = 1 + next_random(model, HEIGHT - area.y);
	if (next_random(model, 3) == 0) {
		area = (struct area){ 0, 0, WIDTH, HEIGHT };
	}
	return area;
}

/* Lines of letters: blocks of two colours, with space between. */
static void draw_text(struct model *model, struct area area)
{
	for (uint32_t y = area.y; y < area.y + area.height; y++) {
		for (uint32_t x = area.x; x < area.x + area.width; x++) {
			bool ink = y % 12 < 9 && next_random(model, 3) == 0;

			model->desktop[y * WIDTH + x] = ink ? 0x202020 : 0xf8f8f0;
		}
	}
}

static void draw_noise(struct model *model, struct area area)
{
	uint32_t colours = 1 + next_random(model, 500);

	for (uint32_t y = area.y; y < area.y + area.height; y++) {
		for (uint32_t x = area.x; x < area.x + area.width; x++) {
			model->desktop[y * WIDTH + x] = next_random(model, colours) * 31337u %
							0x1000000u;
		}
	}
}

static void scroll_area(struct model *model, struct area area, int32_t down)
{
	for (uint32_t i = 0; i < area.height; i++) {
		uint32_t y = down > 0 ? area.y + area.height - 1 - i : area.y + i;
		int32_t from = (int32_t)y - down;

		if (from >= (int32_t)area.y && from < (int32_t)(area.y + area.height)) {
			memmove(model->desktop + y * WIDTH + area.x,
			    model->desktop + (uint32_t)from * WIDTH + area.x, area.width * 4);
		}
	}
}

static void step(struct model *model)
{
	struct area area = random_area(model);
	uint32_t number = next_random(model, 12);

	if (number < 6) {
		scroll_area(model, area, (int32_t)next_random(model, 81) - 40);
		if (next_random(model, 2)) {
			area.height = area.height > 12 ? 12 : area.height;
			draw_text(model, area);
		}
		damage(model, 0, HEIGHT);
	} else if (number < 8) {
		draw_text(model, area);
		damage(model, area.y, area.height);
	} else if (number < 9) {
		draw_noise(model, area);
		damage(model, area.y, area.height);
	} else if (number < 11) {
		ask(model, area.y, area.height);
		update(model);
	} else {
		ask(model, 0, HEIGHT);
	}
}

static struct model *model_create(void)
{
	static const struct server_ops ops = { write_output, on_key, on_pointer, on_resize,
		on_encodings };
	struct model *model = calloc(1, sizeof(*model));
	int ends[2];

	assert_non_null(model);
	model->output = malloc(OUTPUT_MAX);
	assert_non_null(model->output);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	close(ends[1]);
	assert_int_equal(picture_init(&model->picture, WIDTH, HEIGHT), 0);
	assert_int_equal(scroll_create(&model->scroll), 0);
	assert_int_equal(server_create_take(ends[0], "model", model->picture.pixels, WIDTH, HEIGHT,
			     &ops, model, &model->server),
	    0);
	model->viewer = decoding_create(WIDTH, HEIGHT);
	say(model, "\1", 1);
	return model;
}

static void model_destroy(struct model *model)
{
	server_destroy(model->server);
	decoding_destroy(model->viewer);
	scroll_destroy(model->scroll);
	picture_fini(&model->picture);
	free(model->output);
	free(model);
}

static void run(const int32_t *encodings, size_t count, uint32_t seed, unsigned sequences)
{
	struct model *model = model_create();

	model->seed = seed;
	set_encodings(model, encodings, count);
	for (unsigned i = 0; i < sequences; i++) {
		for (uint32_t steps = 1 + next_random(model, 8); steps > 0; steps--) {
			step(model);
		}
		catch_up(model);
	}
	assert_true(model->moves_told > sequences / 4);
	assert_true(decoding_copies(model->viewer) > sequences / 4);
	model_destroy(model);
}

static void test_tight(void **state)
{
	static const int32_t encodings[] = { ENCODING_TIGHT, ENCODING_COPY, ENCODING_CURSOR };

	(void)state;
	run(encodings, 3, 1, SEQUENCES * 6 / 10);
}

static void test_tight_with_loss(void **state)
{
	static const int32_t encodings[] = { ENCODING_TIGHT, ENCODING_COPY, ENCODING_CURSOR,
		ENCODING_QUALITY_9 };

	(void)state;
	run(encodings, 4, 2, SEQUENCES * 2 / 10);
}

static void test_library(void **state)
{
	static const int32_t raw[] = { ENCODING_RAW, ENCODING_COPY, ENCODING_CURSOR };
	static const int32_t zrle[] = { ENCODING_ZRLE, ENCODING_COPY, ENCODING_CURSOR };

	(void)state;
	run(raw, 3, 3, SEQUENCES / 10);
	run(zrle, 3, 4, SEQUENCES / 10);
}

static void test_not_offered(void **state)
{
	static const int32_t encodings[] = { ENCODING_TIGHT, ENCODING_CURSOR };
	struct model *model = model_create();

	(void)state;
	set_encodings(model, encodings, 2);
	assert_false(server_can_copy(model->server));
	for (unsigned i = 0; i < 50; i++) {
		step(model);
		catch_up(model);
	}
	assert_int_equal(decoding_copies(model->viewer), 0);
	model_destroy(model);
}

/* A page of text that goes up by a line: whole, and in a window beside a bar that goes the other way. */
static void test_bytes(void **state)
{
	static const int32_t encodings[] = { ENCODING_TIGHT, ENCODING_COPY, ENCODING_CURSOR };
	struct area window = { 37, 41, 301, 230 };
	struct model *model = model_create();
	uint64_t whole;

	(void)state;
	set_encodings(model, encodings, 3);
	draw_text(model, (struct area){ 0, 0, WIDTH, HEIGHT });
	damage(model, 0, HEIGHT);
	catch_up(model);
	whole = model->sent;
	for (unsigned i = 0; i < 20; i++) {
		model->sent = 0;
		scroll_area(model, (struct area){ 0, 0, WIDTH, HEIGHT }, -12);
		draw_text(model, (struct area){ 0, HEIGHT - 12, WIDTH, 12 });
		damage(model, 0, HEIGHT);
		catch_up(model);
		assert_true(model->sent < whole / 10);

		model->sent = 0;
		scroll_area(model, window, 12);
		draw_text(model, (struct area){ window.x, window.y, window.width, 12 });
		scroll_area(model, (struct area){ 350, 41, 10, 230 }, -5);
		damage(model, 0, HEIGHT);
		catch_up(model);
		assert_true(model->sent < whole / 5);
	}
	model_destroy(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_tight),
		cmocka_unit_test(test_tight_with_loss),
		cmocka_unit_test(test_library),
		cmocka_unit_test(test_not_offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
