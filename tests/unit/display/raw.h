/* RFB by hand, for what a well-behaved viewer never sends: a blocking socket with time-outs. Asserts on surprises. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sends all; false if the peer is gone. */
bool raw_send(int fd, const void *data, size_t size);
/* Reads exactly `size` bytes; false at the end or after 5 s. */
bool raw_read(int fd, void *data, size_t size);
/* Waits up to `timeout_ms` for the peer to close, throwing away what comes; false if it did not. */
bool raw_wait_end(int fd, int timeout_ms);
uint32_t raw_read_be32(int fd);
uint16_t raw_read_be16(int fd);

/* Version, VeNCrypt Plain, good name and password, ClientInit; returns the size from ServerInit. */
void raw_log_in(int fd, uint16_t *width, uint16_t *height);
void raw_set_encodings(int fd, const int32_t *encodings, size_t count);
void raw_request(int fd, bool incremental, uint16_t width, uint16_t height);
void raw_key(int fd, uint32_t keysym, bool down);

struct raw_rectangle {
	uint16_t x, y, width, height;
	int32_t encoding;
};

/* Reads a FramebufferUpdate's header; returns the count of rectangles. Asserts that it is one. */
uint16_t raw_read_update(int fd);
struct raw_rectangle raw_read_rectangle(int fd);
