/* The time. Neither clock can fail on Linux, so there is no error to return. */
#include "base/clock.h"

#include <assert.h>
#include <time.h>

static uint64_t read_clock_ns(clockid_t clock)
{
	struct timespec now;
	int result = clock_gettime(clock, &now);

	assert(result == 0);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_monotonic_ns(void)
{
	return read_clock_ns(CLOCK_MONOTONIC);
}

uint64_t clock_monotonic_us(void)
{
	return read_clock_ns(CLOCK_MONOTONIC) / 1000;
}

uint64_t clock_realtime_us(void)
{
	return read_clock_ns(CLOCK_REALTIME) / 1000;
}
