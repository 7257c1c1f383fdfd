/*
 * What virtio_input.c (events) and virtio_input_state.c (snapshots) share. Nobody else includes it.
 */
#pragma once

#include "vmm/virtio/event_backlog.h"
#include "vmm/virtio/virtio_input.h"
#include "vmm/virtio/virtio_pci.h"

enum {
	VIRTIO_INPUT_KEYS = 0x300,
};

struct virtio_input {
	struct device device;
	enum virtio_input_kind kind;
	struct virtio_pci *virtio;
	uint8_t select, subselect;
	uint8_t leds;
	bool behind;
	uint8_t held[VIRTIO_INPUT_KEYS / 8], told[VIRTIO_INPUT_KEYS / 8];
	uint32_t x, y, told_x, told_y;
	struct event_backlog backlog;
	struct virtqueue_chain chain; /* the one being worked on; empty between calls */
	void (*on_leds)(void *context, uint8_t leds);
	void *on_leds_context;
	void (*on_ready)(void *context);
	void *on_ready_context;
};

int virtio_input_save(const struct device *device, struct wire *out);
must_check int virtio_input_load(struct device *device, uint32_t version, struct wire *in);
