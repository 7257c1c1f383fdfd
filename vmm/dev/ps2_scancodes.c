/*
 * Scan code tables. What must stay true: set 2's codes and the controller's translation are inverse to each other, so
 * that a guest hears the same key whichever way it has set the two.
 */
#include "vmm/dev/ps2_scancodes.h"

#include <linux/input-event-codes.h>
#include <string.h>

#define EXTENDED  0xe000 /* the code comes after 0xE0 */
#define KEY_LIMIT 256

/* Set 1 of each key from KEY_102ND - 1 on; up to KEY_KPDOT keys are numbered by their set 1 code. */
static const uint16_t set1[KEY_LIMIT] = {
	[KEY_ZENKAKUHANKAKU] = 0x76,
	[KEY_102ND] = 0x56,
	[KEY_F11] = 0x57,
	[KEY_F12] = 0x58,
	[KEY_RO] = 0x73,
	[KEY_KATAKANA] = 0x78,
	[KEY_HIRAGANA] = 0x77,
	[KEY_HENKAN] = 0x79,
	[KEY_KATAKANAHIRAGANA] = 0x70,
	[KEY_MUHENKAN] = 0x7b,
	[KEY_KPJPCOMMA] = 0x5c,
	[KEY_KPENTER] = EXTENDED | 0x1c,
	[KEY_RIGHTCTRL] = EXTENDED | 0x1d,
	[KEY_KPSLASH] = EXTENDED | 0x35,
	[KEY_SYSRQ] = EXTENDED | 0x37,
	[KEY_RIGHTALT] = EXTENDED | 0x38,
	[KEY_HOME] = EXTENDED | 0x47,
	[KEY_UP] = EXTENDED | 0x48,
	[KEY_PAGEUP] = EXTENDED | 0x49,
	[KEY_LEFT] = EXTENDED | 0x4b,
	[KEY_RIGHT] = EXTENDED | 0x4d,
	[KEY_END] = EXTENDED | 0x4f,
	[KEY_DOWN] = EXTENDED | 0x50,
	[KEY_PAGEDOWN] = EXTENDED | 0x51,
	[KEY_INSERT] = EXTENDED | 0x52,
	[KEY_DELETE] = EXTENDED | 0x53,
	[KEY_MACRO] = EXTENDED | 0x6f,
	[KEY_MUTE] = EXTENDED | 0x20,
	[KEY_VOLUMEDOWN] = EXTENDED | 0x2e,
	[KEY_VOLUMEUP] = EXTENDED | 0x30,
	[KEY_POWER] = EXTENDED | 0x5e,
	[KEY_KPEQUAL] = 0x59,
	[KEY_KPPLUSMINUS] = EXTENDED | 0x4e,
	[KEY_PAUSE] = 0xe11d,
	[KEY_KPCOMMA] = 0x7e,
	[KEY_HANGEUL] = 0xf2,
	[KEY_HANJA] = 0xf1,
	[KEY_YEN] = 0x7d,
	[KEY_LEFTMETA] = EXTENDED | 0x5b,
	[KEY_RIGHTMETA] = EXTENDED | 0x5c,
	[KEY_COMPOSE] = EXTENDED | 0x5d,
	[KEY_STOP] = EXTENDED | 0x68,
	[KEY_CALC] = EXTENDED | 0x21,
	[KEY_SLEEP] = EXTENDED | 0x5f,
	[KEY_WAKEUP] = EXTENDED | 0x63,
	[KEY_MAIL] = EXTENDED | 0x6c,
	[KEY_BOOKMARKS] = EXTENDED | 0x66,
	[KEY_COMPUTER] = EXTENDED | 0x6b,
	[KEY_BACK] = EXTENDED | 0x6a,
	[KEY_FORWARD] = EXTENDED | 0x69,
	[KEY_NEXTSONG] = EXTENDED | 0x19,
	[KEY_PLAYPAUSE] = EXTENDED | 0x22,
	[KEY_PREVIOUSSONG] = EXTENDED | 0x10,
	[KEY_STOPCD] = EXTENDED | 0x24,
	[KEY_HOMEPAGE] = EXTENDED | 0x32,
	[KEY_REFRESH] = EXTENDED | 0x67,
	[KEY_F13] = 0x5d,
	[KEY_F14] = 0x5e,
	[KEY_F15] = 0x5f,
	[KEY_SEARCH] = EXTENDED | 0x65,
	[KEY_MEDIA] = EXTENDED | 0x6d,
};

