/*
 * The link between a VMM and a viewer's display process: the shared picture, what changed in it, and the input that
 * goes the other way. An ipc.h SEQPACKET pair per viewer; the monitor makes it and gives one end to each, once it has
 * checked that this viewer may see this desktop. Neither side trusts the other: every number is checked where it
 * arrives.
 *
 * The picture is the guest's framebuffer itself, a sealed memfd (F_SEAL_SHRINK) that the display process has open
 * read-only. Flow: the display says LINK_WANT when it is ready for news; the VMM answers with one LINK_DAMAGE as soon as
 * there is some, and looks for changes only while a WANT is open. A DAMAGE may come without a change in the pixels
 * (a page was rewritten with what it held).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"
#include "base/wire.h"

enum link_message {
	/* display -> VMM */
	LINK_WANT =
	    1, /* u32 scanout id: news wanted since the last DAMAGE; id 0: send SCANOUT and full damage first */
	LINK_INPUT = 2,  /* 1 to LINK_INPUT_MAX events, input/event.h */
	LINK_RESIZE = 3, /* u32 width, u32 height: the size the viewer would like, in pixels */

	/* VMM -> display */
	LINK_SCANOUT =
	    16, /* struct scanout; one fd, the memfd. A new picture or a new mode; all of it is damaged */
	LINK_DAMAGE =
	    17, /* u32 scanout id, u64 event time, u16 count, then count spans; see scanout_damage */
	LINK_LEDS =
	    18, /* u8: bit 0 scroll lock, 1 num lock, 2 caps lock, as RFB's QEMU LED state has them */
};

enum {
	LINK_INPUT_MAX = 64,
	SCANOUT_SIZE_MAX = 16384, /* pixels, either side */
	SCANOUT_SPANS_MAX = 1024,
	SCANOUT_FORMAT_XRGB8888 = 1, /* 32 bits little-endian: blue in the lowest byte */
};

/* Where the picture lies in the memfd. Bytes, except width and height in pixels. */
struct scanout {
	uint32_t id; /* never 0; changes with each new picture or mode */
	uint32_t format;
	uint32_t width;
	uint32_t height;
	uint32_t stride;
	uint64_t offset;
	uint64_t memory_size; /* of the memfd */
};

/* Bytes of the picture that may have changed, relative to scanout.offset. */
struct scanout_span {
	uint32_t offset;
	uint32_t length;
};

struct scanout_damage {
	uint32_t scanout_id;
	uint64_t found_us; /* CLOCK_MONOTONIC when the VMM saw it */
	size_t span_count;
	struct scanout_span spans[SCANOUT_SPANS_MAX];
};

void scanout_encode(const struct scanout *scanout, struct wire *wire);
/* Returns 0, or -EPROTO when the picture does not lie inside its memory or a number is out of range. */
must_check int scanout_decode(struct wire *wire, struct scanout *scanout);
void scanout_damage_encode(const struct scanout_damage *damage, struct wire *wire);
/* Checks the spans against `scanout`. Returns 0 or -EPROTO; -ESTALE when the damage is of another picture. */
must_check int scanout_damage_decode(
    struct wire *wire, const struct scanout *scanout, struct scanout_damage *damage);
