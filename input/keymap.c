/*
 * A layout as a sorted table. keymap_create() presses every key of the compiled layout with and
 * without Shift and AltGr on a model keyboard and notes what comes out, which takes all of xkb's
 * rules into account; the xkb objects, some hundred kilobytes, are then given up.
 *
 * What must stay true: the table is sorted by keysym with one entry each, the cheapest to strike;
 * and every stroke of a result comes from the table or from the fixed keys.
 */
#include "input/keymap.h"

#include <assert.h>
#include <errno.h>
#include <linux/input-event-codes.h>
#include <stdlib.h>
#include <string.h>
#include <xkbcommon/xkbcommon.h>

#include "input/keymap_symbols.h"

enum {
	XKB_OFFSET = 8, /* an xkb keycode is the evdev code plus this */
	LAYOUT_NAME_MAX = 32,
	TABLE_MAX = 4096, /* symbols in a layout; real ones have some hundred */
	COST_SHIFT = 1,
	COST_ALTGR = 2,
	COST_RARE_KEY = 2, /* just above Shift: keys that many keyboards do not have */
};

struct entry {
	uint32_t keysym; /* canonical(): the old number when a symbol has two */
	uint16_t cost;
	struct keymap_stroke stroke;
};

struct keymap {
	bool has_altgr;
	size_t count;
	struct entry *table;
};

/* What a modifier key does to the state of xkb's model keyboard. */
struct modifiers {
	xkb_mod_mask_t shift;
	xkb_mod_mask_t altgr; /* 0 if the layout has none */
	xkb_mod_mask_t caps;
};

/* What one key makes: by Shift, by AltGr; and the same while Caps Lock is on. */
struct key_symbols {
	xkb_keysym_t plain[2][2];
	xkb_keysym_t caps[2][2];
};

/* Unicode keysyms (0x01000000 and the character) of characters with an older number become that. */
static uint32_t canonical(uint32_t keysym)
{
	if (keysym >= 0x01000000 && keysym <= 0x0110ffff) {
		return xkb_utf32_to_keysym(keysym - 0x01000000);
	}
	return keysym;
}

static bool is_printing(uint32_t keysym)
{
	uint32_t character = xkb_keysym_to_utf32(keysym);

	return (character >= 0x20 && character != 0x7f) || keymap_symbol_is_dead(keysym);
}

/* Keycodes that xkb invents for modifiers without a key; no keyboard has them. */
static bool is_virtual_code(uint32_t code)
{
	return code == 84 || (code >= 195 && code <= 199);
}

static bool is_rare_key(uint16_t code)
{
	return code == KEY_102ND || code == KEY_RO || code == KEY_YEN || code > KEY_COMPOSE;
}

static struct keymap_stroke *search(const struct keymap *keymap, uint32_t keysym)
{
	size_t low = 0;
	size_t high = keymap->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (keymap->table[middle].keysym < keysym) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	if (low < keymap->count && keymap->table[low].keysym == keysym) {
		return &keymap->table[low].stroke;
	}
	return NULL;
}

static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left;
	const struct entry *b = right;

	if (a->keysym != b->keysym) {
		return a->keysym < b->keysym ? -1 : 1;
	}
	if (a->cost != b->cost) {
		return a->cost < b->cost ? -1 : 1;
	}
	return (int)a->stroke.code - (int)b->stroke.code;
}

