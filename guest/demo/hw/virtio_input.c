/* virtio-input driver; see virtio_input.h. */
#include "hw/virtio_input.h"

#include "hw/io.h"

#include <linux/input-event-codes.h>

enum { CFG_COMMON = 1, CFG_NOTIFY = 2, CFG_ISR = 3, CFG_DEVICE = 4 };

/* Common configuration (virtio 1.2, 4.1.4.3). */
enum {
	COMMON_FEATURE_SELECT = 0x00,
	COMMON_FEATURE = 0x04,
	COMMON_DRIVER_SELECT = 0x08,
	COMMON_DRIVER = 0x0c,
	COMMON_CONFIG_VECTOR = 0x10,
	COMMON_STATUS = 0x14,
	COMMON_QUEUE_SELECT = 0x16,
	COMMON_QUEUE_SIZE = 0x18,
	COMMON_QUEUE_VECTOR = 0x1a,
	COMMON_QUEUE_ENABLE = 0x1c,
	COMMON_QUEUE_NOTIFY_OFF = 0x1e,
	COMMON_QUEUE_DESC = 0x20,
	COMMON_QUEUE_DRIVER = 0x28,
	COMMON_QUEUE_DEVICE = 0x30,
};

#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER      2
#define STATUS_DRIVER_OK   4
#define STATUS_FEATURES_OK 8
#define FEATURE_VERSION_1  1u /* bit 32: bit 0 of the second word */
#define NO_VECTOR          0xffff
#define DESCRIPTOR_WRITE   2

#define INPUT_CFG_EV_BITS  0x11
#define INPUT_CFG_ABS_INFO 0x12

struct locations {
	uintptr_t common;
	uintptr_t notify;
	uint32_t notify_multiplier;
	uintptr_t isr;
	uintptr_t device;
};

static bool find_structures(const struct pci_device *pci, struct locations *found)
{
	*found = (struct locations){ .common = 0 };
	for (unsigned int cap = pci_find_capability(pci, PCI_CAP_VENDOR, 0); cap;
	     cap = pci_find_capability(pci, PCI_CAP_VENDOR, cap)) {
		uint8_t type = pci_read8(pci, cap + 3);
		uintptr_t bar = pci_bar(pci, pci_read8(pci, cap + 4));
		uintptr_t at = bar + pci_read(pci, cap + 8);

		if (!bar) {
			continue;
		}
		if (type == CFG_COMMON && !found->common) {
			found->common = at;
		} else if (type == CFG_NOTIFY && !found->notify) {
			found->notify = at;
			found->notify_multiplier = pci_read(pci, cap + 16);
		} else if (type == CFG_ISR && !found->isr) {
			found->isr = at;
		} else if (type == CFG_DEVICE && !found->device) {
			found->device = at;
		}
	}
	return found->common && found->notify && found->isr && found->device;
}

static void write64(uintptr_t at, const volatile void *pointer)
{
	mmio_write32(at, (uint32_t)(uintptr_t)pointer);
	mmio_write32(at + 4, (uint32_t)((uintptr_t)pointer >> 32));
}

static bool start_queue(struct virtio_input *input, const struct locations *at, uint16_t number,
    struct virtio_queue *queue)
{
	uintptr_t common = input->common;
	uint16_t size;

	mmio_write16(common + COMMON_QUEUE_SELECT, number);
	size = mmio_read16(common + COMMON_QUEUE_SIZE);
	if (size == 0) {
		return false;
	}
	queue->size = size < VIRTIO_QUEUE_SIZE ? size : VIRTIO_QUEUE_SIZE;
	mmio_write16(common + COMMON_QUEUE_SIZE, queue->size);
	mmio_write16(common + COMMON_QUEUE_VECTOR, input->msix && number == 0 ? 0 : NO_VECTOR);
	queue->notify = at->notify + (uintptr_t)mmio_read16(common + COMMON_QUEUE_NOTIFY_OFF) *
					 at->notify_multiplier;
	write64(common + COMMON_QUEUE_DESC, queue->descriptors);
	write64(common + COMMON_QUEUE_DRIVER, &queue->available);
	write64(common + COMMON_QUEUE_DEVICE, &queue->used);
	mmio_write16(common + COMMON_QUEUE_ENABLE, 1);
	return true;
}

/* Selects an item of the device's configuration; returns its size. */
static uint8_t select_config(const struct virtio_input *input, uint8_t select, uint8_t sub)
{
	mmio_write8(input->config, select);
	mmio_write8(input->config + 1, sub);
	return mmio_read8(input->config + 2);
}

static void read_axes(struct virtio_input *input)
{
	input->tablet = select_config(input, INPUT_CFG_EV_BITS, EV_ABS) > 0;
	input->most_x = 32767;
	input->most_y = 32767;
	if (input->tablet && select_config(input, INPUT_CFG_ABS_INFO, ABS_X) >= 8) {
		input->most_x = (int)mmio_read32(input->config + 12);
	}
	if (input->tablet && select_config(input, INPUT_CFG_ABS_INFO, ABS_Y) >= 8) {
		input->most_y = (int)mmio_read32(input->config + 12);
	}
	input->most_x = input->most_x > 0 ? input->most_x : 32767;
	input->most_y = input->most_y > 0 ? input->most_y : 32767;
}

