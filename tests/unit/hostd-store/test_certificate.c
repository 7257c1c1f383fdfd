/*
 * The host's certificate: what is made can serve TLS and nothing else, is renewed in time, and is not replaced behind
 * anybody's back; what is given is checked with messages that say what is wrong.
 */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "hostd/certificate.h"
#include "scratch.h"

#define DAY 86400

static const char *const more_names[] = { "desk.example.org", "192.0.2.9", "2001:db8::9" };
static const struct certificate_names names = { "desk", more_names, 3 };

static enum certificate_outcome provide(time_t now)
{
	enum certificate_outcome outcome;
	char message[CERTIFICATE_TEXT_MAX];
	int error = certificate_provide(scratch_path("tls"), &names, now, &outcome, message);

	if (error) {
		fail_msg("%s", message);
	}
	return outcome;
}

static int provide_error(time_t now, const char *says)
{
	enum certificate_outcome outcome;
	char message[CERTIFICATE_TEXT_MAX];
	int error = certificate_provide(scratch_path("tls"), &names, now, &outcome, message);

	if (!strstr(message, says)) {
		fail_msg("\"%s\" does not say \"%s\"", message, says);
	}
	return error;
}

/* All certificates of a file. */
static unsigned int load(const char *name, gnutls_x509_crt_t **list)
{
	char *text = scratch_read(scratch_path("tls/%s", name));
	gnutls_datum_t datum = { (unsigned char *)text, (unsigned int)strlen(text) };
	unsigned int count = 0;

	assert_int_equal(
	    gnutls_x509_crt_list_import2(list, &count, &datum, GNUTLS_X509_FMT_PEM, 0), 0);
	free(text);
	return count;
}

static gnutls_x509_privkey_t load_key(const char *name)
{
	char *text = scratch_read(scratch_path("tls/%s", name));
	gnutls_datum_t datum = { (unsigned char *)text, (unsigned int)strlen(text) };
	gnutls_x509_privkey_t key;

	gnutls_x509_privkey_init(&key);
	assert_int_equal(gnutls_x509_privkey_import(key, &datum, GNUTLS_X509_FMT_PEM), 0);
	free(text);
	return key;
}

static void unload(gnutls_x509_crt_t *list, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		gnutls_x509_crt_deinit(list[i]);
	}
	gnutls_free(list);
}

/* As a TLS client verifies: with a trust list, a name, and for a server. */
static unsigned int verify(
    gnutls_x509_crt_t *chain, unsigned int count, gnutls_x509_crt_t ca, const char *name)
{
	gnutls_typed_vdata_st data[] = {
		{ .type = GNUTLS_DT_DNS_HOSTNAME, .data = (unsigned char *)name },
		{ .type = GNUTLS_DT_KEY_PURPOSE_OID,
		    .data = (unsigned char *)GNUTLS_KP_TLS_WWW_SERVER },
	};
	gnutls_x509_trust_list_t trust;
	gnutls_x509_crt_t copy;
	gnutls_datum_t der;
	unsigned int status = 0;

	gnutls_x509_crt_export2(ca, GNUTLS_X509_FMT_DER, &der);
	gnutls_x509_crt_init(&copy);
	gnutls_x509_crt_import(copy, &der, GNUTLS_X509_FMT_DER);
	gnutls_free(der.data);
	gnutls_x509_trust_list_init(&trust, 0);
	assert_int_equal(gnutls_x509_trust_list_add_cas(trust, &copy, 1, 0), 1);
	assert_int_equal(
	    gnutls_x509_trust_list_verify_crt2(trust, chain, count, data, 2, 0, &status, NULL), 0);
	gnutls_x509_trust_list_deinit(trust, 1);
	return status;
}

static mode_t mode_of(const char *path)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return status.st_mode & 07777;
}

static int setup(void **state)
{
	(void)state;
	scratch_make();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_remove();
	return 0;
}

