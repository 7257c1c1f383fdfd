/*
 * Names, ids, bitmaps and axes of the two devices. What must stay true: bitmaps are made from virtio_input_has(), so a
 * device never sends what it did not announce.
 */
#include "vmm/virtio/virtio_input_config.h"

#include <linux/input-event-codes.h>
#include <linux/virtio_input.h>
#include <string.h>

enum {
	KEYBOARD_FIRST = KEY_ESC,
	KEYBOARD_LAST = KEY_MICMUTE, /* what X and its keycodes can say */
	BUS_VIRTUAL_ID = 0x06,
	VENDOR_ID = 0x1af4,
	DEVICE_VERSION = 1,
	CODES = VIRTIO_INPUT_PAYLOAD_MAX * 8,
};

static const char *const names[] = {
	[VIRTIO_INPUT_KEYBOARD] = "Tanmatsu Keyboard",
	[VIRTIO_INPUT_TABLET] = "Tanmatsu Tablet",
};

static const char *const serials[] = {
	[VIRTIO_INPUT_KEYBOARD] = "keyboard0",
	[VIRTIO_INPUT_TABLET] = "tablet0",
};

static bool tablet_has(uint16_t type, uint16_t code)
{
	switch (type) {
	case EV_KEY:
		return code >= BTN_LEFT && code <= BTN_EXTRA;
	case EV_REL:
		return code == REL_WHEEL || code == REL_HWHEEL;
	case EV_ABS:
		return code == ABS_X || code == ABS_Y;
	default:
		return false;
	}
}

bool virtio_input_has(enum virtio_input_kind kind, uint16_t type, uint16_t code)
{
	if (kind == VIRTIO_INPUT_TABLET) {
		return tablet_has(type, code);
	}
	switch (type) {
	case EV_KEY:
		return code >= KEYBOARD_FIRST && code <= KEYBOARD_LAST;
	case EV_LED:
		return code == LED_NUML || code == LED_CAPSL || code == LED_SCROLLL;
	default:
		return false;
	}
}

static uint8_t put_bitmap(enum virtio_input_kind kind, uint8_t type, uint8_t *payload)
{
	uint8_t size = 0;

	for (uint16_t code = 0; code < CODES; code++) {
		if (virtio_input_has(kind, type, code)) {
			payload[code / 8] |= (uint8_t)(1u << (code % 8));
			size = (uint8_t)(code / 8 + 1);
		}
	}
	return size;
}

static uint8_t put_string(const char *string, uint8_t *payload)
{
	size_t length = strlen(string);

	memcpy(payload, string, length);
	return (uint8_t)length;
}

uint8_t virtio_input_config(enum virtio_input_kind kind, uint8_t select, uint8_t subselect,
    uint8_t payload[VIRTIO_INPUT_PAYLOAD_MAX])
{
	struct wire out;

	memset(payload, 0, VIRTIO_INPUT_PAYLOAD_MAX);
	wire_init_write(&out, payload, VIRTIO_INPUT_PAYLOAD_MAX);
	switch (select) {
	case VIRTIO_INPUT_CFG_ID_NAME:
		return subselect == 0 ? put_string(names[kind], payload) : 0;
	case VIRTIO_INPUT_CFG_ID_SERIAL:
		return subselect == 0 ? put_string(serials[kind], payload) : 0;
	case VIRTIO_INPUT_CFG_ID_DEVIDS:
		if (subselect != 0) {
			return 0;
		}
		wire_put_u16(&out, BUS_VIRTUAL_ID);
		wire_put_u16(&out, VENDOR_ID);
		wire_put_u16(&out, (uint16_t)(kind + 1));
		wire_put_u16(&out, DEVICE_VERSION);
		return (uint8_t)out.position;
	case VIRTIO_INPUT_CFG_EV_BITS:
		return put_bitmap(kind, subselect, payload);
	case VIRTIO_INPUT_CFG_ABS_INFO:
		if (!virtio_input_has(kind, EV_ABS, subselect)) {
			return 0;
		}
		wire_put_u32(&out, 0);
		wire_put_u32(&out, VIRTIO_INPUT_ABS_MAX);
		wire_put_u32(&out, 0); /* fuzz */
		wire_put_u32(&out, 0); /* flat */
		wire_put_u32(&out, 0); /* resolution: not known */
		return (uint8_t)out.position;
	default: /* properties: none; a tablet here is a pointer, not a screen to touch */
		return 0;
	}
}
