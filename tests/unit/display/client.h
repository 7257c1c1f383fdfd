/* A VNC viewer for tests on libvncclient, which is not ours: logs in, keeps the picture, counts updates. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rfb/rfbclient.h>

struct client {
	rfbClient *rfb;
	const char *user, *password, *ca; /* ca: PEM file, or NULL */
	int quality;                      /* 1 to 9; 0: libvncclient's own */
	bool exact;                       /* asks for no quality, so that nothing may be lost */
	size_t updates;                   /* FramebufferUpdates that were complete */
	size_t resizes;
	uint64_t connected_us, framed_us; /* connect() returned; the first update was complete */
};

/* Makes a listening TCP socket on 127.0.0.1; its port leaves through the pointer. */
int client_listen(uint16_t *port);
/* Connects to the port, which `accepted` is given the other end of before the handshake begins. Returns false when the
 * login failed. `encodings` is libvncclient's list. */
bool client_connect(struct client *client, int listener, uint16_t port,
    void (*accepted)(void *context, int socket), void *context, const char *encodings);
void client_close(struct client *client);
/* Handles messages until `updates` is at least this, or the time is over. Returns false at the end of the connection. */
bool client_wait_updates(struct client *client, size_t updates, int timeout_ms);
/* Handles messages for as long as `done` is false. */
bool client_wait(struct client *client, bool (*done)(void *context), void *context, int timeout_ms);
/* True if the client's pixels (without the unused byte) are these. */
bool client_shows(
    const struct client *client, const uint32_t *pixels, uint32_t width, uint32_t height);
