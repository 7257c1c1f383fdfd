/*
 * The viewer's held keys: what the guest sees is replayed into a model of its keyboard, which must
 * agree with what the viewer's user meant, and be at rest when every key has been released.
 */
#include <linux/input-event-codes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <xkbcommon/xkbcommon.h>

#include "input/keyboard.h"

/* A viewer's keyboard in front of a guest's. */
struct bench {
	struct keymap *keymap;
	struct keyboard *keyboard;
	struct xkb_context *context;
	struct xkb_keymap *xkb;
	struct xkb_state *guest;
	bool down[INPUT_KEY_MAX + 1];
	size_t down_count;
	uint32_t typed; /* the last keysym that a press made in the guest */
	struct input_event events[KEYBOARD_EVENTS_MAX];
	size_t count;
};

static void bench_init(struct bench *bench, const char *layout)
{
	const struct xkb_rule_names names = {
		.rules = "evdev", .model = "pc105", .layout = layout, .variant = "", .options = ""
	};

	memset(bench, 0, sizeof(*bench));
	assert_int_equal(keymap_create(layout, &bench->keymap), 0);
	assert_int_equal(keyboard_create(bench->keymap, &bench->keyboard), 0);
	bench->context = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
	bench->xkb = xkb_keymap_new_from_names(bench->context, &names, 0);
	assert_non_null(bench->xkb);
	bench->guest = xkb_state_new(bench->xkb);
	assert_non_null(bench->guest);
}

static void bench_fini(struct bench *bench)
{
	xkb_state_unref(bench->guest);
	xkb_keymap_unref(bench->xkb);
	xkb_context_unref(bench->context);
	keyboard_destroy(bench->keyboard);
	keymap_destroy(bench->keymap);
}

/* The guest takes the events of the last call. A key that is up is never released. */
static void guest_takes(struct bench *bench)
{
	assert_in_range(bench->count, 0, KEYBOARD_EVENTS_MAX);
	for (size_t i = 0; i < bench->count; i++) {
		const struct input_event *event = &bench->events[i];
		xkb_keysym_t keysym;

		assert_int_equal(event->type, INPUT_KEY);
		assert_in_range(event->code, 1, INPUT_KEY_MAX);
		assert_in_range(event->value, 0, 1);
		if (event->value) {
			keysym = xkb_state_key_get_one_sym(bench->guest, event->code + 8u);
			if (keysym < XKB_KEY_Shift_L || keysym > XKB_KEY_Hyper_R) {
				if (keysym != XKB_KEY_ISO_Level3_Shift) {
					bench->typed = keysym;
				}
			}
			if (bench->down[event->code]) {
				continue; /* a repeat */
			}
		} else {
			assert_true(bench->down[event->code]);
		}
		bench->down[event->code] = event->value;
		bench->down_count += event->value ? 1 : (size_t)-1;
		xkb_state_update_key(
		    bench->guest, event->code + 8u, event->value ? XKB_KEY_DOWN : XKB_KEY_UP);
	}
}

static void key(struct bench *bench, uint32_t keysym, bool down)
{
	bench->count = keyboard_keysym(bench->keyboard, keysym, down, bench->events);
	guest_takes(bench);
}

/* Presses and releases; the guest must see `made`. */
static void strike(struct bench *bench, uint32_t keysym, uint32_t made)
{
	bench->typed = 0;
	key(bench, keysym, true);
	assert_int_equal(bench->typed, made);
	key(bench, keysym, false);
}

static void test_press_and_release(void **state)
{
	struct bench bench;

	(void)state;
	bench_init(&bench, "us");
	key(&bench, XKB_KEY_a, true);
	assert_int_equal(bench.count, 1);
	assert_true(bench.down[KEY_A]);
	key(&bench, XKB_KEY_a, false);
	assert_int_equal(bench.count, 1);
	assert_int_equal(bench.down_count, 0);
	key(&bench, XKB_KEY_a, false);
	assert_int_equal(bench.count, 0);
	key(&bench, 0x0101f600, true);
	assert_int_equal(bench.count, 0);
	bench_fini(&bench);
}

static void test_shift_that_viewer_holds(void **state)
{
	struct bench bench;

	(void)state;
	bench_init(&bench, "us");
	key(&bench, XKB_KEY_Shift_L, true);
	bench.typed = 0;
	key(&bench, XKB_KEY_A, true);
	assert_int_equal(bench.count, 1); /* Shift is there already */
	assert_int_equal(bench.typed, XKB_KEY_A);
	/* Shift goes first, so that the release comes as the lower case. */
	key(&bench, XKB_KEY_Shift_L, false);
	key(&bench, XKB_KEY_a, false);
	assert_int_equal(bench.down_count, 0);
	bench_fini(&bench);
}

