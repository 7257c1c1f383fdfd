/* What the tests of the whole process share: certificates and a listening port for the run, drawing, comparing. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "host.h"

struct stage {
	char folder[64];
	char ca[96], certificate[96], key[96];
	int listener;
	uint16_t port;
};

/* For cmocka's group set-up: *state becomes the stage. */
int stage_set_up(void **state);
int stage_tear_down(void **state);

/* A desktop of 640x480 and one security type. */
struct host_options stage_options(const struct stage *stage, uint32_t security_type);
/* A libvncclient viewer; the right password is "correct horse". */
bool stage_log_in(struct stage *stage, struct client *client, struct host *host,
    const char *password, const char *encodings);
/* A socket whose other end the process serves. */
int stage_connect(struct stage *stage, struct host *host);
/* Fills rows of the desktop with something that depends on `seed`. */
void stage_draw(struct host *host, uint32_t seed, uint32_t first_row, uint32_t row_count);
/* Waits until the client shows the desktop; false after 5 s or when the connection ended. */
bool stage_wait_same_picture(struct client *client, struct host *host);
/* Memory of the process in KiB: VmRSS without what is shared. */
long stage_private_kib(pid_t pid);
