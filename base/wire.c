/*
 * The byte cursor. What must stay true: position <= size always, no access outside [0, size), and a
 * failed wire never becomes whole again. Every read goes through wire_get_view() and every write
 * through reserve(), so that this is checked in two places only.
 */
#include "base/wire.h"

#include <stdlib.h>
#include <string.h>

enum {
	GROWING_FIRST = 256, /* bytes of the first allocation of a growing wire */
};

void wire_init_read(struct wire *wire, const void *data, size_t size)
{
	/* The cast drops const; `writable` stays false, and reserve() refuses such a wire. */
	*wire = (struct wire){ .data = (uint8_t *)data, .size = size };
}

void wire_init_write(struct wire *wire, void *data, size_t size)
{
	*wire = (struct wire){ .data = data, .size = size, .writable = true };
}

void wire_init_growing(struct wire *wire, size_t limit)
{
	*wire = (struct wire){ .size = limit, .writable = true, .growing = true };
}

void wire_fini(struct wire *wire)
{
	if (wire->growing) {
		free(wire->data);
	}
	*wire = (struct wire){ .failed = true };
}

bool wire_ok(const struct wire *wire)
{
	return !wire->failed;
}

bool wire_done(const struct wire *wire)
{
	return !wire->failed && wire->position == wire->size;
}

void wire_fail(struct wire *wire)
{
	wire->failed = true;
}

size_t wire_remaining(const struct wire *wire)
{
	return wire->failed ? 0 : wire->size - wire->position;
}

/* The allocated size of a growing wire that holds `used` bytes: a power of two, so that it need not
 * be stored. */
static size_t growing_capacity(size_t used)
{
	size_t capacity = GROWING_FIRST;

	if (used == 0) {
		return 0;
	}
	while (capacity < used) {
		if (capacity > SIZE_MAX / 2) {
			return used;
		}
		capacity *= 2;
	}
	return capacity;
}

/* Room for `count` bytes at the position, which moves past them; NULL (and failed) when there is
 * none. */
static uint8_t *reserve(struct wire *wire, size_t count)
{
	uint8_t *room;

	if (!wire->writable || wire->failed || count > wire->size - wire->position) {
		wire->failed = true;
		return NULL;
	}
	if (wire->growing) {
		size_t old_capacity = growing_capacity(wire->position);
		size_t capacity = growing_capacity(wire->position + count);

		if (capacity > old_capacity) {
			uint8_t *data = realloc(wire->data, capacity);

			if (!data) {
				wire->failed = true;
				return NULL;
			}
			wire->data = data;
		}
	}
	if (!wire->data) {
		return NULL;
	}
	room = wire->data + wire->position;
	wire->position += count;
	return room;
}

static void put_little(struct wire *wire, uint64_t value, size_t count)
{
	uint8_t *room = reserve(wire, count);

	for (size_t i = 0; room && i < count; i++) {
		room[i] = (uint8_t)(value >> (8 * i));
	}
}

static void put_big(struct wire *wire, uint64_t value, size_t count)
{
	uint8_t *room = reserve(wire, count);

	for (size_t i = 0; room && i < count; i++) {
		room[i] = (uint8_t)(value >> (8 * (count - 1 - i)));
	}
}

void wire_put_u8(struct wire *wire, uint8_t value)
{
	put_little(wire, value, 1);
}

void wire_put_u16(struct wire *wire, uint16_t value)
{
	put_little(wire, value, 2);
}

void wire_put_u32(struct wire *wire, uint32_t value)
{
	put_little(wire, value, 4);
}

void wire_put_u64(struct wire *wire, uint64_t value)
{
	put_little(wire, value, 8);
}

void wire_put_be16(struct wire *wire, uint16_t value)
{
	put_big(wire, value, 2);
}

void wire_put_be32(struct wire *wire, uint32_t value)
{
	put_big(wire, value, 4);
}

void wire_put_bool(struct wire *wire, bool value)
{
	put_little(wire, value ? 1 : 0, 1);
}

void wire_put_bytes(struct wire *wire, const void *bytes, size_t count)
{
	uint8_t *room = reserve(wire, count);

	if (room && count > 0) {
		memcpy(room, bytes, count);
	}
}

void wire_put_string(struct wire *wire, const char *string)
{
	size_t length = string ? strlen(string) : 0;

	/* All or nothing, so that what was written before stays a valid prefix. */
	if (length > UINT16_MAX || length + 2 > wire_remaining(wire)) {
		wire->failed = true;
		return;
	}
	put_little(wire, length, 2);
	wire_put_bytes(wire, string, length);
}

const uint8_t *wire_get_view(struct wire *wire, size_t count)
{
	static const uint8_t nothing[1];
	const uint8_t *view;

	if (wire->writable || wire->failed || count > wire->size - wire->position) {
		wire->failed = true;
		return NULL;
	}
	view = wire->data ? wire->data + wire->position : nothing;
	wire->position += count;
	return view;
}

static uint64_t get_little(struct wire *wire, size_t count)
{
	const uint8_t *view = wire_get_view(wire, count);
	uint64_t value = 0;

	for (size_t i = 0; view && i < count; i++) {
		value |= (uint64_t)view[i] << (8 * i);
	}
	return value;
}

static uint64_t get_big(struct wire *wire, size_t count)
{
	const uint8_t *view = wire_get_view(wire, count);
	uint64_t value = 0;

	for (size_t i = 0; view && i < count; i++) {
		value = value << 8 | view[i];
	}
	return value;
}

uint8_t wire_get_u8(struct wire *wire)
{
	return (uint8_t)get_little(wire, 1);
}

uint16_t wire_get_u16(struct wire *wire)
{
	return (uint16_t)get_little(wire, 2);
}

uint32_t wire_get_u32(struct wire *wire)
{
	return (uint32_t)get_little(wire, 4);
}

uint64_t wire_get_u64(struct wire *wire)
{
	return get_little(wire, 8);
}

uint16_t wire_get_be16(struct wire *wire)
{
	return (uint16_t)get_big(wire, 2);
}

uint32_t wire_get_be32(struct wire *wire)
{
	return (uint32_t)get_big(wire, 4);
}

bool wire_get_bool(struct wire *wire)
{
	uint8_t value = wire_get_u8(wire);

	if (value > 1) {
		wire->failed = true;
		return false;
	}
	return value == 1;
}

void wire_get_bytes(struct wire *wire, void *bytes, size_t count)
{
	const uint8_t *view = wire_get_view(wire, count);

	if (count == 0) {
		return;
	}
	if (view) {
		memcpy(bytes, view, count);
	} else {
		memset(bytes, 0, count);
	}
}

void wire_get_string(struct wire *wire, char *string, size_t size)
{
	size_t length = wire_get_u16(wire);
	const uint8_t *view = wire_get_view(wire, length);

	if (size == 0) {
		wire->failed = true;
		return;
	}
	if (!view || length >= size || memchr(view, 0, length)) {
		wire->failed = true;
		string[0] = '\0';
		return;
	}
	memcpy(string, view, length);
	string[length] = '\0';
}
