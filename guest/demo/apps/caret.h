/*
 * A blinking caret that comes to rest: it blinks while somebody types and for ten seconds after,
 * then stays lit, so that an idle desktop changes nothing on the screen. Pure logic; time is passed
 * in.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CARET_BLINK_MS    530
#define CARET_BLINK_TURNS 18

struct caret {
	bool hidden;
	int turns; /* blinks left */
};

/* Input came: lit, and blinking begins anew. Returns when caret_tick() is due. */
static inline uint64_t caret_restart(struct caret *caret, uint64_t now_ms)
{
	caret->hidden = false;
	caret->turns = CARET_BLINK_TURNS;
	return now_ms + CARET_BLINK_MS;
}

/* Takes one turn. Returns when the next is due, or UINT64_MAX once it is at rest (and lit). */
static inline uint64_t caret_tick(struct caret *caret, uint64_t now_ms)
{
	if (caret->turns <= 0) {
		caret->hidden = false;
		return UINT64_MAX;
	}
	caret->turns--;
	caret->hidden = caret->turns > 0 && !caret->hidden;
	return caret->turns > 0 ? now_ms + CARET_BLINK_MS : UINT64_MAX;
}
