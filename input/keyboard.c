/*
 * The keys a viewer holds. What must stay true: the set of held keys is exactly what the guest has
 * seen pressed and not released, after every call; modifiers that are pressed or lifted around a
 * key are put back within the same call; no input writes more than KEYBOARD_EVENTS_MAX events.
 *
 * Caps Lock: its key goes to the guest like any other, and each press toggles what we believe of
 * the guest's Caps Lock, which starts as off. While it is on, a letter needs the other Shift state,
 * so that the viewer's symbol comes out whatever the viewer's own Caps Lock is. Whoever knows
 * better (a guest's LEDs) says so with keyboard_set_caps_lock().
 */
#include "input/keyboard.h"

#include <assert.h>
#include <errno.h>
#include <linux/input-event-codes.h>
#include <stdlib.h>
#include <xkbcommon/xkbcommon.h>

enum {
	HELD_MAX = 64, /* keys held at once; nobody has more fingers */
};

struct held {
	uint16_t code;   /* 0: the layout has no key for it, so the guest saw nothing */
	uint32_t keysym; /* of the press, 0 if only the scancode was known */
	bool variable;   /* a modifier could have made it another symbol since */
	bool shift;      /* whether the viewer held them at the press */
	bool altgr;
};

struct keyboard {
	const struct keymap *keymap;
	bool caps_lock;
	size_t held_count;
	struct held held[HELD_MAX]; /* in the order they were pressed */
};

/* Where the events of one call go. */
struct output {
	struct input_event *events;
	size_t count;
};

static void add_key(struct output *output, uint16_t code, bool down)
{
	assert(output->count < KEYBOARD_EVENTS_MAX);
	output->events[output->count++] = (struct input_event){
		.type = INPUT_KEY,
		.code = code,
		.value = down,
	};
}

int keyboard_create(const struct keymap *keymap, struct keyboard **result)
{
	struct keyboard *keyboard = calloc(1, sizeof(*keyboard));

	if (!keyboard) {
		return -ENOMEM;
	}
	keyboard->keymap = keymap;
	*result = keyboard;
	return 0;
}

void keyboard_destroy(struct keyboard *keyboard)
{
	free(keyboard);
}

void keyboard_forget(struct keyboard *keyboard)
{
	keyboard->held_count = 0;
}

void keyboard_set_caps_lock(struct keyboard *keyboard, bool on)
{
	keyboard->caps_lock = on;
}

static struct held *find_code(struct keyboard *keyboard, uint16_t code)
{
	for (size_t i = 0; i < keyboard->held_count; i++) {
		if (keyboard->held[i].code == code) {
			return &keyboard->held[i];
		}
	}
	return NULL;
}

static void remove_held(struct keyboard *keyboard, struct held *held)
{
	size_t index = (size_t)(held - keyboard->held);

	for (size_t i = index + 1; i < keyboard->held_count; i++) {
		keyboard->held[i - 1] = keyboard->held[i];
	}
	keyboard->held_count--;
}

static bool holds_shift(struct keyboard *keyboard)
{
	return find_code(keyboard, KEY_LEFTSHIFT) || find_code(keyboard, KEY_RIGHTSHIFT);
}

static bool holds_altgr(struct keyboard *keyboard)
{
	return keymap_has_altgr(keyboard->keymap) && find_code(keyboard, KEY_RIGHTALT);
}

/* Characters, and the keypad, whose digits and arrows Shift exchanges. */
static bool is_variable(uint32_t keysym)
{
	return xkb_keysym_to_utf32(keysym) >= 0x20 || (keysym >= 0xfe50 && keysym <= 0xfeff) ||
	       (keysym >= XKB_KEY_KP_Space && keysym <= XKB_KEY_KP_9);
}

/* The last press of a symbol; 0 is none. */
static struct held *find_keysym(struct keyboard *keyboard, uint32_t keysym)
{
	for (size_t i = keyboard->held_count; keysym && i-- > 0;) {
		if (keyboard->held[i].keysym == keysym) {
			return &keyboard->held[i];
		}
	}
	return NULL;
}

/*
 * Notes that a key goes down; again, when it is a repeat. Returns false when there is no room for
 * one more.
 */
static bool add_held(struct keyboard *keyboard, uint16_t code, uint32_t keysym, bool variable)
{
	struct held *held = find_code(keyboard, code);
	bool shift = holds_shift(keyboard);
	bool altgr = holds_altgr(keyboard);

	if (!held) {
		if (keyboard->held_count == HELD_MAX) {
			return false;
		}
		if (keysym == XKB_KEY_Caps_Lock) {
			keyboard->caps_lock = !keyboard->caps_lock;
		}
		held = &keyboard->held[keyboard->held_count++];
	}
	*held = (struct held){
		.code = code,
		.keysym = keysym,
		.variable = variable,
		.shift = shift,
		.altgr = altgr,
	};
	return true;
}

/* Notes that a key goes down that the layout does not have. */
static void add_unknown(struct keyboard *keyboard, uint32_t keysym)
{
	if (keysym && !find_keysym(keyboard, keysym) && keyboard->held_count < HELD_MAX) {
		keyboard->held[keyboard->held_count++] = (struct held){
			.keysym = keysym,
			.variable = is_variable(keysym),
			.shift = holds_shift(keyboard),
			.altgr = holds_altgr(keyboard),
		};
	}
}

