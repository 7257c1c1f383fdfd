/*
 * How long a failed login waits for its answer, and how long the next attempt waits for its start.
 * Pure; the time is passed in (microseconds, monotonic), memory is fixed.
 *
 * What must stay true:
 *  - an unknown user and a wrong password get the same time;
 *  - a right password is delayed only by earlier failures of the same name from the same source,
 * never by what somebody else did to that name or from that address, so that nobody can be locked
 * out;
 *  - the name is known here as a keyed hash only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hostd/source.h"

enum {
	THROTTLE_ENTRIES = 1024,
	THROTTLE_FLOOR_US = 1000 * 1000, /* from the attempt to the answer "wrong", at least */
	THROTTLE_DELAY_MAX_US = 30 * 1000 * 1000,
	THROTTLE_START_MAX_US =
	    10 * 1000 * 1000, /* a start is held back for less: the viewer's login time runs */
	THROTTLE_FORGET_US = 15 * 60 * 1000 * 1000,
};

enum throttle_kind {
	THROTTLE_FREE = 0,
	THROTTLE_SOURCE, /* failures from one address, whatever the name */
	THROTTLE_USER,   /* failures for one name, wherever from */
	THROTTLE_PAIR,   /* failures for one name from one address */
};

struct throttle_entry {
	enum throttle_kind kind;
	uint32_t failures;
	struct source source;
	uint64_t user;
	uint64_t last_us;   /* the last failure */
	uint64_t answer_us; /* when that was or will be answered */
};

struct throttle {
	struct throttle_entry entries[THROTTLE_ENTRIES];
};

/* When an attempt that arrives at `now_us` may begin: now_us, or later after failures of this very
 * pair. */
uint64_t throttle_start_time(
    const struct throttle *throttle, const struct source *source, uint64_t user, uint64_t now_us);
/*
 * Counts a failure of the attempt that began at `attempt_us`. Returns when it may be answered; not
 * before `now_us`. When the table is full the entry with the oldest failure makes room.
 */
uint64_t throttle_failed(struct throttle *throttle, const struct source *source, uint64_t user,
    uint64_t attempt_us, uint64_t now_us);
/* A login succeeded: the pair starts afresh. */
void throttle_succeeded(struct throttle *throttle, const struct source *source, uint64_t user);
