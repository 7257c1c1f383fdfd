/*
 * Making keys and certificates: a CA that may sign leaves only, and leaves that may sign nothing (RFC 5280, 4.2.1).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <string.h>

#include "hostd/certificate_internal.h"

#define DAY_S (24 * 3600)

const char *const certificate_local_names[] = { "localhost", "127.0.0.1", "::1" };
const size_t certificate_local_name_count = sizeof(certificate_local_names) /
					    sizeof(certificate_local_names[0]);

/* What both kinds have: key, version, serial number, lifetime, name. Returns GnuTLS's code. */
static int begin(struct certificate_pair *pair, const char *name, time_t now, int days)
{
	unsigned char serial[16], id[64];
	size_t id_size = sizeof(id);
	/* Terminals whose clock is behind must not find it not yet valid. */
	time_t from = now - DAY_S;
	int code = gnutls_x509_privkey_init(&pair->key);

	if (code >= 0) {
		code = gnutls_x509_privkey_generate(pair->key, GNUTLS_PK_ECDSA,
		    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	}
	if (code >= 0) {
		code = gnutls_x509_crt_init(&pair->certificate);
	}
	if (code >= 0) {
		code = gnutls_x509_crt_set_version(pair->certificate, 3);
	}
	if (code >= 0) {
		code = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));
		serial[0] = (unsigned char)((serial[0] & 0x7f) |
					    0x40); /* positive, and never short */
	}
	if (code >= 0) {
		code = gnutls_x509_crt_set_serial(pair->certificate, serial, sizeof(serial));
	}
	if (code >= 0) {
		code = gnutls_x509_crt_set_activation_time(pair->certificate, from);
	}
	if (code >= 0) {
		code = gnutls_x509_crt_set_expiration_time(
		    pair->certificate, from + (time_t)days * DAY_S);
	}
	if (code >= 0) {
		/* A common name has at most 64 characters; the names that count are the alternative ones. */
		code = gnutls_x509_crt_set_dn_by_oid(pair->certificate, GNUTLS_OID_X520_COMMON_NAME,
		    0, name, (unsigned int)strnlen(name, 64));
	}
	if (code >= 0) {
		code = gnutls_x509_crt_set_key(pair->certificate, pair->key);
	}
	if (code >= 0) {
		code = gnutls_x509_crt_get_key_id(
		    pair->certificate, GNUTLS_KEYID_USE_SHA256, id, &id_size);
	}
	if (code >= 0) {
		code = gnutls_x509_crt_set_subject_key_id(pair->certificate, id, id_size);
	}
	return code;
}

static int finish(int code, struct certificate_pair *pair, const char **why)
{
	if (code >= 0) {
		return 0;
	}
	*why = gnutls_strerror(code);
	certificate_pair_fini(pair);
	return code == GNUTLS_E_MEMORY_ERROR ? -ENOMEM : -EIO;
}

int certificate_make_ca(
    const char *host_name, time_t now, struct certificate_pair *ca, const char **why)
{
	char name[65];
	int code;

	*ca = (struct certificate_pair){ NULL, NULL };
	snprintf(name, sizeof(name), "Tanmatsu CA of %s", host_name);
	code = begin(ca, name, now, CERTIFICATE_CA_DAYS);
	if (code >= 0) {
		code = gnutls_x509_crt_set_basic_constraints(ca->certificate, 1, 0);
	}
	if (code >= 0) {
		code = gnutls_x509_crt_set_key_usage(
		    ca->certificate, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
	}
	if (code >= 0) {
		code = gnutls_x509_crt_sign2(
		    ca->certificate, ca->certificate, ca->key, GNUTLS_DIG_SHA256, 0);
	}
	return finish(code, ca, why);
}

static int add_name(gnutls_x509_crt_t certificate, const char *name)
{
	unsigned char address[16];

	if (inet_pton(AF_INET, name, address) == 1) {
		return gnutls_x509_crt_set_subject_alt_name(
		    certificate, GNUTLS_SAN_IPADDRESS, address, 4, GNUTLS_FSAN_APPEND);
	}
	if (inet_pton(AF_INET6, name, address) == 1) {
		return gnutls_x509_crt_set_subject_alt_name(
		    certificate, GNUTLS_SAN_IPADDRESS, address, 16, GNUTLS_FSAN_APPEND);
	}
	return gnutls_x509_crt_set_subject_alt_name(
	    certificate, GNUTLS_SAN_DNSNAME, name, (unsigned int)strlen(name), GNUTLS_FSAN_APPEND);
}

/* A leaf must not outlive its CA. */
static int cut_lifetime(gnutls_x509_crt_t certificate, gnutls_x509_crt_t ca)
{
	time_t end = gnutls_x509_crt_get_expiration_time(ca);

	return gnutls_x509_crt_get_expiration_time(certificate) > end
		   ? gnutls_x509_crt_set_expiration_time(certificate, end)
		   : 0;
}

static int set_issuer(gnutls_x509_crt_t certificate, gnutls_x509_crt_t ca)
{
	unsigned char id[64];
	size_t size = sizeof(id);
	int code = gnutls_x509_crt_get_subject_key_id(ca, id, &size, NULL);

	return code < 0 ? code : gnutls_x509_crt_set_authority_key_id(certificate, id, size);
}

int certificate_make_leaf(const struct certificate_pair *ca, const struct certificate_names *names,
    time_t now, struct certificate_pair *leaf, const char **why)
{
	int code;

	*leaf = (struct certificate_pair){ NULL, NULL };
	code = begin(leaf, names->host_name, now, CERTIFICATE_LEAF_DAYS);
	if (code >= 0) {
		code = cut_lifetime(leaf->certificate, ca->certificate);
	}
	if (code >= 0) {
		code = gnutls_x509_crt_set_basic_constraints(leaf->certificate, 0, -1);
	}
	if (code >= 0) {
		code = gnutls_x509_crt_set_key_usage(
		    leaf->certificate, GNUTLS_KEY_DIGITAL_SIGNATURE);
	}
	if (code >= 0) {
		code = gnutls_x509_crt_set_key_purpose_oid(
		    leaf->certificate, GNUTLS_KP_TLS_WWW_SERVER, 0);
	}
	if (code >= 0) {
		code = add_name(leaf->certificate, names->host_name);
	}
	for (size_t i = 0; code >= 0 && i < names->count; i++) {
		code = add_name(leaf->certificate, names->names[i]);
	}
	for (size_t i = 0; code >= 0 && i < certificate_local_name_count; i++) {
		code = add_name(leaf->certificate, certificate_local_names[i]);
	}
	if (code >= 0) {
		code = set_issuer(leaf->certificate, ca->certificate);
	}
	if (code >= 0) {
		code = gnutls_x509_crt_sign2(
		    leaf->certificate, ca->certificate, ca->key, GNUTLS_DIG_SHA256, 0);
	}
	return finish(code, leaf, why);
}
