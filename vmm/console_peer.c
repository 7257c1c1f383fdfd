/*
 * See console_peer.h. What must stay true: neither side ever waits for the other: a reader that does not read costs the
 * buffer here and is told how much it missed, a guest that does not read leaves the rest in the writer's socket. Sockets
 * and their event sources are touched on the loop thread only; other threads arm the timer.
 */
#include "vmm/console_peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "vmm/timers.h"

enum {
	PEER_OUTPUT = 64 * 1024,
	PEER_INPUT = 256,
	PEER_DELAY_US = 2000,
	PEER_NOTE_MAX = 96,
};

static const char peer_replaced[] =
    "\r\n[another console was opened on this desktop; this one is closed]\r\n";

struct console_peer {
	struct console_peer_setup setup;
	struct device_timer *timer;
	bool armed;
	int socket; /* -1: nobody */
	sd_event_source *source;

	/* To the reader: a ring. */
	uint8_t output[PEER_OUTPUT];
	size_t output_first, output_used;
	uint64_t dropped; /* not told yet; while it is not 0 everything is dropped */

	/* From the writer: what the guest had no room for. */
	uint8_t input[PEER_INPUT];
	size_t input_used;
};

static void close_socket(struct console_peer *peer)
{
	sd_event_source_disable_unref(peer->source);
	peer->source = NULL;
	fd_close(&peer->socket);
	peer->output_first = 0;
	peer->output_used = 0;
	peer->dropped = 0;
	peer->input_used = 0;
}

static void arm(struct console_peer *peer)
{
	if (!peer->armed && peer->socket >= 0) {
		peer->armed = true;
		timer_set_at(peer->timer, clock_monotonic_us() + PEER_DELAY_US);
	}
}

static void append(struct console_peer *peer, uint8_t byte)
{
	peer->output[(peer->output_first + peer->output_used) % PEER_OUTPUT] = byte;
	peer->output_used++;
}

/* Half of the buffer is to be free first, so that a slow reader gets text between the notes. */
static void tell_dropped(struct console_peer *peer)
{
	char note[PEER_NOTE_MAX];

	if (peer->dropped == 0 || peer->output_used > PEER_OUTPUT / 2) {
		return;
	}
	(void)snprintf(note, sizeof(note),
	    "\r\n[%llu bytes are missing here: the console was not read]\r\n",
	    (unsigned long long)peer->dropped);
	for (const char *at = note; *at; at++) {
		append(peer, (uint8_t)*at);
	}
	peer->dropped = 0;
}

/* As much as the socket takes. -EAGAIN: some is left; 0; or the socket is broken. */
static int send_output(struct console_peer *peer)
{
	tell_dropped(peer);
	while (peer->output_used > 0) {
		size_t run = PEER_OUTPUT - peer->output_first;
		ssize_t sent;

		run = run < peer->output_used ? run : peer->output_used;
		sent = send(peer->socket, peer->output + peer->output_first, run,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0) {
			return errno == EINTR ? -EAGAIN : -errno;
		}
		peer->output_first = (peer->output_first + (size_t)sent) % PEER_OUTPUT;
		peer->output_used -= (size_t)sent;
		tell_dropped(peer);
	}
	return 0;
}

static void give_input(struct console_peer *peer)
{
	size_t taken = peer->setup.receive(peer->setup.context, peer->input, peer->input_used);

	peer->input_used -= taken;
	memmove(peer->input, peer->input + taken, peer->input_used);
}

/* One buffer of it: the loop has others to serve. False at the end. */
static bool read_input(struct console_peer *peer)
{
	ssize_t size = recv(peer->socket, peer->input, sizeof(peer->input), MSG_DONTWAIT);

	if (size < 0) {
		return errno == EAGAIN || errno == EINTR;
	}
	peer->input_used = (size_t)size;
	give_input(peer);
	return size > 0;
}

/* Sends what there is and waits for what can go on. */
static void go_on(struct console_peer *peer)
{
	uint32_t events = peer->input_used == 0 ? EPOLLIN : 0;
	int error = send_output(peer);

	if (error && error != -EAGAIN) {
		close_socket(peer);
		return;
	}
	events |= error ? EPOLLOUT : 0;
	if (sd_event_source_set_io_events(peer->source, events) < 0) {
		close_socket(peer);
	}
}

static int on_socket(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct console_peer *peer = context;
	bool gone;

	(void)source;
	(void)fd;
	pthread_mutex_lock(peer->setup.lock);
	/* What was sent before the end is read before it. */
	if ((events & EPOLLIN) && peer->input_used == 0) {
		gone = !read_input(peer);
	} else {
		gone = events & (EPOLLHUP | EPOLLERR);
	}
	if (gone) {
		log_info("console: the peer is gone");
		close_socket(peer);
	} else {
		go_on(peer);
	}
	pthread_mutex_unlock(peer->setup.lock);
	return 0;
}

static void on_timer(void *context)
{
	struct console_peer *peer = context;

	peer->armed = false;
	if (peer->socket < 0) {
		return;
	}
	if (peer->input_used > 0) {
		give_input(peer);
	}
	go_on(peer);
}

void console_peer_put(struct console_peer *peer, uint8_t byte)
{
	if (peer->socket < 0) {
		return;
	}
	if (peer->dropped > 0 || peer->output_used == PEER_OUTPUT) {
		peer->dropped++;
		return;
	}
	append(peer, byte);
	arm(peer);
}

void console_peer_room(struct console_peer *peer)
{
	if (peer->input_used > 0) {
		arm(peer);
	}
}

bool console_peer_attached(const struct console_peer *peer)
{
	return peer->socket >= 0;
}

int console_peer_attach_take(struct console_peer *peer, int socket)
{
	sd_event_source *source = NULL;
	socklen_t size = sizeof(int);
	int type = 0;
	int error;

	if (getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_STREAM) {
		fd_close(&socket);
		return -EPROTOTYPE;
	}
	error = sd_event_add_io(peer->setup.event, &source, socket, EPOLLIN, on_socket, peer);
	if (error < 0) {
		fd_close(&socket);
		return error;
	}
	if (peer->socket >= 0) {
		log_info("console: another one takes its place");
		/* It gets what fits; whether it reads is its own affair. */
		if (send_output(peer) == 0) {
			(void)!send(peer->socket, peer_replaced, sizeof(peer_replaced) - 1,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
		}
		close_socket(peer);
	}
	peer->socket = socket;
	peer->source = source;
	return 0;
}

int console_peer_create(const struct console_peer_setup *setup, struct console_peer **peer)
{
	struct console_peer *created = calloc(1, sizeof(*created));

	if (!created) {
		return -ENOMEM;
	}
	created->setup = *setup;
	created->socket = -1;
	created->timer = timer_create_in(setup->timers, on_timer, created);
	if (!created->timer) {
		free(created);
		return -ENOMEM;
	}
	*peer = created;
	return 0;
}

void console_peer_destroy(struct console_peer *peer)
{
	if (!peer) {
		return;
	}
	if (peer->socket >= 0) {
		(void)!send_output(peer);
	}
	close_socket(peer);
	timer_destroy_in(peer->timer);
	free(peer);
}
