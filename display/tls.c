/*
 * GnuTLS behind display/tls.h. What must stay true: no call blocks, no key material outlives its session, and no client
 * certificate, ticket or renegotiation is ever asked for, so that there is no state but the session's.
 */
#include "display/tls.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

enum {
	PEM_SIZE_MAX = 256 * 1024,
};

#define TLS_DEFAULT_PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
/* Appended for TLSPlain; viewers offer the finite-field kind at least. */
#define TLS_ANONYMOUS_PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ANON-ECDH:+ANON-DH"

struct tls {
	gnutls_session_t session;
	gnutls_certificate_credentials_t certificate;
	gnutls_anon_server_credentials_t anonymous;
	int socket;
	int error; /* GnuTLS' last */
};

int tls_global_init(void)
{
	int error = gnutls_global_init();

	if (error < 0) {
		log_error("tls: cannot start GnuTLS: %s", gnutls_strerror(error));
		return -ENOTSUP;
	}
	return 0;
}

static ssize_t pull(gnutls_transport_ptr_t context, void *data, size_t size)
{
	struct tls *tls = context;
	ssize_t count = recv(tls->socket, data, size, 0);

	if (count < 0) {
		gnutls_transport_set_errno(tls->session, errno);
	}
	return count;
}

static ssize_t push(gnutls_transport_ptr_t context, const void *data, size_t size)
{
	struct tls *tls = context;
	ssize_t count = send(tls->socket, data, size, MSG_NOSIGNAL);

	if (count < 0) {
		gnutls_transport_set_errno(tls->session, errno);
	}
	return count;
}

static must_check int load_certificate(struct tls *tls, int certificate, int key)
{
	char *chain = NULL;
	char *secret = NULL;
	size_t chain_size = 0, secret_size = 0;
	gnutls_datum_t chain_datum, secret_datum;
	int error;

	error = fd_read_file(certificate, PEM_SIZE_MAX, &chain, &chain_size);
	if (error) {
		log_error("tls: cannot read the certificate: %s", strerror(-error));
		goto out;
	}
	error = fd_read_file(key, PEM_SIZE_MAX, &secret, &secret_size);
	if (error) {
		log_error("tls: cannot read the private key: %s", strerror(-error));
		goto out;
	}
	chain_datum = (gnutls_datum_t){ (unsigned char *)chain, (unsigned int)chain_size };
	secret_datum = (gnutls_datum_t){ (unsigned char *)secret, (unsigned int)secret_size };
	error = gnutls_certificate_set_x509_key_mem(
	    tls->certificate, &chain_datum, &secret_datum, GNUTLS_X509_FMT_PEM);
	if (error < 0) {
		log_error("tls: certificate or key cannot be used: %s", gnutls_strerror(error));
		error = -EINVAL;
	} else {
		error = 0;
	}
out:
	if (secret) {
		explicit_bzero(secret, secret_size);
	}
	free(secret);
	free(chain);
	return error;
}

static must_check int set_credentials(struct tls *tls, int certificate, int key)
{
	int error;

	if (certificate < 0) {
		if (gnutls_anon_allocate_server_credentials(&tls->anonymous) < 0 ||
		    gnutls_anon_set_server_known_dh_params(
			tls->anonymous, GNUTLS_SEC_PARAM_MEDIUM) < 0 ||
		    gnutls_credentials_set(tls->session, GNUTLS_CRD_ANON, tls->anonymous) < 0) {
			return -ENOMEM;
		}
		return 0;
	}
	if (gnutls_certificate_allocate_credentials(&tls->certificate) < 0) {
		return -ENOMEM;
	}
	error = load_certificate(tls, certificate, key);
	if (error) {
		return error;
	}
	if (gnutls_credentials_set(tls->session, GNUTLS_CRD_CERTIFICATE, tls->certificate) < 0) {
		return -ENOMEM;
	}
	gnutls_certificate_server_set_request(tls->session, GNUTLS_CERT_IGNORE);
	return 0;
}