/* Presses the key of each modifier on a fresh keyboard and notes what became of its state. */
static must_check int find_modifiers(struct xkb_keymap *xkb, struct modifiers *modifiers)
{
	struct xkb_state *state = xkb_state_new(xkb);
	xkb_mod_index_t lock = xkb_keymap_mod_get_index(xkb, XKB_MOD_NAME_CAPS);

	if (!state) {
		return -ENOMEM;
	}
	memset(modifiers, 0, sizeof(*modifiers));
	xkb_state_update_key(state, KEY_LEFTSHIFT + XKB_OFFSET, XKB_KEY_DOWN);
	modifiers->shift = xkb_state_serialize_mods(state, XKB_STATE_MODS_EFFECTIVE);
	xkb_state_update_key(state, KEY_LEFTSHIFT + XKB_OFFSET, XKB_KEY_UP);
	if (xkb_state_key_get_one_sym(state, KEY_RIGHTALT + XKB_OFFSET) ==
	    XKB_KEY_ISO_Level3_Shift) {
		xkb_state_update_key(state, KEY_RIGHTALT + XKB_OFFSET, XKB_KEY_DOWN);
		modifiers->altgr = xkb_state_serialize_mods(state, XKB_STATE_MODS_EFFECTIVE);
	}
	if (lock != XKB_MOD_INVALID && lock < 32) {
		modifiers->caps = 1u << lock;
	}
	xkb_state_unref(state);
	return 0;
}

static void read_key(struct xkb_state *state, xkb_keycode_t key, const struct modifiers *modifiers,
    struct key_symbols *symbols)
{
	for (int shift = 0; shift < 2; shift++) {
		for (int altgr = 0; altgr < 2; altgr++) {
			xkb_mod_mask_t down = (shift ? modifiers->shift : 0) |
					      (altgr ? modifiers->altgr : 0);

			xkb_state_update_mask(state, down, 0, 0, 0, 0, 0);
			symbols->plain[shift][altgr] = canonical(
			    xkb_state_key_get_one_sym(state, key));
			xkb_state_update_mask(state, down, 0, modifiers->caps, 0, 0, 0);
			symbols->caps[shift][altgr] = canonical(
			    xkb_state_key_get_one_sym(state, key));
		}
	}
}

/* The keypad, and XF86Switch_VT_1 to XF86Prev_VMode, for which keymap_symbols.h has other keys. */
static bool is_replaced(uint32_t keysym)
{
	return (keysym >= XKB_KEY_KP_Space && keysym <= XKB_KEY_KP_Equal) ||
	       (keysym >= XKB_KEY_XF86Switch_VT_1 && keysym <= XKB_KEY_XF86Prev_VMode);
}

/* Adds what one key makes at one level, unless that is nothing or replaced. */
static void add_entry(
    struct keymap *keymap, uint16_t code, const struct key_symbols *symbols, bool shift, bool altgr)
{
	uint32_t keysym = symbols->plain[shift][altgr];
	uint32_t caps = symbols->caps[shift][altgr];
	struct entry *entry = &keymap->table[keymap->count];

	if (keysym == XKB_KEY_NoSymbol || keysym == XKB_KEY_VoidSymbol || is_replaced(keysym) ||
	    keymap->count == TABLE_MAX) {
		return;
	}
	*entry = (struct entry){
		.keysym = keysym,
		.stroke = {
			.code = code,
			.shift = shift,
			.altgr = altgr,
			.shift_matters = symbols->plain[!shift][altgr] != keysym,
			.altgr_matters = symbols->plain[shift][!altgr] != keysym,
			.caps_inverts = caps != keysym && symbols->caps[!shift][altgr] == keysym,
			.printing = is_printing(keysym),
		},
	};
	entry->cost = (uint16_t)((shift ? COST_SHIFT : 0) + (altgr ? COST_ALTGR : 0) +
				 (is_rare_key(code) ? COST_RARE_KEY : 0));
	keymap->count++;
}

static must_check int fill_table(struct keymap *keymap, struct xkb_keymap *xkb)
{
	struct xkb_state *state;
	struct modifiers modifiers;
	xkb_keycode_t last = xkb_keymap_max_keycode(xkb);
	int error = find_modifiers(xkb, &modifiers);

	if (error) {
		return error;
	}
	state = xkb_state_new(xkb);
	if (!state) {
		return -ENOMEM;
	}
	keymap->has_altgr = modifiers.altgr != 0;
	for (xkb_keycode_t key = XKB_OFFSET + 1; key <= last && key - XKB_OFFSET <= INPUT_KEY_MAX;
	     key++) {
		struct key_symbols symbols;

		if (is_virtual_code(key - XKB_OFFSET)) {
			continue;
		}
		read_key(state, key, &modifiers, &symbols);
		for (int altgr = 0; altgr <= keymap->has_altgr; altgr++) {
			for (int shift = 0; shift < 2; shift++) {
				add_entry(
				    keymap, (uint16_t)(key - XKB_OFFSET), &symbols, shift, altgr);
			}
		}
	}
	xkb_state_unref(state);
	return 0;
}

