/*
 * What is known about keysyms without a layout: keys that are the same on every keyboard, symbols
 * that stand for another one, dead keys and the accented letters they make. Pure tables; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The KEY_* of a keysym that has no character (Alt_R, Henkan, KP_Add...), or 0. */
uint16_t keymap_symbol_fixed_code(uint32_t keysym);

/*
 * The keysym that does the same without depending on the guest's Num Lock or on a modifier that is
 * not there: KP_7 is 7, KP_Home is Home, Mode_switch is ISO_Level3_Shift. 0: none.
 */
uint32_t keymap_symbol_substitute(uint32_t keysym);

bool keymap_symbol_is_dead(uint32_t keysym);
/* A dead key's symbol as it stands alone (dead_acute: acute), or 0; and back. */
uint32_t keymap_symbol_from_dead(uint32_t dead);
uint32_t keymap_symbol_to_dead(uint32_t keysym);

/* The dead key and the letter that together make `keysym` (eacute: dead_acute, e). */
bool keymap_symbol_decompose(uint32_t keysym, uint32_t *dead, uint32_t *base);
