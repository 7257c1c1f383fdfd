/*
 * The viewer's process, whole, with a viewer that is not ours: tanmatsu-display with its sandbox, a monitor and a desktop
 * played by host.c, libvncclient over TCP.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/input-event-codes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "display/frame.h"
#include "stage.h"

static const char lossless[] = "zrle copyrect raw";

static void leave(struct client *client, struct host *host)
{
	client_close(client);
	assert_int_equal(host_wait_exit(host, 5000), DISPLAY_EXIT_VIEWER_LEFT);
}

static void check_login(struct stage *stage, uint32_t type, const char *encodings)
{
	struct host_options options = stage_options(stage, type);
	struct host *host = host_create(&options);
	struct client client = { 0 };

	stage_draw(host, 1, 0, 480);
	assert_true(stage_log_in(stage, &client, host, "correct horse", encodings));
	assert_true(stage_wait_same_picture(&client, host));
	assert_string_equal(client.rfb->desktopName, "alice's desktop");
	assert_int_equal(host_wait_event(host, DISPLAY_EVENT_SHOWN, 1, 2000), 1);
	for (uint32_t i = 0; i < 20; i++) {
		stage_draw(host, 2 + i, i * 24, 1 + i);
		assert_true(stage_wait_same_picture(&client, host));
	}
	leave(&client, host);
	assert_string_equal(host_gone_text(host), "the viewer left");
	host_destroy(host);
}

static void test_x509_plain(void **state)
{
	check_login(*state, DISPLAY_SECURITY_X509_PLAIN, lossless);
}

static void test_tls_plain(void **state)
{
	check_login(*state, DISPLAY_SECURITY_TLS_PLAIN, lossless);
}

static void test_plain(void **state)
{
	check_login(*state, DISPLAY_SECURITY_PLAIN, lossless);
}

static void test_encodings(void **state)
{
	static const char *const encodings[] = { "raw", "hextile", "zlib", "zrle", "tight",
		"ultra raw", "copyrect" };

	for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++) {
		check_login(*state, DISPLAY_SECURITY_PLAIN, encodings[i]);
	}
}

static void test_wrong_password(void **state)
{
	static const uint32_t types[] = {
		DISPLAY_SECURITY_X509_PLAIN,
		DISPLAY_SECURITY_TLS_PLAIN,
		DISPLAY_SECURITY_PLAIN,
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct host_options options = stage_options(*state, types[i]);
		struct host *host = host_create(&options);
		struct client client = { 0 };

		assert_false(stage_log_in(*state, &client, host, "wrong", lossless));
		assert_int_equal(host_wait_exit(host, 5000), DISPLAY_EXIT_DENIED);
		host_destroy(host);
	}
}

static void test_untrusted_certificate(void **state)
{
	struct stage other = *(struct stage *)*state;
	struct host_options options = stage_options(*state, DISPLAY_SECURITY_X509_PLAIN);
	struct host *host = host_create(&options);
	struct client client = { 0 };

	strcpy(other.ca, "/etc/ssl/certs/ca-certificates.crt");
	assert_false(stage_log_in(&other, &client, host, "correct horse", lossless));
	assert_int_equal(host_wait_exit(host, 5000), DISPLAY_EXIT_HANDSHAKE);
	host_destroy(host);
}

/* A desktop and a viewer that shows it. */
static struct host *begin(struct stage *stage, struct client *client, bool follow_resize)
{
	struct host_options options = stage_options(stage, DISPLAY_SECURITY_PLAIN);
	struct host *host;

	options.follow_resize = follow_resize;
	host = host_create(&options);
	stage_draw(host, 5, 0, 480);
	*client = (struct client){ 0 };
	assert_true(stage_log_in(stage, client, host, "correct horse", lossless));
	assert_true(stage_wait_same_picture(client, host));
	return host;
}

static void check_event(struct host *host, size_t index, uint8_t type, uint16_t code, int32_t value)
{
	struct input_event event;

	assert_true(host_wait_input(host, index + 1, 2000) > index);
	event = host_input(host, index);
	assert_int_equal(event.type, type);
	assert_int_equal(event.code, code);
	assert_int_equal(event.value, value);
}

