/*
 * SetEncodings (display/encodings.h). What must stay true: the filtered message is never longer than the original, and an
 * encoding that is not in the table does not reach libvncserver.
 */
#include "display/encodings.h"

#include <assert.h>
#include <string.h>

/* What libvncserver may hear of: encodings whose count of rectangles it knows, and the pseudo-encodings it does well. */
static const struct {
	int32_t first, last;
} passed[] = {
	{ ENCODING_RAW, ENCODING_COPY_RECT },
	{ ENCODING_HEXTILE, ENCODING_TIGHT },
	{ ENCODING_ZRLE, ENCODING_ZRLE },
	{ ENCODING_QUALITY_LOW, ENCODING_QUALITY_HIGH },
	{ ENCODING_LAST_RECT, ENCODING_DESKTOP_SIZE },
	{ ENCODING_X_CURSOR, ENCODING_CURSOR },
	{ ENCODING_COMPRESS_LOW, ENCODING_COMPRESS_HIGH },
	{ ENCODING_EXTENDED_DESKTOP_SIZE, ENCODING_EXTENDED_DESKTOP_SIZE },
	{ ENCODING_FINE_QUALITY_LOW, ENCODING_FINE_QUALITY_HIGH },
	{ ENCODING_SUBSAMPLING_LOW, ENCODING_SUBSAMPLING_HIGH },
};

static bool is_passed(int32_t encoding)
{
	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++) {
		if (encoding >= passed[i].first && encoding <= passed[i].last) {
			return true;
		}
	}
	return false;
}

static void note(struct encodings *encodings, int32_t encoding)
{
	switch (encoding) {
	case ENCODING_DESKTOP_SIZE:
		encodings->desktop_size = true;
		break;
	case ENCODING_EXTENDED_DESKTOP_SIZE:
		encodings->extended_desktop_size = true;
		break;
	case ENCODING_DESKTOP_NAME:
		encodings->desktop_name = true;
		break;
	case ENCODING_FENCE:
		encodings->fence = true;
		break;
	case ENCODING_CONTINUOUS_UPDATES:
		encodings->continuous_updates = true;
		break;
	case ENCODING_QEMU_EXTENDED_KEY:
		encodings->qemu_extended_key = true;
		break;
	case ENCODING_QEMU_LED_STATE:
		encodings->qemu_led_state = true;
		break;
	default:
		break;
	}
}

size_t encodings_filter(uint8_t *message, size_t size, struct encodings *encodings)
{
	size_t kept = 0;

	assert(size >= 4 && size % 4 == 0);
	memset(encodings, 0, sizeof(*encodings));
	encodings->known = true;
	for (size_t at = 4; at + 4 <= size; at += 4) {
		uint32_t bits = (uint32_t)message[at] << 24 | (uint32_t)message[at + 1] << 16 |
				(uint32_t)message[at + 2] << 8 | message[at + 3];
		int32_t encoding = (int32_t)bits;

		note(encodings, encoding);
		if (is_passed(encoding)) {
			memmove(message + 4 + 4 * kept, message + at, 4);
			kept++;
		}
	}
	message[2] = (uint8_t)(kept >> 8);
	message[3] = (uint8_t)kept;
	return 4 + 4 * kept;
}
