/*
 * virtio-input. What must stay true: the backlog holds whole groups, each ended by SYN_REPORT; `told` is the state after
 * all groups in the backlog and before it; while `behind`, new state is only kept and the difference is sent later.
 */
#include <errno.h>
#include <linux/input-event-codes.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/dev/key_bits.h"
#include "vmm/virtio/virtio_input_config.h"
#include "vmm/virtio/virtio_input_internal.h"

enum {
	QUEUE_EVENTS = 0,
	QUEUE_STATUS = 1,
	QUEUE_COUNT = 2,
	QUEUE_SIZE = 64,
	EVENT_SIZE = 8,
	WHEEL_MAX = 1000, /* notches at once */

	CONFIG_SELECT = 0,
	CONFIG_SUBSELECT = 1,
	CONFIG_SIZE = 2,
	CONFIG_PAYLOAD = 8,
	CONFIG_TOTAL = CONFIG_PAYLOAD + VIRTIO_INPUT_PAYLOAD_MAX,

	LEDS_SCROLL = 1 << 0,
	LEDS_NUM = 1 << 1,
	LEDS_CAPS = 1 << 2,
	CLASS_INPUT_OTHER = 0x098000,
};

static void tell_ready(struct virtio_input *input)
{
	if (input->on_ready) {
		input->on_ready(input->on_ready_context);
	}
}

bool virtio_input_ready(const struct virtio_input *input)
{
	return virtio_pci_ready(input->virtio);
}

static bool append_key(struct virtio_input *input, uint16_t code, bool down)
{
	struct backlog_event event = { .type = EV_KEY, .code = code, .value = down };

	if (down && key_bits_get(input->told, code)) {
		event.value = 2;
	}
	if (!event_backlog_append(&input->backlog, &event, 1)) {
		return false;
	}
	key_bits_set(input->told, code, down);
	return true;
}

static bool append_position(struct virtio_input *input)
{
	const struct backlog_event events[] = {
		{ .type = EV_ABS, .code = ABS_X, .value = (int32_t)input->x },
		{ .type = EV_ABS, .code = ABS_Y, .value = (int32_t)input->y },
	};

	if (!event_backlog_append(&input->backlog, events, 2)) {
		return false;
	}
	input->told_x = input->x;
	input->told_y = input->y;
	return true;
}

/* What was dropped, as far as it still matters. */
static void make_up(struct virtio_input *input)
{
	if ((input->x != input->told_x || input->y != input->told_y) && !append_position(input)) {
		return;
	}
	for (uint16_t code = 0; code < VIRTIO_INPUT_KEYS; code++) {
		bool down = key_bits_get(input->held, code);

		if (down != key_bits_get(input->told, code) && !append_key(input, code, down)) {
			return;
		}
	}
	input->behind = false;
}

/* A queue broke. Half a group may be gone; nothing goes on before a reset. */
static void give_up(struct virtio_input *input)
{
	event_backlog_clear(&input->backlog);
	virtio_pci_break(input->virtio);
	tell_ready(input);
}

/* Gives the oldest event to the guest. */
static must_check int deliver_event(struct virtio_input *input, struct virtqueue *queue)
{
	const struct backlog_event *event = event_backlog_at(&input->backlog, 0);
	uint8_t bytes[EVENT_SIZE];
	struct wire out;
	int result = virtqueue_pop(queue, &input->chain);

	if (result <= 0) {
		return result < 0 ? result : -EPROTO;
	}
	wire_init_write(&out, bytes, sizeof(bytes));
	wire_put_u16(&out, event->type);
	wire_put_u16(&out, event->code);
	wire_put_u32(&out, (uint32_t)event->value);
	if (virtqueue_write(queue, &input->chain, 0, bytes, sizeof(bytes)) != sizeof(bytes)) {
		return -EPROTO; /* a buffer that no event fits into */
	}
	virtqueue_push(queue, &input->chain, sizeof(bytes));
	event_backlog_drop_first(&input->backlog);
	return 0;
}

/* Gives the oldest group to the guest: 1, 0 when there are too few buffers for all of it, or -EPROTO. */
static must_check int deliver_group(struct virtio_input *input, struct virtqueue *queue)
{
	int available = virtqueue_available(queue);
	int size = (int)event_backlog_group_size(&input->backlog);

	if (available < 0) {
		return available;
	}
	if (available < size) {
		/* An empty pop asks for a notification; here there may be a few buffers, so ask explicitly. */
		return virtqueue_request_notification(queue, (uint16_t)size);
	}
	for (int i = 0; i < size; i++) {
		int error = deliver_event(input, queue);

		if (error < 0) {
			return error;
		}
	}
	return 1;
}

