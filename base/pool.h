/*
 * A pool of worker threads. A job's `work` runs on a worker with what it was given, its `done` on
 * the loop thread afterwards; nothing else crosses. Jobs of one pool start in the order they were
 * submitted.
 */
#pragma once

#include <stddef.h>

#include "base/must_check.h"

struct sd_event;
struct pool;

struct pool_job {
	void (*work)(struct pool_job *job); /* worker thread: const input, results into the job */
	void (*done)(struct pool_job *job); /* loop thread; may free the job */
	struct pool_job *next;              /* the pool's */
};

/* Starts `threads` workers (1 to 64). Returns 0 or -errno. Loop thread. */
must_check int pool_create(struct sd_event *event, size_t threads, struct pool **pool);
/* The job belongs to the pool until its `done` is called. Loop thread. */
void pool_submit(struct pool *pool, struct pool_job *job);
/* Waits for every submitted job and calls their `done`; what those submit is waited for, too. Loop
 * thread, not from within a `done`. */
void pool_drain(struct pool *pool);
/* Waits for every submitted job, calls their `done`, ends the threads. Loop thread, not from within
 * a `done`. */
void pool_destroy(struct pool *pool);
