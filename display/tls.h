/*
 * TLS 1.2 and 1.3 towards the viewer, with GnuTLS, never blocking: the host's certificate for X509Plain, anonymous key
 * exchange (TLS 1.2 only, no such thing exists in 1.3) for TLSPlain. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/must_check.h"

struct tls;

/* Loads GnuTLS' tables; before the sandbox, since its self-configuration reads files. Returns 0 or -errno. */
must_check int tls_global_init(void);

/*
 * A server session on `socket`, which stays the caller's. `certificate` and `key` are PEM descriptors, read from their
 * beginning, not kept; both -1: anonymous. `priority` is a GnuTLS priority string, "" for ours. Returns 0, -EINVAL for a
 * priority, certificate or key that GnuTLS does not take (logged), or -errno.
 */
must_check int tls_create(
    int socket, int certificate, int key, const char *priority, struct tls **tls);
void tls_destroy(struct tls *tls);

/* Returns 0 when established, -EAGAIN when it must wait as tls_wants_write() says, -EPROTO when it failed (the viewer
 * is told by an alert; tls_error() says why). */
must_check int tls_handshake(struct tls *tls);
/* Bytes read, 0 at the end, -EAGAIN, or another -errno. */
must_check ssize_t tls_read(struct tls *tls, void *data, size_t size);
/* Bytes taken (> 0), -EAGAIN (repeat with the same bytes), or another -errno. */
must_check ssize_t tls_write(struct tls *tls, const void *data, size_t size);
/* True if decrypted bytes wait, of which the socket's readiness tells nothing. */
bool tls_pending(const struct tls *tls);
/* True if the last -EAGAIN waits for room to write. */
bool tls_wants_write(const struct tls *tls);
/* Says goodbye, once, if there is room. */
void tls_goodbye(struct tls *tls);
/* Why the last call failed, and "TLS1.3, AES-256-GCM" once established: static or the session's strings. */
const char *tls_error(const struct tls *tls);
const char *tls_describe(const struct tls *tls, char *text, size_t size);