static void test_input(void **state)
{
	struct client client;
	struct host *host = begin(*state, &client, false);
	struct input_event event;
	size_t count;

	SendKeyEvent(client.rfb, 'a', TRUE);
	SendKeyEvent(client.rfb, 'a', FALSE);
	check_event(host, 0, INPUT_KEY, KEY_A, 1);
	check_event(host, 1, INPUT_KEY, KEY_A, 0);
	SendPointerEvent(client.rfb, 639, 479, 1);
	SendPointerEvent(client.rfb, 0, 0, 0);
	assert_int_equal(host_wait_input(host, 6, 2000), 6);
	event = host_input(host, 2);
	assert_int_equal(event.type, INPUT_POINTER);
	assert_true(event.x > 65000 && event.y > 65000);
	check_event(host, 3, INPUT_BUTTON, BTN_LEFT, 1);
	/* Left without letting go: everything is released. */
	SendKeyEvent(client.rfb, XK_Control_L, TRUE);
	assert_int_equal(host_wait_input(host, 7, 2000), 7);
	leave(&client, host);
	count = host_wait_input(host, 8, 2000);
	assert_int_equal(count, 8);
	check_event(host, 7, INPUT_RELEASE_ALL, 0, 0);
	host_destroy(host);
}

static bool has_size(void *context)
{
	struct client *client = context;

	return client->rfb->width == 800 && client->rfb->height == 600;
}

static void test_viewer_resizes(void **state)
{
	struct client client;
	struct host *host = begin(*state, &client, true);
	uint32_t width, height;

	assert_true(SendExtDesktopSize(client.rfb, 800, 600));
	assert_int_equal(host_wait_resize(host, 1, 2000), 1);
	host_last_resize(host, &width, &height);
	assert_int_equal(width, 800);
	assert_int_equal(height, 600);
	assert_int_equal(host_wait_event(host, DISPLAY_EVENT_RESIZE, 1, 2000), 1);
	assert_true(client_wait(&client, has_size, &client, 3000));
	stage_draw(host, 9, 0, 600);
	assert_true(stage_wait_same_picture(&client, host));
	/* Out of bounds: refused, nothing reaches the desktop. */
	assert_true(SendExtDesktopSize(client.rfb, 319, 600));
	assert_true(SendExtDesktopSize(client.rfb, 800, 2161));
	assert_true(SendExtDesktopSize(client.rfb, 0, 0));
	SendKeyEvent(client.rfb, 'b', TRUE);
	assert_int_equal(host_wait_input(host, 1, 2000), 1);
	assert_int_equal(host_wait_resize(host, 1, 0), 1);
	leave(&client, host);
	host_destroy(host);
}

static void test_guest_changes_mode(void **state)
{
	struct client client;
	struct host *host = begin(*state, &client, false);

	for (uint32_t i = 1; i <= 20; i++) {
		host_set_mode(host, 320 + i * 16, 200 + i * 10);
		stage_draw(host, i, 0, 200 + i * 10);
		assert_true(stage_wait_same_picture(&client, host));
	}
	leave(&client, host);
	host_destroy(host);
}

/* The monitor dies and comes back: the viewer types and sees on. */
static void test_monitor_restarts(void **state)
{
	struct client client;
	struct host *host = begin(*state, &client, false);
	struct display_state told;
	size_t states;

	host_drop_monitor(host);
	SendKeyEvent(client.rfb, 'x', TRUE);
	assert_int_equal(host_wait_input(host, 1, 2000), 1);
	stage_draw(host, 6, 50, 50);
	assert_true(stage_wait_same_picture(&client, host));
	states = host_wait_event(host, DISPLAY_EVENT_STATE, 0, 0);
	host_return_monitor(host);
	assert_int_equal(host_wait_event(host, DISPLAY_EVENT_STATE, states + 1, 2000), states + 1);
	told = host_state(host);
	assert_int_equal(told.viewer_id, 7);
	assert_int_equal(told.phase, DISPLAY_PHASE_SESSION);
	assert_true(told.attached);
	assert_string_equal(told.user, "alice");
	assert_int_equal(told.pid, host_pid(host));
	stage_draw(host, 7, 0, 480);
	assert_true(stage_wait_same_picture(&client, host));
	leave(&client, host);
	host_destroy(host);
}

/* The sum of the colours, to tell bright from dark. */
static uint64_t brightness(const struct client *client)
{
	const uint8_t *bytes = client->rfb->frameBuffer;
	uint64_t sum = 0;

	for (size_t i = 0; i < (size_t)client->rfb->width * (size_t)client->rfb->height * 4; i++) {
		sum += i % 4 == 3 ? 0 : bytes[i];
	}
	return sum;
}

struct dim_target {
	struct client *client;
	uint64_t below;
};

static bool is_dim(void *context)
{
	struct dim_target *target = context;

	return brightness(target->client) < target->below;
}

