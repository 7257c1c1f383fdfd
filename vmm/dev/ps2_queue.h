/* A bounded queue of bytes, as a PS/2 device has one. What must stay true: count <= PS2_QUEUE_SIZE. Header-only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/must_check.h"
#include "base/wire.h"

enum {
	/* As many as real keyboards keep; drivers that empty the queue at their start give up beyond that. */
	PS2_QUEUE_SIZE = 16,
};

struct ps2_queue {
	uint8_t bytes[PS2_QUEUE_SIZE]; /* the oldest first */
	uint8_t count;
};

static inline bool ps2_queue_has_room(const struct ps2_queue *queue, unsigned count)
{
	return count <= PS2_QUEUE_SIZE - (unsigned)queue->count;
}

/* Drops the byte when the queue is full. */
static inline void ps2_queue_put(struct ps2_queue *queue, uint8_t byte)
{
	if (queue->count < PS2_QUEUE_SIZE) {
		queue->bytes[queue->count++] = byte;
	}
}

static inline bool ps2_queue_get(struct ps2_queue *queue, uint8_t *byte)
{
	if (queue->count == 0) {
		return false;
	}
	*byte = queue->bytes[0];
	queue->count--;
	memmove(queue->bytes, queue->bytes + 1, queue->count);
	return true;
}

static inline void ps2_queue_save(const struct ps2_queue *queue, struct wire *out)
{
	wire_put_u8(out, queue->count);
	wire_put_bytes(out, queue->bytes, queue->count);
}

static inline must_check bool ps2_queue_load(struct ps2_queue *queue, struct wire *in)
{
	uint8_t count = wire_get_u8(in);

	if (count > PS2_QUEUE_SIZE) {
		return false;
	}
	queue->count = count;
	wire_get_bytes(in, queue->bytes, count);
	return wire_ok(in);
}