static void flush(struct virtio_input *input)
{
	struct virtqueue *queue = virtio_pci_queue(input->virtio, QUEUE_EVENTS);
	bool delivered = false;
	int result = 1;

	if (!virtio_input_ready(input)) {
		return;
	}
	while (result > 0) {
		if (input->backlog.count == 0 && input->behind) {
			make_up(input);
		}
		if (input->backlog.count == 0) {
			break;
		}
		result = deliver_group(input, queue);
		delivered |= result > 0;
	}
	if (delivered) {
		virtio_pci_signal(input->virtio, QUEUE_EVENTS);
	}
	if (result < 0) {
		give_up(input);
	}
}

void virtio_input_key(struct virtio_input *input, uint16_t code, bool down)
{
	if (!virtio_input_ready(input) || !virtio_input_has(input->kind, EV_KEY, code)) {
		return;
	}
	/* A release of what is not down says nothing. */
	if (!down && !key_bits_get(input->held, code) && !key_bits_get(input->told, code)) {
		return;
	}
	key_bits_set(input->held, code, down);
	if (!input->behind && !append_key(input, code, down)) {
		input->behind = true;
	}
	flush(input);
}

void virtio_input_position(struct virtio_input *input, uint32_t x, uint32_t y)
{
	if (!virtio_input_ready(input) || input->kind != VIRTIO_INPUT_TABLET ||
	    x > VIRTIO_INPUT_ABS_MAX || y > VIRTIO_INPUT_ABS_MAX) {
		return;
	}
	input->x = x;
	input->y = y;
	/* A position that is overtaken before the guest took it is of no use any more. */
	if (!input->behind) {
		event_backlog_drop_last_group(&input->backlog, EV_ABS);
	}
	if (!input->behind && !append_position(input)) {
		input->behind = true;
	}
	flush(input);
}

void virtio_input_wheel(struct virtio_input *input, uint16_t code, int32_t notches)
{
	struct backlog_event event = { .type = EV_REL, .code = code, .value = notches };

	if (!virtio_input_ready(input) || !virtio_input_has(input->kind, EV_REL, code) ||
	    notches == 0) {
		return;
	}
	event.value = notches > WHEEL_MAX ? WHEEL_MAX : notches < -WHEEL_MAX ? -WHEEL_MAX : notches;
	/* Notches that do not fit are lost; nobody scrolls on after a guest that hangs. */
	if (!input->behind) {
		(void)event_backlog_append(&input->backlog, &event, 1);
	}
	flush(input);
}

void virtio_input_release_all(struct virtio_input *input)
{
	for (uint16_t code = 0; code < VIRTIO_INPUT_KEYS; code++) {
		if (key_bits_get(input->held, code) || key_bits_get(input->told, code)) {
			virtio_input_key(input, code, false);
		}
	}
}

uint8_t virtio_input_leds(const struct virtio_input *input)
{
	return input->leds;
}

void virtio_input_set_on_leds(
    struct virtio_input *input, void (*on_leds)(void *context, uint8_t leds), void *context)
{
	input->on_leds = on_leds;
	input->on_leds_context = context;
}

void virtio_input_set_on_ready(
    struct virtio_input *input, void (*on_ready)(void *context), void *context)
{
	input->on_ready = on_ready;
	input->on_ready_context = context;
}

static void set_leds(struct virtio_input *input, uint8_t leds)
{
	if (leds != input->leds) {
		input->leds = leds;
		if (input->on_leds) {
			input->on_leds(input->on_leds_context, leds);
		}
	}
}

/* Section 5.8.6.1: an event from the guest. */
static void handle_status(struct virtio_input *input, const uint8_t bytes[EVENT_SIZE])
{
	struct wire in;
	uint16_t type, code;
	uint8_t bit;

	wire_init_read(&in, bytes, EVENT_SIZE);
	type = wire_get_u16(&in);
	code = wire_get_u16(&in);
	if (type != EV_LED || !virtio_input_has(input->kind, type, code)) {
		return;
	}
	bit = code == LED_NUML ? LEDS_NUM : code == LED_CAPSL ? LEDS_CAPS : LEDS_SCROLL;
	set_leds(input, (uint8_t)(wire_get_u32(&in) ? input->leds | bit : input->leds & ~bit));
}