static void test_shift_that_viewer_does_not_hold(void **state)
{
	struct bench bench;

	(void)state;
	bench_init(&bench, "us");
	key(&bench, XKB_KEY_A, true);
	assert_int_equal(bench.count, 3);
	assert_int_equal(bench.events[0].code, KEY_LEFTSHIFT);
	assert_int_equal(bench.events[1].code, KEY_A);
	assert_int_equal(bench.events[2].code, KEY_LEFTSHIFT);
	assert_int_equal(bench.typed, XKB_KEY_A);
	assert_int_equal(bench.down_count, 1);
	key(&bench, XKB_KEY_A, false);
	assert_int_equal(bench.down_count, 0);
	bench_fini(&bench);
}

static void test_shift_that_guest_must_not_see(void **state)
{
	struct bench bench;

	(void)state;
	/* On the viewer's German keyboard '/' is Shift and 7, in the guest a key of its own. */
	bench_init(&bench, "us");
	key(&bench, XKB_KEY_Shift_R, true);
	strike(&bench, XKB_KEY_slash, XKB_KEY_slash);
	assert_true(bench.down[KEY_RIGHTSHIFT]); /* put back */
	key(&bench, XKB_KEY_slash, true);
	key(&bench, XKB_KEY_Shift_R, false);
	/* The release comes as '7', which is no key that was pressed. */
	key(&bench, XKB_KEY_7, false);
	assert_int_equal(bench.down_count, 0);
	bench_fini(&bench);
}

static void test_shift_stays_for_keys_without_character(void **state)
{
	static const uint32_t keysyms[] = { XKB_KEY_Tab, XKB_KEY_ISO_Left_Tab, XKB_KEY_F3,
		XKB_KEY_Left, XKB_KEY_Insert, XKB_KEY_Return, XKB_KEY_space };
	struct bench bench;

	(void)state;
	bench_init(&bench, "us");
	key(&bench, XKB_KEY_Shift_L, true);
	for (size_t i = 0; i < sizeof(keysyms) / sizeof(keysyms[0]); i++) {
		key(&bench, keysyms[i], true);
		assert_int_equal(bench.count, 1);
		key(&bench, keysyms[i], false);
		assert_int_equal(bench.count, 1);
	}
	key(&bench, XKB_KEY_Shift_L, false);
	assert_int_equal(bench.down_count, 0);
	bench_fini(&bench);
}

static void test_altgr(void **state)
{
	struct bench bench;

	(void)state;
	bench_init(&bench, "de");
	strike(&bench, XKB_KEY_at, XKB_KEY_at);
	key(&bench, XKB_KEY_ISO_Level3_Shift, true);
	assert_true(bench.down[KEY_RIGHTALT]);
	key(&bench, XKB_KEY_at, true);
	assert_int_equal(bench.count, 1);
	assert_int_equal(bench.typed, XKB_KEY_at);
	key(&bench, XKB_KEY_ISO_Level3_Shift, false);
	key(&bench, XKB_KEY_q, false);
	assert_int_equal(bench.down_count, 0);
	key(&bench, XKB_KEY_ISO_Level3_Shift, true);
	strike(&bench, XKB_KEY_q, XKB_KEY_q);
	key(&bench, XKB_KEY_ISO_Level3_Shift, false);
	assert_int_equal(bench.down_count, 0);
	bench_fini(&bench);

	/* A layout without it must not take a viewer's AltGr for Alt. */
	bench_init(&bench, "us");
	key(&bench, XKB_KEY_ISO_Level3_Shift, true);
	assert_int_equal(bench.count, 0);
	strike(&bench, XKB_KEY_at, XKB_KEY_at);
	key(&bench, XKB_KEY_ISO_Level3_Shift, false);
	assert_int_equal(bench.down_count, 0);
	bench_fini(&bench);
}

static void test_caps_lock(void **state)
{
	struct bench bench;

	(void)state;
	bench_init(&bench, "us");
	strike(&bench, XKB_KEY_Caps_Lock, 0);
	/* With its Caps Lock on a viewer sends upper case; the guest's is on as well. */
	bench.typed = 0;
	key(&bench, XKB_KEY_A, true);
	assert_int_equal(bench.count, 1);
	assert_int_equal(bench.typed, XKB_KEY_A);
	key(&bench, XKB_KEY_A, false);
	strike(&bench, XKB_KEY_a, XKB_KEY_a);
	strike(&bench, XKB_KEY_1, XKB_KEY_1);
	strike(&bench, XKB_KEY_exclam, XKB_KEY_exclam);
	key(&bench, XKB_KEY_Shift_L, true);
	strike(&bench, XKB_KEY_a, XKB_KEY_a);
	strike(&bench, XKB_KEY_A, XKB_KEY_A);
	key(&bench, XKB_KEY_Shift_L, false);
	strike(&bench, XKB_KEY_Caps_Lock, 0);
	strike(&bench, XKB_KEY_a, XKB_KEY_a);
	strike(&bench, XKB_KEY_A, XKB_KEY_A);
	/* The guest says that Caps Lock is on: its letters still come out as the viewer's. */
	keyboard_set_caps_lock(bench.keyboard, true);
	key(&bench, XKB_KEY_A, true);
	assert_int_equal(bench.count, 1);
	key(&bench, XKB_KEY_A, false);
	assert_int_equal(bench.down_count, 0);
	bench_fini(&bench);
}

