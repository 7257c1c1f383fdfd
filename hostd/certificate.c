/*
 * The host's own CA and certificate: keeping their files in order.
 */
#include "hostd/certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "hostd/certificate_internal.h"

#define DAY_S (24 * 3600)

/* --- our own ------------------------------------------------------------------------------------------------------ */

/* Replaces a file as a whole, readable by the daemon's user only unless `mode` says more. */
static int write_file(int folder, const char *name, const void *data, size_t size, mode_t mode)
{
	char fresh[64];
	int fd, error;

	snprintf(fresh, sizeof(fresh), "%s.new", name);
	if (unlinkat(folder, fresh, 0) && errno != ENOENT) {
		return -errno;
	}
	fd = openat(folder, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0) {
		return -errno;
	}
	error = fd_write_all(fd, data, size);
	if (!error && fsync(fd)) {
		error = -errno;
	}
	close(fd);
	if (!error && renameat(folder, fresh, folder, name)) {
		error = -errno;
	}
	if (error) {
		(void)!unlinkat(folder, fresh, 0);
		return error;
	}
	return fsync(folder) ? -errno : 0;
}

/* Writes the pair, the key first: a certificate is never there without its key. `issuer` (may be NULL) is appended to
 * the certificate's file. */
static int write_pair(int folder, const struct certificate_pair *pair,
    const struct certificate_pair *issuer, const char *file, const char *key_file)
{
	gnutls_datum_t key = { 0 }, chain = { 0 }, above = { 0 };
	char *text = NULL;
	int error = -EIO;

	if (gnutls_x509_privkey_export2_pkcs8(
		pair->key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &key) < 0 ||
	    gnutls_x509_crt_export2(pair->certificate, GNUTLS_X509_FMT_PEM, &chain) < 0 ||
	    (issuer &&
		gnutls_x509_crt_export2(issuer->certificate, GNUTLS_X509_FMT_PEM, &above) < 0)) {
		goto out;
	}
	text = malloc((size_t)chain.size + above.size + 1);
	if (!text) {
		error = -ENOMEM;
		goto out;
	}
	memcpy(text, chain.data, chain.size);
	if (above.size) {
		memcpy(text + chain.size, above.data, above.size);
	}
	error = write_file(folder, key_file, key.data, key.size, 0600);
	if (!error) {
		error = write_file(folder, file, text, (size_t)chain.size + above.size, 0644);
	}
out:
	if (key.data) {
		explicit_bzero(key.data, key.size);
	}
	gnutls_free(key.data);
	gnutls_free(chain.data);
	gnutls_free(above.data);
	free(text);
	return error;
}

/* Reads both files. 0; -ENOENT: the certificate is not there; -EBADMSG with *why. A missing key leaves pair->key NULL. */
static int read_pair(int folder, const char *file, const char *key_file,
    struct certificate_pair *pair, const char **why)
{
	char *text = NULL;
	size_t size = 0;
	int error = certificate_read_file(folder, file, &text, &size);

	*pair = (struct certificate_pair){ NULL, NULL };
	if (!error) {
		error = certificate_import(text, size, &pair->certificate, why);
		free(text);
		text = NULL;
	}
	if (error) {
		*why = error == -EBADMSG ? *why : strerror(-error);
		return error;
	}
	error = certificate_read_file(folder, key_file, &text, &size);
	if (error == -ENOENT) {
		return 0;
	}
	if (!error) {
		error = certificate_import_key(text, size, &pair->key, why);
	} else {
		*why = strerror(-error);
	}
	certificate_free_secret(text, size);
	if (!error && !certificate_key_fits(pair->certificate, pair->key)) {
		*why = "the key does not belong to the certificate";
		error = -EBADMSG;
	}
	if (error) {
		certificate_pair_fini(pair);
	}
	return error;
}

static int check_ca(
    const char *folder, const struct certificate_pair *ca, time_t now, char *message)
{
	char day[32];

	if (gnutls_x509_crt_get_ca_status(ca->certificate, NULL) <= 0) {
		certificate_say(message,
		    "%s/%s is not a CA: move it away, and the host makes a new one, which viewers "
		    "must be given",
		    folder, CERTIFICATE_CA_FILE);
		return -EBADMSG;
	}
	if (now >= gnutls_x509_crt_get_expiration_time(ca->certificate)) {
		certificate_format_day(gnutls_x509_crt_get_expiration_time(ca->certificate), day);
		certificate_say(message,
		    "%s/%s expired on %s: move it away, and the host makes a new one, which "
		    "viewers must be given",
		    folder, CERTIFICATE_CA_FILE, day);
		return -EKEYEXPIRED;
	}
	return 0;
}

