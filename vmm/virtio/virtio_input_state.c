/*
 * A virtio-input device's section of a snapshot. What must stay true: whatever is loaded, the backlog holds whole groups
 * of events that this device announces, and only its own keys are down.
 */
#include <errno.h>
#include <linux/input-event-codes.h>

#include "vmm/dev/key_bits.h"
#include "vmm/virtio/virtio_input_config.h"
#include "vmm/virtio/virtio_input_internal.h"

enum {
	LEDS_ALL = 7,
};

int virtio_input_save(const struct device *device, struct wire *out)
{
	const struct virtio_input *input = (const struct virtio_input *)device;

	wire_put_u8(out, (uint8_t)input->kind);
	wire_put_u8(out, input->select);
	wire_put_u8(out, input->subselect);
	wire_put_u8(out, input->leds);
	wire_put_bool(out, input->behind);
	wire_put_bytes(out, input->held, sizeof(input->held));
	wire_put_bytes(out, input->told, sizeof(input->told));
	wire_put_u32(out, input->x);
	wire_put_u32(out, input->y);
	wire_put_u32(out, input->told_x);
	wire_put_u32(out, input->told_y);
	event_backlog_save(&input->backlog, out);
	return virtio_pci_save(input->virtio, out);
}

static bool event_valid(const void *context, uint16_t type, uint16_t code)
{
	const struct virtio_input *input = context;

	return type != EV_LED && virtio_input_has(input->kind, type, code);
}

static bool keys_exist(const struct virtio_input *input, const uint8_t *bits)
{
	for (uint16_t code = 0; code < VIRTIO_INPUT_KEYS; code++) {
		if (key_bits_get(bits, code) && !virtio_input_has(input->kind, EV_KEY, code)) {
			return false;
		}
	}
	return true;
}

int virtio_input_load(struct device *device, uint32_t version, struct wire *in)
{
	struct virtio_input *input = (struct virtio_input *)device;
	uint8_t kind;
	int error;

	(void)version;
	kind = wire_get_u8(in);
	input->select = wire_get_u8(in);
	input->subselect = wire_get_u8(in);
	input->leds = wire_get_u8(in);
	input->behind = wire_get_bool(in);
	wire_get_bytes(in, input->held, sizeof(input->held));
	wire_get_bytes(in, input->told, sizeof(input->told));
	input->x = wire_get_u32(in);
	input->y = wire_get_u32(in);
	input->told_x = wire_get_u32(in);
	input->told_y = wire_get_u32(in);
	if (!wire_ok(in) || kind != (uint8_t)input->kind || (input->leds & ~LEDS_ALL) != 0 ||
	    !keys_exist(input, input->held) || !keys_exist(input, input->told) ||
	    input->x > VIRTIO_INPUT_ABS_MAX || input->y > VIRTIO_INPUT_ABS_MAX ||
	    input->told_x > VIRTIO_INPUT_ABS_MAX || input->told_y > VIRTIO_INPUT_ABS_MAX) {
		return -EPROTO;
	}
	error = event_backlog_load(&input->backlog, in, event_valid, input);
	if (error < 0) {
		return error;
	}
	return virtio_pci_load(input->virtio, in);
}
