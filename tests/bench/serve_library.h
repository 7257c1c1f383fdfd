/* A plain libvncserver program, as its own documentation has it: a peer of the display benchmark. */
#pragma once

#include <stdint.h>

/* Serves `pixels` to whoever connects to the listening socket, without login; the rectangles that have changed come from
 * the pipe as struct change. Returns when the pipe ends. */
void serve_library(int listener, int changes, void *pixels, uint32_t width, uint32_t height);
