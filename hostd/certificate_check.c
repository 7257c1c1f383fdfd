/*
 * Reading and checking certificates and keys that were given, or are about to be used.
 */
#include "hostd/certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "hostd/certificate_internal.h"

void certificate_say(char *message, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, CERTIFICATE_TEXT_MAX, format, arguments);
	va_end(arguments);
}

void certificate_pair_fini(struct certificate_pair *pair)
{
	if (pair->certificate) {
		gnutls_x509_crt_deinit(pair->certificate);
	}
	if (pair->key) {
		gnutls_x509_privkey_deinit(pair->key); /* wipes it */
	}
	*pair = (struct certificate_pair){ NULL, NULL };
}

/* --- parsing ------------------------------------------------------------------------------------------------------ */

static gnutls_datum_t datum(const void *data, size_t size)
{
	return (gnutls_datum_t){ .data = (unsigned char *)data, .size = (unsigned int)size };
}

int certificate_import(
    const void *pem, size_t size, gnutls_x509_crt_t *certificate, const char **why)
{
	gnutls_datum_t input = datum(pem, size);
	int code = size > CERTIFICATE_PEM_MAX ? GNUTLS_E_BASE64_DECODING_ERROR
					      : gnutls_x509_crt_init(certificate);

	if (code < 0) {
		*why = gnutls_strerror(code);
		return -EBADMSG;
	}
	code = gnutls_x509_crt_import(*certificate, &input, GNUTLS_X509_FMT_PEM);
	if (code < 0) {
		*why = gnutls_strerror(code);
		gnutls_x509_crt_deinit(*certificate);
		*certificate = NULL;
		return -EBADMSG;
	}
	return 0;
}

int certificate_import_key(
    const void *pem, size_t size, gnutls_x509_privkey_t *key, const char **why)
{
	gnutls_datum_t input = datum(pem, size);
	int code = size > CERTIFICATE_PEM_MAX ? GNUTLS_E_BASE64_DECODING_ERROR
					      : gnutls_x509_privkey_init(key);

	if (code < 0) {
		*why = gnutls_strerror(code);
		return -EBADMSG;
	}
	code = gnutls_x509_privkey_import2(*key, &input, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (code < 0) {
		*why = code == GNUTLS_E_DECRYPTION_FAILED
			   ? "it is protected by a password, which the daemon cannot ask for"
			   : gnutls_strerror(code);
		gnutls_x509_privkey_deinit(*key);
		*key = NULL;
		return -EBADMSG;
	}
	return 0;
}

bool certificate_key_fits(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key)
{
	unsigned char left[64], right[64];
	size_t left_size = sizeof(left), right_size = sizeof(right);

	return gnutls_x509_crt_get_key_id(certificate, GNUTLS_KEYID_USE_SHA256, left, &left_size) >=
		   0 &&
	       gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, right, &right_size) >=
		   0 &&
	       left_size == right_size && memcmp(left, right, left_size) == 0;
}

void certificate_format_day(time_t when, char text[32])
{
	struct tm parts;

	if (!gmtime_r(&when, &parts) || !strftime(text, 32, "%Y-%m-%d %H:%M UTC", &parts)) {
		strcpy(text, "an unknown time");
	}
}

/* --- checking what is given --------------------------------------------------------------------------------------- */

static int check_times(const char *origin, gnutls_x509_crt_t leaf, time_t now, char *message)
{
	time_t from = gnutls_x509_crt_get_activation_time(leaf);
	time_t until = gnutls_x509_crt_get_expiration_time(leaf);
	char day[32];

	if (now < from) {
		certificate_format_day(from, day);
		certificate_say(message,
		    "%s: the certificate is not valid before %s: check this host's clock, or wait",
		    origin, day);
		return -EKEYEXPIRED;
	}
	if (now >= until) {
		certificate_format_day(until, day);
		certificate_say(
		    message, "%s: the certificate expired on %s: renew it", origin, day);
		return -EKEYEXPIRED;
	}
	return 0;
}

static int check_leaf(const char *origin, gnutls_x509_crt_t *list, unsigned int count,
    gnutls_x509_privkey_t key, time_t now, char *message)
{
	if (!certificate_key_fits(list[0], key)) {
		for (unsigned int i = 1; i < count; i++) {
			if (certificate_key_fits(list[i], key)) {
				certificate_say(message,
				    "%s: the key belongs to certificate %u of the file, but the "
				    "host's own must stand "
				    "first",
				    origin, i + 1);
				return -EKEYREJECTED;
			}
		}
		certificate_say(message, "%s: the key does not belong to the certificate", origin);
		return -EKEYREJECTED;
	}
	if (gnutls_x509_crt_get_ca_status(list[0], NULL) > 0) {
		certificate_say(message,
		    "%s: the certificate is a CA's, which must not serve a host: give one that the "
		    "CA has signed",
		    origin);
		return -EKEYREJECTED;
	}
	if (!gnutls_x509_crt_check_key_purpose(list[0], GNUTLS_KP_TLS_WWW_SERVER, 0)) {
		certificate_say(message,
		    "%s: the certificate is not for a TLS server (extended key usage serverAuth is "
		    "missing)",
		    origin);
		return -EKEYREJECTED;
	}
	return check_times(origin, list[0], now, message);
}

