/*
 * A disk that fails, for tests of the store: the real calls on a scratch folder, and beside them a model of what would
 * be left after a power cut. A file's contents are safe once the file was fsynced, a name in a folder once the folder
 * was; what was done since may be there or not, in any mixture.
 *
 * Test only; a failure of the test's own ends it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hostd/store.h"

enum fault_kind {
	FAULT_NONE,
	FAULT_ERROR, /* call number `at` fails with `error` and does nothing */
	FAULT_SHORT, /* ... a write writes half, as it may; other calls fail */
	FAULT_STOP, /* from call `at` on nothing happens any more: the process was killed, or the power cut */
	FAULT_STOP_TORN, /* ... and a write at that place got half way */
};

/* What a power cut leaves of what was not fsynced. */
enum fault_survival {
	FAULT_ALL,     /* everything: the process died, the kernel did not */
	FAULT_STRICT,  /* nothing */
	FAULT_NAMES,   /* the names, but no contents */
	FAULT_MIXTURE, /* some of either, drawn from `seed`; contents may be cut */
	FAULT_SURVIVAL_COUNT,
};

struct fault_disk;

/* Starts on an empty folder. */
struct fault_disk *fault_disk_create(const char *root);
void fault_disk_destroy(struct fault_disk *disk);
extern const struct store_io fault_disk_io; /* its context is the disk */

void fault_disk_plan(struct fault_disk *disk, enum fault_kind kind, uint64_t at, int error);
/* Calls made so far, those of fault_disk_create() not counted. */
uint64_t fault_disk_calls(const struct fault_disk *disk);
bool fault_disk_stopped(const struct fault_disk *disk);
/* Makes the folder `path`, as it would be found after a restart. */
void fault_disk_restart(
    const struct fault_disk *disk, enum fault_survival survival, uint64_t seed, const char *path);