/* Whether the leaf can be used on, and for how long it can is not near its end. */
static bool leaf_is_good(const struct certificate_pair *leaf, const struct certificate_pair *ca,
    const struct certificate_names *names, time_t now)
{
	gnutls_x509_crt_t certificate = leaf->certificate;
	time_t until = gnutls_x509_crt_get_expiration_time(certificate);
	bool cut = until >= gnutls_x509_crt_get_expiration_time(ca->certificate);
	unsigned int status = 0;

	/* One that ends with its CA cannot be renewed to a later day. */
	if (!leaf->key || now < gnutls_x509_crt_get_activation_time(certificate) ||
	    now >= until - (cut ? 0 : (time_t)CERTIFICATE_RENEW_DAYS * DAY_S) ||
	    gnutls_x509_crt_get_ca_status(certificate, NULL) > 0 ||
	    gnutls_x509_crt_verify(
		certificate, &ca->certificate, 1, GNUTLS_VERIFY_DISABLE_TIME_CHECKS, &status) < 0 ||
	    status || !gnutls_x509_crt_check_hostname2(certificate, names->host_name, 0)) {
		return false;
	}
	for (size_t i = 0; i < names->count; i++) {
		if (!gnutls_x509_crt_check_hostname2(certificate, names->names[i], 0)) {
			return false;
		}
	}
	for (size_t i = 0; i < certificate_local_name_count; i++) {
		if (!gnutls_x509_crt_check_hostname2(certificate, certificate_local_names[i], 0)) {
			return false;
		}
	}
	return true;
}

static int open_folder(const char *path, int *folder, char *message)
{
	struct stat status;
	int error = mkdir(path, 0700) && errno != EEXIST ? -errno : 0;

	if (!error) {
		*folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		error = *folder < 0 || fstat(*folder, &status) ? -errno : 0;
	}
	if (error) {
		certificate_say(message, "%s: %s", path, strerror(-error));
		return error;
	}
	if (status.st_uid != geteuid() || status.st_mode & (S_IRWXG | S_IRWXO)) {
		certificate_say(message,
		    "%s: has keys in it and must be reachable by the daemon's user only (chown, "
		    "chmod 700)",
		    path);
		return -EPERM;
	}
	return 0;
}

/* The CA of the folder, made when there is none. */
static int provide_ca(const char *path, int folder, const struct certificate_names *names,
    time_t now, struct certificate_pair *ca, enum certificate_outcome *outcome, char *message)
{
	const char *why = "";
	int error = read_pair(folder, CERTIFICATE_CA_FILE, CERTIFICATE_CA_KEY_FILE, ca, &why);

	if (error == -ENOENT) {
		error = certificate_make_ca(names->host_name, now, ca, &why);
		if (!error) {
			error = write_pair(
			    folder, ca, NULL, CERTIFICATE_CA_FILE, CERTIFICATE_CA_KEY_FILE);
			why = error ? strerror(-error) : why;
		}
		*outcome = CERTIFICATE_MADE;
		if (error) {
			certificate_say(message, "%s: making a CA: %s", path, why);
		}
		return error;
	}
	if (error) {
		certificate_say(message,
		    "%s: %s with %s: %s: put back a good copy, or move both away, and the host "
		    "makes a new CA, which "
		    "viewers must be given",
		    path, CERTIFICATE_CA_FILE, CERTIFICATE_CA_KEY_FILE, why);
		return error;
	}
	return check_ca(path, ca, now, message);
}

int certificate_provide(const char *folder, const struct certificate_names *names, time_t now,
    enum certificate_outcome *outcome, char *message)
{
	struct certificate_pair ca = { NULL, NULL }, leaf = { NULL, NULL };
	const char *why = "";
	int fd = -1, error;

	message[0] = '\0';
	*outcome = CERTIFICATE_KEPT;
	error = open_folder(folder, &fd, message);
	if (!error) {
		error = provide_ca(folder, fd, names, now, &ca, outcome, message);
	}
	if (error) {
		goto out;
	}
	if (!read_pair(fd, CERTIFICATE_LEAF_FILE, CERTIFICATE_LEAF_KEY_FILE, &leaf, &why) &&
	    leaf_is_good(&leaf, &ca, names, now)) {
		goto out;
	}
	certificate_pair_fini(&leaf);
	if (!ca.key) {
		error = -ENOKEY;
		certificate_say(message,
		    "%s: the host's certificate must be renewed, but %s is not there: put it back, "
		    "or configure a "
		    "certificate",
		    folder, CERTIFICATE_CA_KEY_FILE);
		goto out;
	}
	error = certificate_make_leaf(&ca, names, now, &leaf, &why);
	if (!error) {
		error = write_pair(
		    fd, &leaf, &ca, CERTIFICATE_LEAF_FILE, CERTIFICATE_LEAF_KEY_FILE);
		why = error ? strerror(-error) : why;
	}
	if (error) {
		certificate_say(message, "%s: making the host's certificate: %s", folder, why);
	} else if (*outcome == CERTIFICATE_KEPT) {
		*outcome = CERTIFICATE_RENEWED;
	}
out:
	certificate_pair_fini(&ca);
	certificate_pair_fini(&leaf);
	fd_close(&fd);
	return error;
}