/* Sorts the table and keeps the cheapest entry of each symbol. */
static void finish_table(struct keymap *keymap)
{
	struct entry *smaller;
	size_t kept = 0;

	qsort(keymap->table, keymap->count, sizeof(keymap->table[0]), compare_entries);
	for (size_t i = 0; i < keymap->count; i++) {
		if (kept == 0 || keymap->table[kept - 1].keysym != keymap->table[i].keysym) {
			keymap->table[kept++] = keymap->table[i];
		}
	}
	keymap->count = kept;
	smaller = realloc(keymap->table, (kept ? kept : 1) * sizeof(keymap->table[0]));
	if (smaller) {
		keymap->table = smaller;
	}
}

/* Splits "de(nodeadkeys)". The parts become file names, so only what such names consist of passes. */
static bool split_layout(const char *name, char *layout, char *variant)
{
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+";
	size_t length = strspn(name, allowed);

	if (length == 0 || length >= LAYOUT_NAME_MAX) {
		return false;
	}
	memcpy(layout, name, length);
	layout[length] = '\0';
	variant[0] = '\0';
	name += length;
	if (*name == '(') {
		name++;
		length = strspn(name, allowed);
		if (length == 0 || length >= LAYOUT_NAME_MAX || strcmp(name + length, ")") != 0) {
			return false;
		}
		memcpy(variant, name, length);
		variant[length] = '\0';
		return true;
	}
	return *name == '\0';
}

static void ignore_xkb_messages(
    struct xkb_context *context, enum xkb_log_level level, const char *format, va_list arguments)
{
	(void)context;
	(void)level;
	(void)format;
	(void)arguments;
}

int keymap_create(const char *name, struct keymap **result)
{
	char layout[LAYOUT_NAME_MAX];
	char variant[LAYOUT_NAME_MAX];
	const struct xkb_rule_names names = { .rules = "evdev",
		.model = "pc105",
		.layout = layout,
		.variant = variant,
		.options = "" };
	struct xkb_context *context;
	struct xkb_keymap *xkb;
	struct keymap *keymap = NULL;
	int error = -ENOMEM;

	if (!split_layout(name, layout, variant)) {
		return -ENOENT;
	}
	context = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
	if (!context) {
		return -ENOMEM;
	}
	xkb_context_set_log_fn(context, ignore_xkb_messages);
	xkb = xkb_keymap_new_from_names(context, &names, XKB_KEYMAP_COMPILE_NO_FLAGS);
	if (!xkb) {
		error = -ENOENT;
		goto out_context;
	}
	keymap = calloc(1, sizeof(*keymap));
	if (!keymap) {
		goto out_xkb;
	}
	keymap->table = malloc(TABLE_MAX * sizeof(keymap->table[0]));
	if (!keymap->table) {
		goto out_xkb;
	}
	error = fill_table(keymap, xkb);
	if (error) {
		goto out_xkb;
	}
	finish_table(keymap);
	*result = keymap;
	keymap = NULL;

out_xkb:
	keymap_destroy(keymap);
	xkb_keymap_unref(xkb);
out_context:
	xkb_context_unref(context);
	return error;
}

void keymap_destroy(struct keymap *keymap)
{
	if (!keymap) {
		return;
	}
	free(keymap->table);
	free(keymap);
}

bool keymap_has_altgr(const struct keymap *keymap)
{
	return keymap->has_altgr;
}

