/*
 * One measurement of the display benchmark: plays content into a server, change by change, and waits each time until a
 * viewer that decodes everything (libvncclient) shows it. Prints a JSON object: bytes and the server's CPU time of each
 * change, how long it took, frames a second.
 *
 *   display_run ours|libvncserver|xvnc CONTENT WIDTH HEIGHT CHANGES QUALITY [PORT PID]
 *
 * A QUALITY of -1 asks for no loss. For xvnc, the X server of DISPLAY serves RFB at PORT and is process PID. What the
 * server's CPU time holds: our display process, whole; libvncserver, whole; Xvnc, which also draws.
 */
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <arpa/inet.h>
#include <assert.h>
#include <linux/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "content.h"
#include "serve_library.h"
#include "stage.h"

enum {
	CHANGES_MAX = 5000,
	BLOCK = 32,
	DIFFERENCE_MAX = 12, /* mean of a block's bytes: below it the change has arrived */
	WARM_UP = 5,
	IDLE_US = 2000000,
};

struct run {
	const char *server, *content;
	struct canvas canvas; /* what is to be seen */
	int quality;
	pid_t pid;
	/* ours */
	struct stage *stage;
	struct host *host;
	/* libvncserver: the picture is shared with it */
	int pipe;
	uint32_t *shared;
	/* xvnc */
	Display *display;
	Window window;
	GC gc;
	XImage *image;
	struct client client;
	struct change change;
	size_t seen;
	uint64_t arrived;
};

static uint64_t cpu_us(pid_t pid)
{
	struct timespec used;
	clockid_t clock;

	assert(clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &used) == 0);
	return (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

static uint64_t bytes_received(const struct run *run)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);

	assert(getsockopt(run->client.rfb->sock, IPPROTO_TCP, TCP_INFO, &info, &size) == 0);
	return info.tcpi_bytes_received;
}

/* ---- the servers ---- */

static void copy_rows(uint32_t *to, const struct run *run, struct change change)
{
	for (uint32_t y = change.y; y < change.y + change.height; y++) {
		size_t at = (size_t)y * run->canvas.width + change.x;

		memcpy(to + at, run->canvas.pixels + at, change.width * sizeof(uint32_t));
	}
}

static void show(struct run *run, struct change change)
{
	if (run->host) {
		uint32_t width, height;

		copy_rows(host_lock_picture(run->host, &width, &height), run, change);
		host_unlock_picture(run->host, change.y, change.height);
	} else if (run->shared) {
		copy_rows(run->shared, run, change);
		assert(write(run->pipe, &change, sizeof(change)) == sizeof(change));
	} else {
		XPutImage(run->display, run->window, run->gc, run->image, (int)change.x,
		    (int)change.y, (int)change.x, (int)change.y, change.width, change.height);
		XSync(run->display, False);
	}
}

static void start_ours(struct run *run)
{
	struct host_options options;

	assert(stage_set_up((void **)&run->stage) == 0);
	options = stage_options(run->stage, DISPLAY_SECURITY_PLAIN);
	options.width = run->canvas.width;
	options.height = run->canvas.height;
	run->host = host_create(&options);
}

static uint16_t start_library(struct run *run)
{
	size_t size = (size_t)run->canvas.width * run->canvas.height * sizeof(uint32_t);
	int listener, ends[2];
	uint16_t port;

	run->shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert(run->shared != MAP_FAILED && pipe(ends) == 0);
	listener = client_listen(&port);
	run->pid = fork();
	if (run->pid == 0) {
		close(ends[1]);
		serve_library(
		    listener, ends[0], run->shared, run->canvas.width, run->canvas.height);
		_exit(0);
	}
	close(listener);
	close(ends[0]);
	run->pipe = ends[1];
	return port;
}

static void start_xvnc(struct run *run)
{
	XSetWindowAttributes attributes = { .override_redirect = True };
	int screen;

	run->display = XOpenDisplay(NULL);
	assert(run->display);
	screen = DefaultScreen(run->display);
	run->window = XCreateWindow(run->display, RootWindow(run->display, screen), 0, 0,
	    run->canvas.width, run->canvas.height, 0, CopyFromParent, InputOutput, CopyFromParent,
	    CWOverrideRedirect, &attributes);
	XMapRaised(run->display, run->window);
	run->gc = XCreateGC(run->display, run->window, 0, NULL);
	run->image = XCreateImage(run->display, DefaultVisual(run->display, screen), 24, ZPixmap, 0,
	    (char *)run->canvas.pixels, run->canvas.width, run->canvas.height, 32, 0);
	assert(run->image);
	XSync(run->display, False);
}

/* ---- the viewer ---- */

/* True if every block of the change looks like it: exactly where nothing may be lost. */
static bool has_arrived(const struct run *run)
{
	const uint32_t *shown = (const uint32_t *)run->client.rfb->frameBuffer;
	const struct change *change = &run->change;

	for (uint32_t top = change->y; top < change->y + change->height; top += BLOCK) {
		for (uint32_t left = change->x; left < change->x + change->width; left += BLOCK) {
			uint32_t sum = 0;
			uint32_t count = 0;

			for (uint32_t y = top; y < top + BLOCK && y < change->y + change->height;
			     y++) {
				for (uint32_t x = left;
				     x < left + BLOCK && x < change->x + change->width; x++) {
					size_t at = (size_t)y * run->canvas.width + x;
					uint32_t a = shown[at];
					uint32_t b = run->canvas.pixels[at];

					for (unsigned shift = 0; shift < 24; shift += 8) {
						sum += (uint32_t)abs((int32_t)(a >> shift & 0xff) -
								     (int32_t)(b >> shift & 0xff));
					}
					count += 3;
				}
			}
			if (run->quality < 0 ? sum > 0 : sum > count * DIFFERENCE_MAX) {
				return false;
			}
		}
	}
	return true;
}

