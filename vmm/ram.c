/*
 * See ram.h; ram_save.c has the other half. What must stay true: nothing of a layer is mapped before its index has been
 * verified, every byte of it is verified sooner or later, and a run never reaches from RAM into the framebuffer.
 */
#include "vmm/ram.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "base/fd.h"
#include "vmm/ram_internal.h"

enum {
	VERIFY_CHUNK = 256 * 1024, /* stays in the cache between copying and hashing */
};

int ram_init(
    struct ram *ram, struct guestmem *memory, struct framebuffer *framebuffer, int pagemap_fd)
{
	*ram = (struct ram){
		.memory = memory,
		.framebuffer = framebuffer,
		.pagemap_fd = pagemap_fd,
		.ram_pages = memory->size / RAM_PAGE,
		.page_count = memory->size / RAM_PAGE + FRAMEBUFFER_PAGES,
	};
	ram->covered = calloc((size_t)(ram->page_count + 63) / 64, sizeof(*ram->covered));
	return ram->covered ? 0 : -ENOMEM;
}

void ram_fini(struct ram *ram)
{
	for (uint32_t i = 0; i < ram->unverified_count; i++) {
		ram_layer_fini(&ram->unverified[i].layer);
	}
	ram->unverified_count = 0;
	free(ram->covered);
	ram->covered = NULL;
}

uint8_t *ram_page(const struct ram *ram, uint64_t page)
{
	if (page < ram->ram_pages) {
		return ram->memory->host + page * RAM_PAGE;
	}
	return framebuffer_memory(ram->framebuffer) + (page - ram->ram_pages) * RAM_PAGE;
}

bool ram_covered(const struct ram *ram, uint64_t page)
{
	return ram->covered[page / 64] & (1ull << (page % 64));
}

static void set_covered(struct ram *ram, const struct ram_run *run)
{
	for (uint64_t page = run->page; page < run->page + run->count; page++) {
		uint64_t bit = 1ull << (page % 64);

		if (run->kind == RAM_RUN_DATA) {
			ram->covered[page / 64] |= bit;
		} else {
			ram->covered[page / 64] &= ~bit;
		}
	}
}

static int map_zeros(uint8_t *at, size_t size)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;

	return mmap(at, size, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED ? -errno : 0;
}

int ram_reset(struct ram *ram)
{
	int error = map_zeros(ram->memory->host, (size_t)ram->memory->size);

	if (!error) {
		guestmem_advise(ram->memory);
		ram->detached = true;
	}
	return error;
}

/* Reads header page and index; the caller frees `*head`. */
static int read_head(int fd, uint64_t file_size, uint8_t **head, size_t *size)
{
	uint8_t header[RAM_PAGE];
	int error = fd_pread_all(fd, header, sizeof(header), 0);

	if (!error) {
		error = ram_layer_head_size(header, size);
	}
	if (!error && *size > file_size) {
		error = -EPROTO;
	}
	if (error) {
		return error == -ENODATA ? -EPROTO : error;
	}
	*head = malloc(*size);
	if (!*head) {
		return -ENOMEM;
	}
	error = fd_pread_all(fd, *head, *size, 0);
	if (error) {
		free(*head);
	}
	return error == -ENODATA ? -EPROTO : error;
}

static int open_layer(const struct ram *ram, int fd, struct ram_layer *layer)
{
	struct stat status;
	uint8_t *head;
	size_t size;
	int error;

	if (fstat(fd, &status) < 0) {
		return -errno;
	}
	if (!S_ISREG(status.st_mode) || status.st_size < RAM_PAGE) {
		return -EPROTO;
	}
	error = read_head(fd, (uint64_t)status.st_size, &head, &size);
	if (error) {
		return error;
	}
	error = ram_layer_decode(head, size, (uint64_t)status.st_size, ram->page_count, layer);
	free(head);
	return error;
}

/* Reads a run's bytes through `buffer`, or into the framebuffer when they belong there, and checks them. */
static int verify_run(
    const struct ram *ram, int fd, const struct ram_run *run, uint8_t *buffer, XXH3_state_t *state)
{
	uint64_t left = (uint64_t)run->count * RAM_PAGE;
	uint64_t offset = run->file_page * RAM_PAGE;
	bool keep = run->page >= ram->ram_pages;
	uint8_t *to = keep ? ram_page(ram, run->page) : buffer;
	XXH128_canonical_t canonical;

	XXH3_128bits_reset(state);
	while (left > 0) {
		size_t size = left < VERIFY_CHUNK ? (size_t)left : VERIFY_CHUNK;
		int error = fd_pread_all(fd, to, size, offset);

		if (error) {
			return error == -ENODATA ? -EPROTO : error;
		}
		XXH3_128bits_update(state, to, size);
		offset += size;
		left -= size;
		to += keep ? size : 0;
	}
	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state));
	return memcmp(canonical.digest, run->checksum, sizeof(run->checksum)) == 0 ? 0 : -EPROTO;
}

/* Which runs of a layer: those that end up in the framebuffer, those in RAM. */
enum {
	VERIFY_FRAMEBUFFER = 1 << 0,
	VERIFY_RAM = 1 << 1,
};

struct verification {
	unsigned which;
	uint32_t index, count;     /* of the layers: as good a measure of progress as is needed */
	const atomic_bool *cancel; /* NULL: progress is told instead */
};