static void test_made(void **state)
{
	static const char *const good[] = { "desk", "desk.example.org", "192.0.2.9", "2001:db8::9",
		"localhost", "127.0.0.1", "::1" };
	time_t now = time(NULL);
	gnutls_x509_crt_t *chain, *ca;
	unsigned int count, ca_count, critical = 0, is_ca = 1, usage = 0;
	int path_length = 9;

	(void)state;
	assert_int_equal(provide(now), CERTIFICATE_MADE);
	assert_int_equal(mode_of(scratch_path("tls")), 0700);
	assert_int_equal(mode_of(scratch_path("tls/ca-key.pem")), 0600);
	assert_int_equal(mode_of(scratch_path("tls/host-key.pem")), 0600);
	count = load(CERTIFICATE_LEAF_FILE, &chain);
	ca_count = load(CERTIFICATE_CA_FILE, &ca);
	assert_int_equal(count, 2);
	assert_int_equal(ca_count, 1);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(verify(chain, count, ca[0], good[i]), 0);
	}
	assert_true(
	    verify(chain, count, ca[0], "other.example.org") & GNUTLS_CERT_UNEXPECTED_OWNER);
	assert_true(verify(chain, count, ca[0], "192.0.2.10") & GNUTLS_CERT_UNEXPECTED_OWNER);

	/* The leaf. */
	assert_true(
	    gnutls_x509_crt_get_basic_constraints(chain[0], &critical, &is_ca, &path_length) >= 0);
	assert_int_equal(is_ca, 0);
	assert_int_equal(gnutls_x509_crt_get_key_usage(chain[0], &usage, &critical), 0);
	assert_int_equal(usage, GNUTLS_KEY_DIGITAL_SIGNATURE);
	assert_int_equal(
	    gnutls_x509_crt_check_key_purpose(chain[0], GNUTLS_KP_TLS_WWW_SERVER, 0), 1);
	assert_int_equal(
	    gnutls_x509_crt_check_key_purpose(chain[0], GNUTLS_KP_TLS_WWW_CLIENT, 0), 0);
	assert_int_equal(gnutls_x509_crt_check_key_purpose(chain[0], GNUTLS_KP_CODE_SIGNING, 0), 0);
	assert_int_equal(gnutls_x509_crt_get_pk_algorithm(chain[0], NULL), GNUTLS_PK_ECDSA);
	assert_int_equal(gnutls_x509_crt_get_version(chain[0]), 3);
	assert_int_equal((gnutls_x509_crt_get_expiration_time(chain[0]) -
			     gnutls_x509_crt_get_activation_time(chain[0])) /
			     DAY,
	    CERTIFICATE_LEAF_DAYS);
	/* The CA. */
	assert_true(
	    gnutls_x509_crt_get_basic_constraints(ca[0], &critical, &is_ca, &path_length) >= 0);
	assert_int_equal(is_ca, 1);
	assert_int_equal(critical, 1);
	assert_int_equal(path_length, 0);
	assert_int_equal(gnutls_x509_crt_get_key_usage(ca[0], &usage, &critical), 0);
	assert_int_equal(usage, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
	unload(chain, count);
	unload(ca, ca_count);
	assert_int_equal(provide(now), CERTIFICATE_KEPT);
}