static bool look(void *context)
{
	struct run *run = context;

	if (run->seen == run->client.updates) {
		return false;
	}
	run->seen = run->client.updates;
	run->arrived = clock_monotonic_us();
	return has_arrived(run);
}

static void serve_ours(void *context, int socket)
{
	struct run *run = context;

	if (run->host) {
		host_serve_take(run->host, socket);
	} else {
		close(socket);
	}
}

static bool connect_viewer(struct run *run, uint16_t port)
{
	struct client *client = &run->client;

	client->user = "alice";
	client->password = "correct horse";
	client->exact = run->quality < 0;
	client->quality = run->quality;
	return client_connect(client, run->host ? run->stage->listener : -1,
	    run->host ? run->stage->port : port, serve_ours, run, "tight copyrect");
}

/* ---- measuring ---- */

static int compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a;
	uint64_t right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

/* Microseconds until the viewer showed it. */
static uint64_t play(struct run *run, uint32_t number)
{
	uint64_t start;

	run->change = content_draw(run->content, run->canvas, number);
	run->seen = run->client.updates;
	start = clock_monotonic_us();
	show(run, run->change);
	if (!client_wait(&run->client, look, run, 10000) || !has_arrived(run)) {
		fprintf(stderr, "change %u was never seen\n", number);
		exit(1);
	}
	return run->arrived - start;
}

static bool never(void *context)
{
	(void)context;
	return false;
}

static void measure(struct run *run, uint32_t changes)
{
	static uint64_t took[CHANGES_MAX];
	uint64_t bytes, cpu, start, total = 0;
	bool idle = strcmp(run->content, "idle") == 0;

	for (uint32_t i = 0; i < WARM_UP; i++) {
		(void)play(run, 1 + i);
	}
	if (idle) {
		(void)client_wait(&run->client, never, NULL, 1000); /* what is repaired at rest */
	}
	bytes = bytes_received(run);
	cpu = cpu_us(run->pid);
	start = clock_monotonic_us();
	if (idle) {
		usleep(IDLE_US);
		changes = 1;
	}
	for (uint32_t i = 0; i < changes && !idle; i++) {
		took[i] = play(run, 1 + WARM_UP + i);
		total += took[i];
	}
	cpu = cpu_us(run->pid) - cpu;
	bytes = bytes_received(run) - bytes;
	qsort(took, changes, sizeof(took[0]), compare);
	printf(
	    "{\"bytes\": %.1f, \"cpu_us\": %.1f, \"p50_us\": %lu, \"p99_us\": %lu, \"rate\": %.1f, "
	    "\"wall_us\": %lu}\n",
	    (double)bytes / changes, (double)cpu / changes, (unsigned long)took[changes / 2],
	    (unsigned long)took[changes * 99 / 100], total ? changes * 1e6 / (double)total : 0.0,
	    (unsigned long)(clock_monotonic_us() - start));
}

static void stop(struct run *run)
{
	client_close(&run->client);
	if (run->host) {
		(void)host_wait_exit(run->host, 5000);
		host_destroy(run->host);
		stage_tear_down((void **)&run->stage);
	} else if (run->shared) {
		close(run->pipe);
		kill(run->pid, SIGTERM);
		(void)waitpid(run->pid, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	struct run run = { .pipe = -1 };
	uint32_t changes;
	uint16_t port = 0;

	if (argc < 7 || !content_is_known(argv[2])) {
		fprintf(stderr, "usage: display_run SERVER CONTENT WIDTH HEIGHT CHANGES QUALITY\n");
		return 2;
	}
	run.server = argv[1];
	run.content = argv[2];
	run.canvas.width = (uint32_t)atoi(argv[3]);
	run.canvas.height = (uint32_t)atoi(argv[4]);
	changes = (uint32_t)atoi(argv[5]) < CHANGES_MAX ? (uint32_t)atoi(argv[5]) : CHANGES_MAX;
	run.quality = atoi(argv[6]);
	run.canvas.pixels = calloc((size_t)run.canvas.width * run.canvas.height, 4);
	assert(run.canvas.pixels && changes > 0);
	run.change = content_draw(run.content, run.canvas, 0);
	if (strcmp(run.server, "ours") == 0) {
		start_ours(&run);
	} else if (strcmp(run.server, "libvncserver") == 0) {
		port = start_library(&run);
	} else {
		assert(argc == 9);
		port = (uint16_t)atoi(argv[7]);
		run.pid = atoi(argv[8]);
		start_xvnc(&run);
	}
	show(&run, run.change);
	if (!connect_viewer(&run, port)) {
		fprintf(stderr, "cannot log in\n");
		return 1;
	}
	run.pid = run.host ? host_pid(run.host) : run.pid;
	if (!client_wait(&run.client, look, &run, 10000)) {
		return 1;
	}
	measure(&run, changes);
	stop(&run);
	return 0;
}
