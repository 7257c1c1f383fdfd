/*
 * A real broker process, in its sandbox, with the test as its monitor: what it asks for is looked at, what the monitor would
 * report is said by the test. No VM, no PAM, no display process.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/ipc.h"
#include "hostd/protocol.h"

enum {
	HARNESS_WAIT_MS = 10000,
};

struct harness {
	pid_t pid;
	int monitor; /* our end */
	uint16_t port;
	char folder[64];
	char control[128];
	struct ipc_message message; /* the last request */
	struct request request;     /* decoded; its payload lies in `message` */
};

/* Starts a broker with a TCP and a control listener and one desktop, "alice", that is off. Asserts on failure. */
void harness_start(struct harness *harness);
/* Closes the monitor's end, upon which the broker must end in order. It must have been alive until then. */
void harness_stop(struct harness *harness);
void harness_report(struct harness *harness, uint16_t type, const struct report *report);
/* Waits for a request of that type; ALIVE, STATUS and LOG in between are passed over, any other fails the test. Descriptors
 * are in `message` until the next call. */
void harness_expect(struct harness *harness, uint16_t type);
/* Waits for the next request, ALIVE, STATUS and LOG passed over. False when none came in time. */
bool harness_next(struct harness *harness);
/* True if no other request than ALIVE, STATUS and LOG comes within the time. */
bool harness_quiet(struct harness *harness, int ms);
bool harness_alive(const struct harness *harness);

/* A viewer's TCP connection, from 127.0.0.`host`. */
int harness_dial(const struct harness *harness, int host);
/* A control connection, introduced as `user`. */
int harness_control(struct harness *harness, const char *user, bool administrator);
/* Sends a text with its NUL. */
void harness_send(int socket, const char *text);
/* One message from it as malloc'ed text; NULL at the end of the stream. */
char *harness_receive(int socket);
