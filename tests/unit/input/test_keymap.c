/*
 * The layouts: every printable ASCII character of four keyboards comes out of libxkbcommon's own
 * model keyboard when the events that were computed for it are replayed there.
 */
#include <errno.h>
#include <linux/input-event-codes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <xkbcommon/xkbcommon-compose.h>
#include <xkbcommon/xkbcommon.h>

#include "input/keymap.h"

static struct keymap *open_keymap(const char *layout)
{
	struct keymap *keymap;

	assert_int_equal(keymap_create(layout, &keymap), 0);
	return keymap;
}

/* A guest: it has a layout of its own and composes dead keys. */
struct guest {
	struct xkb_context *context;
	struct xkb_keymap *keymap;
	struct xkb_state *state;
	struct xkb_compose_table *table;
	struct xkb_compose_state *compose;
};

static void guest_init(struct guest *guest, const char *layout, const char *variant)
{
	const struct xkb_rule_names names = {
		.rules = "evdev",
		.model = "pc105",
		.layout = layout,
		.variant = variant,
		.options = "",
	};
	/* The part of a Compose file that these tests need, so that no locale has to be installed. */
	static const char rules[] = "<dead_circumflex> <space> : \"^\" asciicircum\n"
				    "<dead_grave> <space> : \"`\" grave\n"
				    "<dead_tilde> <space> : \"~\" asciitilde\n"
				    "<dead_acute> <space> : \"'\" apostrophe\n"
				    "<dead_acute> <e> : \"é\" eacute\n"
				    "<dead_circumflex> <O> : \"Ô\" Ocircumflex\n"
				    "<dead_diaeresis> <i> : \"ï\" idiaeresis\n";

	guest->context = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
	assert_non_null(guest->context);
	guest->keymap = xkb_keymap_new_from_names(guest->context, &names, 0);
	assert_non_null(guest->keymap);
	guest->state = xkb_state_new(guest->keymap);
	assert_non_null(guest->state);
	guest->table = xkb_compose_table_new_from_buffer(
	    guest->context, rules, sizeof(rules) - 1, "C.UTF-8", XKB_COMPOSE_FORMAT_TEXT_V1, 0);
	assert_non_null(guest->table);
	guest->compose = xkb_compose_state_new(guest->table, 0);
	assert_non_null(guest->compose);
}

static void guest_fini(struct guest *guest)
{
	xkb_compose_state_unref(guest->compose);
	xkb_compose_table_unref(guest->table);
	xkb_state_unref(guest->state);
	xkb_keymap_unref(guest->keymap);
	xkb_context_unref(guest->context);
}

/* Types the events and returns the character they made, 0 for none; exactly one is allowed. */
static uint32_t guest_type(struct guest *guest, const struct input_event *events, int count)
{
	uint32_t typed = 0;

	for (int i = 0; i < count; i++) {
		xkb_keycode_t key = events[i].code + 8u;
		xkb_keysym_t keysym;
		enum xkb_compose_status status;

		assert_int_equal(events[i].type, INPUT_KEY);
		if (!events[i].value) {
			xkb_state_update_key(guest->state, key, XKB_KEY_UP);
			continue;
		}
		keysym = xkb_state_key_get_one_sym(guest->state, key);
		xkb_state_update_key(guest->state, key, XKB_KEY_DOWN);
		xkb_compose_state_feed(guest->compose, keysym);
		status = xkb_compose_state_get_status(guest->compose);
		if (status == XKB_COMPOSE_COMPOSED) {
			keysym = xkb_compose_state_get_one_sym(guest->compose);
			xkb_compose_state_reset(guest->compose);
		} else if (status != XKB_COMPOSE_NOTHING) {
			continue;
		}
		if (xkb_keysym_to_utf32(keysym)) {
			assert_int_equal(typed, 0);
			typed = xkb_keysym_to_utf32(keysym);
		}
	}
	return typed;
}

static void check_characters(const char *name, const char *layout, const char *variant,
    const uint32_t *characters, size_t count)
{
	struct keymap *keymap = open_keymap(name);
	struct guest guest;

	guest_init(&guest, layout, variant);
	for (size_t i = 0; i < count; i++) {
		struct input_event events[KEYMAP_EVENTS_MAX];
		int length = keymap_type_character(keymap, characters[i], events);
		uint32_t typed;

		if (length <= 0) {
			fail_msg("%s cannot type U+%04X", name, characters[i]);
		}
		assert_in_range(length, 2, KEYMAP_EVENTS_MAX);
		typed = guest_type(&guest, events, length);
		if (typed != characters[i]) {
			fail_msg("%s: U+%04X came out as U+%04X", name, characters[i], typed);
		}
		/* Nothing is left pressed. */
		assert_int_equal(
		    xkb_state_serialize_mods(guest.state, XKB_STATE_MODS_EFFECTIVE), 0);
	}
	guest_fini(&guest);
	keymap_destroy(keymap);
}

