/*
 * The display's memory: a memfd that is a KVM memory slot with dirty logging (so that the guest
 * draws at memory speed and changes are found by KVM_GET_DIRTY_LOG), and that viewers' display
 * processes map read-only. Made by the machine, used by the display device (which says where the
 * guest sees it) and by the viewer links (which look for damage).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"
#include "display/scanout.h"

struct framebuffer;

enum {
	FRAMEBUFFER_SIZE = 32 * 1024 * 1024,
	FRAMEBUFFER_PAGES = FRAMEBUFFER_SIZE / 4096,
};

/* `vm_fd` -1: without KVM, for unit tests (then nothing is ever dirty but what
 * framebuffer_mark_dirty says). */
must_check int framebuffer_create(int vm_fd, uint32_t slot, struct framebuffer **framebuffer);
void framebuffer_destroy(struct framebuffer *framebuffer);
/*
 * For a framebuffer that was created without KVM, because its descriptors can only be made before
 * the sandbox is entered: from now on it is a slot of this VM. Before it is placed.
 */
void framebuffer_set_vm(struct framebuffer *framebuffer, int vm_fd, uint32_t slot);

uint8_t *framebuffer_memory(struct framebuffer *framebuffer);
/* A descriptor that can only be read through; owned by the framebuffer. */
int framebuffer_read_only_fd(const struct framebuffer *framebuffer);

/* Makes it appear at guest-physical `address`, or nowhere (0). Machine's lock. Returns 0 or -errno.
 */
must_check int framebuffer_place(struct framebuffer *framebuffer, uint64_t address);

/*
 * What changed inside [offset, offset + length) since the last call: fills `damage` spans (relative
 * to `offset`, merged; the last one covers the rest when there are too many). Returns the number of
 * spans or -errno.
 */
must_check int framebuffer_collect(struct framebuffer *framebuffer, uint64_t offset,
    uint64_t length, struct scanout_damage *damage);
/* For changes that did not come through the guest's mapping. */
void framebuffer_mark_dirty(struct framebuffer *framebuffer, uint64_t offset, uint64_t length);

/*
 * For snapshots: a bitmap, a bit for each page, of what was ever written since creation or
 * framebuffer_forget_written(). Owned by the framebuffer. Returns 0 or -errno.
 */
must_check int framebuffer_written(struct framebuffer *framebuffer, const uint64_t **bitmap);
/* The contents are now what the layers of a snapshot hold. */
void framebuffer_forget_written(struct framebuffer *framebuffer);
