/* See scan_pace.h. */
#include "vmm/scan_pace.h"

void scan_pace_on_want(struct scan_pace *pace, uint64_t now_us)
{
	pace->asked = true;
	pace->asked_us = now_us;
}

void scan_pace_on_input(struct scan_pace *pace, uint64_t now_us)
{
	pace->input_us = now_us;
}

void scan_pace_on_scan(struct scan_pace *pace, uint64_t now_us, bool changed)
{
	pace->asked = false;
	pace->scanned = true;
	pace->scanned_us = now_us;
	if (changed) {
		pace->changed_us = now_us;
	}
}

static uint64_t since(uint64_t then_us, uint64_t now_us)
{
	return now_us > then_us ? now_us - then_us : 0;
}

/* Doubles for every doubling of the time without a change. */
static uint64_t interval(const struct scan_pace *pace, uint64_t now_us)
{
	uint64_t quiet = since(pace->changed_us, now_us);
	uint64_t result = SCAN_PACE_BUSY_US;

	if (pace->input_us != 0 && since(pace->input_us, now_us) < SCAN_PACE_INPUT_WINDOW_US) {
		return SCAN_PACE_INPUT_US;
	}
	for (uint64_t window = SCAN_PACE_BUSY_WINDOW_US;
	     quiet >= window && result < SCAN_PACE_QUIET_US; window *= 2) {
		result *= 2;
	}
	return result < SCAN_PACE_QUIET_US ? result : SCAN_PACE_QUIET_US;
}

uint64_t scan_pace_next(const struct scan_pace *pace, uint64_t now_us, bool waiting)
{
	uint64_t next;

	if (!waiting) {
		return UINT64_MAX;
	}
	if (!pace->scanned) {
		return now_us;
	}
	next = pace->scanned_us +
	       (pace->asked ? (uint64_t)SCAN_PACE_MIN_US : interval(pace, now_us));
	return next > now_us ? next : now_us;
}
