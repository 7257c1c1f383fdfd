/*
 * A disk that is an overlay; see overlay.h for the format and the order of writes. `lock` guards the bitmap: whoever reads,
 * or writes clusters that are in the file, holds it shared; whoever brings clusters into the file holds it alone.
 *
 * What must stay true: a bit is set only after its cluster has been filled; a bit is written only after a sync that came
 * after it was set; after a failed sync nothing is believed any more.
 */
#include "vmm/disk/overlay.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/disk/parts.h"
#include "vmm/disk/zeros.h"

enum {
	BLOCK = 4096, /* of the bitmap, as it is written */
};

struct overlay {
	struct disk disk;
	struct disk_io *io, *base; /* base: NULL without one */
	uint64_t data, clusters, blocks;
	pthread_rwlock_t lock;
	uint8_t *bitmap;          /* lock; blocks * BLOCK bytes */
	bool *dirty;              /* lock; for each block: has bits that are not on the disk */
	pthread_mutex_t flushing; /* one flush at a time; taken before `lock` */
	int failed;               /* flushing */
};

/* A request on its way through the clusters. */
struct span {
	uint64_t offset, size;
	const struct iovec *parts;
	int count;
};

static bool is_here(const struct overlay *overlay, uint64_t cluster)
{
	return overlay->bitmap[cluster / 8] >> (cluster % 8) & 1;
}

static void set_here(struct overlay *overlay, uint64_t first, uint64_t end)
{
	for (uint64_t cluster = first; cluster < end; cluster++) {
		if (!is_here(overlay, cluster)) {
			overlay->bitmap[cluster / 8] |= (uint8_t)(1u << (cluster % 8));
			overlay->dirty[cluster / 8 / BLOCK] = true;
		}
	}
}

static uint64_t start_of(uint64_t cluster)
{
	return cluster << OVERLAY_CLUSTER_BITS;
}

/* The last one may be cut short. */
static uint64_t end_of(const struct overlay *overlay, uint64_t cluster)
{
	uint64_t end = start_of(cluster + 1);

	return end < overlay->disk.size ? end : overlay->disk.size;
}

static uint64_t cluster_of(uint64_t offset)
{
	return offset >> OVERLAY_CLUSTER_BITS;
}

static int read_base(struct overlay *overlay, uint64_t offset, const struct iovec *parts, int count)
{
	if (!overlay->base) {
		parts_clear(parts, count);
		return 0;
	}
	return overlay->base->ops->read(overlay->base, offset, parts, count);
}

static int overlay_read(
    struct disk *disk, uint64_t offset, const struct iovec *parts, int count, uint64_t size)
{
	struct overlay *overlay = (struct overlay *)disk;
	struct iovec slice[DISK_IO_PARTS_MAX];
	uint64_t done = 0;
	int error = 0;

	pthread_rwlock_rdlock(&overlay->lock);
	while (done < size && !error) {
		uint64_t cluster = cluster_of(offset + done);
		bool here = is_here(overlay, cluster);
		uint64_t end = end_of(overlay, cluster);
		int used;

		while (end < offset + size && is_here(overlay, cluster_of(end)) == here) {
			end = end_of(overlay, cluster_of(end));
		}
		end = end < offset + size ? end : offset + size;
		used = parts_slice(parts, count, done, end - offset - done, slice);
		error = here ? overlay->io->ops->read(
				   overlay->io, overlay->data + offset + done, slice, used)
			     : read_base(overlay, offset + done, slice, used);
		done = end - offset;
	}
	pthread_rwlock_unlock(&overlay->lock);
	return error;
}

/* A part of the span into the file, at its place. */
static int write_part(struct overlay *overlay, const struct span *span, uint64_t from, uint64_t end)
{
	struct iovec slice[DISK_IO_PARTS_MAX];
	int used = parts_slice(span->parts, span->count, from - span->offset, end - from, slice);

	return overlay->io->ops->write(overlay->io, overlay->data + from, slice, used);
}

/* Fills a cluster that is not here and that the span covers in part. */
static int bring_cluster(struct overlay *overlay, const struct span *span, uint64_t cluster)
{
	uint64_t start = start_of(cluster);
	uint64_t end = end_of(overlay, cluster);
	uint64_t from = span->offset > start ? span->offset : start;
	uint64_t to = span->offset + span->size < end ? span->offset + span->size : end;
	struct iovec slice[DISK_IO_PARTS_MAX];
	struct iovec whole = { malloc(OVERLAY_CLUSTER), (size_t)(end - start) };
	int used = parts_slice(span->parts, span->count, from - span->offset, to - from, slice);
	int error = whole.iov_base ? read_base(overlay, start, &whole, 1) : -ENOMEM;

	if (!error) {
		parts_gather(
		    slice, used, (uint8_t *)whole.iov_base + (from - start), (size_t)(to - from));
		error = overlay->io->ops->write(overlay->io, overlay->data + start, &whole, 1);
	}
	free(whole.iov_base);
	return error;
}

