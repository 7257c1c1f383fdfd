/*
 * The RFB handshake up to SecurityResult, as a pure state machine: bytes in, bytes out, no I/O and no clock, so that every
 * state can be tested one byte at a time. The caller reads at most handshake_wanted() bytes from the viewer and feeds
 * them; reading no further than that is what keeps bytes sent before TLS from being taken for bytes sent inside it.
 *
 * RFB 3.7 and 3.8 (rfbproto 7.1); every other version is read as 3.3, as rfbproto says, and refused with a reason in 3.3's
 * words. Security types None (only where the caller allows it) and VeNCrypt 0.2 with X509Plain, TLSPlain and Plain.
 * One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"
#include "display/control.h"

enum {
	HANDSHAKE_OUTPUT_MAX = 512,
	HANDSHAKE_REASON_MAX = 256,
};

/* What the caller has to do next. */
enum handshake_step {
	HANDSHAKE_READ, /* send the output, then feed more bytes */
	HANDSHAKE_START_TLS, /* send the output, run TLS as handshake_tls_type(), then handshake_tls_done() */
	HANDSHAKE_ASK, /* send the output, have name and password checked, then handshake_answer() */
	HANDSHAKE_DONE,   /* send the output; the viewer's next byte is ClientInit */
	HANDSHAKE_REFUSE, /* send the output and close; handshake_error() says why */
};

struct handshake {
	uint8_t state;
	uint8_t minor; /* of the version in use: 7 or 8 */
	uint32_t offered[DISPLAY_SECURITY_MAX];
	uint32_t offered_count;
	uint32_t chosen; /* enum display_security */
	uint8_t input[DISPLAY_NAME_MAX + 1];
	size_t input_size, input_wanted;
	uint8_t output[HANDSHAKE_OUTPUT_MAX];
	size_t output_size;
	uint32_t name_size, password_size;
	char name[DISPLAY_NAME_MAX + 1];
	char password[DISPLAY_NAME_MAX + 1];
	const char *error;
};

/*
 * Starts with the server's version in the output. `types` are enum display_security in the order offered; None is left
 * out unless `trusted_user`, Plain unless `private_path` (nobody can listen between viewer and host).
 */
void handshake_init(struct handshake *handshake, const uint32_t *types, size_t type_count,
    bool trusted_user, bool private_path);
/* Wipes name, password and input. */
void handshake_fini(struct handshake *handshake);

/* The most bytes that may be read from the viewer now; 0 while no byte is expected. */
size_t handshake_wanted(const struct handshake *handshake);
/* `size` is at most handshake_wanted(). */
enum handshake_step handshake_feed(struct handshake *handshake, const void *bytes, size_t size);
/* After TLS is established; -- after it failed the caller just closes. */
enum handshake_step handshake_tls_done(struct handshake *handshake);
/* The verdict on name and password: SecurityResult, with the reason where the version has one. Wipes the secrets. */
enum handshake_step handshake_answer(struct handshake *handshake, bool granted, const char *reason);

/* Bytes for the viewer: a pointer to them, and their count; handshake_sent() drops the first `size` of them. */
const uint8_t *handshake_output(const struct handshake *handshake, size_t *size);
void handshake_sent(struct handshake *handshake, size_t size);

/* True between HANDSHAKE_ASK and handshake_answer(). */
bool handshake_is_asking(const struct handshake *handshake);
/* DISPLAY_SECURITY_* that was chosen, 0 before that. */
uint32_t handshake_chosen(const struct handshake *handshake);
/* Name and password, NUL-terminated, valid between HANDSHAKE_ASK and handshake_answer(). */
const char *handshake_name(const struct handshake *handshake);
const char *handshake_password(const struct handshake *handshake);
/* Why it was refused: a static string, never NULL. */
const char *handshake_error(const struct handshake *handshake);
