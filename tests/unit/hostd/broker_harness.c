/* See broker_harness.h. */
#include "broker_harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fd.h"

static pid_t run(int end)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		int high = fcntl(end, F_DUPFD, 100);

		if (high < 0 || dup2(high, PROTOCOL_BROKER_FD) < 0 || close_range(4, ~0u, 0) < 0) {
			_exit(99);
		}
		execl(HOSTD_PROGRAM, HOSTD_PROGRAM, "--broker", NULL);
		_exit(98);
	}
	return pid;
}

static int listen_tcp(uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_ANY);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 256), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static int listen_unix(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 64), 0);
	return fd;
}

static void send_report(struct harness *harness, uint16_t type, const struct report *report,
    const int *fds, size_t count)
{
	struct wire wire;

	wire_init_growing(&wire, IPC_BODY_MAX);
	report_encode(report, &wire);
	assert_int_equal(ipc_send(harness->monitor, type, &wire, fds, count), 0);
	wire_fini(&wire);
}

void harness_report(struct harness *harness, uint16_t type, const struct report *report)
{
	send_report(harness, type, report, NULL, 0);
}

static void send_settings(struct harness *harness)
{
	struct protocol_settings settings = {
		.version = PROTOCOL_VERSION,
		.startup_begin = 10,
		.startup_rate = 30,
		.startup_full = 100,
		.per_source = 25,
		.viewers_max = 1000,
		.listener_count = 2,
		.listeners = { { .kind = PROTOCOL_LISTENER_TCP },
		    { .kind = PROTOCOL_LISTENER_CONTROL } },
	};
	struct report report = { 0 };
	int fds[2];
	struct wire wire;

	fds[0] = listen_tcp(&harness->port);
	fds[1] = listen_unix(harness->control);
	strcpy(settings.ca_pem, "-----BEGIN CERTIFICATE-----");
	strcpy(settings.host, "testhost");
	wire_init_growing(&wire, PROTOCOL_PAYLOAD_MAX);
	protocol_settings_encode(&settings, &wire);
	report.payload = wire.data;
	report.payload_size = wire.position;
	send_report(harness, REPORT_SETTINGS, &report, fds, 2);
	wire_fini(&wire);
	fd_close(&fds[0]);
	fd_close(&fds[1]);
}

static void send_desktop(struct harness *harness)
{
	struct protocol_session session = { .user = "alice", .next = 1 };
	struct report report = { .user = "alice" };
	struct wire wire;

	policy_default(&session.policy);
	wire_init_growing(&wire, PROTOCOL_PAYLOAD_MAX);
	protocol_session_encode(&session, &wire);
	report.payload = wire.data;
	report.payload_size = wire.position;
	send_report(harness, REPORT_SESSION, &report, NULL, 0);
	wire_fini(&wire);
}

void harness_start(struct harness *harness)
{
	int ends[2];

	memset(harness, 0, sizeof(*harness));
	strcpy(harness->folder, "/tmp/tanmatsu-broker-XXXXXX");
	assert_non_null(mkdtemp(harness->folder));
	snprintf(harness->control, sizeof(harness->control), "%s/control.sock", harness->folder);
	assert_int_equal(ipc_pair(ends), 0);
	harness->monitor = ends[0];
	harness->pid = run(ends[1]);
	fd_close(&ends[1]);
	send_settings(harness);
	send_desktop(harness);
	harness_report(harness, REPORT_INVENTORY_END, &(struct report){ 0 });
	harness_expect(harness, REQUEST_READY);
}

bool harness_alive(const struct harness *harness)
{
	return waitpid(harness->pid, NULL, WNOHANG) == 0;
}

void harness_stop(struct harness *harness)
{
	int status = 0;

	ipc_message_fini(&harness->message);
	assert_true(harness_alive(harness));
	/* The monitor goes: the broker ends, in order, by itself. */
	fd_close(&harness->monitor);
	assert_int_equal(waitpid(harness->pid, &status, 0), harness->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	(void)unlink(harness->control);
	(void)rmdir(harness->folder);
}

static bool passing(uint16_t type)
{
	return type == REQUEST_ALIVE || type == REQUEST_STATUS || type == REQUEST_LOG;
}

/* The next request that is not passed over; false when none came in time. */
static bool next_request(struct harness *harness, int ms)
{
	uint64_t end = clock_monotonic_us() + (uint64_t)ms * 1000;
	int result;

	for (;;) {
		uint64_t now = clock_monotonic_us();
		struct pollfd wait = { .fd = harness->monitor, .events = POLLIN };

		ipc_message_fini(&harness->message);
		memset(&harness->message, 0, offsetof(struct ipc_message, buffer));
		if (poll(&wait, 1, now < end ? (int)((end - now) / 1000) + 1 : 0) <= 0) {
			return false;
		}
		result = ipc_receive(harness->monitor, &harness->message);
		if (result == -EAGAIN) {
			continue;
		}
		assert_int_equal(result, 1);
		assert_int_equal(request_decode(&harness->message.body, &harness->request), 0);
		if (!passing(harness->message.type)) {
			return true;
		}
	}
}

bool harness_next(struct harness *harness)
{
	return next_request(harness, HARNESS_WAIT_MS);
}

void harness_expect(struct harness *harness, uint16_t type)
{
	assert_true(next_request(harness, HARNESS_WAIT_MS));
	assert_int_equal(harness->message.type, type);
}

bool harness_quiet(struct harness *harness, int ms)
{
	return !next_request(harness, ms);
}

int harness_dial(const struct harness *harness, int host)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + (uint32_t)host);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons(harness->port);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

int harness_control(struct harness *harness, const char *user, bool administrator)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct report report = { .flag = administrator };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", harness->control);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	harness_expect(harness, REQUEST_PEER);
	assert_int_equal(harness->message.fd_count, 1);
	report.tag = harness->request.tag;
	report.number[0] = administrator ? 0 : 1000;
	snprintf(report.user, sizeof(report.user), "%s", user);
	harness_report(harness, REPORT_PEER, &report);
	ipc_message_fini(&harness->message); /* our copy would keep the connection open */
	return fd;
}

void harness_send(int socket, const char *text)
{
	assert_int_equal(send(socket, text, strlen(text) + 1, MSG_NOSIGNAL), strlen(text) + 1);
}

char *harness_receive(int socket)
{
	char *text = malloc(1 << 20);
	size_t used = 0;

	assert_non_null(text);
	while (used < (1 << 20) - 1) {
		struct pollfd wait = { .fd = socket, .events = POLLIN };
		ssize_t got;

		assert_int_equal(poll(&wait, 1, HARNESS_WAIT_MS), 1);
		got = recv(socket, text + used, 1, 0);
		if (got <= 0) {
			break;
		}
		if (text[used++] == '\0') {
			return text;
		}
	}
	free(text);
	return NULL;
}
