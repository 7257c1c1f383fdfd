/*
 * A VNC viewer for tests on top of libvncclient (so that it is not our own idea of the protocol):
 * it logs in, obeys one command a line on standard input and answers each with one line on standard
 * output, so that a test can wait for what it caused.
 *
 *   vncprobe [--user NAME --password-file FILE] [--ca FILE] HOST:PORT | /path/of/unix.sock
 *
 * Commands, and their answers ("ok ...", or "error TEXT"; "closed" when the server has ended the
 * connection): frame                 waits for the first full frame         -> ok WIDTH HEIGHT key
 * KEYSYM 1|0        presses or releases                    -> ok type TEXT             presses and
 * releases each character    -> ok pointer X Y MASK      moves, with these buttons              ->
 * ok echo KEYSYM           press; waits for a change in the picture; releases -> ok MICROSECONDS
 *   quiet MS [LIMIT_MS]   waits until nothing came for MS        -> ok UPDATES
 *   change MS             waits at most MS for an update         -> ok | error timeout
 *   shot FILE.ppm         writes what the viewer sees            -> ok
 *   resize W H            asks for a desktop size                -> ok
 *   size                  -> ok WIDTH HEIGHT
 *   name                  -> ok DESKTOP NAME
 *   stats                 -> ok UPDATES BYTES
 *   gone MS               waits at most MS for the server to close -> closed | error timeout
 *   quit
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rfb/rfbclient.h>

struct probe {
	rfbClient *client;
	const char *user, *password_file, *ca;
	uint64_t updates;
	uint64_t last_update_us;
	uint64_t start_us, framed_us;
	bool closed;
	bool framed;
};

static int probe_tag;

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

static struct probe *probe_of(rfbClient *client)
{
	return rfbClientGetClientData(client, &probe_tag);
}

static void on_update(rfbClient *client, int x, int y, int w, int h)
{
	struct probe *probe = probe_of(client);

	(void)x;
	(void)y;
	(void)w;
	(void)h;
	probe->updates++;
	probe->last_update_us = now_us();
}

static void on_finished(rfbClient *client)
{
	struct probe *probe = probe_of(client);

	if (!probe->framed_us) {
		probe->framed_us = now_us();
	}
	probe->framed = true;
}

static char *read_password(const char *path)
{
	char line[1100] = "";
	FILE *file = fopen(path, "r");

	if (!file || !fgets(line, sizeof(line), file)) {
		fprintf(stderr, "vncprobe: %s: %s\n", path, strerror(errno));
		exit(2);
	}
	fclose(file);
	line[strcspn(line, "\n")] = 0;
	return strdup(line);
}

static rfbCredential *on_credential(rfbClient *client, int type)
{
	struct probe *probe = probe_of(client);
	rfbCredential *credential = calloc(1, sizeof(*credential));

	if (!credential) {
		return NULL;
	}
	if (type == rfbCredentialTypeX509) {
		credential->x509Credential.x509CACertFile = probe->ca ? strdup(probe->ca) : NULL;
		return credential;
	}
	if (!probe->user || !probe->password_file) {
		free(credential);
		return NULL;
	}
	credential->userCredential.username = strdup(probe->user);
	credential->userCredential.password = read_password(probe->password_file);
	return credential;
}

static void on_log(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
}

/* Handles server messages until `until_us`, or until `stop` says so. */
static void serve(struct probe *probe, uint64_t until_us,
    bool (*stop)(const struct probe *, const void *), const void *argument)
{
	for (;;) {
		uint64_t now = now_us();
		int ready;

		if (probe->closed || (stop && stop(probe, argument)) || now >= until_us) {
			return;
		}
		/* What libvncclient has read ahead does not show on the socket. */
		ready = probe->client->buffered
			    ? 1
			    : WaitForMessage(probe->client,
				  (unsigned)(until_us - now > 50000 ? 50000 : until_us - now));
		if (ready < 0 || (ready > 0 && !HandleRFBServerMessage(probe->client))) {
			probe->closed = true;
		}
	}
}

static bool stop_framed(const struct probe *probe, const void *argument)
{
	(void)argument;
	return probe->framed;
}

static bool stop_changed(const struct probe *probe, const void *argument)
{
	return probe->updates > *(const uint64_t *)argument;
}

static bool stop_quiet(const struct probe *probe, const void *argument)
{
	return now_us() - probe->last_update_us >= *(const uint64_t *)argument;
}

