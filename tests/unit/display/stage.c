/* Shared parts of the process tests (stage.h). */
#include "stage.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certificate.h"

int stage_set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	assert(stage);
	snprintf(stage->folder, sizeof(stage->folder), "/tmp/display-test.XXXXXX");
	assert(mkdtemp(stage->folder));
	snprintf(stage->ca, sizeof(stage->ca), "%s/ca.pem", stage->folder);
	snprintf(stage->certificate, sizeof(stage->certificate), "%s/leaf.pem", stage->folder);
	snprintf(stage->key, sizeof(stage->key), "%s/key.pem", stage->folder);
	certificate_make(stage->folder);
	stage->listener = client_listen(&stage->port);
	*state = stage;
	return 0;
}

int stage_tear_down(void **state)
{
	struct stage *stage = *state;

	unlink(stage->ca);
	unlink(stage->certificate);
	unlink(stage->key);
	rmdir(stage->folder);
	close(stage->listener);
	free(stage);
	return 0;
}

struct host_options stage_options(const struct stage *stage, uint32_t security_type)
{
	return (struct host_options){
		.program = DISPLAY_PROGRAM,
		.security = { security_type },
		.security_count = 1,
		.peer = "127.0.0.1",
		.peer_user = "",
		.width = 640,
		.height = 480,
		.grace_s = 20,
		.certificate = stage->certificate,
		.key = stage->key,
	};
}

static void serve(void *context, int socket)
{
	host_serve_take(context, socket);
}

bool stage_log_in(struct stage *stage, struct client *client, struct host *host,
    const char *password, const char *encodings)
{
	client->user = "alice";
	client->password = password;
	client->ca = stage->ca;
	return client_connect(client, stage->listener, stage->port, serve, host, encodings);
}

int stage_connect(struct stage *stage, struct host *host)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(stage->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	host_serve_take(host, accept(stage->listener, NULL, NULL));
	return fd;
}

void stage_draw(struct host *host, uint32_t seed, uint32_t first_row, uint32_t row_count)
{
	uint32_t width, height;
	uint32_t *pixels = host_lock_picture(host, &width, &height);

	row_count = first_row + row_count > height ? height - first_row : row_count;
	for (uint32_t y = first_row; y < first_row + row_count; y++) {
		for (uint32_t x = 0; x < width; x++) {
			pixels[y * width + x] = (x * 2654435761u ^ y * 40503u ^
						    seed * 2246822519u) &
						0xffffff;
		}
	}
	host_unlock_picture(host, first_row, row_count);
}

struct target {
	struct client *client;
	struct host *host;
};

static bool same_picture(void *context)
{
	struct target *target = context;
	uint32_t width, height;
	uint32_t *pixels = host_lock_picture(target->host, &width, &height);
	bool same = client_shows(target->client, pixels, width, height);

	host_unlock_picture(target->host, 0, 0);
	return same;
}

bool stage_wait_same_picture(struct client *client, struct host *host)
{
	struct target target = { client, host };

	return client_wait(client, same_picture, &target, 5000) && same_picture(&target);
}

long stage_private_kib(pid_t pid)
{
	char path[64], line[256];
	long total = 0, value;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	file = fopen(path, "r");
	assert(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Private_Clean: %ld", &value) == 1 ||
		    sscanf(line, "Private_Dirty: %ld", &value) == 1) {
			total += value;
		}
	}
	fclose(file);
	return total;
}
