/*
 * Scan code set 1 to evdev. Codes up to 0x58 are the same numbers, which is where evdev's come
 * from; the rest is here. Apart from i8042.c because it needs no ports, so that tests can have it.
 */
#include "hw/i8042.h"

#include <linux/input-event-codes.h>

static const struct {
	uint8_t scan;
	uint8_t code;
} plain[] = {
	{ 0x70, KEY_KATAKANAHIRAGANA }, { 0x73, KEY_RO },  { 0x79, KEY_HENKAN },
	{ 0x7b, KEY_MUHENKAN },		{ 0x7d, KEY_YEN }, { 0x7e, KEY_KPCOMMA },
}, extended_keys[] = {
	{ 0x1c, KEY_KPENTER },	 { 0x1d, KEY_RIGHTCTRL }, { 0x20, KEY_MUTE },
	{ 0x2e, KEY_VOLUMEDOWN }, { 0x30, KEY_VOLUMEUP },  { 0x35, KEY_KPSLASH },
	{ 0x37, KEY_SYSRQ },	 { 0x38, KEY_RIGHTALT },  { 0x46, KEY_PAUSE },
	{ 0x47, KEY_HOME },	 { 0x48, KEY_UP },	  { 0x49, KEY_PAGEUP },
	{ 0x4b, KEY_LEFT },	 { 0x4d, KEY_RIGHT },	  { 0x4f, KEY_END },
	{ 0x50, KEY_DOWN },	 { 0x51, KEY_PAGEDOWN },  { 0x52, KEY_INSERT },
	{ 0x53, KEY_DELETE },	 { 0x5b, KEY_LEFTMETA },  { 0x5c, KEY_RIGHTMETA },
	{ 0x5d, KEY_COMPOSE },	 { 0x5e, KEY_POWER },
};

int i8042_translate(uint8_t scan, bool extended)
{
	if (extended) {
		for (size_t i = 0; i < sizeof(extended_keys) / sizeof(extended_keys[0]); i++) {
			if (extended_keys[i].scan == scan) {
				return extended_keys[i].code;
			}
		}
		return 0;
	}
	if (scan >= 1 && scan <= KEY_F12) {
		return scan == 0x54 ? KEY_SYSRQ : scan == 0x55 ? 0 : scan;
	}
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		if (plain[i].scan == scan) {
			return plain[i].code;
		}
	}
	return 0;
}
