/* Drawing stays inside its clip, does not depend on it, and the font tables keep what base/font.h
 * promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "gfx/canvas.h"
#include "gfx/damage.h"
#include "gfx/theme.h"
#include "lib/heap.h"

#define W    96
#define H    80
#define EDGE 16

static uint32_t pixels[(W + 2 * EDGE) * (H + 2 * EDGE)];
static uint32_t whole[W * H];

static struct surface surface_at(uint32_t *memory)
{
	return (struct surface){ memory, W, H, W };
}

/* Everything there is to draw, some of it beyond the edges. */
static void draw_scene(const struct canvas *canvas)
{
	canvas_fill(canvas, (struct rect){ -5, -5, W + 10, H + 10 }, 0x203040);
	canvas_gradient(canvas, (struct rect){ 10, 4, 40, 30 }, 0xff0000, 0x0000ff);
	canvas_shadow(canvas, (struct rect){ 30, 20, 40, 30 }, 7, 180);
	canvas_round(canvas, (struct rect){ 30, 20, 40, 30 }, 9, 0xf0f0f0, 230);
	canvas_round_line(canvas, (struct rect){ 28, 18, 44, 34 }, 9, 1.5f, 0x00ff00, 200);
	canvas_disc(canvas, 80.3f, 70.8f, 20.5f, 0xffff00, 128);
	canvas_ring(canvas, -3.0f, 40.0f, 17.0f, 3.0f, 0xff00ff, 255);
	canvas_line(canvas, -10.0f, 90.0f, 110.0f, -4.5f, 2.5f, 0x00ffff, 220);
	canvas_blend(canvas, (struct rect){ 50, 50, 80, 80 }, 0xffffff, 60);
	canvas_text(canvas, &font_display, -8, 20, 0xffffff, "\xc3\x84Qg\xe2\x82\xac");
	canvas_text_cut(canvas, &font_ui, 40, 60, 44, 0x000000, "a text that is too long");
	canvas_text_centered(canvas, &font_mono_bold, 48, 82, 0xffffff, "jgpq\xc5\x8d");
}

static void test_pixels_do_not_depend_on_the_clip(void **state)
{
	struct surface surface = surface_at(whole);
	struct canvas canvas = canvas_init(&surface, (struct rect){ 0, 0, W, H });
	static uint32_t parts[W * H];
	struct surface other = surface_at(parts);

	(void)state;
	draw_scene(&canvas);
	for (int y = 0; y < H; y += 13) {
		for (int x = 0; x < W; x += 7) {
			struct canvas part = canvas_init(&other, (struct rect){ x, y, 7, 13 });

			draw_scene(&part);
		}
	}
	assert_memory_equal(whole, parts, sizeof(whole));
}

static void test_nothing_outside_the_clip(void **state)
{
	struct surface surface = { pixels + EDGE * (W + 2 * EDGE) + EDGE, W, H, W + 2 * EDGE };
	struct rect clip = { 20, 15, 33, 41 };
	struct canvas canvas = canvas_init(&surface, clip);

	(void)state;
	memset(pixels, 0x5a, sizeof(pixels));
	draw_scene(&canvas);
	for (int y = -EDGE; y < H + EDGE; y++) {
		for (int x = -EDGE; x < W + EDGE; x++) {
			uint32_t pixel = surface.pixels[y * surface.stride + x];

			if (!rect_contains(clip, x, y)) {
				assert_int_equal(pixel, 0x5a5a5a5a);
			}
		}
	}
	/* The same with the whole surface: its edges hold too. */
	memset(pixels, 0x5a, sizeof(pixels));
	canvas = canvas_init(&surface, (struct rect){ -100, -100, 1000, 1000 });
	draw_scene(&canvas);
	for (int y = -EDGE; y < H + EDGE; y++) {
		for (int x = -EDGE; x < W + EDGE; x++) {
			if (x < 0 || y < 0 || x >= W || y >= H) {
				assert_int_equal(
				    surface.pixels[y * surface.stride + x], 0x5a5a5a5a);
			}
		}
	}
}

static void test_mixing_is_exact_at_both_ends(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 256; i++) {
		assert_int_equal(canvas_mix(0x123456, i * 0x010101, 0), 0x123456);
		assert_int_equal(canvas_mix(0x123456, i * 0x010101, 255), i * 0x010101);
		assert_true((canvas_mix(i * 0x010101, 0xffffff, 128) & 0xff) >= i);
	}
}

