/* Captions: on any size of screen the card lies on it, text stays inside the card, and nothing outside memory is drawn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "display/caption.h"
#include "display/control.h"

static const char *const texts[] = {
	"Starting your desktop",
	"Resuming your desktop",
	"This desktop was moved to another terminal. Log in again here to bring it back.",
	"Your desktop stopped unexpectedly. Press Enter to start it again.",
	"Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
	"端末 \xff\xfe broken \xe3\x81 bytes",
	"",
	". . . .",
};

static const uint32_t sizes[][2] = {
	{ 1, 1 },
	{ 2, 500 },
	{ 64, 48 },
	{ 160, 120 },
	{ 320, 200 },
	{ 399, 900 },
	{ 640, 480 },
	{ 1280, 800 },
	{ 2560, 1440 },
};

/* True if a pixel in the area is bright: text or sign, which nothing of background or card is. */
static bool bright(const struct caption_canvas *canvas, int x1, int y1, int x2, int y2)
{
	for (int y = y1; y < y2; y++) {
		for (int x = x1; x < x2; x++) {
			uint32_t pixel = canvas->pixels[(size_t)y * canvas->width + (size_t)x];

			if ((pixel & 0xff) > 0xa0 || (pixel >> 16 & 0xff) > 0x90) {
				return true;
			}
		}
	}
	return false;
}

static void check_card(const struct caption_canvas *canvas, struct caption_box box, bool has_text)
{
	int width = (int)canvas->width;
	int height = (int)canvas->height;

	assert_true(
	    box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height);
	assert_false(bright(canvas, 0, 0, width, box.y));
	assert_false(bright(canvas, 0, box.y + box.height, width, height));
	assert_false(bright(canvas, 0, box.y, box.x + 3, box.y + box.height));
	assert_false(bright(canvas, box.x + box.width - 3, box.y, width, box.y + box.height));
	if (box.width > 0 && has_text) {
		assert_true(bright(canvas, box.x, box.y, box.x + box.width, box.y + box.height));
	}
}

static void test_fits(void **state)
{
	(void)state;
	for (size_t size = 0; size < sizeof(sizes) / sizeof(sizes[0]); size++) {
		/* A page of memory after the pixels would hide an overrun; malloc's end is checked by the sanitizer. */
		struct caption_canvas canvas = { .width = sizes[size][0],
			.height = sizes[size][1] };

		canvas.pixels = malloc((size_t)canvas.width * canvas.height * 4);
		for (size_t text = 0; text < sizeof(texts) / sizeof(texts[0]); text++) {
			uint8_t kind = (uint8_t)(text % (DISPLAY_CAPTION_MESSAGE + 2));
			uint8_t percent = text % 2 ? 255 : (uint8_t)(text * 14);
			struct caption_box box;

			caption_draw_background(&canvas, NULL);
			box = caption_draw_card(&canvas, kind, texts[text], percent);
			check_card(&canvas, box, texts[text][0] != '\0' && texts[text][0] != '.');
			if (canvas.width >= 320 && canvas.height >= 200) {
				assert_true(box.width > 0);
			}
		}
		free(canvas.pixels);
	}
}

static void test_frame_is_darkened(void **state)
{
	uint32_t frame[64 * 64];
	uint32_t pixels[64 * 64];
	struct caption_canvas canvas = { pixels, 64, 64 };

	(void)state;
	for (size_t i = 0; i < 64 * 64; i++) {
		frame[i] = i % 2 ? 0xffffffff : 0;
	}
	caption_draw_background(&canvas, frame);
	for (size_t i = 0; i < 64 * 64; i++) {
		uint32_t green = pixels[i] >> 8 & 0xff;

		assert_true(i % 2 ? green > 0x40 && green < 0x90 : green < 0x20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fits),
		cmocka_unit_test(test_frame_is_darkened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
