/*
 * The timers of the devices and of the machine itself (struct device_environment, timer_*): one timerfd on the event
 * loop, however many there are. Their functions run on the loop thread with the machine's lock held. What is set from a
 * vCPU thread wakes the loop through the timerfd, without a further descriptor.
 */
#pragma once

#include <pthread.h>
#include <stdint.h>

#include "base/must_check.h"

struct sd_event;
struct timers;
struct device_timer;

/* `lock` is the machine's. Loop thread. */
must_check int timers_create(struct sd_event *event, pthread_mutex_t *lock, struct timers **timers);
/* All timers have been destroyed before. */
void timers_destroy(struct timers *timers);

/* With the lock held, all of these; `when_us` is CLOCK_MONOTONIC, UINT64_MAX disarms. NULL: no memory. */
struct device_timer *timer_create_in(
    struct timers *timers, void (*function)(void *context), void *context);
void timer_set_at(struct device_timer *timer, uint64_t when_us);
void timer_destroy_in(struct device_timer *timer);
