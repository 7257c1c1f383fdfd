/*
 * The viewer's process under attack: viewers that break the protocol before and after the login, viewers that do not read,
 * and desktops that lie. The process ends in order or goes on; it never crashes, grows or lets anybody in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "display/scanout.h"
#include "raw.h"
#include "stage.h"

#ifdef TANMATSU_SANITIZED
enum { MEMORY_MAX_KIB = 128 * 1024 }; /* shadow memory and quarantine */
#else
enum { MEMORY_MAX_KIB = 32 * 1024 };
#endif

static struct host *make_host(struct stage *stage, uint32_t type)
{
	struct host_options options = stage_options(stage, type);

	return host_create(&options);
}

/* A viewer that has logged in with plain RFB. */
static int log_in(struct stage *stage, struct host *host, uint16_t *width, uint16_t *height)
{
	int fd = stage_connect(stage, host);

	raw_log_in(fd, width, height);
	return fd;
}

/* The message ends the connection, and the process says that the viewer broke the protocol. */
static void check_closes(struct stage *stage, const void *message, size_t size)
{
	struct host *host = make_host(stage, DISPLAY_SECURITY_PLAIN);
	uint16_t width, height;
	int fd = log_in(stage, host, &width, &height);

	assert_true(raw_send(fd, message, size));
	assert_true(raw_wait_end(fd, 5000));
	assert_int_equal(host_wait_exit(host, 5000), DISPLAY_EXIT_HANDSHAKE);
	close(fd);
	host_destroy(host);
}

static void test_messages_that_are_not_offered(void **state)
{
	static const uint8_t file_transfer[12] = { 7, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4 };
	static const uint8_t text_chat[12] = { 11, 0, 0, 0, 0xff, 0xff, 0xff, 0xff };
	static const uint8_t scale[4] = { 8, 2, 0, 0 };
	static const uint8_t palm_scale[4] = { 15, 2, 0, 0 };
	static const uint8_t xvp[4] = { 250, 0, 1, 2 };
	static const uint8_t colour_map[6] = { 1, 0, 0, 0, 0, 0 };
	static const uint8_t audio[4] = { 255, 1, 0, 0 };
	static const uint8_t huge_cut[8] = { 6, 0, 0, 0, 0x80, 0, 0, 0 };
	static const uint8_t extended_cut[12] = { 6, 0, 0, 0, 0xff, 0xff, 0xff, 0xfc, 0x10, 0, 0,
		1 };

	check_closes(*state, file_transfer, sizeof(file_transfer));
	check_closes(*state, text_chat, sizeof(text_chat));
	check_closes(*state, scale, sizeof(scale));
	check_closes(*state, palm_scale, sizeof(palm_scale));
	check_closes(*state, xvp, sizeof(xvp));
	check_closes(*state, colour_map, sizeof(colour_map));
	check_closes(*state, audio, sizeof(audio));
	check_closes(*state, huge_cut, sizeof(huge_cut));
	check_closes(*state, extended_cut, sizeof(extended_cut));
}

/* A long text is passed over, at no cost in memory, and what follows is understood. */
static void test_cut_text(void **state)
{
	static const uint8_t header[8] = { 6, 0, 0, 0, 0, 0x80, 0, 0 };
	struct host *host = make_host(*state, DISPLAY_SECURITY_PLAIN);
	uint16_t width, height;
	int fd = log_in(*state, host, &width, &height);
	long before = stage_private_kib(host_pid(host));
	uint8_t text[65536];

	memset(text, 7, sizeof(text)); /* read as messages, these would be file transfers */
	assert_true(raw_send(fd, header, sizeof(header)));
	for (int i = 0; i < 128; i++) {
		assert_true(raw_send(fd, text, sizeof(text)));
	}
	raw_key(fd, 'a', true);
	assert_int_equal(host_wait_input(host, 1, 5000), 1);
	assert_true(stage_private_kib(host_pid(host)) < before + 1024);
	close(fd);
	assert_int_equal(host_wait_exit(host, 5000), DISPLAY_EXIT_VIEWER_LEFT);
	host_destroy(host);
}

