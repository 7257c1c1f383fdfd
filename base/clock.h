/* The time, as everything that can be tested is given it: passed in as a number. Any thread. */
#pragma once

#include <stdint.h>

/* CLOCK_MONOTONIC in microseconds and in nanoseconds. */
uint64_t clock_monotonic_us(void);
uint64_t clock_monotonic_ns(void);
/* CLOCK_REALTIME in microseconds since the epoch. */
uint64_t clock_realtime_us(void);