static bool covers(const struct overlay *overlay, const struct span *span, uint64_t cluster)
{
	return span->offset <= start_of(cluster) &&
	       span->offset + span->size >= end_of(overlay, cluster);
}

static bool all_here(const struct overlay *overlay, const struct span *span)
{
	uint64_t last = cluster_of(span->offset + span->size - 1);

	for (uint64_t cluster = cluster_of(span->offset); cluster <= last; cluster++) {
		if (!is_here(overlay, cluster)) {
			return false;
		}
	}
	return true;
}

/* With the lock held alone. */
static int write_bringing(struct overlay *overlay, const struct span *span)
{
	uint64_t end = span->offset + span->size;
	uint64_t at = span->offset;
	int error = 0;

	while (at < end && !error) {
		uint64_t first = cluster_of(at);
		uint64_t cluster = first;

		while (start_of(cluster) < end &&
		       (is_here(overlay, cluster) || covers(overlay, span, cluster))) {
			cluster++;
		}
		if (cluster == first) {
			error = bring_cluster(overlay, span, cluster++);
		} else {
			error = write_part(
			    overlay, span, at, start_of(cluster) < end ? start_of(cluster) : end);
		}
		if (!error) {
			set_here(overlay, first, cluster);
		}
		at = start_of(cluster);
	}
	return error;
}

static int overlay_write(
    struct disk *disk, uint64_t offset, const struct iovec *parts, int count, uint64_t size)
{
	struct overlay *overlay = (struct overlay *)disk;
	const struct span span = { offset, size, parts, count };
	bool direct;
	int error = 0;

	pthread_rwlock_rdlock(&overlay->lock);
	direct = all_here(overlay, &span);
	if (direct) {
		error = write_part(overlay, &span, offset, offset + size);
	}
	pthread_rwlock_unlock(&overlay->lock);
	if (direct) {
		return error;
	}
	pthread_rwlock_wrlock(&overlay->lock);
	error = write_bringing(overlay, &span);
	pthread_rwlock_unlock(&overlay->lock);
	return error;
}

/* Zeros over a part of one cluster; lock held alone. */
static int zero_part(struct overlay *overlay, uint64_t offset, uint64_t size)
{
	static const uint8_t zeros[OVERLAY_CLUSTER];
	/* A span is read only. */
	const struct iovec part = { (void *)(uintptr_t)zeros, (size_t)size };
	const struct span span = { offset, size, &part, 1 };

	if (!is_here(overlay, cluster_of(offset)) && !overlay->base) {
		return 0;
	}
	return write_bringing(overlay, &span);
}

/* Whole clusters; lock held alone. */
static int zero_clusters(struct overlay *overlay, uint64_t first, uint64_t end)
{
	uint64_t start = start_of(first);
	int error;

	/* Without a base there is nothing to hide, and what is not here is zeros. */
	while (!overlay->base && first < end && !is_here(overlay, first)) {
		start = start_of(++first);
	}
	if (first >= end) {
		return 0;
	}
	error = zeros_put(overlay->io, overlay->data + start, end_of(overlay, end - 1) - start);
	if (!error) {
		set_here(overlay, first, end);
	}
	return error;
}

static int overlay_zero(struct disk *disk, uint64_t offset, uint64_t size, bool discard)
{
	struct overlay *overlay = (struct overlay *)disk;
	uint64_t end = offset + size;
	int error = 0;

	(void)discard;
	pthread_rwlock_wrlock(&overlay->lock);
	while (offset < end && !error) {
		uint64_t first = cluster_of(offset);
		uint64_t cluster = first;
		uint64_t stop = end_of(overlay, first) < end ? end_of(overlay, first) : end;

		while (offset == start_of(first) && start_of(cluster) < end &&
		       end_of(overlay, cluster) <= end) {
			stop = end_of(overlay, cluster++);
		}
		error = cluster > first ? zero_clusters(overlay, first, cluster)
					: zero_part(overlay, offset, stop - offset);
		offset = stop;
	}
	pthread_rwlock_unlock(&overlay->lock);
	return error;
}

/* The blocks with new bits as they are now, in a copy: what is set later belongs to the next flush. */
static int take_dirty(struct overlay *overlay, uint8_t **bytes, uint64_t **numbers, uint64_t *count)
{
	uint64_t dirty = 0;

	*count = 0;
	for (uint64_t i = 0; i < overlay->blocks; i++) {
		dirty += overlay->dirty[i];
	}
	if (dirty == 0) {
		return 0;
	}
	*bytes = malloc(dirty * BLOCK);
	*numbers = malloc(dirty * sizeof(**numbers));
	if (!*bytes || !*numbers) {
		return -ENOMEM;
	}
	for (uint64_t i = 0; i < overlay->blocks; i++) {
		if (overlay->dirty[i]) {
			memcpy(*bytes + *count * BLOCK, overlay->bitmap + i * BLOCK, BLOCK);
			(*numbers)[(*count)++] = i;
			overlay->dirty[i] = false;
		}
	}
	return 0;
}