/* Fence, continuous updates, LED state, name and extended keys, by hand. */
static void test_extensions(void **state)
{
	static const int32_t encodings[] = { 0, -312, -313, -258, -261, -307, -239 };
	static const uint8_t fence[9 + 5] = { 248, 0, 0, 0, 0x80, 0, 0, 0xff, 5, 'h', 'e', 'l', 'l',
		'o' };
	static const uint8_t answer[9 + 5] = { 248, 0, 0, 0, 0, 0, 0, 7, 5, 'h', 'e', 'l', 'l',
		'o' };
	static const uint8_t continuous[10] = { 150, 1, 0, 0, 0, 0, 0x02, 0x80, 0x01, 0xe0 };
	static const uint8_t not_continuous[10] = { 150, 0 };
	static const uint8_t key[12] = { 255, 0, 0, 1, 0, 0, 0, 'z', 0, 0, 0, 0x2c };
	struct host *host = make_host(*state, DISPLAY_SECURITY_PLAIN);
	struct raw_rectangle rectangle;
	uint16_t width, height;
	int fd = log_in(*state, host, &width, &height);
	uint8_t bytes[640 * 480 * 4 / 16];
	bool seen_key = false, seen_leds = false, seen_name = false;

	assert_int_equal(width, 640);
	raw_set_encodings(fd, encodings, sizeof(encodings) / sizeof(encodings[0]));
	assert_true(raw_read(fd, bytes, 9)); /* a fence, to say that there are fences */
	assert_memory_equal(bytes, "\370\0\0\0\200\0\0\0\0", 9);
	assert_true(raw_read(fd, bytes, 1));
	assert_int_equal(
	    bytes[0], 150); /* and the end of continuous updates, to say that there are those */
	assert_true(raw_send(fd, fence, sizeof(fence)));
	assert_true(raw_read(fd, bytes, sizeof(answer)));
	assert_memory_equal(bytes, answer, sizeof(answer));
	raw_request(fd, false, 640, 480);
	for (uint16_t left = raw_read_update(fd); left > 0; left--) {
		rectangle = raw_read_rectangle(fd);
		seen_key |= rectangle.encoding == -258;
		if (rectangle.encoding == -261) {
			seen_leds = true;
			assert_true(raw_read(fd, bytes, 1));
		} else if (rectangle.encoding == -307) {
			uint32_t length = raw_read_be32(fd);

			seen_name = true;
			assert_true(length < 64 && raw_read(fd, bytes, length));
			assert_memory_equal(bytes, "alice's desktop", length);
		}
	}
	assert_true(seen_key && seen_leds && seen_name);
	assert_true(raw_read_update(fd) >= 1);
	rectangle = raw_read_rectangle(fd);
	assert_int_equal(rectangle.encoding, -239); /* an empty cursor: the guest draws its own */
	assert_int_equal(rectangle.width * rectangle.height, 0);
	rectangle = raw_read_rectangle(fd);
	assert_int_equal(rectangle.width * rectangle.height, 640 * 480);
	for (int i = 0; i < 16; i++) {
		assert_true(raw_read(fd, bytes, sizeof(bytes)));
	}
	assert_true(raw_send(fd, key, sizeof(key)));
	assert_int_equal(host_wait_input(host, 1, 2000), 1);
	assert_int_equal(host_input(host, 0).code, 44);
	/* Continuous: news without a request, twice. */
	assert_true(raw_send(fd, continuous, sizeof(continuous)));
	for (uint32_t i = 0; i < 2; i++) {
		stage_draw(host, 50 + i, 10, 4);
		assert_int_equal(raw_read_update(fd), 1);
		rectangle = raw_read_rectangle(fd);
		assert_int_equal(rectangle.y, 10);
		assert_int_equal(rectangle.height, 4);
		assert_true(raw_read(fd, bytes, rectangle.width * 4u * 4u));
	}
	host_set_leds(host, 4);
	assert_int_equal(raw_read_update(fd), 1);
	rectangle = raw_read_rectangle(fd);
	assert_int_equal(rectangle.encoding, -261);
	assert_true(raw_read(fd, bytes, 1));
	assert_int_equal(bytes[0], 4);
	assert_true(raw_send(fd, not_continuous, sizeof(not_continuous)));
	assert_true(raw_read(fd, bytes, 1));
	assert_int_equal(bytes[0], 150);
	close(fd);
	assert_int_equal(host_wait_exit(host, 5000), DISPLAY_EXIT_VIEWER_LEFT);
	host_destroy(host);
}

