/* The header of an overlay: format, check. The file may come from anyone. */
#include <errno.h>
#include <string.h>
#include <xxhash.h>

#include "base/wire.h"
#include "vmm/disk/overlay.h"

enum {
	VERSION = 1,
	CHECKED = 80, /* bytes before the checksum */
};

static const uint8_t magic[8] = "TMOVERL1";

static uint64_t bitmap_size(uint64_t size)
{
	uint64_t clusters = (size + OVERLAY_CLUSTER - 1) >> OVERLAY_CLUSTER_BITS;

	return (clusters + 7) / 8;
}

static uint64_t data_offset(uint64_t size)
{
	uint64_t end = OVERLAY_HEADER + bitmap_size(size);

	return (end + OVERLAY_CLUSTER - 1) & ~(uint64_t)(OVERLAY_CLUSTER - 1);
}

static bool sizes_fit(uint64_t size, uint64_t base_size)
{
	return size > 0 && size % DISK_SECTOR == 0 && size <= OVERLAY_SIZE_MAX && base_size <= size;
}

int overlay_format(
    struct disk_io *io, uint64_t size, uint64_t base_size, const uint8_t base_id[DISK_ID_SIZE])
{
	uint8_t bytes[OVERLAY_HEADER] = { 0 };
	uint8_t zero = 0;
	const struct iovec header = { bytes, sizeof(bytes) };
	const struct iovec last = { &zero, 1 };
	struct wire wire;
	int error;

	if (!sizes_fit(size, base_size) || io->size != 0) {
		return -EINVAL;
	}
	wire_init_write(&wire, bytes, sizeof(bytes));
	wire_put_bytes(&wire, magic, sizeof(magic));
	wire_put_u32(&wire, VERSION);
	wire_put_u32(&wire, OVERLAY_CLUSTER_BITS);
	wire_put_u64(&wire, size);
	wire_put_u64(&wire, base_size);
	wire_put_bytes(&wire, base_id, DISK_ID_SIZE);
	wire_put_u64(&wire, OVERLAY_HEADER);
	wire_put_u64(&wire, data_offset(size));
	wire_put_u64(&wire, XXH64(bytes, CHECKED, 0));
	/* The whole of the bitmap exists before the header says so. */
	error = io->ops->write(io, data_offset(size) - 1, &last, 1);
	error = error ? error : io->ops->sync(io);
	error = error ? error : io->ops->write(io, 0, &header, 1);
	return error ? error : io->ops->sync(io);
}

int overlay_read_header(struct disk_io *io, struct overlay_header *header)
{
	uint8_t bytes[OVERLAY_HEADER];
	const struct iovec part = { bytes, sizeof(bytes) };
	uint8_t found[sizeof(magic)];
	uint32_t version, bits;
	uint64_t bitmap, checksum;
	struct wire wire;
	int error = io->size < OVERLAY_HEADER ? -EPROTO : io->ops->read(io, 0, &part, 1);

	if (error) {
		return error;
	}
	wire_init_read(&wire, bytes, sizeof(bytes));
	wire_get_bytes(&wire, found, sizeof(found));
	version = wire_get_u32(&wire);
	bits = wire_get_u32(&wire);
	header->size = wire_get_u64(&wire);
	header->base_size = wire_get_u64(&wire);
	wire_get_bytes(&wire, header->base_id, sizeof(header->base_id));
	bitmap = wire_get_u64(&wire);
	header->data = wire_get_u64(&wire);
	checksum = wire_get_u64(&wire);
	if (!wire_ok(&wire) || memcmp(found, magic, sizeof(magic)) != 0 || version != VERSION ||
	    bits != OVERLAY_CLUSTER_BITS || checksum != XXH64(bytes, CHECKED, 0) ||
	    !sizes_fit(header->size, header->base_size) || bitmap != OVERLAY_HEADER ||
	    header->data != data_offset(header->size) || io->size < header->data) {
		return -EPROTO;
	}
	return 0;
}