static int write_dirty(
    struct overlay *overlay, uint8_t *bytes, const uint64_t *numbers, uint64_t count)
{
	int error = 0;

	for (uint64_t i = 0; i < count && !error; i++) {
		uint64_t at = OVERLAY_HEADER + numbers[i] * BLOCK;
		uint64_t size = overlay->data - at < BLOCK ? overlay->data - at : BLOCK;
		const struct iovec part = { bytes + i * BLOCK, (size_t)size };

		error = overlay->io->ops->write(overlay->io, at, &part, 1);
	}
	return error ? error : overlay->io->ops->sync(overlay->io);
}

static int overlay_flush(struct disk *disk)
{
	struct overlay *overlay = (struct overlay *)disk;
	uint64_t *numbers = NULL;
	uint8_t *bytes = NULL;
	uint64_t count;
	int error;

	pthread_mutex_lock(&overlay->flushing);
	error = overlay->failed;
	if (!error) {
		pthread_rwlock_wrlock(&overlay->lock);
		error = take_dirty(overlay, &bytes, &numbers, &count);
		pthread_rwlock_unlock(&overlay->lock);
		error = error ? error : overlay->io->ops->sync(overlay->io);
		if (!error && count > 0) {
			error = write_dirty(overlay, bytes, numbers, count);
		}
		overlay->failed = error;
	}
	pthread_mutex_unlock(&overlay->flushing);
	free(bytes);
	free(numbers);
	return error;
}

static void overlay_destroy(struct disk *disk)
{
	struct overlay *overlay = (struct overlay *)disk;

	overlay->io->ops->destroy(overlay->io);
	if (overlay->base) {
		overlay->base->ops->destroy(overlay->base);
	}
	pthread_rwlock_destroy(&overlay->lock);
	pthread_mutex_destroy(&overlay->flushing);
	free(overlay->bitmap);
	free(overlay->dirty);
	free(overlay);
}

static const struct disk_ops overlay_ops = {
	.read = overlay_read,
	.write = overlay_write,
	.flush = overlay_flush,
	.zero = overlay_zero,
	.destroy = overlay_destroy,
};

static int load(struct overlay *overlay, const uint8_t base_id[DISK_ID_SIZE])
{
	struct overlay_header header;
	struct iovec part;
	int error = overlay_read_header(overlay->io, &header);

	if (error) {
		return error;
	}
	if ((header.base_size != 0) != (overlay->base != NULL) ||
	    (overlay->base && (overlay->base->size != header.base_size ||
				  memcmp(base_id, header.base_id, DISK_ID_SIZE) != 0))) {
		return -ESTALE;
	}
	overlay->disk.size = header.size;
	overlay->data = header.data;
	overlay->clusters = (header.size + OVERLAY_CLUSTER - 1) >> OVERLAY_CLUSTER_BITS;
	overlay->blocks = ((overlay->clusters + 7) / 8 + BLOCK - 1) / BLOCK;
	overlay->bitmap = calloc(overlay->blocks, BLOCK);
	overlay->dirty = calloc(overlay->blocks, sizeof(*overlay->dirty));
	if (!overlay->bitmap || !overlay->dirty) {
		return -ENOMEM;
	}
	part = (struct iovec){ overlay->bitmap, (size_t)(overlay->clusters + 7) / 8 };
	return overlay->io->ops->read(overlay->io, OVERLAY_HEADER, &part, 1);
}

int disk_overlay_create_take(struct disk_io *io, struct disk_io *base,
    const uint8_t base_id[DISK_ID_SIZE], bool read_only, struct disk **disk)
{
	struct overlay *overlay = calloc(1, sizeof(*overlay));
	pthread_rwlockattr_t attributes;
	int error;

	if (!overlay) {
		io->ops->destroy(io);
		if (base) {
			base->ops->destroy(base);
		}
		return -ENOMEM;
	}
	overlay->disk.ops = &overlay_ops;
	overlay->disk.read_only = read_only;
	overlay->io = io;
	overlay->base = base;
	pthread_mutex_init(&overlay->flushing, NULL);
	pthread_rwlockattr_init(&attributes);
	/* A guest that reads all the time must not keep its writes from going on. */
	pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&overlay->lock, &attributes);
	pthread_rwlockattr_destroy(&attributes);
	error = load(overlay, base_id);
	if (error) {
		overlay_destroy(&overlay->disk);
		return error;
	}
	*disk = &overlay->disk;
	return 0;
}
