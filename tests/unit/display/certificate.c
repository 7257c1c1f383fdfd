/* Test certificates: ECDSA P-256, so that making them takes no time. */
#include "certificate.h"

#include <assert.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void write_file(const char *folder, const char *name, const gnutls_datum_t *data)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert(file && fwrite(data->data, 1, data->size, file) == data->size && fclose(file) == 0);
}

static gnutls_x509_privkey_t make_key(void)
{
	gnutls_x509_privkey_t key;

	assert(gnutls_x509_privkey_init(&key) == 0);
	assert(gnutls_x509_privkey_generate(
		   key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) == 0);
	return key;
}

static gnutls_x509_crt_t make_certificate(gnutls_x509_privkey_t key, const char *name, int ca)
{
	static const unsigned char loopback[4] = { 127, 0, 0, 1 };
	unsigned char serial = ca ? 1 : 2;
	gnutls_x509_crt_t certificate;
	time_t now = time(NULL);

	assert(gnutls_x509_crt_init(&certificate) == 0);
	assert(gnutls_x509_crt_set_version(certificate, 3) == 0);
	assert(gnutls_x509_crt_set_key(certificate, key) == 0);
	assert(gnutls_x509_crt_set_serial(certificate, &serial, 1) == 0);
	assert(gnutls_x509_crt_set_activation_time(certificate, now - 3600) == 0);
	assert(gnutls_x509_crt_set_expiration_time(certificate, now + 86400) == 0);
	assert(gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name,
		   (unsigned int)strlen(name)) == 0);
	assert(
	    gnutls_x509_crt_set_basic_constraints(certificate, (unsigned int)ca, ca ? 0 : -1) == 0);
	assert(gnutls_x509_crt_set_key_usage(
		   certificate, ca ? GNUTLS_KEY_KEY_CERT_SIGN : GNUTLS_KEY_DIGITAL_SIGNATURE) == 0);
	if (!ca) {
		assert(gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS,
			   loopback, sizeof(loopback), GNUTLS_FSAN_SET) == 0);
		assert(gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME,
			   "localhost", 9, GNUTLS_FSAN_APPEND) == 0);
		assert(gnutls_x509_crt_set_key_purpose_oid(
			   certificate, GNUTLS_KP_TLS_WWW_SERVER, 0) == 0);
	}
	return certificate;
}

void certificate_make(const char *folder)
{
	gnutls_x509_privkey_t ca_key = make_key();
	gnutls_x509_privkey_t leaf_key = make_key();
	gnutls_x509_crt_t ca = make_certificate(ca_key, "Test CA", 1);
	gnutls_x509_crt_t leaf = make_certificate(leaf_key, "localhost", 0);
	gnutls_datum_t data;

	assert(gnutls_x509_crt_sign2(ca, ca, ca_key, GNUTLS_DIG_SHA256, 0) == 0);
	assert(gnutls_x509_crt_sign2(leaf, ca, ca_key, GNUTLS_DIG_SHA256, 0) == 0);
	assert(gnutls_x509_crt_export2(ca, GNUTLS_X509_FMT_PEM, &data) == 0);
	write_file(folder, "ca.pem", &data);
	gnutls_free(data.data);
	assert(gnutls_x509_crt_export2(leaf, GNUTLS_X509_FMT_PEM, &data) == 0);
	write_file(folder, "leaf.pem", &data);
	gnutls_free(data.data);
	assert(gnutls_x509_privkey_export2(leaf_key, GNUTLS_X509_FMT_PEM, &data) == 0);
	write_file(folder, "key.pem", &data);
	gnutls_free(data.data);
	gnutls_x509_crt_deinit(ca);
	gnutls_x509_crt_deinit(leaf);
	gnutls_x509_privkey_deinit(ca_key);
	gnutls_x509_privkey_deinit(leaf_key);
}