/*
 * Gives a stroke the modifiers it needs (`before`), or puts the viewer's back. A modifier too many
 * is lifted only from a key that prints: Shift with Tab or an arrow means something to the guest.
 */
static void adjust_modifiers(struct keyboard *keyboard, const struct keymap_stroke *stroke,
    bool before, struct output *output)
{
	static const uint16_t SHIFTS[] = { KEY_LEFTSHIFT, KEY_RIGHTSHIFT };
	bool shift = stroke->shift != (stroke->caps_inverts && keyboard->caps_lock);

	if (shift && !holds_shift(keyboard)) {
		add_key(output, KEY_LEFTSHIFT, before);
	}
	for (size_t i = 0; i < 2; i++) {
		if (!shift && stroke->shift_matters && stroke->printing &&
		    find_code(keyboard, SHIFTS[i])) {
			add_key(output, SHIFTS[i], !before);
		}
	}
	if (stroke->altgr && !holds_altgr(keyboard)) {
		add_key(output, KEY_RIGHTALT, before);
	}
	if (!stroke->altgr && stroke->altgr_matters && stroke->printing && holds_altgr(keyboard)) {
		add_key(output, KEY_RIGHTALT, !before);
	}
}

/* Presses and releases a key, which is up afterwards even if the viewer held it. */
static void tap(
    struct keyboard *keyboard, const struct keymap_stroke *stroke, struct output *output)
{
	struct held *held = find_code(keyboard, stroke->code);

	adjust_modifiers(keyboard, stroke, true, output);
	add_key(output, stroke->code, true);
	add_key(output, stroke->code, false);
	adjust_modifiers(keyboard, stroke, false, output);
	if (held) {
		remove_held(keyboard, held);
	}
}

static size_t press_keysym(struct keyboard *keyboard, uint32_t keysym, struct input_event *events)
{
	struct output output = { .events = events };
	struct keymap_stroke strokes[KEYMAP_STROKES_MAX];
	int count = keymap_find_strokes(keyboard->keymap, keysym, strokes);
	const struct keymap_stroke *last;

	if (count < 1) {
		/* Remembered all the same, so that its release is not taken for another key's. */
		add_unknown(keyboard, keysym);
		return 0;
	}
	last = &strokes[count - 1];
	if (keyboard->held_count == HELD_MAX && !find_code(keyboard, last->code)) {
		return 0;
	}
	for (int i = 0; i < count - 1; i++) {
		tap(keyboard, &strokes[i], &output);
	}
	adjust_modifiers(keyboard, last, true, &output);
	add_key(&output, last->code, true);
	adjust_modifiers(keyboard, last, false, &output);
	(void)add_held(keyboard, last->code, keysym, is_variable(keysym));
	return output.count;
}

/*
 * The press that a release belongs to: the same symbol; or the same key, when Shift went first and
 * made it another symbol of that key. Where the viewer's layout differs from the guest's, that can
 * be a symbol of another key altogether: then it is the last one pressed under modifiers that are
 * not those of now, or else the oldest, for a viewer releases only what it pressed.
 */
static struct held *find_press(struct keyboard *keyboard, uint32_t keysym)
{
	struct keymap_stroke strokes[KEYMAP_STROKES_MAX];
	struct held *held = find_keysym(keyboard, keysym);
	bool shift = holds_shift(keyboard);
	bool altgr = holds_altgr(keyboard);
	int count;

	if (held) {
		return held;
	}
	count = keymap_find_strokes(keyboard->keymap, keysym, strokes);
	if (count > 0) {
		held = find_code(keyboard, strokes[count - 1].code);
		if (held) {
			return held;
		}
	}
	if (!is_variable(keysym)) {
		return NULL;
	}
	for (size_t i = keyboard->held_count; i-- > 0;) {
		held = &keyboard->held[i];
		if (held->variable && (held->shift != shift || held->altgr != altgr)) {
			return held;
		}
	}
	for (size_t i = 0; i < keyboard->held_count; i++) {
		if (keyboard->held[i].variable) {
			return &keyboard->held[i];
		}
	}
	return NULL;
}

static size_t release(struct keyboard *keyboard, struct held *held, struct input_event *events)
{
	struct output output = { .events = events };

	if (!held) {
		return 0;
	}
	if (held->code) {
		add_key(&output, held->code, false);
	}
	remove_held(keyboard, held);
	return output.count;
}

size_t keyboard_keysym(
    struct keyboard *keyboard, uint32_t keysym, bool down, struct input_event *events)
{
	if (down) {
		return press_keysym(keyboard, keysym, events);
	}
	return release(keyboard, find_press(keyboard, keysym), events);
}

size_t keyboard_scancode(struct keyboard *keyboard, uint32_t keysym, uint32_t scancode, bool down,
    struct input_event *events)
{
	struct output output = { .events = events };
	uint16_t code = keyboard_code_from_scancode(scancode);

	if (!code) {
		return keyboard_keysym(keyboard, keysym, down, events);
	}
	if (!down) {
		return release(keyboard, find_code(keyboard, code), events);
	}
	if (!add_held(keyboard, code, keysym, false)) {
		return 0;
	}
	add_key(&output, code, true);
	return output.count;
}
