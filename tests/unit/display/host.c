/*
 * The monitor and desktop of the display tests (host.h). One thread polls the process' control socket and the link; a
 * lock guards everything; a condition tells that something was seen.
 */
#include "host.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "host_internal.h"

void host_kick(struct host *host)
{
	uint64_t one = 1;

	assert(write(host->wake, &one, sizeof(one)) == sizeof(one));
}

static void send_monitor(struct host *host, uint16_t type, const struct wire *wire, int fd)
{
	if (host->monitor >= 0) {
		(void)!ipc_send(host->monitor, type, wire, fd >= 0 ? &fd : NULL, fd >= 0);
	}
}

static void attach(struct host *host)
{
	int ends[2];

	assert(ipc_pair(ends) == 0);
	fd_close(&host->link);
	host->link = ends[0];
	host->want = false;
	host->wants = 0;
	send_monitor(host, DISPLAY_ATTACH, NULL, ends[1]);
	close(ends[1]);
}

static void show(struct host *host, uint8_t kind, const char *text, uint8_t percent, int frame_fd)
{
	uint8_t bytes[600];
	struct wire wire;

	wire_init_write(&wire, bytes, sizeof(bytes));
	wire_put_u8(&wire, kind);
	wire_put_string(&wire, text);
	wire_put_u8(&wire, percent);
	send_monitor(host, DISPLAY_SHOW, &wire, frame_fd);
}

static void grant(struct host *host, const char *user)
{
	uint8_t bytes[128];
	struct wire wire;

	wire_init_write(&wire, bytes, sizeof(bytes));
	wire_put_string(&wire, user);
	send_monitor(host, DISPLAY_GRANTED, &wire, -1);
	if (host->show_after_grant) {
		show(host, host->show_kind, host->show_text, host->show_percent, host->show_fd);
	}
	if (!host->options.no_attach) {
		attach(host);
	}
}

static void deny(struct host *host)
{
	uint8_t bytes[128];
	struct wire wire;

	wire_init_write(&wire, bytes, sizeof(bytes));
	wire_put_string(&wire, "The name or the password is wrong.");
	send_monitor(host, DISPLAY_DENIED, &wire, -1);
}

static void on_auth_message(struct host *host, struct ipc_message *message)
{
	char name[DISPLAY_NAME_MAX + 1];
	char password[DISPLAY_NAME_MAX + 1];

	wire_get_string(&message->body, name, sizeof(name));
	wire_get_string(&message->body, password, sizeof(password));
	if (wire_done(&message->body) && strcmp(name, "alice") == 0 &&
	    strcmp(password, "correct horse") == 0) {
		grant(host, name);
	} else {
		deny(host);
	}
}

static void on_monitor_message(struct host *host, struct ipc_message *message)
{
	int ends[2];

	if (message->type >= DISPLAY_EVENT_STATE &&
	    message->type < DISPLAY_EVENT_STATE + EVENT_KINDS) {
		host->events[message->type - DISPLAY_EVENT_STATE]++;
	}
	switch (message->type) {
	case DISPLAY_EVENT_STATE:
		assert(display_state_decode(&message->body, &host->state) == 0);
		break;
	case DISPLAY_EVENT_LOGIN:
		if (host->options.peer_user[0]) {
			grant(host, host->options.peer_user);
			break;
		}
		assert(ipc_pair(ends) == 0);
		fd_close(&host->auth);
		host->auth = ends[0];
		send_monitor(host, DISPLAY_AUTH_CHANNEL, NULL, ends[1]);
		close(ends[1]);
		break;
	case DISPLAY_EVENT_GONE:
		(void)wire_get_u8(&message->body);
		wire_get_string(&message->body, host->gone, sizeof(host->gone));
		break;
	case DISPLAY_EVENT_SHOWN:
		host->shown_us = wire_get_u64(&message->body);
		break;
	default:
		break;
	}
}

static void read_socket(
    struct host *host, int *fd, void (*handle)(struct host *, struct ipc_message *))
{
	struct ipc_message *message = malloc(sizeof(*message));

	while (*fd >= 0) {
		int result = ipc_receive(*fd, message);

		if (result == -EAGAIN) {
			break;
		}
		if (result <= 0) {
			fd_close(fd);
			break;
		}
		handle(host, message);
		ipc_message_fini(message);
	}
	free(message);
}