/* No news is asked of the desktop unless the viewer wants some. */
static void test_idle_viewer_asks_nothing(void **state)
{
	struct host *host = make_host(*state, DISPLAY_SECURITY_PLAIN);
	uint16_t width, height;
	int fd = log_in(*state, host, &width, &height);
	size_t wants;

	raw_key(fd, 'a', true);
	assert_int_equal(host_wait_input(host, 1, 2000), 1);
	wants = host_wants(host);
	for (uint32_t i = 0; i < 20; i++) {
		stage_draw(host, i, 0, 100);
	}
	raw_key(fd, 'a', false);
	assert_int_equal(host_wait_input(host, 2, 2000), 2);
	assert_int_equal(host_wants(host), wants);
	close(fd);
	host_destroy(host);
}

/*
 * A viewer that wants everything and reads nothing, while a large desktop changes all of itself. What counts is memory
 * beyond what a viewer of this size costs anyway.
 */
static void test_viewer_that_never_reads(void **state)
{
	static const int32_t encodings[] = { 0, -312, -313 };
	static const uint8_t continuous[10] = { 150, 1, 0, 0, 0, 0, 0x07, 0x80, 0x04, 0x38 };
	static const uint8_t fence[9] = { 248, 0, 0, 0, 0x80, 0, 0, 0, 0 };
	struct host_options options = stage_options(*state, DISPLAY_SECURITY_PLAIN);
	struct host *host;
	uint16_t width, height;
	int fd;

	options.width = 1920;
	options.height = 1080;
	host = host_create(&options);
	fd = log_in(*state, host, &width, &height);
	raw_set_encodings(fd, encodings, 3);
	assert_true(raw_send(fd, continuous, sizeof(continuous)));
	for (uint32_t i = 0; i < 100; i++) {
		stage_draw(host, i, 0, 1080);
		raw_request(fd, false, 1920, 1080);
		(void)host_wait_event(host, DISPLAY_EVENT_GONE, 1, 10);
	}
	/* Replies are not to be had for nothing either: at some point the viewer is not read any more. */
	for (int i = 0; i < 1000 * 1000; i++) {
		if (send(fd, fence, sizeof(fence), MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof(fence)) {
			break;
		}
	}
	print_message("private memory of a viewer that never reads, 1920x1080: %ld KiB\n",
	    stage_private_kib(host_pid(host)));
	assert_true(stage_private_kib(host_pid(host)) < MEMORY_MAX_KIB);
	close(fd);
	assert_int_equal(host_wait_exit(host, 5000), DISPLAY_EXIT_VIEWER_LEFT);
	host_destroy(host);
}

static void test_grace_time(void **state)
{
	/* At each state: silence. */
	static const struct {
		const char *bytes;
		size_t size;
	} said[] = {
		{ "", 0 },
		{ "RFB 003.0", 9 },
		{ "RFB 003.008\n", 12 },
		{ "RFB 003.008\n\23", 13 },
		{ "RFB 003.008\n\23\0\2\0\0\1\6", 19 },
		{ "RFB 003.008\n\23\0\2\0\0\1\6\26\3\1\2", 23 },
	};

	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		struct host_options options = stage_options(*state, DISPLAY_SECURITY_X509_PLAIN);
		uint64_t start = clock_monotonic_us();
		struct host *host;
		int fd;

		options.grace_s = 1;
		host = host_create(&options);
		fd = stage_connect(*state, host);
		assert_true(raw_send(fd, said[i].bytes, said[i].size) || said[i].size == 0);
		assert_int_equal(host_wait_exit(host, 5000), DISPLAY_EXIT_HANDSHAKE);
		assert_true(clock_monotonic_us() - start > 900 * 1000);
		close(fd);
		host_destroy(host);
	}
}

