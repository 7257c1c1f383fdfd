/* The queue between drivers and the desktop. When it is full, the newest events are lost. */
#pragma once

#include "platform.h"

#define EVENTS_SIZE 256

struct events {
	struct platform_event ring[EVENTS_SIZE];
	unsigned int head; /* next to read */
	unsigned int tail; /* next to write */
};

static inline void events_push(struct events *events, struct platform_event event)
{
	if (events->tail - events->head < EVENTS_SIZE) {
		events->ring[events->tail++ % EVENTS_SIZE] = event;
	}
}

static inline bool events_pop(struct events *events, struct platform_event *event)
{
	if (events->head == events->tail) {
		return false;
	}
	*event = events->ring[events->head++ % EVENTS_SIZE];
	return true;
}
