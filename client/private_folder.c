/* See private_folder.h. */
#include "client/private_folder.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int private_folder_create(struct private_folder *folder, const char *name)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	const char *const places[] = { runtime && runtime[0] == '/' ? runtime : "/tmp", "/tmp" };
	int error = -ENAMETOOLONG;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int length = snprintf(
		    folder->folder, sizeof(folder->folder), "%s/tanmatsu-XXXXXX", places[i]);

		if ((size_t)length + 1 + strlen(name) >= sizeof(folder->socket)) {
			continue;
		}
		if (!mkdtemp(folder->folder)) {
			error = -errno;
			continue;
		}
		snprintf(folder->socket, sizeof(folder->socket), "%.*s/%s", length, folder->folder,
		    name);
		return 0;
	}
	return error;
}

void private_folder_remove(const struct private_folder *folder)
{
	unlink(folder->socket);
	rmdir(folder->folder);
}

static int open_socket(const struct private_folder *folder, struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(address->sun_path, sizeof(address->sun_path), "%s", folder->socket);
	return fd < 0 ? -errno : fd;
}

int private_folder_listen(const struct private_folder *folder)
{
	struct sockaddr_un address;
	int fd = open_socket(folder, &address);

	if (fd < 0) {
		return fd;
	}
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1) < 0) {
		int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

int private_folder_connect(const struct private_folder *folder)
{
	struct sockaddr_un address;
	int fd = open_socket(folder, &address);

	if (fd < 0) {
		return fd;
	}
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

int private_folder_signals(void)
{
	sigset_t signals;
	int fd;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0) {
		return -errno;
	}
	fd = signalfd(-1, &signals, SFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
