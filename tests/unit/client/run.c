/* Command lines run in this process, with streams in memory and a clock that stands still. See run.h. */
#include "run.h"

#include <assert.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "fake_server.h"

enum {
	ARGUMENTS_COUNT_MAX = 64,
};

struct run run(const struct fake_server *server, struct run_look look, const char *const *arguments)
{
	/* getopt moves pointers about, so that those to free are kept apart. */
	char *argv[ARGUMENTS_COUNT_MAX], *owned[ARGUMENTS_COUNT_MAX];
	struct run result = { 0 };
	struct client client = {
		.terminal = look.terminal,
		.colour = look.terminal,
		.unicode = look.terminal,
		.progress = look.terminal,
		.width = 80,
		.now_us = RUN_NOW_US,
	};
	int count = 0;

	setlocale(LC_ALL, "C.UTF-8");
	argv[count++] = strdup("tanmatsu");
	if (server) {
		argv[count++] = strdup("--control");
		argv[count++] = strdup(fake_server_path(server));
	}
	while (*arguments) {
		assert(count + 1 < ARGUMENTS_COUNT_MAX);
		argv[count++] = strdup(*arguments++);
	}
	argv[count] = NULL;
	memcpy(owned, argv, sizeof(argv));
	client.out = open_memstream(&result.out, &result.out_size);
	client.err = open_memstream(&result.err, &result.err_size);
	assert(client.out && client.err);
	result.status = client_run(&client, count, argv);
	fclose(client.out);
	fclose(client.err);
	for (int i = 0; i < count; i++) {
		free(owned[i]);
	}
	return result;
}

void run_free(struct run *run)
{
	free(run->out);
	free(run->err);
}
