/*
 * The disk at work: `disk=ext4` mounts /dev/vda, writes a file of known contents bit by bit (so that a snapshot finds it in
 * the middle), syncs, forgets what is cached, reads it all back, and goes on with the next file. `disk_stop()` unmounts.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "report.h"

enum {
	CHUNK = 32 * 1024,
	CHUNKS = 64, /* of a file: 2 MiB */
	FILES = 4,   /* written in turn */
};

static struct {
	int file; /* -1: not at work */
	unsigned round, chunk;
	uint64_t bytes[CHUNK / 8];
} disk = { .file = -1 };

static void fill(unsigned round, unsigned chunk)
{
	for (unsigned i = 0; i < CHUNK / 8; i++) {
		disk.bytes[i] = ((uint64_t)round << 40 | (uint64_t)chunk << 20 | i) *
				0x9e3779b97f4a7c15ull;
	}
}

static void path_of(unsigned round, char path[32])
{
	snprintf(path, 32, "/mnt/data%u", round % FILES);
}

static void report_disk(void)
{
	char serial[64], cache[64], discard[32];
	uint64_t bytes = 0;
	int fd = open("/dev/vda", O_RDONLY);

	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &bytes) < 0) {
		report_bad("vda");
	}
	if (fd >= 0) {
		close(fd);
	}
	report_read("/sys/block/vda/serial", serial, sizeof(serial));
	report_read("/sys/block/vda/queue/write_cache", cache, sizeof(cache));
	report_read("/sys/block/vda/queue/discard_max_bytes", discard, sizeof(discard));
	report("disk vda %llu bytes serial %s cache %s discard %s", (unsigned long long)bytes,
	    serial, cache, discard);
}

void disk_start(const char *what)
{
	if (what[0] == '\0') {
		return;
	}
	report_disk();
	if (strcmp(what, "ext4") != 0) {
		return;
	}
	if (mount("/dev/vda", "/mnt", "ext4", 0, NULL) < 0) {
		report_bad("disk: mount");
		return;
	}
	report("disk mounted");
	disk.round = 1;
}

/* Everything back from the disk, compared with what it must be. */
static void verify(void)
{
	static uint64_t expected[CHUNK / 8];
	char path[32];
	int fd;

	path_of(disk.round, path);
	fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	if (fd < 0 || write(fd, "3", 1) != 1) {
		report_bad("disk: drop_caches");
	}
	close(fd);
	fd = open(path, O_RDONLY);
	for (unsigned chunk = 0; chunk < CHUNKS; chunk++) {
		fill(disk.round, chunk);
		memcpy(expected, disk.bytes, CHUNK);
		if (read(fd, disk.bytes, CHUNK) != CHUNK ||
		    memcmp(disk.bytes, expected, CHUNK) != 0) {
			report_bad("disk: chunk %u of %s", chunk, path);
			break;
		}
	}
	close(fd);
	report("disk verified %u", disk.round);
}

void disk_step(void)
{
	char path[32];

	if (disk.round == 0) {
		return;
	}
	if (disk.chunk == 0) {
		path_of(disk.round, path);
		disk.file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		if (disk.file < 0) {
			report_bad("disk: %s", path);
			disk.round = 0;
			return;
		}
	}
	fill(disk.round, disk.chunk);
	if (write(disk.file, disk.bytes, CHUNK) != CHUNK) {
		report_bad("disk: write");
	}
	disk.chunk++;
	if (disk.chunk % (CHUNKS / 4) == 0) {
		if (fsync(disk.file) < 0) {
			report_bad("disk: fsync");
		}
		report("disk synced %u.%u", disk.round, disk.chunk);
	}
	if (disk.chunk == CHUNKS) {
		close(disk.file);
		disk.file = -1;
		verify();
		disk.chunk = 0;
		disk.round++;
	}
}

void disk_stop(void)
{
	if (disk.round == 0) {
		return;
	}
	if (disk.file >= 0) {
		close(disk.file);
		disk.file = -1;
	}
	disk.round = 0;
	if (umount("/mnt") < 0) {
		report_bad("disk: umount");
	} else {
		report("disk unmounted");
	}
}
