/*
 * The worker pool. `lock` guards both lists, the count of workers that should live and `eventfd`'s
 * meaning; jobs themselves need no lock, since a job is in exactly one place: the queue, a worker,
 * the finished list, its owner.
 *
 * What must stay true: a job's `done` runs on the loop thread only, after its `work`; workers take
 * no signals, which belong to the loop.
 */
#include "base/pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/fd.h"

enum {
	POOL_THREADS_MAX = 64,
};

struct job_list {
	struct pool_job *first;
	struct pool_job *last;
};

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t submitted; /* there is a job, or `stopping` */
	pthread_cond_t finished;  /* a job was added to `done` */
	struct job_list waiting;
	struct job_list done;
	bool stopping;
	size_t pending;  /* loop thread: submitted and its `done` not yet called */
	bool destroying; /* loop thread */
	int notice;      /* eventfd: `done` is not empty */
	sd_event_source *source;
	size_t thread_count;
	pthread_t threads[];
};

static void list_append(struct job_list *list, struct pool_job *job)
{
	job->next = NULL;
	if (list->last) {
		list->last->next = job;
	} else {
		list->first = job;
	}
	list->last = job;
}

static struct pool_job *list_take(struct job_list *list)
{
	struct pool_job *job = list->first;

	if (job) {
		list->first = job->next;
		if (!list->first) {
			list->last = NULL;
		}
		job->next = NULL;
	}
	return job;
}

static void *run_worker(void *context)
{
	struct pool *pool = context;

	pthread_mutex_lock(&pool->lock);
	for (;;) {
		struct pool_job *job = list_take(&pool->waiting);

		if (job) {
			bool was_empty;

			pthread_mutex_unlock(&pool->lock);
			job->work(job);
			pthread_mutex_lock(&pool->lock);
			was_empty = !pool->done.first;
			list_append(&pool->done, job);
			pthread_cond_signal(&pool->finished);
			if (was_empty) {
				/* Under the lock: afterwards the pool may be gone. It can only fail
				 * by being full of notices. */
				(void)!eventfd_write(pool->notice, 1);
			}
		} else if (pool->stopping) {
			break;
		} else {
			pthread_cond_wait(&pool->submitted, &pool->lock);
		}
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* Calls `done` of what has finished by now; what finishes meanwhile raises a new notice. */
static void finish_jobs(struct pool *pool)
{
	struct job_list finished;
	struct pool_job *job;

	pthread_mutex_lock(&pool->lock);
	finished = pool->done;
	pool->done = (struct job_list){ 0 };
	pthread_mutex_unlock(&pool->lock);

	while ((job = list_take(&finished))) {
		pool->pending--;
		job->done(job);
	}
}

static int on_notice(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct pool *pool = context;
	eventfd_t count;

	(void)source;
	(void)events;
	(void)!eventfd_read(fd, &count);
	finish_jobs(pool);
	return 0;
}

static void stop_threads(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	pthread_cond_broadcast(&pool->submitted);
	pthread_mutex_unlock(&pool->lock);
	for (size_t i = 0; i < pool->thread_count; i++) {
		pthread_join(pool->threads[i], NULL);
	}
}

static must_check int start_threads(struct pool *pool, size_t threads)
{
	sigset_t all;
	sigset_t before;
	int error = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (pool->thread_count < threads && !error) {
		error = pthread_create(&pool->threads[pool->thread_count], NULL, run_worker, pool);
		if (!error) {
			pool->thread_count++;
		}
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

int pool_create(struct sd_event *event, size_t threads, struct pool **result)
{
	struct pool *pool;
	int error;

	if (threads < 1 || threads > POOL_THREADS_MAX) {
		return -EINVAL;
	}
	pool = calloc(1, sizeof(*pool) + threads * sizeof(pool->threads[0]));
	if (!pool) {
		return -ENOMEM;
	}
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->submitted, NULL);
	pthread_cond_init(&pool->finished, NULL);
	pool->notice = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (pool->notice < 0) {
		error = -errno;
		goto fail;
	}
	error = sd_event_add_io(event, &pool->source, pool->notice, EPOLLIN, on_notice, pool);
	if (error < 0) {
		goto fail_notice;
	}
	error = start_threads(pool, threads);
	if (error) {
		goto fail_threads;
	}
	*result = pool;
	return 0;

fail_threads:
	stop_threads(pool);
	sd_event_source_disable_unref(pool->source);
fail_notice:
	fd_close(&pool->notice);
fail:
	pthread_cond_destroy(&pool->finished);
	pthread_cond_destroy(&pool->submitted);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
	return error;
}

void pool_submit(struct pool *pool, struct pool_job *job)
{
	pool->pending++;
	pthread_mutex_lock(&pool->lock);
	list_append(&pool->waiting, job);
	pthread_cond_signal(&pool->submitted);
	pthread_mutex_unlock(&pool->lock);
}

void pool_drain(struct pool *pool)
{
	while (pool->pending > 0) {
		pthread_mutex_lock(&pool->lock);
		while (!pool->done.first) {
			pthread_cond_wait(&pool->finished, &pool->lock);
		}
		pthread_mutex_unlock(&pool->lock);
		finish_jobs(pool);
	}
}

void pool_destroy(struct pool *pool)
{
	if (!pool) {
		return;
	}
	assert(!pool->destroying);
	pool->destroying = true;
	/* A `done` may submit once more, so this goes on until nothing is left. */
	pool_drain(pool);
	stop_threads(pool);
	sd_event_source_disable_unref(pool->source);
	fd_close(&pool->notice);
	pthread_cond_destroy(&pool->finished);
	pthread_cond_destroy(&pool->submitted);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}
