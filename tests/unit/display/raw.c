/* RFB by hand (raw.h). */
#include "raw.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool raw_send(int fd, const void *data, size_t size)
{
	return send(fd, data, size, MSG_NOSIGNAL) == (ssize_t)size;
}

bool raw_read(int fd, void *data, size_t size)
{
	uint8_t *bytes = data;

	while (size > 0) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		ssize_t count;

		if (poll(&ready, 1, 5000) <= 0) {
			return false;
		}
		count = recv(fd, bytes, size, 0);
		if (count <= 0) {
			return false;
		}
		bytes += count;
		size -= (size_t)count;
	}
	return true;
}

bool raw_wait_end(int fd, int timeout_ms)
{
	uint8_t bytes[65536];

	for (;;) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };

		if (poll(&ready, 1, timeout_ms) <= 0) {
			return false;
		}
		if (recv(fd, bytes, sizeof(bytes), 0) <= 0) {
			return true;
		}
	}
}

uint32_t raw_read_be32(int fd)
{
	uint8_t bytes[4];

	assert(raw_read(fd, bytes, sizeof(bytes)));
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

uint16_t raw_read_be16(int fd)
{
	uint8_t bytes[2];

	assert(raw_read(fd, bytes, sizeof(bytes)));
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

void raw_log_in(int fd, uint16_t *width, uint16_t *height)
{
	uint8_t bytes[256];
	uint32_t length;

	assert(raw_read(fd, bytes, 12) && raw_send(fd, "RFB 003.008\n", 12));
	assert(raw_read(fd, bytes, 2) && bytes[1] == 19 && raw_send(fd, "\23", 1));
	assert(raw_read(fd, bytes, 2) && raw_send(fd, "\0\2", 2));
	assert(raw_read(fd, bytes, 6) && raw_send(fd, "\0\0\1\0", 4));
	assert(raw_send(fd, "\0\0\0\5\0\0\0\15alicecorrect horse", 26));
	assert(raw_read_be32(fd) == 0);
	assert(raw_send(fd, "\1", 1));
	*width = raw_read_be16(fd);
	*height = raw_read_be16(fd);
	assert(raw_read(fd, bytes, 16));
	length = raw_read_be32(fd);
	assert(length < sizeof(bytes) && raw_read(fd, bytes, length));
}

void raw_set_encodings(int fd, const int32_t *encodings, size_t count)
{
	uint8_t bytes[4 + 4 * 64] = { 2, 0, 0, (uint8_t)count };

	assert(count <= 64);
	for (size_t i = 0; i < count; i++) {
		uint32_t value = (uint32_t)encodings[i];

		bytes[4 + 4 * i] = (uint8_t)(value >> 24);
		bytes[5 + 4 * i] = (uint8_t)(value >> 16);
		bytes[6 + 4 * i] = (uint8_t)(value >> 8);
		bytes[7 + 4 * i] = (uint8_t)value;
	}
	assert(raw_send(fd, bytes, 4 + 4 * count));
}

void raw_request(int fd, bool incremental, uint16_t width, uint16_t height)
{
	uint8_t bytes[10] = { 3, incremental, 0, 0, 0, 0, (uint8_t)(width >> 8), (uint8_t)width,
		(uint8_t)(height >> 8), (uint8_t)height };

	assert(raw_send(fd, bytes, sizeof(bytes)));
}

void raw_key(int fd, uint32_t keysym, bool down)
{
	uint8_t bytes[8] = { 4, down, 0, 0, (uint8_t)(keysym >> 24), (uint8_t)(keysym >> 16),
		(uint8_t)(keysym >> 8), (uint8_t)keysym };

	assert(raw_send(fd, bytes, sizeof(bytes)));
}

uint16_t raw_read_update(int fd)
{
	uint8_t bytes[2];

	assert(raw_read(fd, bytes, 2) && bytes[0] == 0);
	return raw_read_be16(fd);
}

struct raw_rectangle raw_read_rectangle(int fd)
{
	struct raw_rectangle rectangle;

	rectangle.x = raw_read_be16(fd);
	rectangle.y = raw_read_be16(fd);
	rectangle.width = raw_read_be16(fd);
	rectangle.height = raw_read_be16(fd);
	rectangle.encoding = (int32_t)raw_read_be32(fd);
	return rectangle;
}