int certificate_check(const char *origin, const void *chain, size_t chain_size, const void *key,
    size_t key_size, time_t now, char *message)
{
	gnutls_datum_t input = datum(chain, chain_size);
	gnutls_x509_crt_t *list = NULL;
	gnutls_x509_privkey_t private_key = NULL;
	unsigned int count = 0;
	const char *why = "";
	int code, error;

	message[0] = '\0';
	code = chain_size > CERTIFICATE_PEM_MAX
		   ? GNUTLS_E_BASE64_DECODING_ERROR
		   : gnutls_x509_crt_list_import2(&list, &count, &input, GNUTLS_X509_FMT_PEM, 0);
	if (code < 0 || !count) {
		certificate_say(message, "%s: the certificate cannot be read: %s", origin,
		    code < 0 ? gnutls_strerror(code) : "the file is empty");
		return -EBADMSG;
	}
	error = certificate_import_key(key, key_size, &private_key, &why);
	if (error) {
		certificate_say(message, "%s: the key cannot be read: %s", origin, why);
	} else {
		error = check_leaf(origin, list, count, private_key, now, message);
		gnutls_x509_privkey_deinit(private_key);
	}
	for (unsigned int i = 0; i < count; i++) {
		gnutls_x509_crt_deinit(list[i]);
	}
	gnutls_free(list);
	return error;
}

int certificate_read_file(int folder, const char *name, char **data, size_t *size)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat status;
	int error;

	if (fd < 0) {
		return -errno;
	}
	error = fstat(fd, &status) ? -errno : S_ISREG(status.st_mode) ? 0 : -EINVAL;
	if (!error) {
		error = fd_read_file(fd, CERTIFICATE_PEM_MAX, data, size);
	}
	close(fd);
	return error;
}

void certificate_free_secret(char *data, size_t size)
{
	if (data) {
		explicit_bzero(data, size);
		free(data);
	}
}

int certificate_check_files(const char *chain_path, const char *key_path, time_t now, char *message)
{
	char *chain = NULL, *key = NULL, origin[CERTIFICATE_TEXT_MAX / 2];
	size_t chain_size = 0, key_size = 0;
	const char *path = chain_path;
	int error = certificate_read_file(AT_FDCWD, chain_path, &chain, &chain_size);

	if (!error) {
		path = key_path;
		error = certificate_read_file(AT_FDCWD, key_path, &key, &key_size);
	}
	if (error) {
		certificate_say(message, "%s: cannot be read: %s", path, strerror(-error));
	} else {
		snprintf(
		    origin, sizeof(origin), "certificate %.220s, key %.220s", chain_path, key_path);
		error = certificate_check(origin, chain, chain_size, key, key_size, now, message);
	}
	free(chain);
	certificate_free_secret(key, key_size);
	return error;
}

int certificate_expiry(const void *pem, size_t size, time_t *expiry)
{
	gnutls_x509_crt_t certificate;
	const char *why;
	int error = certificate_import(pem, size, &certificate, &why);

	if (!error) {
		*expiry = gnutls_x509_crt_get_expiration_time(certificate);
		gnutls_x509_crt_deinit(certificate);
	}
	return error;
}

int certificate_fingerprint(
    const void *pem, size_t size, char fingerprint[CERTIFICATE_FINGERPRINT_MAX])
{
	gnutls_x509_crt_t certificate;
	unsigned char digest[32];
	size_t digest_size = sizeof(digest);
	const char *why;
	int error = certificate_import(pem, size, &certificate, &why);

	if (error) {
		return error;
	}
	if (gnutls_x509_crt_get_fingerprint(certificate, GNUTLS_DIG_SHA256, digest, &digest_size) <
	    0) {
		error = -EBADMSG;
	}
	gnutls_x509_crt_deinit(certificate);
	for (size_t i = 0; !error && i < sizeof(digest); i++) {
		snprintf(
		    fingerprint + 3 * i, 4, "%02X%s", digest[i], i + 1 < sizeof(digest) ? ":" : "");
	}
	return error;
}