/* Set 2 of each set 1 code: the inverse of the controller's translation. */
static const uint8_t set2_of_set1[128] = {
	0x00,
	0x76,
	0x16,
	0x1e,
	0x26,
	0x25,
	0x2e,
	0x36,
	0x3d,
	0x3e,
	0x46,
	0x45,
	0x4e,
	0x55,
	0x66,
	0x0d,
	0x15,
	0x1d,
	0x24,
	0x2d,
	0x2c,
	0x35,
	0x3c,
	0x43,
	0x44,
	0x4d,
	0x54,
	0x5b,
	0x5a,
	0x14,
	0x1c,
	0x1b,
	0x23,
	0x2b,
	0x34,
	0x33,
	0x3b,
	0x42,
	0x4b,
	0x4c,
	0x52,
	0x0e,
	0x12,
	0x5d,
	0x1a,
	0x22,
	0x21,
	0x2a,
	0x32,
	0x31,
	0x3a,
	0x41,
	0x49,
	0x4a,
	0x59,
	0x7c,
	0x11,
	0x29,
	0x58,
	0x05,
	0x06,
	0x04,
	0x0c,
	0x03,
	0x0b,
	0x83,
	0x0a,
	0x01,
	0x09,
	0x77,
	0x7e,
	0x6c,
	0x75,
	0x7d,
	0x7b,
	0x6b,
	0x73,
	0x74,
	0x79,
	0x69,
	0x72,
	0x7a,
	0x70,
	0x71,
	0x84,
	0x60,
	0x61,
	0x78,
	0x07,
	0x0f,
	0x17,
	0x1f,
	0x27,
	0x2f,
	0x37,
	0x3f,
	0x47,
	0x4f,
	0x56,
	0x5e,
	0x08,
	0x10,
	0x18,
	0x20,
	0x28,
	0x30,
	0x38,
	0x40,
	0x48,
	0x50,
	0x57,
	0x6f,
	0x13,
	0x19,
	0x39,
	0x51,
	0x53,
	0x5c,
	0x5f,
	0x62,
	0x63,
	0x64,
	0x65,
	0x67,
	0x68,
	0x6a,
	0x6d,
	0x6e,
};

static uint16_t set1_code(uint16_t key)
{
	if (key >= KEY_LIMIT) {
		return 0;
	}
	return key >= KEY_ESC && key <= KEY_KPDOT ? key : set1[key];
}

bool ps2_scancode_exists(uint16_t key)
{
	return set1_code(key) != 0;
}

static unsigned put(uint8_t *codes, const uint8_t *from, unsigned count)
{
	memcpy(codes, from, count);
	return count;
}

/* Sequences that no rule makes. Returns 0 when the key is none of them. */
static unsigned irregular(unsigned set, uint16_t key, bool down, bool alt, uint8_t *codes)
{
	static const uint8_t pause1[] = { 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5 };
	static const uint8_t pause2[] = { 0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77 };
	static const uint8_t print1_make[] = { 0xe0, 0x2a, 0xe0, 0x37 };
	static const uint8_t print1_break[] = { 0xe0, 0xb7, 0xe0, 0xaa };
	static const uint8_t print2_make[] = { 0xe0, 0x12, 0xe0, 0x7c };
	static const uint8_t print2_break[] = { 0xe0, 0xf0, 0x7c, 0xe0, 0xf0, 0x12 };
	static const uint8_t sysrq1_make[] = { 0x54 };
	static const uint8_t sysrq1_break[] = { 0xd4 };
	static const uint8_t sysrq2_make[] = { 0x84 };
	static const uint8_t sysrq2_break[] = { 0xf0, 0x84 };

	if (key == KEY_PAUSE) {
		return set == 1 ? put(codes, pause1, sizeof(pause1))
				: put(codes, pause2, sizeof(pause2));
	}
	if (key == KEY_SYSRQ && alt) {
		if (set == 1) {
			return down ? put(codes, sysrq1_make, 1) : put(codes, sysrq1_break, 1);
		}
		return down ? put(codes, sysrq2_make, 1) : put(codes, sysrq2_break, 2);
	}
	if (key == KEY_SYSRQ) {
		if (set == 1) {
			return put(codes, down ? print1_make : print1_break, 4);
		}
		return down ? put(codes, print2_make, 4) : put(codes, print2_break, 6);
	}
	return 0;
}

unsigned ps2_scancode(
    unsigned set, uint16_t key, bool down, bool alt, uint8_t codes[PS2_SCANCODE_MAX])
{
	uint16_t code = set1_code(key);
	unsigned count = 0;

	if (code == 0 || (!down && (key == KEY_PAUSE || key == KEY_HANGEUL || key == KEY_HANJA))) {
		return 0;
	}
	count = irregular(set, key, down, alt, codes);
	if (count > 0) {
		return count;
	}
	if (code >> 8) {
		codes[count++] = (uint8_t)(code >> 8);
	}
	if (set == 1 || (code & 0x80)) {
		codes[count++] = (uint8_t)(code | (down ? 0 : 0x80));
		return count;
	}
	if (!down) {
		codes[count++] = 0xf0;
	}
	codes[count++] = set2_of_set1[code & 0x7f];
	return count;
}

uint8_t ps2_translate(uint8_t byte)
{
	/* The two codes above 0x7f, and the place of the one that moved. */
	if (byte == 0x02) {
		return 0x41;
	}
	if (byte == 0x7f) {
		return 0x54;
	}
	for (uint8_t i = 0; i < sizeof(set2_of_set1); i++) {
		if (set2_of_set1[i] == byte) {
			return i == 0 ? 0xff : i;
		}
	}
	return byte;
}
