/* Running a command line of `tanmatsu` in this process and reading back what it printed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct fake_server;

struct run {
	int status;
	char *out; /* with a NUL; the sizes are without */
	char *err;
	size_t out_size, err_size;
};

struct run_look {
	bool terminal; /* colours, UTF-8, a progress bar, 80 columns */
};

/*
 * Runs `tanmatsu ARGUMENTS...`; the list ends with NULL. With a server its socket is --control. The clock stands at
 * 2026-01-01 00:00:00 UTC.
 */
struct run run(
    const struct fake_server *server, struct run_look look, const char *const *arguments);
void run_free(struct run *run);

#define RUN(server, ...) \
	run((server), (struct run_look){ 0 }, (const char *const[]){ __VA_ARGS__, NULL })
#define RUN_TERMINAL(server, ...)                            \
	run((server), (struct run_look){ .terminal = true }, \
	    (const char *const[]){ __VA_ARGS__, NULL })

#define RUN_NOW_US 1767225600000000ull
