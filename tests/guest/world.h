/*
 * What the tests with a real guest share: a folder of their own, a machine with the test guest of tiny/ (or the demo),
 * and its serial log, which is awaited by inotify.
 */
#pragma once

#include "tests/lib/vmm_harness.h"

struct world {
	char folder[64];
	char console[96];
	int watch;         /* inotify, on the console's file */
	unsigned await_ms; /* of world_await() and the like; 20 s unless changed */
	struct vmm_harness_options options;
	struct vmm_harness vmm;
};

/* True, with a line that says so, when there is no KVM here: exit with 77. */
bool world_must_skip(void);

void world_create(struct world *world);
void world_destroy(struct world *world);

/* Starts or resumes the machine and lets it run. */
void world_boot(struct world *world);
void world_resume(struct world *world);
/* Suspends, ends the process with VMM_EXIT_QUIT and forgets it. */
void world_suspend(struct world *world, struct vmm_suspend_report *report);
/* The process has ended by itself with `code` (its exit status and VMM_EVENT_EXITING). */
void world_expect_exit(struct world *world, int code);

/* All of the log, malloc'ed. */
char *world_log(const struct world *world);
/* Waits until `text` stands in the log `times` times; fails the test after world->await_ms. */
void world_await(struct world *world, const char *text, unsigned times);
unsigned world_count(const struct world *world, const char *text);
/* Number of the newest numbered line of the test guest, 0 before the first. */
unsigned world_last_line(const struct world *world);
/* Waits for `count` further numbered lines. */
void world_await_lines(struct world *world, unsigned count);
/* Numbered lines without a gap from 1 on, no "BAD" and no "exception" anywhere. */
void world_check_log(const struct world *world);