int tls_create(int socket, int certificate, int key, const char *priority, struct tls **result)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	const char *used = certificate < 0 ? TLS_ANONYMOUS_PRIORITY
			   : priority[0]   ? priority
					   : TLS_DEFAULT_PRIORITY;
	const char *wrong = NULL;
	int error;

	if (!tls) {
		return -ENOMEM;
	}
	tls->socket = socket;
	if (gnutls_init(&tls->session,
		GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_TICKETS | GNUTLS_NO_SIGNAL) < 0) {
		free(tls);
		return -ENOMEM;
	}
	error = gnutls_priority_set_direct(tls->session, used, &wrong);
	if (error < 0) {
		log_error("tls: priority string \"%s\" is wrong at \"%s\": %s", used,
		    wrong ? wrong : "", gnutls_strerror(error));
		error = -EINVAL;
		goto fail;
	}
	error = set_credentials(tls, certificate, key);
	if (error) {
		goto fail;
	}
	gnutls_transport_set_ptr(tls->session, tls);
	gnutls_transport_set_pull_function(tls->session, pull);
	gnutls_transport_set_push_function(tls->session, push);
	gnutls_handshake_set_timeout(
	    tls->session, GNUTLS_INDEFINITE_TIMEOUT); /* the grace timer is the caller's */
	*result = tls;
	return 0;

fail:
	tls_destroy(tls);
	return error;
}

void tls_destroy(struct tls *tls)
{
	if (!tls) {
		return;
	}
	gnutls_deinit(tls->session);
	if (tls->certificate) {
		gnutls_certificate_free_credentials(tls->certificate);
	}
	if (tls->anonymous) {
		gnutls_anon_free_server_credentials(tls->anonymous);
	}
	free(tls);
}

int tls_handshake(struct tls *tls)
{
	int error;

	do {
		error = gnutls_handshake(tls->session);
	} while (error == GNUTLS_E_INTERRUPTED ||
		 (error < 0 && error != GNUTLS_E_AGAIN && !gnutls_error_is_fatal(error)));
	tls->error = error;
	if (error == GNUTLS_E_AGAIN) {
		return -EAGAIN;
	}
	if (error < 0) {
		(void)gnutls_alert_send_appropriate(
		    tls->session, error); /* best effort: the connection is over */
		return -EPROTO;
	}
	return 0;
}

ssize_t tls_read(struct tls *tls, void *data, size_t size)
{
	ssize_t count;

	do {
		count = gnutls_record_recv(tls->session, data, size);
	} while (count == GNUTLS_E_INTERRUPTED);
	if (count >= 0) {
		return count;
	}
	tls->error = (int)count;
	if (count == GNUTLS_E_AGAIN) {
		return -EAGAIN;
	}
	/* A viewer that just closes its socket is gone, no less than one that says goodbye. */
	return count == GNUTLS_E_PREMATURE_TERMINATION ? 0 : -EPROTO;
}

ssize_t tls_write(struct tls *tls, const void *data, size_t size)
{
	ssize_t count;

	do {
		count = gnutls_record_send(tls->session, data, size);
	} while (count == GNUTLS_E_INTERRUPTED);
	if (count > 0) {
		return count;
	}
	tls->error = (int)count;
	return count == GNUTLS_E_AGAIN ? -EAGAIN : -EPIPE;
}

bool tls_pending(const struct tls *tls)
{
	return gnutls_record_check_pending(tls->session) > 0;
}

bool tls_wants_write(const struct tls *tls)
{
	return gnutls_record_get_direction(tls->session) == 1;
}

void tls_goodbye(struct tls *tls)
{
	(void)gnutls_bye(tls->session, GNUTLS_SHUT_WR); /* best effort: the connection is over */
}

const char *tls_error(const struct tls *tls)
{
	return gnutls_strerror(tls->error);
}

const char *tls_describe(const struct tls *tls, char *text, size_t size)
{
	const char *protocol = gnutls_protocol_get_name(gnutls_protocol_get_version(tls->session));
	const char *cipher = gnutls_cipher_get_name(gnutls_cipher_get(tls->session));

	(void)snprintf(text, size, "%s, %s", protocol ? protocol : "?", cipher ? cipher : "?");
	return text;
}
