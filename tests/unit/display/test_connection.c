/*
 * The viewer's process, whole, with a viewer that is not ours: tanmatsu-display with its sandbox, a monitor and a desktop
 * played by host.c, libvncclient over TCP.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "certificate.h"
#include "client.h"
#include "host.h"

static const char lossless[] = "zrle copyrect raw";

struct fixture {
	char folder[64];
	char ca[96], leaf[96], key[96];
	int listener;
	uint16_t port;
};

static struct fixture fixture;

static struct host_options options(uint32_t type)
{
	return (struct host_options){
		.program = DISPLAY_PROGRAM,
		.security = { type },
		.security_count = 1,
		.peer = "127.0.0.1",
		.peer_user = "",
		.width = 640,
		.height = 480,
		.grace_s = 20,
		.certificate = fixture.leaf,
		.key = fixture.key,
	};
}

static void serve(void *context, int socket)
{
	host_serve_take(context, socket);
}

static bool log_in(struct client *client, struct host *host, const char *password)
{
	client->user = "alice";
	client->password = password;
	client->ca = fixture.ca;
	return client_connect(client, fixture.listener, fixture.port, serve, host, lossless);
}

static void draw(struct host *host, uint32_t seed, uint32_t y, uint32_t height)
{
	uint32_t picture_width, picture_height;
	uint32_t *pixels = host_lock_picture(host, &picture_width, &picture_height);

	for (uint32_t row = y; row < y + height && row < picture_height; row++) {
		for (uint32_t x = 0; x < picture_width; x++) {
			pixels[row * picture_width + x] = (x * 2654435761u + row * 40503u +
							      seed * 97u) &
							  0xffffff;
		}
	}
	host_unlock_picture(host, y, height);
}

struct target {
	struct client *client;
	struct host *host;
};

static bool same_picture(void *context)
{
	struct target *target = context;
	uint32_t width, height;
	uint32_t *pixels = host_lock_picture(target->host, &width, &height);
	bool same = client_shows(target->client, pixels, width, height);

	host_unlock_picture(target->host, 0, 0);
	return same;
}

static void assert_same_picture(struct client *client, struct host *host)
{
	struct target target = { client, host };

	assert_true(client_wait(client, same_picture, &target, 5000));
	assert_true(same_picture(&target));
}

static void leave(struct client *client, struct host *host)
{
	client_close(client);
	assert_int_equal(host_wait_exit(host, 5000), DISPLAY_EXIT_VIEWER_LEFT);
}

static void check_login(uint32_t type)
{
	struct host_options with = options(type);
	struct host *host = host_create(&with);
	struct client client = { 0 };

	draw(host, 1, 0, 480);
	assert_true(log_in(&client, host, "correct horse"));
	assert_same_picture(&client, host);
	print_message("connect to first frame: %lu us\n",
	    (unsigned long)(client.framed_us - client.connected_us));
	assert_int_equal(host_wait_event(host, DISPLAY_EVENT_SHOWN, 1, 2000), 1);
	draw(host, 2, 100, 40);
	assert_same_picture(&client, host);
	leave(&client, host);
	host_destroy(host);
}

static void test_x509_plain(void **state)
{
	(void)state;
	check_login(DISPLAY_SECURITY_X509_PLAIN);
}

static void test_tls_plain(void **state)
{
	(void)state;
	check_login(DISPLAY_SECURITY_TLS_PLAIN);
}

static void test_plain(void **state)
{
	(void)state;
	check_login(DISPLAY_SECURITY_PLAIN);
}

static void test_wrong_password(void **state)
{
	static const uint32_t types[] = {
		DISPLAY_SECURITY_X509_PLAIN,
		DISPLAY_SECURITY_TLS_PLAIN,
		DISPLAY_SECURITY_PLAIN,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct host_options with = options(types[i]);
		struct host *host = host_create(&with);
		struct client client = { 0 };

		assert_false(log_in(&client, host, "wrong"));
		assert_int_equal(host_wait_exit(host, 5000), DISPLAY_EXIT_DENIED);
		host_destroy(host);
	}
}

static int set_up(void **state)
{
	(void)state;
	snprintf(fixture.folder, sizeof(fixture.folder), "/tmp/display-test.XXXXXX");
	assert_non_null(mkdtemp(fixture.folder));
	snprintf(fixture.ca, sizeof(fixture.ca), "%s/ca.pem", fixture.folder);
	snprintf(fixture.leaf, sizeof(fixture.leaf), "%s/leaf.pem", fixture.folder);
	snprintf(fixture.key, sizeof(fixture.key), "%s/key.pem", fixture.folder);
	certificate_make(fixture.folder);
	fixture.listener = client_listen(&fixture.port);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(fixture.ca);
	unlink(fixture.leaf);
	unlink(fixture.key);
	rmdir(fixture.folder);
	close(fixture.listener);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_x509_plain),
		cmocka_unit_test(test_tls_plain),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_wrong_password),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
