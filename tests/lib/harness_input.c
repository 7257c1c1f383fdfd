/* Typing for tests: US-ASCII on a US keyboard, without a keymap library. */
#include <errno.h>
#include <linux/input-event-codes.h>
#include <string.h>

#include "tests/lib/vmm_harness.h"

/* The keys of each row, from its first code on. */
static const struct {
	uint16_t first;
	const char *plain;
	const char *shifted;
} rows[] = {
	{ KEY_1, "1234567890-=", "!@#$%^&*()_+" },
	{ KEY_Q, "qwertyuiop[]", "QWERTYUIOP{}" },
	{ KEY_A, "asdfghjkl;'`", "ASDFGHJKL:\"~" },
	{ KEY_BACKSLASH, "\\zxcvbnm,./", "|ZXCVBNM<>?" },
	{ KEY_SPACE, " ", "" },
	{ KEY_ENTER, "\n", "" },
	{ KEY_TAB, "\t", "" },
	{ KEY_BACKSPACE, "\b", "" },
	{ KEY_ESC, "\033", "" },
};

static uint16_t find_key(char character, bool *shift)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *at = strchr(rows[i].plain, character);

		if (at) {
			*shift = false;
			return (uint16_t)(rows[i].first + (at - rows[i].plain));
		}
		at = strchr(rows[i].shifted, character);
		if (at) {
			*shift = true;
			return (uint16_t)(rows[i].first + (at - rows[i].shifted));
		}
	}
	return 0;
}

static struct input_event key_event(uint16_t code, bool down)
{
	return (struct input_event){ .type = INPUT_KEY, .code = code, .value = down };
}

int vmm_harness_type(struct vmm_harness *vmm, const char *text)
{
	int error = 0;

	for (; *text && !error; text++) {
		struct input_event events[4];
		size_t count = 0;
		bool shift = false;
		uint16_t code = find_key(*text, &shift);

		if (code == 0) {
			return -EINVAL;
		}
		if (shift) {
			events[count++] = key_event(KEY_LEFTSHIFT, true);
		}
		events[count++] = key_event(code, true);
		events[count++] = key_event(code, false);
		if (shift) {
			events[count++] = key_event(KEY_LEFTSHIFT, false);
		}
		error = vmm_harness_input(vmm, events, count);
	}
	return error;
}
