/* See fake_server.h. */
#include "fake_server.h"

#include <assert.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct fake_server {
	const struct fake_answer *script;
	size_t script_count;
	unsigned used[FAKE_CALLS_MAX];
	char folder[64];
	char path[96];
	int listener;
	int end; /* eventfd */
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	char *calls[FAKE_CALLS_MAX];
	size_t call_count;
	int fd;
};

static void send_answer(int peer, const struct fake_answer *answer)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} ancillary = { 0 };
	size_t size = answer->size ? answer->size : strlen(answer->text) + 1;
	struct iovec part = { .iov_base = (void *)answer->text,
		.iov_len = answer->split ? 1 : size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (answer->fd) {
		ancillary.header.cmsg_len = CMSG_LEN(sizeof(int));
		ancillary.header.cmsg_level = SOL_SOCKET;
		ancillary.header.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&ancillary.header), &answer->fd, sizeof(int));
		message.msg_control = ancillary.space;
		message.msg_controllen = sizeof(ancillary.space);
	}
	for (size_t sent = 0; sent < size;) {
		ssize_t count = sendmsg(peer, &message, MSG_NOSIGNAL);

		if (count < 0) {
			return; /* the client went away: its affair */
		}
		sent += (size_t)count;
		part.iov_base = (void *)(answer->text + sent);
		part.iov_len = answer->split ? 1 : size - sent;
		message.msg_control = NULL;
		message.msg_controllen = 0;
	}
}

static const struct fake_answer *find_answer(struct fake_server *server, const char *call)
{
	json_t *json = json_loads(call, 0, NULL);
	const char *method = json_string_value(json_object_get(json, "method"));
	const struct fake_answer *found = NULL;

	assert(method && strncmp(method, "org.tanmatsu.", 13) == 0);
	for (size_t i = 0; i < server->script_count && !found; i++) {
		const struct fake_answer *answer = &server->script[i];

		if (strcmp(answer->method, method + 13) == 0 &&
		    (answer->times == 0 || server->used[i] < answer->times)) {
			server->used[i]++;
			found = answer;
		}
	}
	json_decref(json);
	return found;
}

/* Receives until the end of a call. Its length, 0 when the peer left or the test ended. */
static size_t receive_call(struct fake_server *server, int peer, char *call)
{
	size_t used = 0;

	while (used < FAKE_CALL_SIZE) {
		struct pollfd waits[] = { { .fd = peer, .events = POLLIN },
			{ .fd = server->end, .events = POLLIN } };
		union {
			struct cmsghdr header;
			char space[CMSG_SPACE(sizeof(int))];
		} ancillary;
		struct iovec part = { .iov_base = call + used, .iov_len = FAKE_CALL_SIZE - used };
		struct msghdr message = {
			.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = ancillary.space,
			.msg_controllen = sizeof(ancillary.space),
		};
		ssize_t count;

		assert(poll(waits, 2, -1) > 0);
		if (waits[1].revents) {
			return 0;
		}
		count = recvmsg(peer, &message, MSG_CMSG_CLOEXEC);
		if (count <= 0) {
			return 0;
		}
		if (CMSG_FIRSTHDR(&message)) {
			pthread_mutex_lock(&server->lock);
			memcpy(&server->fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
			pthread_mutex_unlock(&server->lock);
		}
		used += (size_t)count;
		if (call[used - 1] == 0) {
			return used;
		}
	}
	assert(!"a call that never ends");
	return 0;
}

static void serve(struct fake_server *server, int peer)
{
	char *call = malloc(FAKE_CALL_SIZE);

	assert(call);
	while (receive_call(server, peer, call) > 0) {
		const struct fake_answer *answer = find_answer(server, call);

		pthread_mutex_lock(&server->lock);
		assert(server->call_count < FAKE_CALLS_MAX);
		server->calls[server->call_count++] = strdup(call);
		pthread_mutex_unlock(&server->lock);
		assert(answer);
		if (answer->text && !answer->text[0]) {
			break;
		}
		if (answer->text) {
			send_answer(peer, answer);
		}
	}
	free(call);
	close(peer);
}

static void *run(void *context)
{
	struct fake_server *server = context;

	for (;;) {
		struct pollfd waits[] = { { .fd = server->listener, .events = POLLIN },
			{ .fd = server->end, .events = POLLIN } };
		int peer;

		assert(poll(waits, 2, -1) > 0);
		if (waits[1].revents) {
			return NULL;
		}
		peer = accept(server->listener, NULL, NULL);
		assert(peer >= 0);
		serve(server, peer);
	}
}

struct fake_server *fake_server_start(const struct fake_answer *script, size_t count)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct fake_server *server = calloc(1, sizeof(*server));

	assert(server && count <= FAKE_CALLS_MAX);
	server->script = script;
	server->script_count = count;
	server->fd = -1;
	strcpy(server->folder, "/tmp/tanmatsu-test-XXXXXX");
	assert(mkdtemp(server->folder));
	snprintf(server->path, sizeof(server->path), "%s/control.sock", server->folder);
	strcpy(address.sun_path, server->path);
	server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	server->end = eventfd(0, EFD_CLOEXEC);
	assert(server->listener >= 0 && server->end >= 0);
	assert(bind(server->listener, (struct sockaddr *)&address, sizeof(address)) == 0);
	assert(listen(server->listener, 8) == 0);
	assert(pthread_mutex_init(&server->lock, NULL) == 0);
	assert(pthread_create(&server->thread, NULL, run, server) == 0);
	return server;
}

const char *fake_server_path(const struct fake_server *server)
{
	return server->path;
}

void fake_server_stop(struct fake_server *server)
{
	assert(eventfd_write(server->end, 1) == 0);
	assert(pthread_join(server->thread, NULL) == 0);
	close(server->listener);
	close(server->end);
	if (server->fd >= 0) {
		close(server->fd);
	}
	unlink(server->path);
	rmdir(server->folder);
	for (size_t i = 0; i < server->call_count; i++) {
		free(server->calls[i]);
	}
	pthread_mutex_destroy(&server->lock);
	free(server);
}

const char *fake_server_call(struct fake_server *server, size_t index)
{
	const char *call;

	pthread_mutex_lock(&server->lock);
	call = index < server->call_count ? server->calls[index] : NULL;
	pthread_mutex_unlock(&server->lock);
	return call;
}

int fake_server_take_fd(struct fake_server *server)
{
	int fd;

	pthread_mutex_lock(&server->lock);
	fd = server->fd;
	server->fd = -1;
	pthread_mutex_unlock(&server->lock);
	return fd;
}
