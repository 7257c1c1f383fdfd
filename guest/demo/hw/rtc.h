/* The MC146818 real-time clock, read as UTC. */
#pragma once

#include <stdint.h>

/* Seconds since 1970-01-01, to the second; 0 if the clock makes no sense. */
int64_t rtc_read(void);
