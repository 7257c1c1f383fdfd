/*
 * The viewer's stream: bytes in order through plain and TLS, a bounded queue, and TLS handshakes that are cut after every
 * byte. The peer is GnuTLS' client in a thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "display/stream.h"
#include "display/tls.h"
#include "stage.h"

enum {
	MESSAGE = 300000, /* bytes each way */
};

/* The other end. */
struct peer {
	pthread_t thread;
	int socket;
	const char *priority;
	bool anonymous;
	size_t limit; /* bytes sent, after which the connection is cut; SIZE_MAX: never */
	size_t sent;
	size_t echoed;
};

static ssize_t push(gnutls_transport_ptr_t context, const void *data, size_t size)
{
	struct peer *peer = context;
	size_t allowed = peer->limit - peer->sent;

	if (size > allowed) {
		(void)!send(peer->socket, data, allowed, MSG_NOSIGNAL);
		shutdown(peer->socket, SHUT_RDWR);
		errno = EPIPE;
		return -1;
	}
	peer->sent += size;
	return send(peer->socket, data, size, MSG_NOSIGNAL);
}

static ssize_t pull(gnutls_transport_ptr_t context, void *data, size_t size)
{
	struct peer *peer = context;

	return recv(peer->socket, data, size, 0);
}

/* TLS, then everything that comes is sent back. */
static void *run_peer(void *context)
{
	struct peer *peer = context;
	gnutls_session_t session;
	gnutls_certificate_credentials_t certificate;
	gnutls_anon_client_credentials_t anonymous;
	static __thread uint8_t bytes[16384];
	ssize_t count;
	int error;

	gnutls_certificate_allocate_credentials(&certificate);
	gnutls_anon_allocate_client_credentials(&anonymous);
	gnutls_init(&session, GNUTLS_CLIENT);
	gnutls_priority_set_direct(session, peer->priority, NULL);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, certificate);
	gnutls_credentials_set(session, GNUTLS_CRD_ANON, anonymous);
	gnutls_transport_set_ptr(session, peer);
	gnutls_transport_set_push_function(session, push);
	gnutls_transport_set_pull_function(session, pull);
	do {
		error = gnutls_handshake(session);
	} while (error < 0 && !gnutls_error_is_fatal(error));
	while (error == 0 && (count = gnutls_record_recv(session, bytes, sizeof(bytes))) > 0) {
		for (size_t at = 0; at < (size_t)count;) {
			ssize_t back = gnutls_record_send(session, bytes + at, (size_t)count - at);

			if (back <= 0) {
				error = -1;
				break;
			}
			at += (size_t)back;
			peer->echoed += (size_t)back;
		}
	}
	gnutls_deinit(session);
	gnutls_certificate_free_credentials(certificate);
	gnutls_anon_free_client_credentials(anonymous);
	close(peer->socket);
	return NULL;
}

/* Our end. */
struct end {
	sd_event *event;
	struct stream *stream;
	uint8_t *received;
	size_t received_size, wanted;
	bool secured, closed, done;
	int secure_error;
};

static void on_readable(struct stream *stream, void *context)
{
	struct end *end = context;
	ssize_t count = stream_read(
	    stream, end->received + end->received_size, end->wanted - end->received_size);

	if (count == -EAGAIN) {
		return;
	}
	if (count <= 0) {
		end->closed = true;
		sd_event_exit(end->event, 0);
		return;
	}
	end->received_size += (size_t)count;
	if (end->received_size == end->wanted) {
		end->done = true;
		stream_set_reading(stream, false);
		sd_event_exit(end->event, 0);
	}
}

static void on_drained(struct stream *stream, void *context)
{
	(void)stream;
	(void)context;
}

static void on_secured(struct stream *stream, int error, void *context)
{
	struct end *end = context;
	uint8_t *bytes = malloc(MESSAGE);

	end->secured = true;
	end->secure_error = error;
	if (error) {
		sd_event_exit(end->event, 0);
	} else {
		for (size_t i = 0; i < MESSAGE; i++) {
			bytes[i] = (uint8_t)(i * 31 >> 3);
		}
		assert_int_equal(stream_write(stream, bytes, MESSAGE / 2), 0);
		assert_int_equal(
		    stream_write(stream, bytes + MESSAGE / 2, MESSAGE - MESSAGE / 2), 0);
		stream_flush(stream);
	}
	free(bytes);
}

static void on_closed(struct stream *stream, int error, void *context)
{
	struct end *end = context;

	(void)stream;
	(void)error;
	end->closed = true;
	sd_event_exit(end->event, 0);
}

static const struct stream_ops ops = {
	.on_readable = on_readable,
	.on_drained = on_drained,
	.on_secured = on_secured,
	.on_closed = on_closed,
};