static void take_status(struct virtio_input *input)
{
	struct virtqueue *queue = virtio_pci_queue(input->virtio, QUEUE_STATUS);
	uint8_t bytes[EVENT_SIZE];
	int result = 1, taken = 0;

	/* A driver that adds while we take keeps us no longer than one that does not. */
	while (taken < QUEUE_SIZE && (result = virtqueue_pop(queue, &input->chain)) > 0) {
		size_t size = virtqueue_read(queue, &input->chain, 0, bytes, sizeof(bytes));

		if (size == sizeof(bytes)) {
			handle_status(input, bytes);
		}
		virtqueue_push(queue, &input->chain, 0);
		taken++;
	}
	if (result > 0) {
		result = virtqueue_request_next(queue);
	}
	if (taken > 0) {
		virtio_pci_signal(input->virtio, QUEUE_STATUS);
	}
	if (result < 0) {
		give_up(input);
	}
}

static void on_notify(void *context, unsigned queue)
{
	if (queue == QUEUE_EVENTS) {
		flush(context);
	} else {
		take_status(context);
	}
}

static void on_start(void *context)
{
	tell_ready(context);
}

static void on_reset(void *context)
{
	struct virtio_input *input = context;

	input->select = 0;
	input->subselect = 0;
	input->behind = false;
	memset(input->held, 0, sizeof(input->held));
	memset(input->told, 0, sizeof(input->told));
	input->x = input->y = input->told_x = input->told_y = 0;
	event_backlog_clear(&input->backlog);
	set_leds(input, 0);
	tell_ready(input);
}

static uint8_t config_read(void *context, uint32_t offset)
{
	const struct virtio_input *input = context;
	uint8_t payload[VIRTIO_INPUT_PAYLOAD_MAX];
	uint8_t size;

	if (offset == CONFIG_SELECT) {
		return input->select;
	}
	if (offset == CONFIG_SUBSELECT) {
		return input->subselect;
	}
	size = virtio_input_config(input->kind, input->select, input->subselect, payload);
	if (offset == CONFIG_SIZE) {
		return size;
	}
	return offset >= CONFIG_PAYLOAD ? payload[offset - CONFIG_PAYLOAD] : 0;
}

static void config_write(void *context, uint32_t offset, uint8_t value)
{
	struct virtio_input *input = context;

	if (offset == CONFIG_SELECT) {
		input->select = value;
	} else if (offset == CONFIG_SUBSELECT) {
		input->subselect = value;
	}
}

static const struct virtio_device_ops virtio_ops = {
	.id = VIRTIO_ID_INPUT,
	.class_code = CLASS_INPUT_OTHER,
	.queue_count = QUEUE_COUNT,
	.queue_size = QUEUE_SIZE,
	.config_size = CONFIG_TOTAL,
	.reset = on_reset,
	.start = on_start,
	.notify = on_notify,
	.config_read = config_read,
	.config_write = config_write,
};

static void input_reset(struct device *device)
{
	virtio_pci_reset(((struct virtio_input *)device)->virtio);
}

static void input_destroy(struct device *device)
{
	struct virtio_input *input = (struct virtio_input *)device;

	virtio_pci_destroy(input->virtio);
	free(input);
}

static const struct device_ops input_ops = {
	.name = "virtio-input",
	.version = 1,
	.reset = input_reset,
	.save = virtio_input_save,
	.load = virtio_input_load,
	.destroy = input_destroy,
};

int virtio_input_create(struct device_environment *environment, struct pci_host *host,
    unsigned slot, enum virtio_input_kind kind, struct virtio_input **input)
{
	struct virtio_input *created = calloc(1, sizeof(*created));
	int error;

	if (!created) {
		return -ENOMEM;
	}
	created->device.ops = &input_ops;
	created->device.instance = (unsigned)kind;
	created->kind = kind;
	error = virtio_pci_create(environment, host, slot, &virtio_ops, created, &created->virtio);
	if (error < 0) {
		free(created);
		return error;
	}
	*input = created;
	return 0;
}

struct device *virtio_input_device(struct virtio_input *input)
{
	return &input->device;
}
