/* The desktop as a whole; above all, drawing what changed gives the pixels that drawing all would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/input-event-codes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "host/host_platform.h"
#include "ui/desktop.h"
#include "ui/parts.h"

#define WIDTH  900
#define HEIGHT 640

/* From TEST_SEED, so that a longer search needs no other program. */
static uint32_t random_seed = 1;

struct fixture {
	struct host_platform host;
	struct desktop *desktop;
	uint32_t random;
};

static void start(struct fixture *fixture, const char *command_line)
{
	assert_true(host_platform_init(&fixture->host, command_line, 48u << 20));
	assert_int_equal(desktop_create(&fixture->host.platform, &fixture->host.heap, WIDTH, HEIGHT,
			     &fixture->desktop),
	    0);
	fixture->random = 1;
	desktop_render(fixture->desktop);
}

static void stop(struct fixture *fixture)
{
	desktop_destroy(fixture->desktop);
	assert_int_equal(fixture->host.heap.used, 0);
	host_platform_fini(&fixture->host);
}

static void send(struct fixture *fixture, struct platform_event event)
{
	desktop_handle_event(fixture->desktop, &event);
}

static void key(struct fixture *fixture, int code, int value)
{
	send(fixture, (struct platform_event){ PLATFORM_EVENT_KEY, code, value, 0, 0 });
}

static void tap(struct fixture *fixture, int code)
{
	key(fixture, code, 1);
	key(fixture, code, 0);
}

static void move(struct fixture *fixture, int x, int y)
{
	send(fixture, (struct platform_event){ .type = PLATFORM_EVENT_POINTER,
			  .x = (x * 32768 + 16384) / fixture->host.width,
			  .y = (y * 32768 + 16384) / fixture->host.height });
}

static void button(struct fixture *fixture, int value)
{
	send(fixture, (struct platform_event){ PLATFORM_EVENT_BUTTON, BTN_LEFT, value, 0, 0 });
}

static void click(struct fixture *fixture, int x, int y)
{
	move(fixture, x, y);
	button(fixture, 1);
	button(fixture, 0);
	fixture->host.now_ms += 1000;
}

static void click_rect(struct fixture *fixture, struct rect rect)
{
	click(fixture, rect.x + rect.w / 2, rect.y + rect.h / 2);
}

static uint32_t next_random(struct fixture *fixture)
{
	fixture->random = fixture->random * 1664525u + 1013904223u;
	return fixture->random >> 8;
}

/* Draws, then draws everything anew, and compares every pixel of both buffers. */
static void assert_same_as_full_redraw(struct fixture *fixture)
{
	struct desktop *desktop = fixture->desktop;
	size_t size = (size_t)fixture->host.width * (size_t)fixture->host.height * 4;
	uint32_t *visible = malloc(size);
	uint32_t *back = malloc(size);

	desktop_render(desktop);
	memcpy(visible, fixture->host.pixels, size);
	memcpy(back, desktop->back.pixels, size);
	memset(fixture->host.pixels, 0x55, size);
	memset(desktop->back.pixels, 0xaa, size);
	desktop_damage_all(desktop);
	desktop_render(desktop);
	for (size_t i = 0; i < size / 4; i++) {
		if (visible[i] != fixture->host.pixels[i] || back[i] != desktop->back.pixels[i]) {
			fail_msg("pixel %zu,%zu differs: %06x %06x, full %06x %06x",
			    i % (size_t)fixture->host.width, i / (size_t)fixture->host.width,
			    visible[i], back[i], fixture->host.pixels[i], desktop->back.pixels[i]);
		}
	}
	free(visible);
	free(back);
}

