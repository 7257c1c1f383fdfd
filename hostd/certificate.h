/*
 * The host's TLS certificate: made at the first start when none is configured, renewed by itself,
 * and checked before it is used. A small CA of the host's own signs the leaf, so that a viewer is
 * given the CA once and survives each renewal.
 *
 * What must stay true: the leaf is no CA and cannot sign (SECURITY: certificate misuse); the CA
 * signs leaves only (pathlen 0) and its key, like the leaf's, is readable by the daemon's user only
 * (0600, in a 0700 folder); a file is replaced by rename, so that it is whole at every moment;
 * given files are never written. Monitor; blocks on files.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/must_check.h"

enum {
	CERTIFICATE_CA_DAYS = 3650,
	CERTIFICATE_LEAF_DAYS = 825,
	CERTIFICATE_RENEW_DAYS = 30, /* before its end a leaf of ours is made anew */
	CERTIFICATE_TEXT_MAX = 1024,
	CERTIFICATE_FINGERPRINT_MAX = 96, /* "AB:CD:..." of 32 bytes, with the NUL */
	CERTIFICATE_PEM_MAX = 256 * 1024,
};

/* Names of the files that certificate_provide() keeps in its folder. */
#define CERTIFICATE_CA_FILE       "ca.pem"
#define CERTIFICATE_CA_KEY_FILE   "ca-key.pem"
#define CERTIFICATE_LEAF_FILE     "host.pem"
#define CERTIFICATE_LEAF_KEY_FILE "host-key.pem"

/* What was found or done, for the log. */
enum certificate_outcome {
	CERTIFICATE_KEPT = 0,
	CERTIFICATE_MADE = 1,    /* CA and leaf */
	CERTIFICATE_RENEWED = 2, /* the leaf */
};

struct certificate_names {
	const char *host_name; /* common name and first SAN */
	const char *const
	    *names; /* further DNS names and IP addresses, besides localhost, 127.0.0.1 and ::1 */
	size_t count;
};

/*
 * Sees to it that `folder` (made 0700 if missing) holds a good CA and leaf with these names: makes
 * what is missing, renews a leaf that ends within CERTIFICATE_RENEW_DAYS, or is not yet valid, does
 * not match, or lacks one of the names. A CA that is damaged or past its end is never replaced
 * silently: -EKEYEXPIRED or -EBADMSG. `message` (CERTIFICATE_TEXT_MAX bytes) says what is wrong and
 * how to mend it. 0 or -errno.
 */
must_check int certificate_provide(const char *folder, const struct certificate_names *names,
    time_t now, enum certificate_outcome *outcome, char *message);

/*
 * Checks a chain (leaf first) and key in PEM as they are about to be used at `now`: both parse, the
 * key fits the leaf, the leaf is valid now, is no CA, and may serve TLS. 0; -EBADMSG damaged,
 * -EKEYREJECTED key does not match or the leaf is a CA or not for a server, -EKEYEXPIRED past its
 * end or not yet valid, with `message` (CERTIFICATE_TEXT_MAX bytes). `origin` names the files in
 * the message.
 */
must_check int certificate_check(const char *origin, const void *chain, size_t chain_size,
    const void *key, size_t key_size, time_t now, char *message);
/* The same with files, as the configuration names them; also -errno of opening and reading, said in
 * `message`. */
must_check int certificate_check_files(
    const char *chain_path, const char *key_path, time_t now, char *message);

/* When the first certificate of a PEM ends. 0 or -EBADMSG. */
must_check int certificate_expiry(const void *pem, size_t size, time_t *expiry);
/* SHA-256 of the first certificate of a PEM, as "AB:CD:...". 0 or -EBADMSG. */
must_check int certificate_fingerprint(
    const void *pem, size_t size, char fingerprint[CERTIFICATE_FINGERPRINT_MAX]);