static void test_rfb_3_3_is_told_why(void **state)
{
	struct host *host = make_host(*state, DISPLAY_SECURITY_X509_PLAIN);
	int fd = stage_connect(*state, host);
	char text[256];
	uint32_t length;

	assert_true(raw_read(fd, text, 12));
	assert_true(raw_send(fd, "RFB 003.003\n", 12));
	assert_int_equal(raw_read_be32(fd), 0);
	length = raw_read_be32(fd);
	assert_true(length > 20 && length < sizeof(text) && raw_read(fd, text, length));
	assert_true(raw_wait_end(fd, 5000));
	close(fd);
	assert_int_equal(host_wait_exit(host, 5000), DISPLAY_EXIT_HANDSHAKE);
	host_destroy(host);
}

/* The connection is reset after every byte of a good login. */
static void test_reset_at_every_byte(void **state)
{
	static const char login[] =
	    "RFB 003.008\n\23\0\2\0\0\1\0\0\0\0\5\0\0\0\15alicecorrect horse\1";
	const struct linger at_once = { .l_onoff = 1 };

	for (size_t size = 0; size < sizeof(login); size += 3) {
		struct host *host = make_host(*state, DISPLAY_SECURITY_PLAIN);
		int fd = stage_connect(*state, host);
		int status;

		assert_true(size == 0 || raw_send(fd, login, size));
		assert_int_equal(
		    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
		close(fd);
		status = host_wait_exit(host, 5000);
		assert_true(status == DISPLAY_EXIT_HANDSHAKE || status == DISPLAY_EXIT_VIEWER_LEFT);
		host_destroy(host);
	}
}

static void test_known_peer_needs_no_password(void **state)
{
	struct host_options options = stage_options(*state, DISPLAY_SECURITY_NONE);
	struct host *host;
	uint8_t bytes[64];
	int fd;

	options.peer = "unix";
	options.peer_user = "alice";
	host = host_create(&options);
	fd = stage_connect(*state, host);
	assert_true(raw_read(fd, bytes, 12) && raw_send(fd, "RFB 003.008\n", 12));
	assert_true(raw_read(fd, bytes, 2));
	assert_memory_equal(bytes, "\1\1", 2);
	assert_true(raw_send(fd, "\1\1", 2)); /* None, and ClientInit at once */
	assert_int_equal(raw_read_be32(fd), 0);
	assert_int_equal(raw_read_be16(fd), 640);
	close(fd);
	assert_int_equal(host_wait_exit(host, 5000), DISPLAY_EXIT_VIEWER_LEFT);
	host_destroy(host);
}

static void encode(const struct scanout *scanout, uint8_t *bytes, size_t size, size_t *used)
{
	struct wire wire;

	wire_init_write(&wire, bytes, size);
	scanout_encode(scanout, &wire);
	*used = wire.position;
}

/* A desktop that lies about its picture is let go; the viewer stays. */
static void test_lying_desktop(void **state)
{
	struct scanout scanout = {
		.id = 77,
		.format = SCANOUT_FORMAT_XRGB8888,
		.width = 640,
		.height = 480,
		.stride = 640 * 4,
		.memory_size = 640 * 480 * 4,
	};
	uint8_t bytes[64];
	size_t size;

	for (int lie = 0; lie < 6; lie++) {
		struct host *host = make_host(*state, DISPLAY_SECURITY_PLAIN);
		struct client client = { 0 };
		int fd = memfd_create("lie", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		struct scanout said = scanout;

		stage_draw(host, 4, 0, 480);
		assert_true(stage_log_in(*state, &client, host, "correct horse", "zrle raw"));
		assert_true(stage_wait_same_picture(&client, host));
		assert_int_equal(ftruncate(fd, (off_t)scanout.memory_size), 0);
		if (lie != 0) { /* 0: it could be cut under us */
			assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
		}
		said.memory_size += lie == 1 ? 4096 : 0; /* larger than the file */
		said.height += lie == 2 ? 1 : 0;         /* larger than the memory */
		said.width = lie == 3 ? 65535 : said.width;
		encode(&said, bytes, sizeof(bytes), &size);
		if (lie == 4) {
			host_send_link(host, LINK_SCANOUT, bytes, size, -1);
		} else if (lie == 5) {
			host_send_link(host, 999, bytes, size, fd);
		} else {
			host_send_link(host, LINK_SCANOUT, bytes, size, fd);
		}
		SendKeyEvent(client.rfb, 'a', TRUE);
		host_show(host, DISPLAY_CAPTION_FAILED, "Stopped.", 255, -1);
		for (int i = 0; i < 50 && host_wait_event(host, DISPLAY_EVENT_ACTION, 1, 100) == 0;
		     i++) {
			SendKeyEvent(client.rfb, 'b', TRUE);
		}
		assert_int_equal(host_wait_event(host, DISPLAY_EVENT_ACTION, 1, 0), 1);
		close(fd);
		client_close(&client);
		assert_int_equal(host_wait_exit(host, 5000), DISPLAY_EXIT_VIEWER_LEFT);
		host_destroy(host);
	}
}

/* A huge but honest mode is not shown, in words; one per frame is bounded. */
static void test_huge_and_hasty_modes(void **state)
{
	struct host *host = make_host(*state, DISPLAY_SECURITY_PLAIN);
	struct client client = { 0 };
	size_t updates;

	stage_draw(host, 4, 0, 480);
	assert_true(stage_log_in(*state, &client, host, "correct horse", "zrle raw"));
	assert_true(stage_wait_same_picture(&client, host));
	updates = client.updates;
	host_set_mode(host, 16384, 4000);
	assert_true(client_wait_updates(&client, updates + 1, 3000));
	assert_int_equal(client.rfb->width, 640);
	for (uint32_t i = 0; i < 300; i++) {
		host_set_mode(host, 64 + i, 64 + i);
	}
	assert_true(stage_wait_same_picture(&client, host));
	assert_int_equal(client.rfb->width, 64 + 299);
	assert_true(stage_private_kib(host_pid(host)) < MEMORY_MAX_KIB);
	client_close(&client);
	assert_int_equal(host_wait_exit(host, 5000), DISPLAY_EXIT_VIEWER_LEFT);
	host_destroy(host);
}

/* A viewer that cannot follow sizes keeps its own: never a rectangle outside. */
static void test_viewer_without_sizes(void **state)
{
	struct host *host = make_host(*state, DISPLAY_SECURITY_PLAIN);
	struct raw_rectangle rectangle;
	static uint8_t pixels[640 * 480 * 4];
	uint16_t width, height;
	int fd = log_in(*state, host, &width, &height);

	raw_set_encodings(fd, (const int32_t[]){ 0 }, 1);
	raw_request(fd, false, 640, 480);
	assert_int_equal(raw_read_update(fd), 1);
	(void)raw_read_rectangle(fd);
	assert_true(raw_read(fd, pixels, sizeof(pixels)));
	for (uint32_t mode = 0; mode < 2; mode++) {
		uint32_t size = mode ? 320 : 1000;

		host_set_mode(host, size, size);
		stage_draw(host, 12 + mode, 0, size);
		raw_request(fd, true, 640, 480);
		for (uint16_t left = raw_read_update(fd); left > 0; left--) {
			rectangle = raw_read_rectangle(fd);
			assert_int_equal(rectangle.encoding, 0);
			assert_true(rectangle.x + rectangle.width <= 640 &&
				    rectangle.y + rectangle.height <= 480);
			assert_true(raw_read(fd, pixels, rectangle.width * rectangle.height * 4u));
		}
	}
	close(fd);
	host_destroy(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages_that_are_not_offered),
		cmocka_unit_test(test_cut_text),
		cmocka_unit_test(test_extensions),
		cmocka_unit_test(test_idle_viewer_asks_nothing),
		cmocka_unit_test(test_viewer_that_never_reads),
		cmocka_unit_test(test_grace_time),
		cmocka_unit_test(test_rfb_3_3_is_told_why),
		cmocka_unit_test(test_reset_at_every_byte),
		cmocka_unit_test(test_known_peer_needs_no_password),
		cmocka_unit_test(test_lying_desktop),
		cmocka_unit_test(test_huge_and_hasty_modes),
		cmocka_unit_test(test_viewer_without_sizes),
	};

	return cmocka_run_group_tests(tests, stage_set_up, stage_tear_down);
}
