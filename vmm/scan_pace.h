/*
 * When to look for changes in the picture. Never while nobody waits for them; at once when a viewer asks; often just
 * after input, since an echo is expected; and ever more seldom while nothing changes. Pure: times are passed in, all in
 * microseconds of CLOCK_MONOTONIC.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct scan_pace {
	uint64_t asked_us;   /* last time that a viewer asked */
	uint64_t input_us;   /* last input */
	uint64_t changed_us; /* last scan that found a change */
	uint64_t scanned_us; /* last scan */
	bool asked;          /* since the last scan */
	bool scanned;        /* ever */
};

enum {
	SCAN_PACE_MIN_US = 1000,           /* two scans are never closer, whatever is asked for */
	SCAN_PACE_INPUT_US = 1000,         /* after input... */
	SCAN_PACE_INPUT_WINDOW_US = 30000, /* ...for this long */
	SCAN_PACE_BUSY_US = 3000,          /* while changes keep coming... */
	SCAN_PACE_BUSY_WINDOW_US = 100000, /* ...and this long after the last */
	SCAN_PACE_QUIET_US = 33000,        /* when nothing has changed for a while */
};

void scan_pace_on_want(struct scan_pace *pace, uint64_t now_us);
void scan_pace_on_input(struct scan_pace *pace, uint64_t now_us);
void scan_pace_on_scan(struct scan_pace *pace, uint64_t now_us, bool changed);
/* When to scan next, UINT64_MAX for never. `waiting`: some viewer has asked and was not answered. */
uint64_t scan_pace_next(const struct scan_pace *pace, uint64_t now_us, bool waiting);