/* A certificate for a name that is nobody's here, signed by that issuer; as a client would read it. */
static gnutls_x509_crt_t forge(
    gnutls_x509_crt_t issuer, gnutls_x509_privkey_t issuer_key, time_t now)
{
	gnutls_x509_crt_t made, read;
	gnutls_x509_privkey_t key;
	gnutls_datum_t der;

	gnutls_x509_privkey_init(&key);
	gnutls_x509_privkey_generate(
	    key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	gnutls_x509_crt_init(&made);
	gnutls_x509_crt_set_version(made, 3);
	gnutls_x509_crt_set_serial(made, "\x01", 1);
	gnutls_x509_crt_set_activation_time(made, now - DAY);
	gnutls_x509_crt_set_expiration_time(made, now + DAY);
	gnutls_x509_crt_set_dn_by_oid(made, GNUTLS_OID_X520_COMMON_NAME, 0, "bank.example", 12);
	gnutls_x509_crt_set_subject_alt_name(
	    made, GNUTLS_SAN_DNSNAME, "bank.example", 12, GNUTLS_FSAN_SET);
	gnutls_x509_crt_set_key_purpose_oid(made, GNUTLS_KP_TLS_WWW_SERVER, 0);
	gnutls_x509_crt_set_key(made, key);
	assert_int_equal(gnutls_x509_crt_sign2(made, issuer, issuer_key, GNUTLS_DIG_SHA256, 0), 0);
	assert_int_equal(gnutls_x509_crt_export2(made, GNUTLS_X509_FMT_DER, &der), 0);
	gnutls_x509_crt_init(&read);
	assert_int_equal(gnutls_x509_crt_import(read, &der, GNUTLS_X509_FMT_DER), 0);
	gnutls_free(der.data);
	gnutls_x509_crt_deinit(made);
	gnutls_x509_privkey_deinit(key);
	return read;
}

/* Who steals the leaf's key can forge signatures, but nobody accepts what it signed. */
static void test_leaf_cannot_sign(void **state)
{
	time_t now = time(NULL);
	gnutls_x509_crt_t *chain, *ca, forged[3], genuine;
	gnutls_x509_privkey_t leaf_key, ca_key;
	unsigned int count, ca_count;

	(void)state;
	provide(now);
	count = load(CERTIFICATE_LEAF_FILE, &chain);
	ca_count = load(CERTIFICATE_CA_FILE, &ca);
	leaf_key = load_key(CERTIFICATE_LEAF_KEY_FILE);
	ca_key = load_key(CERTIFICATE_CA_KEY_FILE);
	forged[0] = forge(chain[0], leaf_key, now);
	forged[1] = chain[0];
	forged[2] = chain[1];
	genuine = forge(ca[0], ca_key, now);
	/* The same made by the CA would be accepted, and the forgery's signature is right: only the leaf's lack of
	 * authority stands against it. */
	assert_int_equal(verify(&genuine, 1, ca[0], "bank.example"), 0);
	assert_int_equal(gnutls_x509_crt_check_issuer(forged[0], chain[0]), 1);
	assert_true(verify(forged, 3, ca[0], "bank.example") &
		    (GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE | GNUTLS_CERT_SIGNER_NOT_CA));
	gnutls_x509_crt_deinit(forged[0]);
	gnutls_x509_crt_deinit(genuine);
	gnutls_x509_privkey_deinit(ca_key);
	gnutls_x509_privkey_deinit(leaf_key);
	unload(chain, count);
	unload(ca, ca_count);
}

static void test_renewal(void **state)
{
	time_t now = time(NULL);
	char *ca = NULL, *ca_after, *leaf, *leaf_after;

	(void)state;
	provide(now);
	ca = scratch_read(scratch_path("tls/ca.pem"));
	leaf = scratch_read(scratch_path("tls/host.pem"));
	assert_int_equal(provide(now + (CERTIFICATE_LEAF_DAYS - CERTIFICATE_RENEW_DAYS - 2) * DAY),
	    CERTIFICATE_KEPT);
	assert_int_equal(provide(now + (CERTIFICATE_LEAF_DAYS - CERTIFICATE_RENEW_DAYS) * DAY),
	    CERTIFICATE_RENEWED);
	ca_after = scratch_read(scratch_path("tls/ca.pem"));
	leaf_after = scratch_read(scratch_path("tls/host.pem"));
	assert_string_equal(ca, ca_after);
	assert_string_not_equal(leaf, leaf_after);
	free(ca_after);
	free(leaf_after);
	/* The leaf is now of the future: a clock that was wrong and is right again does not keep it. */
	assert_int_equal(provide(now), CERTIFICATE_RENEWED);
	assert_int_equal(provide(now), CERTIFICATE_KEPT);
	free(ca);
	free(leaf);
}

static void test_near_the_ca_s_end(void **state)
{
	time_t now = time(NULL), late = now + (time_t)(CERTIFICATE_CA_DAYS - 20) * DAY, expiry;
	char *leaf;

	(void)state;
	provide(now);
	assert_int_equal(provide(late), CERTIFICATE_RENEWED);
	leaf = scratch_read(scratch_path("tls/host.pem"));
	assert_int_equal(certificate_expiry(leaf, strlen(leaf), &expiry), 0);
	assert_true(expiry <= now + (time_t)CERTIFICATE_CA_DAYS * DAY);
	free(leaf);
	/* It ends with its CA, so there is no sense in making it anew each day. */
	assert_int_equal(provide(late + DAY), CERTIFICATE_KEPT);
	assert_int_equal(provide_error(late + 21 * DAY, "expired on"), -EKEYEXPIRED);
}

static void test_names_change(void **state)
{
	static const char *const other[] = { "new.example.org" };
	static const struct certificate_names other_names = { "desk", other, 1 };
	enum certificate_outcome outcome;
	char message[CERTIFICATE_TEXT_MAX];
	time_t now = time(NULL);

	(void)state;
	provide(now);
	assert_int_equal(
	    certificate_provide(scratch_path("tls"), &other_names, now, &outcome, message), 0);
	assert_int_equal(outcome, CERTIFICATE_RENEWED);
	assert_int_equal(
	    certificate_provide(scratch_path("tls"), &other_names, now, &outcome, message), 0);
	assert_int_equal(outcome, CERTIFICATE_KEPT);
}

static void test_damage(void **state)
{
	time_t now = time(NULL);
	char *ca, *key;

	(void)state;
	provide(now);
	/* The leaf's files are made anew. */
	scratch_write(scratch_path("tls/host.pem"), "rubbish");
	assert_int_equal(provide(now), CERTIFICATE_RENEWED);
	unlink(scratch_path("tls/host-key.pem"));
	assert_int_equal(provide(now), CERTIFICATE_RENEWED);
	/* The CA's never, since viewers trust it. */
	ca = scratch_read(scratch_path("tls/ca.pem"));
	key = scratch_read(scratch_path("tls/ca-key.pem"));
	scratch_write(scratch_path("tls/ca.pem"), "rubbish");
	assert_int_equal(provide_error(now, "move both away"), -EBADMSG);
	scratch_write(scratch_path("tls/ca.pem"), "");
	assert_int_equal(provide_error(now, "move both away"), -EBADMSG);
	scratch_write(scratch_path("tls/ca.pem"), ca);
	scratch_write(scratch_path("tls/ca-key.pem"), "rubbish");
	assert_int_equal(provide_error(now, "move both away"), -EBADMSG);
	/* The CA's key may lie in a safe until it is needed. */
	unlink(scratch_path("tls/ca-key.pem"));
	assert_int_equal(provide(now), CERTIFICATE_KEPT);
	unlink(scratch_path("tls/host.pem"));
	assert_int_equal(provide_error(now, "ca-key.pem is not there"), -ENOKEY);
	scratch_write(scratch_path("tls/ca-key.pem"), key);
	assert_int_equal(provide(now), CERTIFICATE_RENEWED);
	/* A key of somebody else's. */
	unlink(scratch_path("tls/ca.pem"));
	assert_int_equal(provide(now), CERTIFICATE_MADE);
	scratch_write(scratch_path("tls/ca-key.pem"), key);
	assert_int_equal(provide_error(now, "does not belong"), -EBADMSG);
	free(ca);
	free(key);
}

static void test_folder(void **state)
{
	time_t now = time(NULL);

	(void)state;
	provide(now);
	assert_int_equal(chmod(scratch_path("tls"), 0755), 0);
	assert_int_equal(provide_error(now, "chmod 700"), -EPERM);
	assert_int_equal(chmod(scratch_path("tls"), 0700), 0);
	assert_int_equal(provide(now), CERTIFICATE_KEPT);
	assert_int_equal(rename(scratch_path("tls"), scratch_path("elsewhere")), 0);
	assert_int_equal(symlink("elsewhere", scratch_path("tls")), 0);
	assert_true(provide_error(now, "tls: ") < 0);
}

static void test_given(void **state)
{
	char message[CERTIFICATE_TEXT_MAX];
	time_t now = time(NULL);
	char *chain, *key, *both;

	(void)state;
	provide(now);
	assert_int_equal(certificate_check_files(scratch_path("tls/host.pem"),
			     scratch_path("tls/host-key.pem"), now, message),
	    0);
	assert_int_equal(certificate_check_files(scratch_path("tls/host.pem"),
			     scratch_path("tls/ca-key.pem"), now, message),
	    -EKEYREJECTED);
	assert_non_null(strstr(message, "must stand first")); /* the CA is second in the file */
	assert_int_equal(certificate_check_files(scratch_path("tls/ca.pem"),
			     scratch_path("tls/host-key.pem"), now, message),
	    -EKEYREJECTED);
	assert_non_null(strstr(message, "does not belong"));
	assert_int_equal(certificate_check_files(scratch_path("tls/ca.pem"),
			     scratch_path("tls/ca-key.pem"), now, message),
	    -EKEYREJECTED);
	assert_non_null(strstr(message, "is a CA's"));
	assert_int_equal(certificate_check_files(scratch_path("tls/host.pem"),
			     scratch_path("tls/host-key.pem"), now + 900 * DAY, message),
	    -EKEYEXPIRED);
	assert_non_null(strstr(message, "expired on"));
	assert_int_equal(certificate_check_files(scratch_path("tls/host.pem"),
			     scratch_path("tls/host-key.pem"), now - 900 * DAY, message),
	    -EKEYEXPIRED);
	assert_non_null(strstr(message, "not valid before"));
	assert_int_equal(certificate_check_files(
			     scratch_path("none"), scratch_path("tls/host-key.pem"), now, message),
	    -ENOENT);
	assert_non_null(strstr(message, "none: cannot be read"));
	assert_int_equal(certificate_check_files(scratch_path("tls/host-key.pem"),
			     scratch_path("tls/host.pem"), now, message),
	    -EBADMSG);
	assert_non_null(strstr(message, "the certificate cannot be read"));
	assert_int_equal(certificate_check_files(scratch_path("tls/host.pem"),
			     scratch_path("tls/host.pem"), now, message),
	    -EBADMSG);
	assert_non_null(strstr(message, "the key cannot be read"));

	chain = scratch_read(scratch_path("tls/host.pem"));
	key = scratch_read(scratch_path("tls/host-key.pem"));
	both = calloc(1, CERTIFICATE_PEM_MAX + 2);
	memset(both, 'x', CERTIFICATE_PEM_MAX + 1);
	assert_int_equal(
	    certificate_check("big", both, CERTIFICATE_PEM_MAX + 1, key, strlen(key), now, message),
	    -EBADMSG);
	assert_int_equal(certificate_check("big", chain, strlen(chain), both,
			     CERTIFICATE_PEM_MAX + 1, now, message),
	    -EBADMSG);
	/* Every prefix is refused or, where only the CA's part is cut off, taken; none crashes. */
	for (size_t size = 0; size < strlen(chain); size += 13) {
		(void)!certificate_check("cut", chain, size, key, strlen(key), now, message);
	}
	for (size_t size = 0; size < strlen(key) - 30; size += 7) {
		assert_int_equal(
		    certificate_check("cut", chain, strlen(chain), key, size, now, message),
		    -EBADMSG);
	}
	free(both);
	free(chain);
	free(key);
}

static void test_fingerprint(void **state)
{
	char fingerprint[CERTIFICATE_FINGERPRINT_MAX], other[CERTIFICATE_FINGERPRINT_MAX];
	char *text;

	(void)state;
	provide(time(NULL));
	text = scratch_read(scratch_path("tls/ca.pem"));
	assert_int_equal(certificate_fingerprint(text, strlen(text), fingerprint), 0);
	assert_int_equal(strlen(fingerprint), 95);
	assert_int_equal(strspn(fingerprint, "0123456789ABCDEF:"), 95);
	free(text);
	text = scratch_read(scratch_path("tls/host.pem"));
	assert_int_equal(certificate_fingerprint(text, strlen(text), other), 0);
	assert_string_not_equal(fingerprint, other);
	assert_int_equal(certificate_fingerprint(text, 10, other), -EBADMSG);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_made, setup, teardown),
		cmocka_unit_test_setup_teardown(test_leaf_cannot_sign, setup, teardown),
		cmocka_unit_test_setup_teardown(test_renewal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_near_the_ca_s_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names_change, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_given, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fingerprint, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