static void random_event(struct fixture *fixture)
{
	static const int keys[] = { KEY_A, KEY_B, KEY_SPACE, KEY_ENTER, KEY_BACKSPACE, KEY_LEFT,
		KEY_RIGHT, KEY_UP, KEY_DOWN, KEY_HOME, KEY_END, KEY_DELETE, KEY_L, KEY_S, KEY_TAB,
		KEY_PAGEUP, KEY_PAGEDOWN, KEY_CAPSLOCK, KEY_DOT, KEY_EQUAL, KEY_LEFTSHIFT,
		KEY_LEFTCTRL };
	uint32_t what = next_random(fixture) % 100;

	if (what < 40) {
		key(fixture, keys[next_random(fixture) % (sizeof(keys) / sizeof(keys[0]))],
		    (int)(next_random(fixture) % 2));
	} else if (what < 70) {
		move(fixture, (int)(next_random(fixture) % WIDTH),
		    (int)(next_random(fixture) % HEIGHT));
	} else if (what < 85) {
		button(fixture, (int)(next_random(fixture) % 2));
	} else if (what < 90) {
		send(fixture, (struct platform_event){
				  .type = PLATFORM_EVENT_WHEEL, .value = what % 2 ? 1 : -1 });
	} else if (what < 92) {
		key(fixture, KEY_LEFTALT, 1);
		tap(fixture, KEY_TAB);
		key(fixture, KEY_LEFTALT, 0);
	} else if (what < 93) {
		(void)wm_open(
		    fixture->desktop, desktop_apps[next_random(fixture) % DESKTOP_APP_COUNT], NULL);
	} else {
		fixture->host.now_ms += next_random(fixture) % 2000;
		desktop_run_timers(fixture->desktop);
	}
	/* A random walk must not end the machine. */
	overlay_set_menu(fixture->desktop, false);
}

static void test_incremental_drawing_is_exact(void **state)
{
	struct fixture fixture;

	(void)state;
	start(&fixture, "");
	fixture.random = random_seed;
	assert_same_as_full_redraw(&fixture);
	for (int i = 0; i < 1500; i++) {
		random_event(&fixture);
		if (i % 3 == 0) {
			desktop_render(fixture.desktop);
		}
		if (i % 25 == 0) {
			assert_same_as_full_redraw(&fixture);
		}
	}
	assert_same_as_full_redraw(&fixture);
	stop(&fixture);
}

static void test_every_program_draws_exactly(void **state)
{
	struct fixture fixture;

	(void)state;
	start(&fixture, "");
	for (int i = 0; i < DESKTOP_APP_COUNT; i++) {
		struct window *window = wm_open(fixture.desktop, desktop_apps[i], NULL);

		assert_non_null(window);
		assert_same_as_full_redraw(&fixture);
		wm_toggle_maximised(fixture.desktop, window);
		assert_same_as_full_redraw(&fixture);
		wm_toggle_maximised(fixture.desktop, window);
		wm_set_frame(fixture.desktop, window, (struct rect){ 100, 60, 10, 10 });
		assert_same_as_full_redraw(&fixture);
		wm_minimise(fixture.desktop, window);
		assert_same_as_full_redraw(&fixture);
	}
	stop(&fixture);
}

static void test_idle_desktop_is_quiet(void **state)
{
	struct fixture fixture;
	struct desktop *desktop;
	int drawn = 0;

	(void)state;
	start(&fixture, "");
	desktop = fixture.desktop;
	tap(&fixture, KEY_A);
	desktop_render(desktop);
	/* The caret comes to rest; then only the clock is left, once a minute. */
	fixture.host.now_ms += 15000;
	for (int i = 0; i < 100; i++) {
		desktop_run_timers(desktop);
	}
	desktop_render(desktop);
	for (int minute = 0; minute < 5; minute++) {
		uint64_t next = desktop_next_deadline(desktop);

		assert_true(next > fixture.host.now_ms);
		fixture.host.now_ms = next;
		desktop_run_timers(desktop);
		drawn += desktop->damage.count;
		for (int i = 0; i < desktop->damage.count; i++) {
			assert_true(desktop->damage.rects[i].w * desktop->damage.rects[i].h < 5000);
		}
		desktop_render(desktop);
	}
	assert_true(drawn >= 4 && drawn <= 5);
	stop(&fixture);
}

