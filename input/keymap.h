/*
 * From a viewer's keysym (RFB KeyEvent, X11 numbers) to the key of the guest's keyboard that makes
 * it. A viewer sends the symbol, a guest wants the key: the layout is the guest's (us, jp, de, fr,
 * ... any that xkeyboard-config has), and shift levels that the viewer's user did not press are
 * pressed and released around the key.
 *
 * The layout is compiled with libxkbcommon by keymap_create(), which reads files; after that
 * nothing is opened, so a sandboxed process creates its keymaps before it enters the sandbox. One
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"
#include "input/event.h"

struct keymap;

enum {
	KEYMAP_EVENTS_MAX = 12, /* events that one keysym can become */
	KEYMAP_STROKES_MAX = 2, /* keys that one keysym can take: a dead key and its letter */
};

/* One key to be struck, and the modifiers for it. */
struct keymap_stroke {
	uint16_t code;      /* KEY_* */
	bool shift;         /* Shift must be down */
	bool altgr;         /* AltGr must be down */
	bool shift_matters; /* false: the key makes the symbol with and without Shift */
	bool altgr_matters; /* false: the same with AltGr */
	bool caps_inverts;  /* while the guest's Caps Lock is on, the other Shift state is needed */
	bool printing;      /* a character, or a dead key: a modifier too many would change it */
};

/* `layout` is an xkb layout, "us" or "de" or "jp", with an optional variant "de(nodeadkeys)".
 * -ENOENT: unknown. */
must_check int keymap_create(const char *layout, struct keymap **keymap);
void keymap_destroy(struct keymap *keymap);

/*
 * The keys for `keysym` in the order they are struck: one, or a dead key and then its letter (or a
 * space, for the accent alone). Returns their number, or -ENOENT when the layout cannot make it.
 *
 * Keypad digits, whose key depends on the guest's Num Lock, are made by the keys of the main block;
 * a dead key's symbol that the layout has only as a character (or the reverse) by what it has.
 */
must_check int keymap_find_strokes(
    const struct keymap *keymap, uint32_t keysym, struct keymap_stroke strokes[KEYMAP_STROKES_MAX]);

/*
 * The key (KEY_*) and the modifiers it needs for `keysym`. Returns 0, or -ENOENT when the layout
 * cannot make it with one key. `shift` and `altgr` tell which modifiers must be down.
 */
must_check int keymap_lookup(
    const struct keymap *keymap, uint32_t keysym, uint16_t *code, bool *shift, bool *altgr);

/* Whether the right Alt key is AltGr in this layout, rather than a second Alt. */
bool keymap_has_altgr(const struct keymap *keymap);

/*
 * For typing a text (`tanmatsu type`): presses and releases for one Unicode character; line feed is
 * Return, and a tab is Tab. Returns the number of events written to `events` (room for
 * KEYMAP_EVENTS_MAX), or -ENOENT.
 */
must_check int keymap_type_character(
    const struct keymap *keymap, uint32_t character, struct input_event *events);
