/*
 * A cursor over bytes, for everything that comes from or goes to a wire or a file: messages between
 * our processes, sections of a snapshot, the RFB handshake. Every access is checked against the
 * end. After the first access that does not fit the wire has failed: reads give zeros, writes are
 * dropped, and wire_ok() stays false, so a parser may read a whole structure and check once.
 *
 * Numbers without "be" in the function's name are little-endian (our own formats), those with "be"
 * big-endian (RFB). One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/must_check.h"

struct wire {
	uint8_t *data;
	size_t size;     /* reading: bytes there are; writing: capacity */
	size_t position; /* bytes read or written so far */
	bool failed;
	bool writable;
	bool growing; /* data is malloc'ed and owned by the wire */
};

/* Reads from `data`, which is not copied and must outlive the wire. */
void wire_init_read(struct wire *wire, const void *data, size_t size);
/* Writes into `data`, at most `size` bytes. */
void wire_init_write(struct wire *wire, void *data, size_t size);
/* Writes into memory that grows, up to `limit` bytes; wire_fini() frees it. */
void wire_init_growing(struct wire *wire, size_t limit);
void wire_fini(struct wire *wire);

/* True while nothing failed. */
bool wire_ok(const struct wire *wire);
/* True if nothing failed and every byte was read: what a parser returns on. */
bool wire_done(const struct wire *wire);
/* Marks the wire as failed: for a parser that finds a value it does not accept. */
void wire_fail(struct wire *wire);
size_t wire_remaining(const struct wire *wire);

void wire_put_u8(struct wire *wire, uint8_t value);
void wire_put_u16(struct wire *wire, uint16_t value);
void wire_put_u32(struct wire *wire, uint32_t value);
void wire_put_u64(struct wire *wire, uint64_t value);
void wire_put_be16(struct wire *wire, uint16_t value);
void wire_put_be32(struct wire *wire, uint32_t value);
void wire_put_bool(struct wire *wire, bool value);
void wire_put_bytes(struct wire *wire, const void *bytes, size_t count);
/* A 16-bit length and the bytes, without a terminator; fails above 65,535 bytes. NULL is written as
 * "". */
void wire_put_string(struct wire *wire, const char *string);

uint8_t wire_get_u8(struct wire *wire);
uint16_t wire_get_u16(struct wire *wire);
uint32_t wire_get_u32(struct wire *wire);
uint64_t wire_get_u64(struct wire *wire);
uint16_t wire_get_be16(struct wire *wire);
uint32_t wire_get_be32(struct wire *wire);
/* Fails on a byte that is neither 0 nor 1. */
bool wire_get_bool(struct wire *wire);
/* Copies `count` bytes out; zeros them when they are not there. */
void wire_get_bytes(struct wire *wire, void *bytes, size_t count);
/* A pointer to `count` bytes in place, or NULL (and failed) when they are not there. */
const uint8_t *wire_get_view(struct wire *wire, size_t count);
/* Copies a string into `string` of `size` bytes and terminates it; fails if it does not fit or
 * contains a NUL. */
void wire_get_string(struct wire *wire, char *string, size_t size);