/* Runs one connection; the peer is cut after `limit` bytes. Returns how many it sent in its handshake and echo. */
static size_t run(
    const struct stage *stage, const char *priority, bool anonymous, size_t limit, struct end *end)
{
	struct peer peer = { .priority = priority, .anonymous = anonymous, .limit = limit };
	FILE *certificate = fopen(stage->certificate, "r");
	FILE *key = fopen(stage->key, "r");
	struct tls *tls;
	int ends[2];

	*end = (struct end){ .wanted = MESSAGE, .received = malloc(MESSAGE) };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	peer.socket = ends[1];
	assert_true(sd_event_new(&end->event) >= 0);
	assert_int_equal(stream_create_take(end->event, ends[0], &ops, end, &end->stream), 0);
	assert_int_equal(tls_create(ends[0], anonymous ? -1 : fileno(certificate),
			     anonymous ? -1 : fileno(key), "", &tls),
	    0);
	stream_start_tls_take(end->stream, tls);
	assert_int_equal(pthread_create(&peer.thread, NULL, run_peer, &peer), 0);
	assert_true(sd_event_loop(end->event) >= 0);
	stream_destroy(end->stream);
	pthread_join(peer.thread, NULL);
	sd_event_unref(end->event);
	fclose(certificate);
	fclose(key);
	free(end->received);
	end->received = NULL;
	return peer.sent;
}

static const struct {
	const char *priority;
	bool anonymous;
} kinds[] = {
	{ "NORMAL:-VERS-ALL:+VERS-TLS1.3", false },
	{ "NORMAL:-VERS-ALL:+VERS-TLS1.2", false },
	{ "NORMAL:+ANON-ECDH:+ANON-DH", true },
	{ "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ANON-DH", true },
};

static void test_bytes_both_ways(void **state)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct end end;

		(void)run(*state, kinds[i].priority, kinds[i].anonymous, SIZE_MAX, &end);
		assert_true(end.secured && end.secure_error == 0 && end.done);
		assert_int_equal(end.received_size, MESSAGE);
	}
}

/* Old versions and wrong kinds end in an orderly failure. */
static void test_refused_kinds(void **state)
{
	static const struct {
		const char *priority;
		bool anonymous;
	} refused[] = {
		{ "NORMAL:-VERS-ALL:+VERS-TLS1.1", false },
		{ "NORMAL:-VERS-ALL:+VERS-TLS1.0", false },
		{ "NORMAL", true },
		{ "NORMAL:-KX-ALL:+ANON-ECDH:-VERS-ALL:+VERS-TLS1.2", false },
	};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct end end;

		(void)run(*state, refused[i].priority, refused[i].anonymous, SIZE_MAX, &end);
		assert_false(end.done);
		assert_true(end.closed || end.secure_error != 0);
	}
}

static void test_cut_after_every_byte(void **state)
{
	/* The echo adds many bytes; the handshake and the first records are what is cut. */
	static const size_t until[] = { 700, 700, 600, 1200 };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (size_t limit = 0; limit < until[i]; limit += 1 + (size_t)(limit > 128) * 2) {
			struct end end;

			(void)run(*state, kinds[i].priority, kinds[i].anonymous, limit, &end);
			assert_false(end.done);
			assert_true(end.closed || end.secure_error != 0);
		}
	}
}

static void test_queue_is_bounded(void **state)
{
	struct end end = { .wanted = 1, .received = malloc(1) };
	uint8_t *megabyte = calloc(1, 1 << 20);
	size_t queued = 0;
	int ends[2];
	int error;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_true(sd_event_new(&end.event) >= 0);
	assert_int_equal(stream_create_take(end.event, ends[0], &ops, &end, &end.stream), 0);
	while ((error = stream_write(end.stream, megabyte, 1 << 20)) == 0) {
		queued += 1 << 20;
		assert_true(queued <= STREAM_QUEUE_MAX);
	}
	assert_int_equal(error, -ENOBUFS);
	assert_int_equal(stream_queued(end.stream), STREAM_QUEUE_MAX);
	/* The peer goes: told once, from the loop. */
	close(ends[1]);
	stream_flush(end.stream);
	assert_false(end.closed);
	assert_true(sd_event_loop(end.event) >= 0);
	assert_true(end.closed);
	stream_destroy(end.stream);
	sd_event_unref(end.event);
	free(megabyte);
	free(end.received);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_both_ways),
		cmocka_unit_test(test_refused_kinds),
		cmocka_unit_test(test_cut_after_every_byte),
		cmocka_unit_test(test_queue_is_bounded),
	};

	return cmocka_run_group_tests(tests, stage_set_up, stage_tear_down);
}