static void test_ascii_of_four_layouts(void **state)
{
	static const char *const layouts[] = { "us", "jp", "de", "fr" };
	uint32_t ascii[0x7f - 0x20];

	(void)state;
	for (uint32_t i = 0; i < 0x7f - 0x20; i++) {
		ascii[i] = 0x20 + i;
	}
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		check_characters(layouts[i], layouts[i], "", ascii, 0x7f - 0x20);
	}
	check_characters("de(nodeadkeys)", "de", "nodeadkeys", ascii, 0x7f - 0x20);
	check_characters("us(intl)", "us", "intl", ascii, 0x7f - 0x20);
	check_characters("jp(OADG109A)", "jp", "OADG109A", ascii, 0x7f - 0x20);
}

static void test_accents_of_layouts(void **state)
{
	static const uint32_t german[] = { 0xe4, 0xd6, 0xfc, 0xdf, 0x20ac, 0xa7, 0xb0, 0xe9 };
	static const uint32_t french[] = { 0xe9, 0xe8, 0xe0, 0xe7, 0x20ac, 0xd4, 0xef };

	(void)state;
	check_characters("de", "de", "", german, sizeof(german) / sizeof(german[0]));
	check_characters("fr", "fr", "", french, sizeof(french) / sizeof(french[0]));
}

static void assert_key(
    const struct keymap *keymap, uint32_t keysym, uint16_t code, bool shift, bool altgr)
{
	uint16_t found = 0;
	bool found_shift = !shift;
	bool found_altgr = !altgr;

	if (keymap_lookup(keymap, keysym, &found, &found_shift, &found_altgr) != 0) {
		fail_msg("keysym 0x%x is unknown", keysym);
	}
	if (found != code || found_shift != shift || found_altgr != altgr) {
		fail_msg("keysym 0x%x: key %u shift %d altgr %d", keysym, found, found_shift,
		    found_altgr);
	}
}

static void test_keys_without_character(void **state)
{
	struct keymap *keymap = open_keymap("us");

	(void)state;
	assert_key(keymap, XKB_KEY_Return, KEY_ENTER, false, false);
	assert_key(keymap, XKB_KEY_BackSpace, KEY_BACKSPACE, false, false);
	assert_key(keymap, XKB_KEY_Tab, KEY_TAB, false, false);
	assert_key(keymap, XKB_KEY_ISO_Left_Tab, KEY_TAB, true, false);
	assert_key(keymap, XKB_KEY_Escape, KEY_ESC, false, false);
	assert_key(keymap, XKB_KEY_F1, KEY_F1, false, false);
	assert_key(keymap, XKB_KEY_F12, KEY_F12, false, false);
	assert_key(keymap, XKB_KEY_Up, KEY_UP, false, false);
	assert_key(keymap, XKB_KEY_Delete, KEY_DELETE, false, false);
	assert_key(keymap, XKB_KEY_Control_L, KEY_LEFTCTRL, false, false);
	assert_key(keymap, XKB_KEY_Control_R, KEY_RIGHTCTRL, false, false);
	assert_key(keymap, XKB_KEY_Shift_R, KEY_RIGHTSHIFT, false, false);
	assert_key(keymap, XKB_KEY_Alt_L, KEY_LEFTALT, false, false);
	assert_key(keymap, XKB_KEY_Alt_R, KEY_RIGHTALT, false, false);
	assert_key(keymap, XKB_KEY_Super_L, KEY_LEFTMETA, false, false);
	assert_key(keymap, XKB_KEY_Caps_Lock, KEY_CAPSLOCK, false, false);
	assert_key(keymap, XKB_KEY_Print, KEY_SYSRQ, false, false);
	assert_key(keymap, XKB_KEY_Menu, KEY_COMPOSE, false, false);
	keymap_destroy(keymap);
}

static void test_keypad_does_not_depend_on_num_lock(void **state)
{
	struct keymap *us = open_keymap("us");
	struct keymap *fr = open_keymap("fr");

	(void)state;
	assert_key(us, XKB_KEY_KP_7, KEY_7, false, false);
	assert_key(fr, XKB_KEY_KP_7, KEY_7, true, false);
	assert_key(us, XKB_KEY_KP_Decimal, KEY_DOT, false, false);
	assert_key(us, XKB_KEY_KP_Home, KEY_HOME, false, false);
	assert_key(us, XKB_KEY_KP_Enter, KEY_KPENTER, false, false);
	assert_key(us, XKB_KEY_KP_Add, KEY_KPPLUS, false, false);
	assert_key(us, XKB_KEY_KP_Divide, KEY_KPSLASH, false, false);
	keymap_destroy(us);
	keymap_destroy(fr);
}

