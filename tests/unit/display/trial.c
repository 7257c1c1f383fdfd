/*
 * A host for trying viewers by hand and by script: serves whoever connects to the port it prints, one after another, with
 * a test desktop that shows typed keys as squares. Log in as alice, "correct horse". Commands on standard input:
 * "mode W H", "show KIND PERCENT TEXT", "attach", "detach", "close KIND TEXT", "leds N", "quit".
 *
 *   display_trial FOLDER [TYPE...]   writes ca.pem and the like to the folder; types as numbers (262, 259, 256)
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certificate.h"
#include "client.h"
#include "host.h"

static void paint(struct host *host)
{
	uint32_t width, height;
	uint32_t *pixels = host_lock_picture(host, &width, &height);

	for (uint32_t y = 0; y < height; y++) {
		for (uint32_t x = 0; x < width; x++) {
			pixels[y * width + x] = (x / 32 + y / 32) % 2
						    ? 0x3a6ea5
						    : 0x30608f + (x * 48 / width << 16);
		}
	}
	host_unlock_picture(host, 0, height);
}

static void mark_key(struct host *host, size_t index, struct input_event event)
{
	uint32_t width, height;
	uint32_t *pixels = host_lock_picture(host, &width, &height);
	uint32_t left = (uint32_t)(index * 12 % (width - 12));
	uint32_t top = (uint32_t)(index * 12 / (width - 12) * 12 % (height - 12));

	for (uint32_t y = top; y < top + 10; y++) {
		for (uint32_t x = left; x < left + 10; x++) {
			pixels[y * width + x] = event.value ? 0xffffff : 0xffcc00 + event.code;
		}
	}
	host_unlock_picture(host, top, 10);
}

static void command(struct host *host, const char *line)
{
	unsigned int a, b;
	int at = 0;

	if (sscanf(line, "mode %u %u", &a, &b) == 2) {
		host_set_mode(host, a, b);
		paint(host);
	} else if (sscanf(line, "show %u %u %n", &a, &b, &at) == 2) {
		host_show(host, (uint8_t)a, line + at, (uint8_t)b, -1);
	} else if (sscanf(line, "close %u %n", &a, &at) == 1) {
		host_close_viewer(host, (uint8_t)a, line + at);
	} else if (strcmp(line, "attach") == 0) {
		host_attach(host);
	} else if (strcmp(line, "detach") == 0) {
		host_detach(host);
	} else if (sscanf(line, "leds %u", &a) == 1) {
		host_set_leds(host, (uint8_t)a);
	} else if (strcmp(line, "quit") == 0) {
		host_destroy(host);
		exit(0);
	}
}

int main(int argc, char **argv)
{
	static char leaf[256], key[256];
	struct host_options options = {
		.program = DISPLAY_PROGRAM,
		.peer = "127.0.0.1",
		.peer_user = "",
		.width = 1024,
		.height = 768,
		.grace_s = 30,
		.follow_resize = true,
		.certificate = leaf,
		.key = key,
	};
	uint16_t port;
	int listener = client_listen(&port);
	struct host *host;
	size_t seen = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: display_trial FOLDER [TYPE...]\n");
		return 2;
	}
	certificate_make(argv[1]);
	snprintf(leaf, sizeof(leaf), "%s/leaf.pem", argv[1]);
	snprintf(key, sizeof(key), "%s/key.pem", argv[1]);
	for (int i = 2; i < argc && i - 2 < DISPLAY_SECURITY_MAX; i++) {
		options.security[options.security_count++] = (uint32_t)atoi(argv[i]);
	}
	if (options.security_count == 0) {
		options.security[options.security_count++] = DISPLAY_SECURITY_X509_PLAIN;
	}
	host = host_create(&options);
	paint(host);
	printf("port %u\n", port);
	fflush(stdout);
	for (;;) {
		struct pollfd fds[2] = { { .fd = listener, .events = POLLIN },
			{ .fd = 0, .events = POLLIN } };
		char line[600];
		size_t count;

		if (poll(fds, 2, 20) < 0) {
			return 1;
		}
		if (fds[0].revents) {
			(void)host_wait_exit(host, 0);
			host_serve_take(host, accept(listener, NULL, NULL));
			seen = 0;
		}
		if (fds[1].revents && fgets(line, sizeof(line), stdin)) {
			line[strcspn(line, "\n")] = '\0';
			command(host, line);
		}
		count = host_wait_input(host, 0, 0);
		for (; seen < count; seen++) {
			struct input_event event = host_input(host, seen);

			printf("input %u %u %d %u %u\n", event.type, event.code, event.value,
			    event.x, event.y);
			fflush(stdout);
			if (event.type == INPUT_KEY) {
				mark_key(host, seen, event);
			}
		}
	}
}