static void test_typing_damages_one_row(void **state)
{
	struct fixture fixture;
	struct desktop *desktop;
	int area = 0;

	(void)state;
	start(&fixture, "demo.app=terminal");
	desktop = fixture.desktop;
	tap(&fixture, KEY_A);
	for (int i = 0; i < desktop->damage.count; i++) {
		area += desktop->damage.rects[i].w * desktop->damage.rects[i].h;
	}
	assert_true(area > 0 && area < 700 * 20 * 2);
	stop(&fixture);
}

/* Drawing the same pixels anew writes none of them: here, a write would be a fault. */
static void test_unchanged_pixels_are_not_written(void **state)
{
	struct fixture fixture;
	struct surface visible;
	size_t size = (size_t)WIDTH * HEIGHT * 4;
	uint32_t *pixels = mmap(
	    NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_true(pixels != MAP_FAILED);
	start(&fixture, "");
	visible = fixture.desktop->visible;
	memcpy(pixels, visible.pixels, size);
	fixture.desktop->visible.pixels = pixels;
	assert_int_equal(mprotect(pixels, size, PROT_READ), 0);
	desktop_damage_all(fixture.desktop);
	desktop_render(fixture.desktop);
	fixture.desktop->visible = visible;
	munmap(pixels, size);
	stop(&fixture);
}

static void test_hits(void **state)
{
	struct fixture fixture;
	struct desktop *desktop;
	struct window *window;
	struct rect f;

	(void)state;
	start(&fixture, "demo.app=editor");
	desktop = fixture.desktop;
	window = desktop->focus;
	f = window->frame;
	assert_int_equal(wm_hit(desktop, f.x + f.w / 2, f.y + 10).part, HIT_TITLE);
	assert_int_equal(wm_hit(desktop, f.x + f.w / 2, f.y + f.h / 2).part, HIT_CONTENT);
	assert_int_equal(wm_hit(desktop, f.x - 3, f.y + 100).edges, EDGE_LEFT);
	assert_int_equal(
	    wm_hit(desktop, f.x + f.w + 2, f.y + f.h + 2).edges, EDGE_RIGHT | EDGE_BOTTOM);
	assert_int_equal(wm_hit(desktop, f.x - 20, f.y + 100).part, HIT_NOTHING);
	assert_int_equal(wm_hit(desktop, 20, HEIGHT - 5).part, HIT_PANEL);
	assert_int_equal(wm_hit(desktop, 20, HEIGHT - 5).item, PANEL_LAUNCHER);
	click_rect(&fixture, chrome_button(window, HIT_MAXIMISE));
	assert_true(window->maximised);
	assert_int_equal(window->frame.w, WIDTH);
	click_rect(&fixture, chrome_button(window, HIT_MAXIMISE));
	assert_false(window->maximised);
	assert_int_equal(window->frame.x, f.x);
	click_rect(&fixture, chrome_button(window, HIT_MINIMISE));
	assert_true(window->minimised);
	assert_null(desktop->focus);
	click_rect(&fixture, panel_item(desktop, PANEL_WINDOW));
	assert_ptr_equal(desktop->focus, window);
	click_rect(&fixture, chrome_button(window, HIT_CLOSE));
	assert_int_equal(desktop->window_count, 0);
	stop(&fixture);
}

static void test_dragging_and_resizing(void **state)
{
	struct fixture fixture;
	struct window *window;
	struct rect f;

	(void)state;
	start(&fixture, "demo.app=paint");
	window = fixture.desktop->focus;
	f = window->frame;
	move(&fixture, f.x + 200, f.y + 10);
	button(&fixture, 1);
	move(&fixture, f.x + 230, f.y + 50);
	button(&fixture, 0);
	assert_int_equal(window->frame.x, f.x + 30);
	assert_int_equal(window->frame.y, f.y + 40);
	f = window->frame;
	fixture.host.now_ms += 1000;
	move(&fixture, f.x + f.w + 1, f.y + f.h + 1);
	button(&fixture, 1);
	move(&fixture, f.x + f.w - 49, f.y + f.h + 1);
	button(&fixture, 0);
	assert_int_equal(window->frame.w, f.w - 50);
	assert_int_equal(window->frame.h, f.h);
	assert_same_as_full_redraw(&fixture);
	stop(&fixture);
}

static void test_switching_windows(void **state)
{
	struct fixture fixture;
	struct window *first;
	struct window *second;

	(void)state;
	start(&fixture, "demo.app=editor");
	first = fixture.desktop->focus;
	second = wm_open(fixture.desktop, &app_terminal, NULL);
	assert_ptr_equal(fixture.desktop->focus, second);
	key(&fixture, KEY_LEFTALT, 1);
	tap(&fixture, KEY_TAB);
	assert_true(fixture.desktop->switching);
	assert_same_as_full_redraw(&fixture);
	key(&fixture, KEY_LEFTALT, 0);
	assert_ptr_equal(fixture.desktop->focus, first);
	assert_ptr_equal(fixture.desktop->windows[1], first);
	key(&fixture, KEY_LEFTALT, 1);
	tap(&fixture, KEY_F4);
	key(&fixture, KEY_LEFTALT, 0);
	assert_int_equal(fixture.desktop->window_count, 1);
	assert_ptr_equal(fixture.desktop->focus, second);
	stop(&fixture);
}

static void test_changing_the_mode(void **state)
{
	struct fixture fixture;

	(void)state;
	start(&fixture, "");
	(void)wm_open(fixture.desktop, &app_paint, NULL);
	wm_toggle_maximised(fixture.desktop, fixture.desktop->focus);
	send(&fixture, (struct platform_event){ .type = PLATFORM_EVENT_MODE, .x = 1400, .y = 700 });
	assert_int_equal(fixture.host.width, 1400);
	assert_int_equal(fixture.desktop->focus->frame.w, 1400);
	assert_same_as_full_redraw(&fixture);
	send(&fixture, (struct platform_event){ .type = PLATFORM_EVENT_MODE, .x = 640, .y = 480 });
	assert_same_as_full_redraw(&fixture);
	/* Too small, too large for the memory, and refused by the device: the old mode stays. */
	send(&fixture, (struct platform_event){ .type = PLATFORM_EVENT_MODE, .x = 320, .y = 200 });
	send(
	    &fixture, (struct platform_event){ .type = PLATFORM_EVENT_MODE, .x = 8000, .y = 8000 });
	/* These two do not fit in memory side by side, and need not. */
	wm_close(fixture.desktop, fixture.desktop->focus);
	send(
	    &fixture, (struct platform_event){ .type = PLATFORM_EVENT_MODE, .x = 2560, .y = 1600 });
	send(
	    &fixture, (struct platform_event){ .type = PLATFORM_EVENT_MODE, .x = 3600, .y = 2100 });
	assert_int_equal(fixture.host.width, 3600);
	send(&fixture, (struct platform_event){ .type = PLATFORM_EVENT_MODE, .x = 640, .y = 480 });
	fixture.host.max_width = 1000;
	send(&fixture, (struct platform_event){ .type = PLATFORM_EVENT_MODE, .x = 1200, .y = 700 });
	assert_int_equal(fixture.host.width, 640);
	assert_same_as_full_redraw(&fixture);
	stop(&fixture);
}

static void test_resume(void **state)
{
	struct fixture fixture;

	(void)state;
	start(&fixture, "demo.pattern=1");
	desktop_announce(fixture.desktop);
	assert_non_null(strstr(fixture.host.serial, "tanmatsu-demo: ready 900x640\n"));
	assert_non_null(strstr(fixture.host.serial, "pattern: written 1 MiB"));
	key(&fixture, KEY_LEFTSHIFT, 1);
	fixture.host.resumes = 3;
	send(&fixture, (struct platform_event){ .type = PLATFORM_EVENT_RESUMED });
	assert_non_null(strstr(fixture.host.serial, "tanmatsu-demo: resumed 3\n"));
	assert_non_null(strstr(fixture.host.serial, "pattern: ok 1 MiB\n"));
	assert_int_equal(keyboard_mods(&fixture.desktop->keyboard), 0);
	assert_same_as_full_redraw(&fixture);
	((uint8_t *)fixture.host.info.spare_memory)[4711] ^= 1;
	send(&fixture, (struct platform_event){ .type = PLATFORM_EVENT_RESUMED });
	assert_non_null(strstr(fixture.host.serial, "pattern: BAD at 0x"));
	stop(&fixture);
}

static void test_power_button(void **state)
{
	struct fixture fixture;

	(void)state;
	start(&fixture, "");
	send(&fixture, (struct platform_event){ .type = PLATFORM_EVENT_POWER });
	assert_false(fixture.host.powered_off);
	desktop_render(fixture.desktop);
	assert_true(fixture.host.powered_off);
	assert_non_null(strstr(fixture.host.serial, "tanmatsu-demo: poweroff\n"));
	assert_same_as_full_redraw(&fixture);
	stop(&fixture);
}

static void test_caps_lock_and_layouts(void **state)
{
	struct keyboard keyboard;
	struct key_press press;
	struct fixture fixture;

	(void)state;
	keyboard_init(&keyboard);
	assert_true(keyboard_feed(&keyboard, KEY_Y, 1, 0, &press));
	assert_int_equal(press.text, 'y');
	assert_true(keyboard_set_layout(&keyboard, "de"));
	assert_true(keyboard_feed(&keyboard, KEY_Y, 1, 0, &press));
	assert_int_equal(press.text, 'z');
	assert_true(press.repeat);
	(void)keyboard_feed(&keyboard, KEY_RIGHTALT, 1, 0, &press);
	(void)keyboard_feed(&keyboard, KEY_Q, 1, 0, &press);
	assert_int_equal(press.text, '@');
	(void)keyboard_feed(&keyboard, KEY_RIGHTALT, 0, 0, &press);
	assert_false(keyboard_set_layout(&keyboard, "xx"));
	assert_false(keyboard_feed(&keyboard, 999, 1, 0, &press));
	assert_false(keyboard_feed(&keyboard, KEY_F5, 0, 0, &press));
	start(&fixture, "demo.echo=1");
	tap(&fixture, KEY_CAPSLOCK);
	assert_int_equal(fixture.host.leds, 2);
	assert_non_null(strstr(fixture.host.serial, "key: 58 down\nkey: 58 up\n"));
	assert_same_as_full_redraw(&fixture);
	stop(&fixture);
}

static void test_held_key_repeats(void **state)
{
	struct keyboard keyboard;
	struct key_press press;

	(void)state;
	keyboard_init(&keyboard);
	(void)keyboard_feed(&keyboard, KEY_X, 1, 1000, &press);
	assert_false(keyboard_repeat(&keyboard, 1500, &press));
	assert_true(keyboard_repeat(&keyboard, 1600, &press));
	assert_int_equal(press.text, 'x');
	/* The device repeats by itself: ours waits again. */
	(void)keyboard_feed(&keyboard, KEY_X, 2, 1610, &press);
	assert_false(keyboard_repeat(&keyboard, 2000, &press));
	(void)keyboard_feed(&keyboard, KEY_X, 0, 2000, &press);
	assert_false(keyboard_repeat(&keyboard, 9000, &press));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_incremental_drawing_is_exact),
		cmocka_unit_test(test_every_program_draws_exactly),
		cmocka_unit_test(test_idle_desktop_is_quiet),
		cmocka_unit_test(test_typing_damages_one_row),
		cmocka_unit_test(test_unchanged_pixels_are_not_written),
		cmocka_unit_test(test_hits),
		cmocka_unit_test(test_dragging_and_resizing),
		cmocka_unit_test(test_switching_windows),
		cmocka_unit_test(test_changing_the_mode),
		cmocka_unit_test(test_resume),
		cmocka_unit_test(test_power_button),
		cmocka_unit_test(test_caps_lock_and_layouts),
		cmocka_unit_test(test_held_key_repeats),
	};

	if (getenv("TEST_SEED")) {
		random_seed = (uint32_t)strtoul(getenv("TEST_SEED"), NULL, 0);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
