/*
 * Keys (KEY_*, linux/input-event-codes.h) to PS/2 scan codes, sets 1 and 2, and set 2 to set 1. Tables only; any thread.
 * Microsoft, "Keyboard Scan Code Specification", revision 1.3a, appendix C.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	PS2_SCANCODE_MAX = 8, /* bytes of one key's make or break code */
	PS2_KEY_LEFTALT = 56,
	PS2_KEY_RIGHTALT = 100,
};

bool ps2_scancode_exists(uint16_t key);
/*
 * The codes that `key` sends in set 1 or 2. `alt` is down: Print Screen is SysRq then. Returns their number, at most
 * PS2_SCANCODE_MAX; 0 when the key has no code for this (Pause has no break code) or does not exist.
 */
unsigned ps2_scancode(
    unsigned set, uint16_t key, bool down, bool alt, uint8_t codes[PS2_SCANCODE_MAX]);
/* What the controller makes of one byte of set 2 (0xF0 is the controller's to handle). */
uint8_t ps2_translate(uint8_t byte);
