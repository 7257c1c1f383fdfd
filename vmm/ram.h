/*
 * The guest's memory as layers: what it is made of when a snapshot is resumed, and what of it belongs into the next.
 * Pages are counted through RAM and then on through the framebuffer. RAM pages are zero pages, overlaid with private
 * mappings of the layers' runs, newest last; so a page that is private to this process (/proc/self/pagemap) is exactly
 * one that was written since. The framebuffer is shared with viewers and so is copied in and out; its dirty log tells
 * what was written.
 *
 * A layer file must not change while it is mapped, and is never written again. Loop thread, vCPUs standing still, unless
 * said otherwise.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"
#include "vmm/control.h"
#include "vmm/framebuffer.h"
#include "vmm/guestmem.h"
#include "vmm/ram_layer.h"

enum {
	/* With so many layers the next one is written complete, or with so many of which half is out of date: a complete
	 * one costs all that the guest's memory holds, a long chain disk space and files to open. */
	RAM_COMPLETE_AFTER = 24,
	RAM_COMPLETE_SOONER = 8,
	RAM_REASON_MAX = 128,
	/* Layers of so many bytes altogether are verified before they are mapped; larger ones by ram_verifier. */
	RAM_VERIFY_FIRST = 32 * 1024 * 1024,
};

struct ram {
	struct guestmem *memory;
	struct framebuffer *framebuffer;
	int pagemap_fd;
	uint64_t ram_pages;
	uint64_t page_count; /* RAM and framebuffer */
	uint64_t
	    *covered; /* a bit for each page that some layer has bytes for; NULL without layers */
	bool
	    detached; /* memory is not on top of the layers any more (reset): the next layer is complete */
	/* Told while layers are verified or written; NULL: nobody. Set after ram_init(). */
	void (*progress)(void *context, uint32_t percent);
	void *progress_context;
	uint64_t layer_pages; /* data in all layers together */
	uint32_t layer_count;
	struct ram_layer_id layers[VMM_LAYERS_MAX]; /* oldest first */
	/* Layers whose pages have not been verified yet, with descriptors that are the caller's. */
	uint32_t unverified_count;
	struct ram_unverified {
		uint32_t index;
		int fd;
		struct ram_layer layer;
	} unverified[VMM_LAYERS_MAX];
};

struct ram_save_report {
	struct ram_layer_id id;
	uint64_t bytes; /* written to the file */
	bool complete;
};

/* `memory` has just been created. Borrows all. 0 or -errno. */
must_check int ram_init(
    struct ram *ram, struct guestmem *memory, struct framebuffer *framebuffer, int pagemap_fd);
void ram_fini(struct ram *ram);

/*
 * Maps the layers, oldest first, into memory. Every index is verified first, and the framebuffer's bytes; so are all
 * bytes of the layers that fit into RAM_VERIFY_FIRST together, the smallest being a matter of milliseconds. The rest is in
 * `unverified` afterwards and for vmm/ram_verifier.h; until it is done the descriptors must stay open. `expected` are the
 * ids that the device state names. 0, -EPROTO with `reason` when a layer is damaged or not the one that is named, or
 * -errno.
 */
must_check int ram_load(struct ram *ram, const int *fds, const struct ram_layer_id *expected,
    uint32_t count, char reason[RAM_REASON_MAX]);
/* Verifies every page of one layer of `unverified`; stops when `*cancel` becomes true, with -ECANCELED. Any thread: only
 * reads. 0, -EPROTO with `reason`, or -errno. */
must_check int ram_verify(const struct ram *ram, const struct ram_unverified *unverified,
    const atomic_bool *cancel, char reason[RAM_REASON_MAX]);
/* Writes what differs from the loaded layers (or everything) to the empty file `fd` and fsyncs it. 0 or -errno. */
must_check int ram_save(
    struct ram *ram, int fd, uint64_t generation, struct ram_save_report *report);
/* All of RAM is zero pages again. 0 or -errno. */
must_check int ram_reset(struct ram *ram);
/* Bytes of RAM that are not shared with a layer or the zero page. */
uint64_t ram_private_bytes(struct ram *ram);
