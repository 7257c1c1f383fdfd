/*
 * Latencies through the viewer's process: connect to first frame (process start, keyboard layout, sandbox, TLS and login
 * included) and key to pixel (the desktop echoes at once). Prints medians and 99th percentiles in microseconds.
 *
 *   display_measure [WIDTH HEIGHT]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "stage.h"

enum {
	LOGINS = 30,
	KEYS = 1000,
};

static int compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a;
	uint64_t right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static void report(const char *what, uint64_t *values, size_t count)
{
	qsort(values, count, sizeof(values[0]), compare);
	printf("%-44s %8lu %8lu\n", what, (unsigned long)values[count / 2],
	    (unsigned long)values[count * 99 / 100]);
	fflush(stdout);
}

static void measure(
    struct stage *stage, const char *name, uint32_t type, uint32_t width, uint32_t height)
{
	struct host_options options = stage_options(stage, type);
	struct client client = { 0 };
	uint64_t first[LOGINS], shown[LOGINS], keys[KEYS];
	struct host *host;
	char what[64];

	options.width = width;
	options.height = height;
	options.echo = true;
	host = host_create(&options);
	stage_draw(host, 1, 0, height / 4);
	for (int i = 0; i < LOGINS; i++) {
		if (i > 0) {
			client_close(&client);
			(void)host_wait_exit(host, 5000);
		}
		if (!stage_log_in(
			stage, &client, host, "correct horse", "tight zrle copyrect raw") ||
		    !client_wait_updates(&client, 2, 5000)) {
			fprintf(stderr, "cannot log in\n");
			exit(1);
		}
		first[i] = client.framed_us - client.connected_us;
		(void)host_wait_event(host, DISPLAY_EVENT_SHOWN, 1, 2000);
		shown[i] = host_shown_us(host);
	}
	snprintf(what, sizeof(what), "%s: connect to first frame", name);
	report(what, first, LOGINS);
	snprintf(what, sizeof(what), "%s: login to first frame sent", name);
	report(what, shown, LOGINS);
	for (int i = 0; i < KEYS; i++) {
		size_t updates = client.updates;
		uint64_t start = clock_monotonic_us();

		SendKeyEvent(client.rfb, 'a' + (uint32_t)i % 26, TRUE);
		(void)client_wait_updates(&client, updates + 1, 2000);
		keys[i] = clock_monotonic_us() - start;
		SendKeyEvent(client.rfb, 'a' + (uint32_t)i % 26, FALSE);
	}
	snprintf(what, sizeof(what), "%s: key to pixel", name);
	report(what, keys, KEYS);
	client_close(&client);
	(void)host_wait_exit(host, 5000);
	host_destroy(host);
}

int main(int argc, char **argv)
{
	uint32_t width = argc > 2 ? (uint32_t)atoi(argv[1]) : 1280;
	uint32_t height = argc > 2 ? (uint32_t)atoi(argv[2]) : 720;
	void *stage = NULL;

	stage_set_up(&stage);
	printf("%-44s %8s %8s\n", "microseconds", "p50", "p99");
	measure(stage, "X509Plain", DISPLAY_SECURITY_X509_PLAIN, width, height);
	measure(stage, "TLSPlain", DISPLAY_SECURITY_TLS_PLAIN, width, height);
	measure(stage, "Plain", DISPLAY_SECURITY_PLAIN, width, height);
	stage_tear_down(&stage);
	return 0;
}
