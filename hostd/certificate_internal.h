/*
 * Between the parts of the certificate code: certificate.c keeps the files of our own, certificate_check.c
 * reads and checks, certificate_make.c makes. Nobody else
 * includes this.
 */
#pragma once

#include <gnutls/x509.h>

#include "hostd/certificate.h"

/* A certificate with its key; either may be NULL. */
struct certificate_pair {
	gnutls_x509_crt_t certificate;
	gnutls_x509_privkey_t key;
};

void certificate_pair_fini(struct certificate_pair *pair);
/* Writes a message, cut to CERTIFICATE_TEXT_MAX. */
void certificate_say(char *message, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Parses PEM. 0, or -EBADMSG with *why set to a text of the library. */
must_check int certificate_import(
    const void *pem, size_t size, gnutls_x509_crt_t *certificate, const char **why);
must_check int certificate_import_key(
    const void *pem, size_t size, gnutls_x509_privkey_t *key, const char **why);
/* Whether the key is the certificate's. */
bool certificate_key_fits(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key);

/* "2026-11-23 19:27 UTC". */
void certificate_format_day(time_t when, char text[32]);
/* A regular file of at most CERTIFICATE_PEM_MAX bytes, malloc'ed. 0 or -errno. */
must_check int certificate_read_file(int folder, const char *name, char **data, size_t *size);
/* Wipes it before its memory is given back. NULL is fine. */
void certificate_free_secret(char *data, size_t size);

/* A new CA, a new leaf signed by it. 0 or -errno with `why`. */
must_check int certificate_make_ca(
    const char *host_name, time_t now, struct certificate_pair *ca, const char **why);
must_check int certificate_make_leaf(const struct certificate_pair *ca,
    const struct certificate_names *names, time_t now, struct certificate_pair *leaf,
    const char **why);

/* The names that every leaf of ours has besides the configured ones. */
extern const char *const certificate_local_names[];
extern const size_t certificate_local_name_count;
