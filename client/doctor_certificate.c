/* Is the certificate good, for how long, and for which names? See doctor.h. */
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "client/doctor.h"

enum {
	PEM_MAX = 256 * 1024,
	CHAIN_MAX = 8,
	SOON_DAYS = 20, /* the daemon renews its own earlier */
	DAY_S = 86400,
};

/* Reads the certificates of a file. Their number, or -errno; -EBADMSG when there are none in it. */
static int load(const char *path, gnutls_x509_crt_t chain[CHAIN_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned count = CHAIN_MAX;
	char *pem;
	size_t size;
	gnutls_datum_t datum;
	int result;

	if (fd < 0) {
		return -errno;
	}
	result = fd_read_file(fd, PEM_MAX, &pem, &size);
	fd_close(&fd);
	if (result) {
		return result;
	}
	datum = (gnutls_datum_t){ .data = (unsigned char *)pem, .size = (unsigned)size };
	result = gnutls_x509_crt_list_import(chain, &count, &datum, GNUTLS_X509_FMT_PEM, 0);
	free(pem);
	return result > 0 ? result : -EBADMSG;
}

static void unload(gnutls_x509_crt_t *chain, int count)
{
	for (int i = 0; i < count; i++) {
		gnutls_x509_crt_deinit(chain[i]);
	}
}

static void check_leaf(const struct doctor *doctor, const char *path, gnutls_x509_crt_t leaf,
    struct doctor_result *result)
{
	static const char renew[] =
	    "The daemon renews its own at the next start: systemctl restart tanmatsu. One that you "
	    "gave it (certificate in [host]) must be renewed by you";
	int64_t now = (int64_t)doctor->now_s;
	int64_t begin = (int64_t)gnutls_x509_crt_get_activation_time(leaf);
	int64_t end = (int64_t)gnutls_x509_crt_get_expiration_time(leaf);
	long long days = (end - now) / DAY_S;
	char host[256] = "";

	gethostname(host, sizeof(host) - 1);
	if (now >= end) {
		doctor_say(result, DOCTOR_BAD, renew, "%s ended %lld days ago", path,
		    (long long)((now - end) / DAY_S));
	} else if (now < begin) {
		doctor_say(result, DOCTOR_BAD, "Is the clock right? timedatectl",
		    "%s is not valid yet", path);
	} else if (gnutls_x509_crt_get_ca_status(leaf, NULL) > 0) {
		doctor_say(result, DOCTOR_BAD,
		    "Give the daemon a server's certificate: certificate in [host]",
		    "%s is that of a CA, which could sign others", path);
	} else if (days < SOON_DAYS) {
		doctor_say(result, DOCTOR_WARNING, renew, "%s ends in %lld days", path, days);
	} else if (!gnutls_x509_crt_check_hostname(leaf, host)) {
		doctor_say(result, DOCTOR_WARNING,
		    "names in [host] lists further names; then restart the daemon",
		    "%s is not for the name %s, by which viewers may call this host", path, host);
	} else {
		doctor_say(result, DOCTOR_OK, NULL, "valid for %lld days, for %s", days, host);
	}
}

static void check_against_ca(const char *path, const char *ca_path, gnutls_x509_crt_t *chain,
    int count, struct doctor_result *result)
{
	gnutls_x509_crt_t cas[CHAIN_MAX];
	int ca_count = load(ca_path, cas);
	unsigned verdict = 0;

	if (ca_count < 0) {
		doctor_say(result, DOCTOR_WARNING, "tanmatsu cert prints what viewers need",
		    "%s: %s", ca_path,
		    ca_count == -EBADMSG ? "holds no certificate" : strerror(-ca_count));
		return;
	}
	/* Times were looked at, and named, before. */
	if (gnutls_x509_crt_list_verify(chain, (unsigned)count, cas, (unsigned)ca_count, NULL, 0,
		GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS,
		&verdict) < 0 ||
	    verdict != 0) {
		doctor_say(result, DOCTOR_BAD, "Give viewers the CA that signed it: ca in [host]",
		    "%s is not signed by %s", path, ca_path);
	}
	unload(cas, ca_count);
}

void doctor_check_certificate(const struct doctor *doctor, struct doctor_result *result)
{
	const struct doctor_settings *settings = &doctor->settings;
	const char *state = doctor->info.state[0] ? doctor->info.state : settings->state;
	bool own = !settings->certificate[0];
	char path[ANSWER_PATH_MAX + 16], ca[ANSWER_PATH_MAX + 16];
	gnutls_x509_crt_t chain[CHAIN_MAX];
	int count;

	snprintf(path, sizeof(path), own ? "%s/tls/host.pem" : "%s",
	    own ? state : settings->certificate);
	snprintf(ca, sizeof(ca), own ? "%s/tls/ca.pem" : "%s", own ? state : settings->ca);
	count = load(path, chain);
	if (count == -ENOENT && own) {
		doctor_say(
		    result, DOCTOR_OK, NULL, "%s is made when the daemon first starts", path);
		return;
	}
	if (count == -EACCES) {
		doctor_say(result, DOCTOR_OK, NULL, "only root can look at %s", path);
		return;
	}
	if (count < 0) {
		doctor_say(result, DOCTOR_BAD,
		    own ? "Move the folder tls away and start the daemon: it makes a new one; give "
			  "viewers the new CA"
			: "Correct certificate in [host]",
		    "%s: %s", path, count == -EBADMSG ? "holds no certificate" : strerror(-count));
		return;
	}
	check_leaf(doctor, path, chain[0], result);
	if (result->level != DOCTOR_BAD && ca[0]) {
		check_against_ca(path, ca, chain, count, result);
	}
	unload(chain, count);
}
