/*
 * The only code that turns guest-physical addresses into ours. What must stay true: no pointer
 * leaves before its whole range was found inside RAM and on one side of the gap, and RAM's mapping
 * keeps its place for the VM's whole life (KVM has been told about it), whatever is mapped over it
 * when a snapshot is resumed.
 */
#include "vmm/guestmem.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "base/checked.h"

enum {
	PAGE = 4096,
};

int guestmem_create(struct guestmem *memory, uint64_t size)
{
	void *host;

	*memory = (struct guestmem){ 0 };
	if (size == 0 || size % PAGE != 0 || size > SIZE_MAX) {
		return -EINVAL;
	}
	host = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (host == MAP_FAILED) {
		return -ENOMEM;
	}
	memory->host = host;
	memory->size = size;
	memory->low_size = size < GUESTMEM_LOW_END ? size : GUESTMEM_LOW_END;
	guestmem_advise(memory);
	return 0;
}

void guestmem_advise(struct guestmem *memory)
{
	/* A core file or a fork of this process has no business with a guest's memory. */
	(void)madvise(memory->host, (size_t)memory->size, MADV_DONTDUMP);
	(void)madvise(memory->host, (size_t)memory->size, MADV_DONTFORK);
	/* Huge pages would make "written" mean 512 pages at a time, and a snapshot that much
	 * larger. */
	(void)madvise(memory->host, (size_t)memory->size, MADV_NOHUGEPAGE);
}

void guestmem_fini(struct guestmem *memory)
{
	if (memory->host) {
		munmap(memory->host, (size_t)memory->size);
	}
	*memory = (struct guestmem){ 0 };
}

void *guestmem_view(struct guestmem *memory, uint64_t address, size_t size)
{
	if (checked_range(address, size, memory->low_size)) {
		return memory->host + address;
	}
	if (address >= GUESTMEM_HIGH_BASE &&
	    checked_range(address - GUESTMEM_HIGH_BASE, size, memory->size - memory->low_size)) {
		return memory->host + memory->low_size + (address - GUESTMEM_HIGH_BASE);
	}
	return NULL;
}

static uint8_t *find(const struct guestmem *memory, uint64_t address, size_t size)
{
	struct guestmem copy = *memory;

	return guestmem_view(&copy, address, size);
}

bool guestmem_contains(const struct guestmem *memory, uint64_t address, uint64_t size)
{
	return size <= SIZE_MAX && find(memory, address, (size_t)size);
}

int guestmem_read(const struct guestmem *memory, uint64_t address, void *bytes, size_t size)
{
	const uint8_t *from = find(memory, address, size);

	if (!from) {
		return -EFAULT;
	}
	if (size > 0) {
		memcpy(bytes, from, size);
	}
	return 0;
}

int guestmem_write(struct guestmem *memory, uint64_t address, const void *bytes, size_t size)
{
	uint8_t *to = find(memory, address, size);

	if (!to) {
		return -EFAULT;
	}
	if (size > 0) {
		memcpy(to, bytes, size);
	}
	return 0;
}

int guestmem_fill(struct guestmem *memory, uint64_t address, uint8_t byte, size_t size)
{
	uint8_t *to = find(memory, address, size);

	if (!to) {
		return -EFAULT;
	}
	memset(to, byte, size);
	return 0;
}

int guestmem_load_u16(const struct guestmem *memory, uint64_t address, uint16_t *value)
{
	const uint8_t *from = find(memory, address, sizeof(*value));

	if (!from || address % sizeof(*value) != 0) {
		return -EFAULT;
	}
	/* Acquire: what the driver wrote before this index is read after it (virtio 1.2,
	 * section 2.7.13). */
	*value = __atomic_load_n((const uint16_t *)(const void *)from, __ATOMIC_ACQUIRE);
	return 0;
}

int guestmem_store_u16(struct guestmem *memory, uint64_t address, uint16_t value)
{
	uint8_t *to = find(memory, address, sizeof(value));

	if (!to || address % sizeof(value) != 0) {
		return -EFAULT;
	}
	/*
	 * Sequentially consistent: what we wrote before is seen first, and what we read afterwards
	 * (whether the driver wants an interrupt) is read after the driver can see this.
	 */
	__atomic_store_n((uint16_t *)(void *)to, value, __ATOMIC_SEQ_CST);
	atomic_thread_fence(memory_order_seq_cst);
	return 0;
}
