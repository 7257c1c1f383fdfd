/*
 * libvncserver without its sockets. Its functions for reading and writing block in select() and one waits 100 ms for a
 * browser; they are exported and called through the dynamic linker, so that the program's own definitions of the same
 * names take their place (rfb_io.c): a message is read from memory, where it lies whole, and what is written goes to a
 * function of ours. A rfbScreenInfo belongs to one rfb_io through its screenData.
 *
 * This works only as long as the program exports the names (ENABLE_EXPORTS in CMakeLists.txt) and libvncserver is a shared
 * library that calls itself through its procedure linkage table; rfb_io_is_effective() tells, and the program refuses to
 * start without.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rfb_io {
	const uint8_t *input; /* the message that is being processed */
	size_t input_size;
	/* Takes bytes for the viewer: 0 or -errno, after which the client is closed. */
	int (*write)(void *context, const void *data, size_t size);
	void *context;
};

/* True if libvncserver, when it makes a new client, calls our functions. Any thread; costs a few microseconds. */
bool rfb_io_is_effective(void);