static bool negotiate(const struct virtio_input *input)
{
	uintptr_t common = input->common;

	mmio_write8(common + COMMON_STATUS, 0);
	mmio_write8(common + COMMON_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	mmio_write32(common + COMMON_FEATURE_SELECT, 1);
	if (!(mmio_read32(common + COMMON_FEATURE) & FEATURE_VERSION_1)) {
		return false;
	}
	mmio_write32(common + COMMON_DRIVER_SELECT, 0);
	mmio_write32(common + COMMON_DRIVER, 0);
	mmio_write32(common + COMMON_DRIVER_SELECT, 1);
	mmio_write32(common + COMMON_DRIVER, FEATURE_VERSION_1);
	mmio_write8(
	    common + COMMON_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
	return mmio_read8(common + COMMON_STATUS) & STATUS_FEATURES_OK;
}

static void offer(struct virtio_queue *queue, uint16_t descriptor)
{
	queue->available.ring[queue->available.index % queue->size] = descriptor;
	io_barrier();
	queue->available.index++;
	io_barrier();
}

bool virtio_input_probe(struct virtio_input *input, const struct pci_device *pci, uint8_t vector)
{
	struct locations at;

	if (pci->vendor != 0x1af4 || pci->device != 0x1052 || !find_structures(pci, &at)) {
		return false;
	}
	input->pci = *pci;
	input->common = at.common;
	input->config = at.device;
	input->isr = at.isr;
	if (!negotiate(input)) {
		return false;
	}
	read_axes(input);
	input->msix = pci_enable_msix(pci, vector);
	mmio_write16(input->common + COMMON_CONFIG_VECTOR, NO_VECTOR);
	if (!start_queue(input, &at, 0, &input->events)) {
		return false;
	}
	if (start_queue(input, &at, 1, &input->status)) {
		input->status.descriptors[0] = (struct virtio_descriptor){
			.address = (uintptr_t)&input->led, .length = sizeof(input->led)
		};
	}
	for (uint16_t i = 0; i < input->events.size; i++) {
		input->events.descriptors[i] = (struct virtio_descriptor){
			.address = (uintptr_t)&input->buffers[i],
			.length = sizeof(input->buffers[i]),
			.flags = DESCRIPTOR_WRITE
		};
		offer(&input->events, i);
	}
	mmio_write8(input->common + COMMON_STATUS,
	    STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
	mmio_write16(input->events.notify, 0);
	return true;
}

static void end_report(struct virtio_input *input, struct events *events)
{
	if (input->moved) {
		events_push(events, (struct platform_event){ .type = PLATFORM_EVENT_POINTER,
					.x = (int)((int64_t)input->x * 32767 / input->most_x),
					.y = (int)((int64_t)input->y * 32767 / input->most_y) });
	}
	if (input->rel_x || input->rel_y) {
		events_push(events,
		    (struct platform_event){
			.type = PLATFORM_EVENT_MOTION, .x = input->rel_x, .y = input->rel_y });
	}
	input->moved = false;
	input->rel_x = 0;
	input->rel_y = 0;
}

static void take_key(
    struct virtio_input *input, struct events *events, const struct virtio_event *event)
{
	bool button = event->code >= BTN_MISC && event->code < KEY_OK;

	/* A press happens where the pointer is by then, so the motion before it goes first. */
	if (button) {
		end_report(input, events);
	}
	events_push(events,
	    (struct platform_event){ .type = button ? PLATFORM_EVENT_BUTTON : PLATFORM_EVENT_KEY,
		.code = event->code,
		.value = (int)event->value });
}

static void take(
    struct virtio_input *input, struct events *events, const struct virtio_event *event)
{
	int value = (int)event->value;

	switch (event->type) {
	case EV_KEY:
		take_key(input, events, event);
		break;
	case EV_ABS:
		input->x = event->code == ABS_X ? value : input->x;
		input->y = event->code == ABS_Y ? value : input->y;
		input->moved = true;
		break;
	case EV_REL:
		if (event->code == REL_WHEEL) {
			events_push(events, (struct platform_event){
						.type = PLATFORM_EVENT_WHEEL, .value = value });
		} else if (event->code == REL_X) {
			input->rel_x += value;
		} else if (event->code == REL_Y) {
			input->rel_y += value;
		}
		break;
	case EV_SYN:
		end_report(input, events);
		break;
	default:
		break;
	}
}

void virtio_input_poll(struct virtio_input *input, struct events *events)
{
	struct virtio_queue *queue = &input->events;
	bool any = false;

	if (!input->msix) {
		(void)mmio_read8(input->isr);
	}
	while (queue->seen != queue->used.index) {
		uint32_t id = queue->used.ring[queue->seen % queue->size].id;

		io_barrier();
		if (id < queue->size) {
			take(input, events, &input->buffers[id]);
			offer(queue, (uint16_t)id);
		}
		queue->seen++;
		any = true;
	}
	if (any) {
		mmio_write16(queue->notify, 0);
	}
}

void virtio_input_set_led(struct virtio_input *input, int led, bool on)
{
	struct virtio_queue *queue = &input->status;

	/* One at a time is enough for lights; one that is still on its way wins. */
	if (queue->size == 0 || queue->available.index != queue->used.index) {
		return;
	}
	input->led = (struct virtio_event){ EV_LED, (uint16_t)led, on };
	offer(queue, 0);
	mmio_write16(queue->notify, 1);
}