static void *run(void *context)
{
	struct host *host = context;

	pthread_mutex_lock(&host->lock);
	while (!host->stop) {
		struct pollfd fds[4] = {
			{ .fd = host->wake, .events = POLLIN },
			{ .fd = host->monitor, .events = POLLIN },
			{ .fd = host->link, .events = POLLIN },
			{ .fd = host->auth, .events = POLLIN },
		};
		uint64_t count;

		pthread_mutex_unlock(&host->lock);
		poll(fds, 4, -1);
		pthread_mutex_lock(&host->lock);
		if (fds[0].revents) {
			(void)!read(host->wake, &count, sizeof(count));
		}
		read_socket(host, &host->monitor, on_monitor_message);
		read_socket(host, &host->auth, on_auth_message);
		read_socket(host, &host->link, host_on_link_message);
		host_serve_link(host);
		pthread_cond_broadcast(&host->seen);
	}
	pthread_mutex_unlock(&host->lock);
	return NULL;
}

struct host *host_create(const struct host_options *options)
{
	struct host *host = calloc(1, sizeof(*host));
	pthread_condattr_t attributes;

	assert(host);
	host->options = *options;
	host->monitor = host->link = host->auth = host->memory_fd = host->show_fd = -1;
	host->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert(host->wake >= 0);
	host_make_memory(host, options->width, options->height);
	pthread_mutex_init(&host->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&host->seen, &attributes);
	assert(pthread_create(&host->thread, NULL, run, host) == 0);
	return host;
}

static int connect_monitor(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	return fd;
}

static void start_process(struct host *host)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(host->path, sizeof(host->path), "/tmp/display-test.%d.sock", getpid());
	unlink(host->path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", host->path);
	assert(listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	       listen(listener, 4) == 0);
	host->pid = fork();
	assert(host->pid >= 0);
	if (host->pid == 0) {
		if (listener == DISPLAY_LISTEN_FD) {
			fcntl(listener, F_SETFD, 0);
		} else {
			dup2(listener, DISPLAY_LISTEN_FD);
		}
		close_range(
		    DISPLAY_LISTEN_FD + 1, ~0u, 0); /* libvncclient's sockets would live on */
		execl(host->options.program, host->options.program, (char *)NULL);
		_exit(127);
	}
	close(listener);
}

static void configure(struct host *host, int socket)
{
	struct display_config config = {
		.viewer_id = 7,
		.grace_s = host->options.grace_s,
		.security_count = (uint32_t)host->options.security_count,
		.width = 1280,
		.height = 800,
	};
	int fds[3] = { socket, -1, -1 };
	struct wire wire;

	snprintf(config.peer, sizeof(config.peer), "%s", host->options.peer);
	snprintf(config.peer_user, sizeof(config.peer_user), "%s", host->options.peer_user);
	snprintf(config.desktop_name, sizeof(config.desktop_name), "alice's desktop");
	snprintf(config.layout, sizeof(config.layout), "us");
	memcpy(config.security, host->options.security, sizeof(config.security));
	fds[1] = open(host->options.certificate, O_RDONLY | O_CLOEXEC);
	fds[2] = open(host->options.key, O_RDONLY | O_CLOEXEC);
	assert(fds[1] >= 0 && fds[2] >= 0);
	wire_init_growing(&wire, 4096);
	display_config_encode(&config, &wire);
	assert(ipc_send(host->monitor, DISPLAY_HELLO, NULL, NULL, 0) == 0);
	assert(ipc_send(host->monitor, DISPLAY_CONFIGURE, &wire, fds, 3) == 0);
	wire_fini(&wire);
	close(fds[1]);
	close(fds[2]);
}

void host_serve_take(struct host *host, int socket)
{
	pthread_mutex_lock(&host->lock);
	fd_close(&host->monitor);
	fd_close(&host->link);
	fd_close(&host->auth);
	memset(host->events, 0, sizeof(host->events));
	host->input_count = host->wants = host->resizes = 0;
	host->shown_us = 0;
	host->gone[0] = '\0';
	host->scanout_due = true;
	start_process(host);
	host->monitor = connect_monitor(host->path);
	configure(host, socket);
	close(socket);
	pthread_mutex_unlock(&host->lock);
	host_kick(host);
}

pid_t host_pid(const struct host *host)
{
	return host->pid;
}

int host_wait_exit(struct host *host, int timeout_ms)
{
	uint64_t end = clock_monotonic_us() + (uint64_t)timeout_ms * 1000;
	int status;

	while (host->pid > 0) {
		pid_t pid = waitpid(host->pid, &status, WNOHANG);

		if (pid == host->pid) {
			host->pid = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1 - WTERMSIG(status);
		}
		if (clock_monotonic_us() > end) {
			return -1000;
		}
		usleep(1000); /* waitpid() has no time-out */
	}
	return -1000;
}