static int verify_layer(const struct ram *ram, int fd, const struct ram_layer *layer,
    const struct verification *verification)
{
	uint8_t *buffer = malloc(VERIFY_CHUNK);
	XXH3_state_t *state = XXH3_createState();
	int error = buffer && state ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < layer->run_count && !error; i++) {
		const struct ram_run *run = &layer->runs[i];
		unsigned where = run->page < ram->ram_pages ? VERIFY_RAM : VERIFY_FRAMEBUFFER;

		if (where == VERIFY_RAM && run->page + run->count > ram->ram_pages) {
			error = -EPROTO;
		} else if (verification->cancel && atomic_load(verification->cancel)) {
			error = -ECANCELED;
		} else if (run->kind == RAM_RUN_DATA && (verification->which & where)) {
			error = verify_run(ram, fd, run, buffer, state);
			if (ram->progress && !verification->cancel) {
				uint64_t done = (run->file_page + run->count) * 100 /
						layer->file_pages;

				ram->progress(ram->progress_context,
				    (uint32_t)((verification->index * 100 + done) /
					       verification->count));
			}
		}
	}
	XXH3_freeState(state);
	free(buffer);
	return error;
}

static int describe(int error, uint32_t index, char reason[RAM_REASON_MAX])
{
	snprintf(reason, RAM_REASON_MAX, "memory layer %u: %s", index,
	    error == -EPROTO ? "checksum mismatch in its pages" : strerrordesc_np(-error));
	return error;
}

int ram_verify(const struct ram *ram, const struct ram_unverified *unverified,
    const atomic_bool *cancel, char reason[RAM_REASON_MAX])
{
	const struct verification verification = { .which = VERIFY_RAM, .cancel = cancel };
	int error = verify_layer(ram, unverified->fd, &unverified->layer, &verification);

	return error ? describe(error, unverified->index, reason) : 0;
}

static int map_run(const struct ram *ram, int fd, const struct ram_run *run)
{
	uint8_t *at = ram_page(ram, run->page);
	size_t size = (size_t)run->count * RAM_PAGE;

	if (run->page >= ram->ram_pages) {
		/* Bytes were read while they were verified. */
		if (run->kind == RAM_RUN_ZERO) {
			memset(at, 0, size);
		}
		return 0;
	}
	if (run->kind == RAM_RUN_ZERO) {
		return map_zeros(at, size);
	}
	if (mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED, fd,
		(off_t)(run->file_page * RAM_PAGE)) == MAP_FAILED) {
		return -errno;
	}
	return 0;
}

/* `*budget` bytes may still be verified now. */
static int load_layer(struct ram *ram, int fd, uint32_t index, uint32_t count,
    const struct ram_layer_id *expected, uint64_t *budget, char reason[RAM_REASON_MAX])
{
	struct verification verification = {
		.which = VERIFY_FRAMEBUFFER, .index = index, .count = count
	};
	struct ram_layer layer;
	int error = open_layer(ram, fd, &layer);
	uint64_t bytes = error ? 0 : layer.file_pages * RAM_PAGE;

	if (error) {
		snprintf(reason, RAM_REASON_MAX, "memory layer %u: %s", index,
		    error == -EPROTO ? "checksum or numbers of its index do not match"
				     : strerrordesc_np(-error));
		return error;
	}
	if (memcmp(&layer.id, expected, sizeof(layer.id)) != 0 || (layer.complete && index > 0)) {
		snprintf(reason, RAM_REASON_MAX,
		    "memory layer %u is not the one that the snapshot names", index);
		error = -EPROTO;
		goto out;
	}
	if (bytes <= *budget) {
		*budget -= bytes;
		verification.which |= VERIFY_RAM;
	}
	error = verify_layer(ram, fd, &layer, &verification);
	if (error) {
		(void)describe(error, index, reason);
		goto out;
	}
	for (uint32_t i = 0; i < layer.run_count && !error; i++) {
		error = map_run(ram, fd, &layer.runs[i]);
		set_covered(ram, &layer.runs[i]);
		ram->layer_pages += layer.runs[i].kind == RAM_RUN_DATA ? layer.runs[i].count : 0;
	}
	if (error) {
		snprintf(reason, RAM_REASON_MAX, "mapping memory layer %u: %s", index,
		    strerrordesc_np(-error));
	} else if (!(verification.which & VERIFY_RAM)) {
		ram->unverified[ram->unverified_count++] = (struct ram_unverified){
			.index = index, .fd = fd, .layer = layer
		};
		return 0;
	}
out:
	ram_layer_fini(&layer);
	return error;
}

int ram_load(struct ram *ram, const int *fds, const struct ram_layer_id *expected, uint32_t count,
    char reason[RAM_REASON_MAX])
{
	uint64_t budget = RAM_VERIFY_FIRST;
	int error = 0;

	for (uint32_t i = 0; i < count && !error; i++) {
		error = load_layer(ram, fds[i], i, count, &expected[i], &budget, reason);
		ram->layers[i] = expected[i];
	}
	if (!error) {
		ram->layer_count = count;
		guestmem_advise(ram->memory);
		framebuffer_forget_written(ram->framebuffer);
	}
	return error;
}