static void test_repeat(void **state)
{
	struct bench bench;

	(void)state;
	bench_init(&bench, "us");
	key(&bench, XKB_KEY_x, true);
	for (int i = 0; i < 5; i++) {
		key(&bench, XKB_KEY_x, true);
		assert_int_equal(bench.count, 1);
		assert_int_equal(bench.events[0].value, 1);
	}
	key(&bench, XKB_KEY_x, false);
	assert_int_equal(bench.down_count, 0);
	bench_fini(&bench);
}

static void test_dead_key_then_space(void **state)
{
	struct bench bench;

	(void)state;
	bench_init(&bench, "de");
	key(&bench, XKB_KEY_asciicircum, true);
	assert_int_equal(bench.count, 3);
	assert_int_equal(bench.events[0].code, KEY_GRAVE);
	assert_int_equal(bench.events[2].code, KEY_SPACE);
	key(&bench, XKB_KEY_asciicircum, false);
	assert_int_equal(bench.down_count, 0);
	bench_fini(&bench);
}

static void test_scancodes(void **state)
{
	struct bench bench;

	(void)state;
	bench_init(&bench, "us");
	/* The key passes as it is, whatever the symbol says. */
	bench.count = keyboard_scancode(
	    bench.keyboard, XKB_KEY_odiaeresis, 0x27, true, bench.events);
	guest_takes(&bench);
	assert_int_equal(bench.count, 1);
	assert_true(bench.down[KEY_SEMICOLON]);
	bench.count = keyboard_scancode(
	    bench.keyboard, XKB_KEY_Odiaeresis, 0x27, false, bench.events);
	guest_takes(&bench);
	assert_int_equal(bench.down_count, 0);
	/* Without a scancode the symbol counts. */
	bench.count = keyboard_scancode(bench.keyboard, XKB_KEY_b, 0, true, bench.events);
	guest_takes(&bench);
	assert_true(bench.down[KEY_B]);
	bench.count = keyboard_scancode(bench.keyboard, XKB_KEY_b, 0x30, false, bench.events);
	guest_takes(&bench);
	assert_int_equal(bench.down_count, 0);
	bench_fini(&bench);

	assert_int_equal(keyboard_code_from_scancode(0x01), KEY_ESC);
	assert_int_equal(keyboard_code_from_scancode(0x53), KEY_KPDOT);
	assert_int_equal(keyboard_code_from_scancode(0x58), KEY_F12);
	assert_int_equal(keyboard_code_from_scancode(0x9c), KEY_KPENTER);
	assert_int_equal(keyboard_code_from_scancode(0xb8), KEY_RIGHTALT);
	assert_int_equal(keyboard_code_from_scancode(0xc8), KEY_UP);
	assert_int_equal(keyboard_code_from_scancode(0xdb), KEY_LEFTMETA);
	assert_int_equal(keyboard_code_from_scancode(0xc6), KEY_PAUSE);
	assert_int_equal(keyboard_code_from_scancode(0x7d), KEY_YEN);
	assert_int_equal(keyboard_code_from_scancode(0x73), KEY_RO);
	assert_int_equal(keyboard_code_from_scancode(0), 0);
	assert_int_equal(keyboard_code_from_scancode(0xaa), 0);
	assert_int_equal(keyboard_code_from_scancode(0x100), 0);
	assert_int_equal(keyboard_code_from_scancode(0xffffffff), 0);
}

static void test_too_many_keys(void **state)
{
	struct bench bench;
	size_t pressed = 0;

	(void)state;
	bench_init(&bench, "us");
	for (uint32_t scancode = 1; scancode < 0x100; scancode++) {
		bench.count = keyboard_scancode(bench.keyboard, 0, scancode, true, bench.events);
		guest_takes(&bench);
		pressed += bench.count;
	}
	assert_int_equal(pressed, 64);
	assert_int_equal(bench.down_count, 64);
	key(&bench, XKB_KEY_End, true);
	assert_int_equal(bench.count, 0);
	keyboard_forget(bench.keyboard);
	key(&bench, XKB_KEY_End, true);
	assert_int_equal(bench.count, 1);
	bench_fini(&bench);
}