static void test_japanese_keys(void **state)
{
	struct keymap *jp = open_keymap("jp");
	struct keymap *us = open_keymap("us");
	uint16_t code;
	bool shift;
	bool altgr;

	(void)state;
	assert_key(jp, XKB_KEY_Henkan, KEY_HENKAN, false, false);
	assert_key(jp, XKB_KEY_Muhenkan, KEY_MUHENKAN, false, false);
	assert_key(jp, XKB_KEY_Eisu_toggle, KEY_CAPSLOCK, false, false);
	assert_key(jp, XKB_KEY_Caps_Lock, KEY_CAPSLOCK, true, false);
	assert_key(jp, XKB_KEY_Zenkaku_Hankaku, KEY_GRAVE, false, false);
	assert_key(jp, XKB_KEY_Hiragana_Katakana, KEY_KATAKANAHIRAGANA, false, false);
	assert_key(jp, XKB_KEY_at, KEY_LEFTBRACE, false, false);
	assert_key(jp, XKB_KEY_underscore, KEY_RO, true, false);
	assert_key(jp, XKB_KEY_bar, KEY_YEN, true, false);
	assert_key(jp, XKB_KEY_yen, KEY_RO, false, false);
	assert_int_equal(keymap_lookup(us, XKB_KEY_yen, &code, &shift, &altgr), -ENOENT);
	keymap_destroy(jp);
	keymap_destroy(us);
}

static void test_altgr_and_dead_keys(void **state)
{
	struct keymap *de = open_keymap("de");
	struct keymap *us = open_keymap("us");
	struct keymap_stroke strokes[KEYMAP_STROKES_MAX];

	(void)state;
	assert_true(keymap_has_altgr(de));
	assert_false(keymap_has_altgr(us));
	assert_key(de, XKB_KEY_at, KEY_Q, false, true);
	assert_key(de, XKB_KEY_ISO_Level3_Shift, KEY_RIGHTALT, false, false);
	assert_key(de, XKB_KEY_dead_circumflex, KEY_GRAVE, false, false);
	/* A dead key that the layout does not have is the symbol on its own. */
	assert_key(us, XKB_KEY_dead_circumflex, KEY_6, true, false);
	assert_key(us, XKB_KEY_dead_grave, KEY_GRAVE, false, false);
	/* A symbol that the layout has only as a dead key is that and a space. */
	assert_int_equal(keymap_find_strokes(de, XKB_KEY_asciicircum, strokes), 2);
	assert_int_equal(strokes[0].code, KEY_GRAVE);
	assert_int_equal(strokes[1].code, KEY_SPACE);
	keymap_destroy(de);
	keymap_destroy(us);
}

static void test_unicode_keysyms(void **state)
{
	struct keymap *de = open_keymap("de");
	struct keymap *ru = open_keymap("ru");
	struct keymap_stroke strokes[KEYMAP_STROKES_MAX];

	(void)state;
	assert_key(de, 0x01000000 + 'a', KEY_A, false, false);
	assert_key(de, 0x010020ac, KEY_E, false, true);  /* the euro sign */
	assert_key(ru, 0x01000444, KEY_A, false, false); /* Cyrillic ef */
	assert_int_equal(keymap_find_strokes(de, 0x0101f600, strokes), -ENOENT);
	assert_int_equal(keymap_find_strokes(de, 0, strokes), -ENOENT);
	assert_int_equal(keymap_find_strokes(de, 0xffffffff, strokes), -ENOENT);
	keymap_destroy(de);
	keymap_destroy(ru);
}

static void test_unknown_layouts(void **state)
{
	static const char *const names[] = { "", "nosuch", "us(", "us()", "us(nosuch)",
		"../../etc/passwd", "us)", "us(intl)x", "a b", "us,de",
		"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct keymap *keymap = NULL;

		if (keymap_create(names[i], &keymap) != -ENOENT) {
			fail_msg("layout '%s' was accepted", names[i]);
		}
		assert_null(keymap);
	}
}

static void test_typed_controls(void **state)
{
	struct keymap *us = open_keymap("us");
	struct input_event events[KEYMAP_EVENTS_MAX];

	(void)state;
	assert_int_equal(keymap_type_character(us, '\n', events), 2);
	assert_int_equal(events[0].code, KEY_ENTER);
	assert_int_equal(events[0].value, 1);
	assert_int_equal(events[1].value, 0);
	assert_int_equal(keymap_type_character(us, '\t', events), 2);
	assert_int_equal(events[0].code, KEY_TAB);
	assert_int_equal(keymap_type_character(us, 0x1b, events), -ENOENT);
	assert_int_equal(keymap_type_character(us, 0x110000, events), -ENOENT);
	assert_int_equal(keymap_type_character(us, 0xd800, events), -ENOENT);
	keymap_destroy(us);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ascii_of_four_layouts),
		cmocka_unit_test(test_accents_of_layouts),
		cmocka_unit_test(test_keys_without_character),
		cmocka_unit_test(test_keypad_does_not_depend_on_num_lock),
		cmocka_unit_test(test_japanese_keys),
		cmocka_unit_test(test_altgr_and_dead_keys),
		cmocka_unit_test(test_unicode_keysyms),
		cmocka_unit_test(test_unknown_layouts),
		cmocka_unit_test(test_typed_controls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