static void test_font_tables(void **state)
{
	static const struct font_face *const faces[] = { &font_ui, &font_bold, &font_small,
		&font_title, &font_display, &font_mono, &font_mono_bold };

	(void)state;
	for (size_t i = 0; i < sizeof(faces) / sizeof(faces[0]); i++) {
		const struct font_face *face = faces[i];

		assert_true(face->line_height > 0 && face->ascent > 0 && face->descent > 0);
		for (uint32_t code = 1; code < 0x3000; code++) {
			const struct font_glyph *glyph = font_find_glyph(face, code);

			assert_true(glyph->top <= face->ascent + 2);
			assert_true(glyph->width < 100 && glyph->height < 100);
			assert_true(glyph->advance > 0 || code < 0x20 || glyph->width == 0 ||
				    glyph == &face->glyphs[face->fallback]);
		}
	}
	for (uint32_t code = 0x20; code < 0x17f; code++) {
		/* The terminal and the editor count on it. */
		assert_int_equal(font_find_glyph(&font_mono, code)->advance, 8);
		assert_int_equal(font_find_glyph(&font_mono_bold, code)->advance, 8);
	}
	assert_int_equal(font_measure(&font_mono, "a\xc3\xa4\xe2\x82\xac"), 24);
}

static void test_decoding(void **state)
{
	const char *text = "a\xc3\xa4\xf0\x9f\x98\x80\xff\xc3";

	(void)state;
	assert_int_equal(font_next_code(&text), 'a');
	assert_int_equal(font_next_code(&text), 0xe4);
	assert_int_equal(font_next_code(&text), 0x1f600);
	assert_int_equal(font_next_code(&text), 0xfffd);
	assert_int_equal(font_next_code(&text), 0xfffd);
	assert_int_equal(font_next_code(&text), 0);
	assert_int_equal(font_next_code(&text), 0);
}

static void test_damage_covers_what_was_added(void **state)
{
	uint32_t random = 3;

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct damage damage = { .count = 0 };
		struct rect added[40];

		for (int i = 0; i < 40; i++) {
			random = random * 1664525u + 1013904223u;
			added[i] = (struct rect){ (int)(random >> 8 & 1023),
				(int)(random >> 18 & 511), (int)(random >> 12 & 127) - 4,
				(int)(random >> 20 & 63) - 4 };
			damage_add(&damage, added[i]);
			assert_true(damage.count <= DAMAGE_MAX_RECTS);
		}
		for (int i = 0; i < 40; i++) {
			bool covered = rect_empty(added[i]);

			for (int d = 0; d < damage.count; d++) {
				covered = covered || rect_covers(damage.rects[d], added[i]);
			}
			assert_true(covered);
		}
	}
}

static void test_heap(void **state)
{
	static char region[65536] __attribute__((aligned(16)));
	struct heap heap;
	void *held[64] = { NULL };
	uint32_t random = 9;

	(void)state;
	heap_init(&heap, region, sizeof(region));
	assert_null(heap_alloc(&heap, SIZE_MAX));
	assert_null(heap_alloc(&heap, 65536));
	for (int i = 0; i < 20000; i++) {
		uint32_t slot;
		size_t size;

		random = random * 1664525u + 1013904223u;
		slot = random >> 26;
		size = random >> 12 & 1023;
		if (held[slot] && (random & 256)) {
			void *grown = heap_resize(&heap, held[slot], size);

			held[slot] = grown ? grown : held[slot];
		} else if (held[slot]) {
			heap_free(&heap, held[slot]);
			held[slot] = NULL;
		} else {
			held[slot] = heap_alloc(&heap, size);
			if (held[slot]) {
				assert_int_equal((uintptr_t)held[slot] % 16, 0);
				memset(held[slot], 0xff, size);
			}
		}
	}
	for (int i = 0; i < 64; i++) {
		heap_free(&heap, held[i]);
	}
	assert_int_equal(heap.used, 0);
	/* All of it is one block again. */
	assert_non_null(heap_alloc(&heap, 65000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pixels_do_not_depend_on_the_clip),
		cmocka_unit_test(test_nothing_outside_the_clip),
		cmocka_unit_test(test_mixing_is_exact_at_both_ends),
		cmocka_unit_test(test_font_tables),
		cmocka_unit_test(test_decoding),
		cmocka_unit_test(test_damage_covers_what_was_added),
		cmocka_unit_test(test_heap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