/* The desktop dies; words and a key; it comes back. */
static void test_desktop_fails(void **state)
{
	struct client client;
	struct host *host = begin(*state, &client, false);
	struct dim_target target = { &client, brightness(&client) * 6 / 10 };

	host_drop_link(host);
	assert_true(client_wait(&client, is_dim, &target, 3000));
	assert_true(is_dim(&target));
	SendKeyEvent(client.rfb, 'q', TRUE); /* nothing is offered yet */
	host_show(host, DISPLAY_CAPTION_FAILED,
	    "Your desktop stopped unexpectedly. Press Enter to start it again.", 255, -1);
	assert_true(client_wait_updates(&client, client.updates + 1, 2000));
	SendKeyEvent(client.rfb, XK_Return, TRUE);
	SendKeyEvent(client.rfb, XK_Return, FALSE);
	SendPointerEvent(client.rfb, 100, 100, 1);
	assert_int_equal(host_wait_event(host, DISPLAY_EVENT_ACTION, 1, 2000), 1);
	stage_draw(host, 8, 0, 480);
	host_attach(host);
	assert_true(stage_wait_same_picture(&client, host));
	assert_int_equal(host_wait_event(host, DISPLAY_EVENT_ACTION, 1, 0), 1); /* one, not three */
	SendKeyEvent(client.rfb, 'c', TRUE);
	check_event(host, 0, INPUT_KEY, KEY_C, 1);
	host_detach(host);
	assert_int_equal(host_wait_input(host, 2, 2000), 2);
	check_event(host, 1, INPUT_RELEASE_ALL, 0, 0);
	leave(&client, host);
	host_destroy(host);
}

static void test_moved(void **state)
{
	struct client client;
	struct host *host = begin(*state, &client, false);
	struct dim_target target = { &client, brightness(&client) * 6 / 10 };

	host_close_viewer(
	    host, DISPLAY_CAPTION_MOVED, "This desktop was moved to another terminal.");
	assert_true(client_wait(&client, is_dim, &target, 2000));
	assert_true(is_dim(&target));
	assert_int_equal(host_wait_exit(host, 6000), DISPLAY_EXIT_CLOSED);
	client_close(&client);
	host_destroy(host);
}

static bool is_lit(void *context)
{
	return brightness(context) > 0;
}

/* The last frame is on the screen before there is a desktop, dimmed and with words; its size is the first size. */
static void test_last_frame(void **state)
{
	struct host_options options = stage_options(*state, DISPLAY_SECURITY_PLAIN);
	struct client client = { 0 };
	struct host *host;
	uint32_t *pixels = malloc(500 * 300 * 4);
	int fd = memfd_create("frame", MFD_CLOEXEC);

	for (size_t i = 0; i < 500 * 300; i++) {
		pixels[i] = 0xffffff;
	}
	assert_int_equal(frame_write(fd, 500, 300, 500 * 4, pixels), 0);
	options.no_attach = true;
	options.width = 500;
	options.height = 300;
	host = host_create(&options);
	/* The monitor says this right behind GRANTED, so that the viewer never sees another size. */
	host_show_after_grant(host, DISPLAY_CAPTION_RESUMING, "Resuming your desktop", 10, fd);
	assert_true(stage_log_in(*state, &client, host, "correct horse", lossless));
	assert_int_equal(client.rfb->width, 500);
	assert_int_equal(client.rfb->height, 300);
	assert_true(client_wait(&client, is_lit, &client, 3000));
	assert_true(brightness(&client) > 500 * 300 * 3 * 20u &&
		    brightness(&client) < 500 * 300 * 3 * 160u);
	assert_int_equal(client.resizes, 0);
	stage_draw(host, 3, 0, 300);
	host_attach(host);
	assert_true(stage_wait_same_picture(&client, host));
	leave(&client, host);
	host_destroy(host);
	close(fd);
	free(pixels);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_x509_plain),
		cmocka_unit_test(test_tls_plain),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_wrong_password),
		cmocka_unit_test(test_untrusted_certificate),
		cmocka_unit_test(test_input),
		cmocka_unit_test(test_viewer_resizes),
		cmocka_unit_test(test_guest_changes_mode),
		cmocka_unit_test(test_monitor_restarts),
		cmocka_unit_test(test_desktop_fails),
		cmocka_unit_test(test_moved),
		cmocka_unit_test(test_last_frame),
	};

	return cmocka_run_group_tests(tests, stage_set_up, stage_tear_down);
}