static uint64_t after_ms(long ms)
{
	return now_us() + (uint64_t)ms * 1000u;
}

static int write_ppm(const rfbClient *client, const char *path)
{
	FILE *file = fopen(path, "wb");
	const uint32_t *pixels = (const uint32_t *)(const void *)client->frameBuffer;

	if (!file) {
		return -errno;
	}
	fprintf(file, "P6\n%d %d\n255\n", client->width, client->height);
	for (long i = 0; i < (long)client->width * client->height; i++) {
		uint8_t rgb[3] = { (uint8_t)(pixels[i] >> 16), (uint8_t)(pixels[i] >> 8),
			(uint8_t)pixels[i] };

		fwrite(rgb, 1, 3, file);
	}
	return fclose(file) ? -errno : 0;
}

static uint32_t keysym_of(char c)
{
	return c == '\n' ? 0xff0d : c == '\t' ? 0xff09 : (uint32_t)(unsigned char)c;
}

static void command_echo(struct probe *probe, uint32_t keysym)
{
	uint64_t before = probe->updates, start = now_us();

	SendKeyEvent(probe->client, keysym, TRUE);
	serve(probe, after_ms(5000), stop_changed, &before);
	if (probe->updates > before) {
		printf("ok %llu\n", (unsigned long long)(probe->last_update_us - start));
	} else {
		printf("error timeout\n");
	}
	SendKeyEvent(probe->client, keysym, FALSE);
}

static void command_quiet(struct probe *probe, const char *arguments)
{
	long ms = 300, limit = 20000;
	uint64_t before = probe->updates, quiet_us;

	sscanf(arguments, "%ld %ld", &ms, &limit);
	quiet_us = (uint64_t)ms * 1000u;
	probe->last_update_us = now_us();
	serve(probe, after_ms(limit), stop_quiet, &quiet_us);
	if (stop_quiet(probe, &quiet_us)) {
		printf("ok %llu\n", (unsigned long long)(probe->updates - before));
	} else {
		printf("error timeout\n");
	}
}

/* Commands about the keyboard, the pointer and the size. False when `verb` is none of them. */
static bool run_input(struct probe *probe, const char *verb, const char *rest)
{
	rfbClient *client = probe->client;
	unsigned a = 0, b = 0, c = 0;

	if (!strcmp(verb, "key") && sscanf(rest, "%x %u", &a, &b) == 2) {
		SendKeyEvent(client, a, b ? TRUE : FALSE);
	} else if (!strcmp(verb, "type")) {
		for (; *rest; rest++) {
			SendKeyEvent(client, keysym_of(*rest), TRUE);
			SendKeyEvent(client, keysym_of(*rest), FALSE);
		}
	} else if (!strcmp(verb, "pointer") && sscanf(rest, "%u %u %u", &a, &b, &c) == 3) {
		SendPointerEvent(client, (int)a, (int)b, (int)c);
	} else if (!strcmp(verb, "resize") && sscanf(rest, "%u %u", &a, &b) == 2) {
		SendExtDesktopSize(client, (uint16_t)a, (uint16_t)b);
	} else {
		return false;
	}
	printf("ok\n");
	return true;
}

static bool run_waiting(struct probe *probe, const char *verb, const char *rest)
{
	uint64_t before = probe->updates;

	if (!strcmp(verb, "frame")) {
		serve(probe, after_ms(30000), stop_framed, NULL);
		if (probe->framed) {
			printf("ok %d %d %llu\n", probe->client->width, probe->client->height,
			    (unsigned long long)(probe->framed_us - probe->start_us));
		} else if (!probe->closed) {
			printf("error timeout\n");
		}
	} else if (!strcmp(verb, "echo")) {
		command_echo(probe, (uint32_t)strtoul(rest, NULL, 16));
	} else if (!strcmp(verb, "quiet")) {
		command_quiet(probe, rest);
	} else if (!strcmp(verb, "change")) {
		serve(probe, after_ms(atol(rest)), stop_changed, &before);
		if (!probe->closed) {
			printf(probe->updates > before ? "ok\n" : "error timeout\n");
		}
	} else if (!strcmp(verb, "gone")) {
		serve(probe, after_ms(atol(rest)), NULL, NULL);
		if (!probe->closed) {
			printf("error timeout\n");
		}
	} else {
		return false;
	}
	return true;
}