void host_destroy(struct host *host)
{
	pthread_mutex_lock(&host->lock);
	host->stop = true;
	pthread_mutex_unlock(&host->lock);
	host_kick(host);
	pthread_join(host->thread, NULL);
	if (host->pid > 0) {
		kill(host->pid, SIGKILL);
		waitpid(host->pid, NULL, 0);
	}
	unlink(host->path);
	fd_close(&host->monitor);
	fd_close(&host->link);
	fd_close(&host->auth);
	fd_close(&host->wake);
	fd_close(&host->show_fd);
	munmap(host->memory, host->scanout.memory_size);
	fd_close(&host->memory_fd);
	pthread_mutex_destroy(&host->lock);
	pthread_cond_destroy(&host->seen);
	free(host);
}

void host_attach(struct host *host)
{
	pthread_mutex_lock(&host->lock);
	attach(host);
	pthread_mutex_unlock(&host->lock);
	host_kick(host);
}

void host_detach(struct host *host)
{
	pthread_mutex_lock(&host->lock);
	send_monitor(host, DISPLAY_DETACH, NULL, -1);
	pthread_mutex_unlock(&host->lock);
}

void host_show(struct host *host, uint8_t kind, const char *text, uint8_t percent, int frame_fd)
{
	pthread_mutex_lock(&host->lock);
	show(host, kind, text, percent, frame_fd);
	pthread_mutex_unlock(&host->lock);
}

void host_show_after_grant(
    struct host *host, uint8_t kind, const char *text, uint8_t percent, int frame_fd)
{
	pthread_mutex_lock(&host->lock);
	host->show_after_grant = true;
	host->show_kind = kind;
	host->show_text = text;
	host->show_percent = percent;
	host->show_fd = frame_fd < 0 ? -1 : dup(frame_fd);
	pthread_mutex_unlock(&host->lock);
}

void host_close_viewer(struct host *host, uint8_t kind, const char *text)
{
	uint8_t bytes[600];
	struct wire wire;

	wire_init_write(&wire, bytes, sizeof(bytes));
	wire_put_u8(&wire, kind);
	wire_put_string(&wire, text);
	pthread_mutex_lock(&host->lock);
	send_monitor(host, DISPLAY_CLOSE, &wire, -1);
	pthread_mutex_unlock(&host->lock);
}

void host_drop_monitor(struct host *host)
{
	pthread_mutex_lock(&host->lock);
	fd_close(&host->monitor);
	pthread_mutex_unlock(&host->lock);
	host_kick(host);
}

void host_return_monitor(struct host *host)
{
	pthread_mutex_lock(&host->lock);
	host->monitor = connect_monitor(host->path);
	assert(ipc_send(host->monitor, DISPLAY_HELLO, NULL, NULL, 0) == 0);
	pthread_mutex_unlock(&host->lock);
	host_kick(host);
}

/* Waits under the lock until *counter >= count. */
static size_t wait_count(struct host *host, const size_t *counter, size_t count, int timeout_ms)
{
	struct timespec end;
	size_t reached;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += timeout_ms / 1000;
	end.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_nsec -= 1000000000;
		end.tv_sec++;
	}
	pthread_mutex_lock(&host->lock);
	while (*counter < count && pthread_cond_timedwait(&host->seen, &host->lock, &end) == 0) {
	}
	reached = *counter;
	pthread_mutex_unlock(&host->lock);
	return reached;
}

size_t host_wait_input(struct host *host, size_t count, int timeout_ms)
{
	return wait_count(host, &host->input_count, count, timeout_ms);
}

struct input_event host_input(struct host *host, size_t index)
{
	struct input_event event;

	pthread_mutex_lock(&host->lock);
	assert(index < host->input_count);
	event = host->input[index];
	pthread_mutex_unlock(&host->lock);
	return event;
}

size_t host_wait_event(struct host *host, uint16_t display_event, size_t count, int timeout_ms)
{
	return wait_count(
	    host, &host->events[display_event - DISPLAY_EVENT_STATE], count, timeout_ms);
}

size_t host_wait_resize(struct host *host, size_t count, int timeout_ms)
{
	return wait_count(host, &host->resizes, count, timeout_ms);
}

void host_last_resize(struct host *host, uint32_t *width, uint32_t *height)
{
	pthread_mutex_lock(&host->lock);
	*width = host->resize_width;
	*height = host->resize_height;
	pthread_mutex_unlock(&host->lock);
}

size_t host_wants(struct host *host)
{
	return wait_count(host, &host->wants, 0, 0);
}

uint64_t host_shown_us(struct host *host)
{
	uint64_t shown;

	pthread_mutex_lock(&host->lock);
	shown = host->shown_us;
	pthread_mutex_unlock(&host->lock);
	return shown;
}

struct display_state host_state(struct host *host)
{
	struct display_state state;

	pthread_mutex_lock(&host->lock);
	state = host->state;
	pthread_mutex_unlock(&host->lock);
	return state;
}

const char *host_gone_text(struct host *host)
{
	return host->gone;
}
