/*
 * The memory of the display, and which of its pages changed. Two answers are kept apart: `changed`,
 * since the last collection, for viewers; and `written`, since the layers of a snapshot were
 * loaded, for the next snapshot. The kernel's log forgets what it has told, so everything that
 * reads it goes through fetch() below.
 *
 * What must stay true: nobody else can write through the memfd (F_SEAL_FUTURE_WRITE; our own
 * mapping was made before), nor shrink it under a reader.
 */
#include "vmm/framebuffer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"

enum {
	PAGE_SHIFT = 12,
	WORDS = FRAMEBUFFER_PAGES / 64,
};

struct framebuffer {
	int fd;           /* ours, closed once mapped and sealed */
	int read_only_fd; /* viewers' */
	uint8_t *memory;
	int vm_fd; /* -1: no KVM */
	uint32_t slot;
	uint64_t address; /* where the guest sees it, 0: nowhere */
	uint64_t changed[WORDS];
	uint64_t written[WORDS];
};

static int open_read_only(int fd)
{
	char path[64];
	int opened;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	opened = open(path, O_RDONLY | O_CLOEXEC);
	return opened < 0 ? -errno : opened;
}

static int make_memory(struct framebuffer *framebuffer)
{
	void *memory;

	framebuffer->fd = memfd_create("tanmatsu-picture", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (framebuffer->fd < 0 || ftruncate(framebuffer->fd, FRAMEBUFFER_SIZE) < 0) {
		return -errno;
	}
	memory = mmap(
	    NULL, FRAMEBUFFER_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, framebuffer->fd, 0);
	if (memory == MAP_FAILED) {
		return -errno;
	}
	framebuffer->memory = memory;
	(void)madvise(memory, FRAMEBUFFER_SIZE, MADV_DONTDUMP);
	if (fcntl(framebuffer->fd, F_ADD_SEALS,
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0) {
		return -errno;
	}
	framebuffer->read_only_fd = open_read_only(framebuffer->fd);
	return framebuffer->read_only_fd < 0 ? framebuffer->read_only_fd : 0;
}

int framebuffer_create(int vm_fd, uint32_t slot, struct framebuffer **framebuffer)
{
	struct framebuffer *created = calloc(1, sizeof(*created));
	int error;

	if (!created) {
		return -ENOMEM;
	}
	created->fd = -1;
	created->read_only_fd = -1;
	created->vm_fd = vm_fd;
	created->slot = slot;
	error = make_memory(created);
	fd_close(&created->fd);
	if (error) {
		framebuffer_destroy(created);
		return error;
	}
	*framebuffer = created;
	return 0;
}

void framebuffer_destroy(struct framebuffer *framebuffer)
{
	if (!framebuffer) {
		return;
	}
	if (framebuffer->memory) {
		munmap(framebuffer->memory, FRAMEBUFFER_SIZE);
	}
	fd_close(&framebuffer->read_only_fd);
	free(framebuffer);
}

void framebuffer_set_vm(struct framebuffer *framebuffer, int vm_fd, uint32_t slot)
{
	framebuffer->vm_fd = vm_fd;
	framebuffer->slot = slot;
	framebuffer->address = 0;
}

uint8_t *framebuffer_memory(struct framebuffer *framebuffer)
{
	return framebuffer->memory;
}

int framebuffer_read_only_fd(const struct framebuffer *framebuffer)
{
	return framebuffer->read_only_fd;
}

/* Moves what the kernel has logged into both bitmaps. */
static int fetch(struct framebuffer *framebuffer)
{
	uint64_t log[WORDS] = { 0 };
	struct kvm_dirty_log request = { .slot = framebuffer->slot, .dirty_bitmap = log };

	if (framebuffer->vm_fd < 0 || framebuffer->address == 0) {
		return 0;
	}
	if (ioctl(framebuffer->vm_fd, KVM_GET_DIRTY_LOG, &request) < 0) {
		return -errno;
	}
	for (size_t i = 0; i < WORDS; i++) {
		framebuffer->changed[i] |= log[i];
		framebuffer->written[i] |= log[i];
	}
	return 0;
}

static int set_slot(struct framebuffer *framebuffer, uint64_t address, uint64_t size)
{
	struct kvm_userspace_memory_region region = {
		.slot = framebuffer->slot,
		.flags = KVM_MEM_LOG_DIRTY_PAGES,
		.guest_phys_addr = address,
		.memory_size = size,
		.userspace_addr = (uint64_t)(uintptr_t)framebuffer->memory,
	};

	return ioctl(framebuffer->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0 ? -errno : 0;
}

int framebuffer_place(struct framebuffer *framebuffer, uint64_t address)
{
	int error = 0;

	if (address == framebuffer->address) {
		return 0;
	}
	if (framebuffer->vm_fd >= 0 && framebuffer->address != 0) {
		/* A slot takes its log with it. */
		error = fetch(framebuffer);
		if (!error) {
			error = set_slot(framebuffer, framebuffer->address, 0);
		}
		if (error) {
			return error;
		}
		framebuffer->address = 0;
	}
	if (framebuffer->vm_fd >= 0 && address != 0) {
		error = set_slot(framebuffer, address, FRAMEBUFFER_SIZE);
	}
	if (!error) {
		framebuffer->address = address;
	}
	return error;
}

static bool test_and_clear(uint64_t *bitmap, size_t page)
{
	uint64_t bit = 1ull << (page % 64);
	bool set = bitmap[page / 64] & bit;

	bitmap[page / 64] &= ~bit;
	return set;
}

/* Adds pages [first, last] as far as they lie in [offset, offset + length), in bytes relative to
 * `offset`. */
static void add_span(
    struct scanout_damage *damage, uint64_t offset, uint64_t length, size_t first, size_t last)
{
	uint64_t start = (uint64_t)first << PAGE_SHIFT;
	uint64_t end = (uint64_t)(last + 1) << PAGE_SHIFT;
	struct scanout_span *span;

	start = start < offset ? 0 : start - offset;
	end = end - offset > length ? length : end - offset;
	if (damage->span_count == SCANOUT_SPANS_MAX) {
		span = &damage->spans[SCANOUT_SPANS_MAX - 1];
		span->length = (uint32_t)(end - span->offset);
		return;
	}
	span = &damage->spans[damage->span_count++];
	*span = (struct scanout_span){ .offset = (uint32_t)start,
		.length = (uint32_t)(end - start) };
}

int framebuffer_collect(struct framebuffer *framebuffer, uint64_t offset, uint64_t length,
    struct scanout_damage *damage)
{
	size_t first = (size_t)(offset >> PAGE_SHIFT);
	size_t run = SIZE_MAX;
	size_t end;
	int error;

	damage->span_count = 0;
	if (!checked_range(offset, length, FRAMEBUFFER_SIZE)) {
		return -EINVAL;
	}
	error = fetch(framebuffer);
	if (error) {
		return error;
	}
	end = (size_t)((offset + length + (1u << PAGE_SHIFT) - 1) >> PAGE_SHIFT);
	for (size_t page = first; page < end; page++) {
		if (run == SIZE_MAX && page % 64 == 0 && framebuffer->changed[page / 64] == 0) {
			page += 63;
			continue;
		}
		if (test_and_clear(framebuffer->changed, page)) {
			run = run == SIZE_MAX ? page : run;
		} else if (run != SIZE_MAX) {
			add_span(damage, offset, length, run, page - 1);
			run = SIZE_MAX;
		}
	}
	if (run != SIZE_MAX) {
		add_span(damage, offset, length, run, end - 1);
	}
	return (int)damage->span_count;
}

void framebuffer_mark_dirty(struct framebuffer *framebuffer, uint64_t offset, uint64_t length)
{
	if (length == 0 || !checked_range(offset, length, FRAMEBUFFER_SIZE)) {
		return;
	}
	for (uint64_t page = offset >> PAGE_SHIFT; page <= (offset + length - 1) >> PAGE_SHIFT;
	     page++) {
		framebuffer->changed[page / 64] |= 1ull << (page % 64);
		framebuffer->written[page / 64] |= 1ull << (page % 64);
	}
}

int framebuffer_written(struct framebuffer *framebuffer, const uint64_t **bitmap)
{
	int error = fetch(framebuffer);

	*bitmap = framebuffer->written;
	return error;
}

void framebuffer_forget_written(struct framebuffer *framebuffer)
{
	memset(framebuffer->written, 0, sizeof(framebuffer->written));
}
