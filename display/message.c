/*
 * The client's messages and their lengths (display/message.h). What must stay true: a message that is COMPLETE is at most
 * MESSAGE_SIZE_MAX bytes, and a pixel format that passes can be shifted by without leaving 32 bits.
 */
#include "display/message.h"

#include <stdbool.h>
#include <string.h>

#include "base/wire.h"

enum {
	QEMU_EXTENDED_KEY = 0,
	SCREEN_SIZE = 16, /* of one screen in SetDesktopSize */
};

static enum message_verdict refuse(struct message *message, const char *error)
{
	message->error = error;
	return MESSAGE_REFUSED;
}

static enum message_verdict sized(struct message *message, size_t have, size_t size)
{
	message->size = size;
	return have < size ? MESSAGE_INCOMPLETE : MESSAGE_COMPLETE;
}

/* True if `maximum` is 2^n - 1 and lies, shifted, inside `bits`. */
static bool channel_fits(uint16_t maximum, uint8_t shift, uint8_t bits)
{
	uint32_t width = 32u - (uint32_t)__builtin_clz(maximum | 1u);

	return maximum != 0 && (maximum & (maximum + 1u)) == 0 && shift + width <= bits;
}

/* rfbproto 7.4: 8, 16 or 32 bits, true colour; colour maps went out with the displays that needed them. */
static enum message_verdict check_pixel_format(const uint8_t *data, struct message *message)
{
	struct wire wire;
	uint8_t bits, depth, shifts[3];
	uint16_t maxima[3];
	bool true_colour;

	wire_init_read(&wire, data + 4, 16);
	bits = wire_get_u8(&wire);
	depth = wire_get_u8(&wire);
	(void)wire_get_u8(&wire); /* big-endian: any value but 0 */
	true_colour = wire_get_u8(&wire) != 0;
	for (int i = 0; i < 3; i++) {
		maxima[i] = wire_get_be16(&wire);
	}
	for (int i = 0; i < 3; i++) {
		shifts[i] = wire_get_u8(&wire);
	}
	if (bits != 8 && bits != 16 && bits != 32) {
		return refuse(message, "pixel format of neither 8, 16 nor 32 bits");
	}
	if (!true_colour) {
		return refuse(message, "pixel format with a colour map");
	}
	for (int i = 0; i < 3; i++) {
		if (!channel_fits(maxima[i], shifts[i], bits)) {
			return refuse(message, "pixel format whose colours do not fit");
		}
	}
	if (depth == 0 || depth > bits) {
		return refuse(message, "pixel format deeper than its pixels");
	}
	return MESSAGE_COMPLETE;
}

static uint32_t be32_at(const uint8_t *data)
{
	return (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
}

static enum message_verdict set_encodings(const uint8_t *data, size_t have, struct message *message)
{
	size_t count;

	if (have < 4) {
		return sized(message, have, 4);
	}
	count = (size_t)data[2] << 8 | data[3];
	if (count > MESSAGE_ENCODINGS_MAX) {
		return refuse(message, "more encodings than any viewer has");
	}
	return sized(message, have, 4 + 4 * count);
}

static enum message_verdict cut_text(const uint8_t *data, size_t have, struct message *message)
{
	uint32_t length;

	if (have < 8) {
		return sized(message, have, 8);
	}
	length = be32_at(data + 4);
	/* A negative length is the extended clipboard's, which is not offered; it fails here as well. */
	if (length > MESSAGE_CUT_TEXT_SKIPPED) {
		return refuse(message, "cut text is too long");
	}
	message->size = 8;
	message->skipped = length;
	return MESSAGE_COMPLETE;
}

static enum message_verdict fence(const uint8_t *data, size_t have, struct message *message)
{
	if (have < 9) {
		return sized(message, have, 9);
	}
	if (data[8] > MESSAGE_FENCE_MAX) {
		return refuse(message, "fence is too long");
	}
	return sized(message, have, 9u + data[8]);
}

static enum message_verdict qemu(const uint8_t *data, size_t have, struct message *message)
{
	if (have < 2) {
		return sized(message, have, 2);
	}
	if (data[1] != QEMU_EXTENDED_KEY) {
		return refuse(message, "QEMU message that was not offered");
	}
	return sized(message, have, 12);
}

enum message_verdict message_next(const uint8_t *data, size_t size, struct message *message)
{
	enum message_verdict verdict;

	memset(message, 0, sizeof(*message));
	message->error = "";
	if (size == 0) {
		return MESSAGE_INCOMPLETE;
	}
	message->type = data[0];
	switch (message->type) {
	case MESSAGE_SET_PIXEL_FORMAT:
		verdict = sized(message, size, 20);
		return verdict == MESSAGE_COMPLETE ? check_pixel_format(data, message) : verdict;
	case MESSAGE_SET_ENCODINGS:
		return set_encodings(data, size, message);
	case MESSAGE_UPDATE_REQUEST:
	case MESSAGE_CONTINUOUS_UPDATES:
		return sized(message, size, 10);
	case MESSAGE_KEY:
		return sized(message, size, 8);
	case MESSAGE_POINTER:
		return sized(message, size, 6);
	case MESSAGE_CUT_TEXT:
		return cut_text(data, size, message);
	case MESSAGE_FENCE:
		return fence(data, size, message);
	case MESSAGE_SET_DESKTOP_SIZE:
		return sized(message, size, size < 8 ? 8 : 8 + (size_t)data[6] * SCREEN_SIZE);
	case MESSAGE_QEMU:
		return qemu(data, size, message);
	default:
		return refuse(message, "message that this server does not take");
	}
}