/* One key: from the layout, of the fixed ones, or what substitutes for it. */
static bool find_single(const struct keymap *keymap, uint32_t keysym, struct keymap_stroke *stroke)
{
	const struct keymap_stroke *found = search(keymap, keysym);
	uint32_t substitute;
	uint16_t code;

	if (found) {
		*stroke = *found;
		return true;
	}
	code = keymap_symbol_fixed_code(keysym);
	if (code) {
		*stroke = (struct keymap_stroke){ .code = code };
		return true;
	}
	substitute = keymap_symbol_substitute(keysym);
	found = substitute ? search(keymap, substitute) : NULL;
	/* The yen sign may stand for the backslash on a Japanese key only. */
	if (found && (keysym != XKB_KEY_yen || found->code == KEY_YEN || found->code == KEY_RO)) {
		*stroke = *found;
		return true;
	}
	return false;
}

int keymap_find_strokes(
    const struct keymap *keymap, uint32_t keysym, struct keymap_stroke strokes[KEYMAP_STROKES_MAX])
{
	const struct keymap_stroke *first;
	const struct keymap_stroke *second;
	uint32_t dead;
	uint32_t base;

	keysym = canonical(keysym);
	if (keysym == XKB_KEY_NoSymbol) {
		return -ENOENT;
	}
	if (find_single(keymap, keysym, &strokes[0])) {
		return 1;
	}
	if (keymap_symbol_is_dead(keysym)) {
		keysym = keymap_symbol_from_dead(keysym);
		return keysym && find_single(keymap, keysym, &strokes[0]) ? 1 : -ENOENT;
	}
	dead = keymap_symbol_to_dead(keysym);
	base = XKB_KEY_space;
	if (!dead && !keymap_symbol_decompose(keysym, &dead, &base)) {
		return -ENOENT;
	}
	first = search(keymap, dead);
	second = search(keymap, base);
	if (!first || !second) {
		return -ENOENT;
	}
	strokes[0] = *first;
	strokes[1] = *second;
	return 2;
}

int keymap_lookup(
    const struct keymap *keymap, uint32_t keysym, uint16_t *code, bool *shift, bool *altgr)
{
	struct keymap_stroke strokes[KEYMAP_STROKES_MAX];

	if (keymap_find_strokes(keymap, keysym, strokes) != 1) {
		return -ENOENT;
	}
	*code = strokes[0].code;
	*shift = strokes[0].shift;
	*altgr = strokes[0].altgr;
	return 0;
}

static uint32_t keysym_from_character(uint32_t character)
{
	if (character == '\n' || character == '\r') {
		return XKB_KEY_Return;
	}
	if (character == '\t') {
		return XKB_KEY_Tab;
	}
	return character < 0x20 || character == 0x7f ? XKB_KEY_NoSymbol
						     : xkb_utf32_to_keysym(character);
}

static void add_key(struct input_event *events, int *count, uint16_t code, bool down)
{
	assert(*count < KEYMAP_EVENTS_MAX);
	events[(*count)++] = (struct input_event){ .type = INPUT_KEY, .code = code, .value = down };
}

int keymap_type_character(
    const struct keymap *keymap, uint32_t character, struct input_event *events)
{
	struct keymap_stroke strokes[KEYMAP_STROKES_MAX];
	int stroke_count = keymap_find_strokes(keymap, keysym_from_character(character), strokes);
	int count = 0;

	for (int i = 0; i < stroke_count; i++) {
		const struct keymap_stroke *stroke = &strokes[i];

		if (stroke->altgr) {
			add_key(events, &count, KEY_RIGHTALT, true);
		}
		if (stroke->shift) {
			add_key(events, &count, KEY_LEFTSHIFT, true);
		}
		add_key(events, &count, stroke->code, true);
		add_key(events, &count, stroke->code, false);
		if (stroke->shift) {
			add_key(events, &count, KEY_LEFTSHIFT, false);
		}
		if (stroke->altgr) {
			add_key(events, &count, KEY_RIGHTALT, false);
		}
	}
	return stroke_count < 0 ? stroke_count : count;
}
