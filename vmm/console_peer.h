/*
 * Somebody at the serial port: a stream socket that gets what the guest writes and whose bytes the guest reads. One at a
 * time; a second one takes the place of the first. All calls with the machine's lock held; console_peer_put() on any
 * thread, the others on the loop's.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"

struct sd_event;
struct timers;
struct console_peer;

struct console_peer_setup {
	struct sd_event *event;
	struct timers *timers;
	pthread_mutex_t *lock; /* the machine's, which the socket's events are handled with */
	/* Gives bytes to the guest; returns how many it has room for. When not all: console_peer_room() follows. */
	size_t (*receive)(void *context, const void *bytes, size_t size);
	void *context;
};

/* Nobody there yet. Borrows what is in `setup`. 0 or -errno. */
must_check int console_peer_create(
    const struct console_peer_setup *setup, struct console_peer **peer);
/* Sends what goes out without waiting, and closes. */
void console_peer_destroy(struct console_peer *peer);
/*
 * Takes `socket`, connected, in every case; the one before is told so in a line and closed. -EPROTOTYPE: it is no stream
 * socket; or -errno, and then the one before stays.
 */
must_check int console_peer_attach_take(struct console_peer *peer, int socket);
/* A byte from the guest: on its way within 2 ms; dropped, which the reader is told, while the reader is too slow. */
void console_peer_put(struct console_peer *peer, uint8_t byte);
/* The guest has made room for input. Any thread. */
void console_peer_room(struct console_peer *peer);
/* Whether somebody is there. */
bool console_peer_attached(const struct console_peer *peer);
