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
};

/* `layout` is an xkb layout, "us" or "de" or "jp", with an optional variant "de(nodeadkeys)".
 * -ENOENT: unknown. */
must_check int keymap_create(const char *layout, struct keymap **keymap);
void keymap_destroy(struct keymap *keymap);

/*
 * The key (KEY_*) and the modifiers it needs for `keysym`. Returns 0, or -ENOENT when the layout
 * cannot make it. `shift` and `altgr` tell which modifiers must be down.
 */
must_check int keymap_lookup(const struct keymap *keymap, uint32_t keysym, uint16_t *code,
			     bool *shift, bool *altgr);

/*
 * For typing a text (`tanmatsu type`): presses and releases for one Unicode character. Returns the
 * number of events written to `events` (room for KEYMAP_EVENTS_MAX), or -ENOENT.
 */
must_check int keymap_type_character(const struct keymap *keymap, uint32_t character,
				     struct input_event *events);
