/*
 * See timers.h. A list, walked whole: there are about a dozen. What must stay true: the timerfd is armed for the
 * earliest of them whenever the lock is free.
 */
#include "vmm/timers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

struct device_timer {
	struct timers *owner;
	struct device_timer *next;
	void (*function)(void *context);
	void *context;
	uint64_t when_us;
};

struct timers {
	pthread_mutex_t *lock;
	int fd;
	sd_event_source *source;
	struct device_timer *first;
	uint64_t armed_us;
};

static void arm(struct timers *timers)
{
	uint64_t earliest = UINT64_MAX;
	struct itimerspec when = { 0 };

	for (const struct device_timer *timer = timers->first; timer; timer = timer->next) {
		earliest = timer->when_us < earliest ? timer->when_us : earliest;
	}
	if (earliest == timers->armed_us) {
		return;
	}
	timers->armed_us = earliest;
	if (earliest != UINT64_MAX) {
		/* 0 would disarm. */
		earliest = earliest ? earliest : 1;
		when.it_value.tv_sec = (time_t)(earliest / 1000000);
		when.it_value.tv_nsec = (long)(earliest % 1000000 * 1000);
	}
	(void)timerfd_settime(timers->fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void run_due(struct timers *timers)
{
	uint64_t now = clock_monotonic_us();
	struct device_timer *timer = timers->first;

	while (timer) {
		if (timer->when_us <= now) {
			timer->when_us = UINT64_MAX;
			timer->function(timer->context);
			/* It may have changed the list, so from the start; each runs once, since `now` stands still. */
			timer = timers->first;
		} else {
			timer = timer->next;
		}
	}
}

static int on_timerfd(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct timers *timers = context;
	uint64_t expirations;

	(void)source;
	(void)events;
	if (read(fd, &expirations, sizeof(expirations)) < 0 && errno != EAGAIN) {
		return -errno;
	}
	pthread_mutex_lock(timers->lock);
	timers->armed_us = UINT64_MAX;
	run_due(timers);
	arm(timers);
	pthread_mutex_unlock(timers->lock);
	return 0;
}

int timers_create(struct sd_event *event, pthread_mutex_t *lock, struct timers **timers)
{
	struct timers *created = calloc(1, sizeof(*created));
	int error;

	if (!created) {
		return -ENOMEM;
	}
	created->lock = lock;
	created->armed_us = UINT64_MAX;
	created->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (created->fd < 0) {
		error = -errno;
		goto fail;
	}
	error = sd_event_add_io(event, &created->source, created->fd, EPOLLIN, on_timerfd, created);
	if (error < 0) {
		goto fail;
	}
	*timers = created;
	return 0;

fail:
	timers_destroy(created);
	return error;
}

void timers_destroy(struct timers *timers)
{
	if (!timers) {
		return;
	}
	sd_event_source_disable_unref(timers->source);
	fd_close(&timers->fd);
	free(timers);
}

struct device_timer *timer_create_in(
    struct timers *timers, void (*function)(void *context), void *context)
{
	struct device_timer *timer = calloc(1, sizeof(*timer));

	if (!timer) {
		return NULL;
	}
	timer->owner = timers;
	timer->function = function;
	timer->context = context;
	timer->when_us = UINT64_MAX;
	timer->next = timers->first;
	timers->first = timer;
	return timer;
}

void timer_set_at(struct device_timer *timer, uint64_t when_us)
{
	timer->when_us = when_us;
	arm(timer->owner);
}

void timer_destroy_in(struct device_timer *timer)
{
	struct device_timer **link;

	if (!timer) {
		return;
	}
	for (link = &timer->owner->first; *link; link = &(*link)->next) {
		if (*link == timer) {
			*link = timer->next;
			arm(timer->owner);
			free(timer);
			return;
		}
	}
}