static void run_command(struct probe *probe, char *line)
{
	char *rest = strchr(line, ' ');

	if (rest) {
		*rest++ = 0;
	} else {
		rest = line + strlen(line);
	}
	if (run_input(probe, line, rest) || run_waiting(probe, line, rest)) {
		/* answered */
	} else if (!strcmp(line, "shot")) {
		int error = write_ppm(probe->client, rest);

		printf(error ? "error %s\n" : "ok\n", strerror(-error));
	} else if (!strcmp(line, "size")) {
		printf("ok %d %d\n", probe->client->width, probe->client->height);
	} else if (!strcmp(line, "name")) {
		printf("ok %s\n", probe->client->desktopName);
	} else if (!strcmp(line, "stats")) {
		printf("ok %llu\n", (unsigned long long)probe->updates);
	} else {
		printf("error unknown command\n");
	}
}

/* Serves the server between commands, so that the picture is always current. */
static int command_loop(struct probe *probe)
{
	char line[65536];
	size_t used = 0;

	for (;;) {
		struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
			{ .fd = probe->client->sock, .events = POLLIN } };
		char *end;

		if (poll(fds, 2, 20) > 0 && fds[0].revents) {
			ssize_t got = read(STDIN_FILENO, line + used, sizeof(line) - used - 1);

			if (got <= 0) {
				return 0;
			}
			used += (size_t)got;
		}
		line[used] = 0;
		while ((end = strchr(line, '\n'))) {
			size_t length = (size_t)(end - line) + 1;

			*end = 0;
			if (!strcmp(line, "quit")) {
				return 0;
			}
			if (!probe->closed) {
				run_command(probe, line);
			}
			if (probe->closed) {
				printf("closed\n");
				return 0;
			}
			memmove(line, line + length, used - length + 1);
			used -= length;
		}
		serve(probe, now_us() + 1, NULL, NULL);
		if (probe->closed) {
			printf("closed\n");
			return 0;
		}
	}
}

static int connect_to(struct probe *probe, const char *address)
{
	rfbClient *client = probe->client;
	const char *colon = strrchr(address, ':');
	probe->start_us = now_us();
	rfbClientSetClientData(client, &probe_tag, probe);
	client->GetCredential = on_credential;
	client->GotFrameBufferUpdate = on_update;
	client->FinishedFrameBufferUpdate = on_finished;
	client->canHandleNewFBSize = TRUE;
	client->appData.shareDesktop = TRUE;
	client->appData.encodingsString = getenv("VNCPROBE_ENCODINGS")
					      ? getenv("VNCPROBE_ENCODINGS")
					      : "zrle raw";
	client->appData.useRemoteCursor = TRUE;
	client->format.redShift = 16;
	client->format.greenShift = 8;
	client->format.blueShift = 0;
	client->connectTimeout = 30;
	client->readTimeout = 60;
	if (address[0] == '/') {
		client->serverHost = strdup(address);
	} else if (colon) {
		client->serverHost = strndup(address, (size_t)(colon - address));
		client->serverPort = atoi(colon + 1);
	} else {
		return -EINVAL;
	}
	if (!rfbInitClient(client, NULL, NULL)) {
		printf("refused\n");
		return -EACCES; /* libvncclient has freed the client */
	}
	printf("connected %llu\n", (unsigned long long)(now_us() - probe->start_us));
	return 0;
}

int main(int argc, char **argv)
{
	struct probe probe = { 0 };
	const char *address = NULL;

	setvbuf(stdout, NULL, _IOLBF, 0);
	rfbClientLog = on_log;
	rfbClientErr = on_log;
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--user") && i + 1 < argc) {
			probe.user = argv[++i];
		} else if (!strcmp(argv[i], "--password-file") && i + 1 < argc) {
			probe.password_file = argv[++i];
		} else if (!strcmp(argv[i], "--ca") && i + 1 < argc) {
			probe.ca = argv[++i];
		} else {
			address = argv[i];
		}
	}
	if (!address) {
		fprintf(stderr, "usage: vncprobe [--user NAME --password-file FILE] [--ca FILE] "
				"HOST:PORT|SOCKET\n");
		return 2;
	}
	probe.client = rfbGetClient(8, 3, 4);
	if (!probe.client || connect_to(&probe, address) < 0) {
		return 1;
	}
	return command_loop(&probe);
}
