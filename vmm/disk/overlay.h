/*
 * The file format of a session's own changes over an immutable base image. All numbers little-endian.
 *
 *   offset 0       header, OVERLAY_HEADER bytes
 *                    8  "TMOVERL1"
 *                    4  version, 1
 *                    4  log2 of the cluster size, 16
 *                    8  size of the disk, bytes, a multiple of 512
 *                    8  size of the base, bytes, 0 without one
 *                   32  name of the base: its content hash; zeros without one
 *                    8  offset of the bitmap, 4096
 *                    8  offset of the data, a multiple of the cluster size
 *                    8  XXH64 of the bytes before, seed 0
 *                       zeros
 *   then           bitmap, a bit for each cluster, lowest bit first: set when the cluster is in this file
 *   then           data: cluster N at data + N * cluster size, in a sparse file
 *
 * A cluster whose bit is clear is the base's (zeros without a base, or behind its end), whatever lies at its place here:
 * a write that a crash interrupted may have left bytes there. A discarded cluster is one that is in this file, as a hole.
 *
 * Order of writes, so that a crash at any moment costs nothing that was flushed and brings back nothing that was not
 * written: a cluster is first filled as a whole, the base's part of it included; its bit is set in memory only. A flush
 * syncs the file, then writes the bits that were set before that sync, then syncs again. Bits are never cleared, and a
 * sector of the bitmap is old or new, each of which is a state that was true.
 */
#pragma once

#include <stdint.h>

#include "base/must_check.h"
#include "vmm/disk/disk.h"
#include "vmm/disk/disk_io.h"

enum {
	OVERLAY_HEADER = 4096,
	OVERLAY_CLUSTER_BITS = 16,
	OVERLAY_CLUSTER = 1 << OVERLAY_CLUSTER_BITS,
};

#define OVERLAY_SIZE_MAX (64ull << 40) /* 64 TiB: a bitmap of 128 MiB */

struct overlay_header {
	uint64_t size, base_size;
	uint8_t base_id[DISK_ID_SIZE];
	uint64_t data; /* offset */
};

/*
 * Makes an empty overlay of an empty file and syncs it. A base that is larger than the disk is -EINVAL, as are sizes that
 * are 0, no multiple of DISK_SECTOR, or beyond OVERLAY_SIZE_MAX. Worker thread, or a tool's.
 */
must_check int overlay_format(
    struct disk_io *io, uint64_t size, uint64_t base_size, const uint8_t base_id[DISK_ID_SIZE]);
/* -EPROTO when it is none, or its fields contradict each other or the file. */
must_check int overlay_read_header(struct disk_io *io, struct overlay_header *header);