static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

/* The keys that a random viewer plays on: letters, digits, signs, keypad, arrows, modifiers. */
static const uint16_t VIEWER_KEYS[] = { KEY_A, KEY_Q, KEY_Z, KEY_7, KEY_2, KEY_MINUS, KEY_GRAVE,
	KEY_LEFTBRACE, KEY_SEMICOLON, KEY_102ND, KEY_SLASH, KEY_SPACE, KEY_TAB, KEY_ENTER, KEY_UP,
	KEY_F5, KEY_KP7, KEY_KPPLUS, KEY_CAPSLOCK, KEY_LEFTCTRL, KEY_LEFTALT, KEY_LEFTSHIFT,
	KEY_RIGHTSHIFT, KEY_RIGHTALT };

enum {
	VIEWER_KEY_COUNT = sizeof(VIEWER_KEYS) / sizeof(VIEWER_KEYS[0]),
};

/* A viewer with a layout of its own. */
struct viewer {
	struct xkb_keymap *xkb;
	struct xkb_state *state;
	uint32_t sent[VIEWER_KEY_COUNT]; /* symbol of the press, 0: up */
	bool current;                    /* releases with the symbol the key has then */
};

static void viewer_key(struct viewer *viewer, struct bench *bench, size_t index, bool down)
{
	xkb_keycode_t code = VIEWER_KEYS[index] + 8u;
	uint32_t keysym = xkb_state_key_get_one_sym(viewer->state, code);
	bool was_down = viewer->sent[index] != 0;

	if (was_down && (!viewer->current || keysym == XKB_KEY_NoSymbol)) {
		keysym = viewer->sent[index];
	}
	if (keysym == XKB_KEY_NoSymbol || (!down && !was_down) ||
	    (was_down && down && viewer->current)) {
		return;
	}
	key(bench, keysym, down);
	if (was_down != down) {
		xkb_state_update_key(viewer->state, code, down ? XKB_KEY_DOWN : XKB_KEY_UP);
	}
	viewer->sent[index] = down ? keysym : 0;
}

/*
 * In any order of presses, repeats and releases the guest sees what one keyboard can do (see
 * guest_takes()), and when the viewer has let go of everything, nothing is down. Also with viewers
 * of another layout, and with those that send on release the symbol that the key has by then.
 */
static void random_sequence(
    const char *guest_layout, const char *viewer_layout, uint64_t seed, bool current)
{
	const struct xkb_rule_names names = { .rules = "evdev",
		.model = "pc105",
		.layout = viewer_layout,
		.variant = "",
		.options = "" };
	struct viewer viewer = { .current = current };
	struct bench bench;

	bench_init(&bench, guest_layout);
	viewer.xkb = xkb_keymap_new_from_names(bench.context, &names, 0);
	assert_non_null(viewer.xkb);
	viewer.state = xkb_state_new(viewer.xkb);
	assert_non_null(viewer.state);
	for (int step = 0; step < 400; step++) {
		size_t index = next_random(&seed) % VIEWER_KEY_COUNT;

		viewer_key(&viewer, &bench, index, next_random(&seed) % 2);
	}
	for (size_t index = 0; index < VIEWER_KEY_COUNT; index++) {
		viewer_key(&viewer, &bench, index, false);
	}
	if (bench.down_count != 0) {
		fail_msg("%zu keys are stuck: guest %s, viewer %s, current %d", bench.down_count,
		    guest_layout, viewer_layout, current);
	}
	xkb_state_unref(viewer.state);
	xkb_keymap_unref(viewer.xkb);
	bench_fini(&bench);
}

static void test_random_sequences(void **state)
{
	static const char *const layouts[] = { "us", "jp", "de", "fr" };

	(void)state;
	for (uint64_t seed = 0; seed < 64; seed++) {
		random_sequence(layouts[seed % 4], layouts[seed / 4 % 4], seed, false);
		random_sequence(layouts[seed % 4], layouts[seed / 4 % 4], seed, true);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_press_and_release),
		cmocka_unit_test(test_shift_that_viewer_holds),
		cmocka_unit_test(test_shift_that_viewer_does_not_hold),
		cmocka_unit_test(test_shift_that_guest_must_not_see),
		cmocka_unit_test(test_shift_stays_for_keys_without_character),
		cmocka_unit_test(test_altgr),
		cmocka_unit_test(test_caps_lock),
		cmocka_unit_test(test_repeat),
		cmocka_unit_test(test_dead_key_then_space),
		cmocka_unit_test(test_scancodes),
		cmocka_unit_test(test_too_many_keys),
		cmocka_unit_test(test_random_sequences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
