/* The worker pool: where jobs run, in which order they start, and that none is lost at the end. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <systemd/sd-event.h>

#include "base/pool.h"

struct counter {
	sd_event *event;
	struct pool *pool;
	pthread_t loop;
	atomic_uint started;
	unsigned int done;
	unsigned int wanted;
	unsigned int resubmit;
	sem_t *gate;
};

struct job {
	struct pool_job job;
	struct counter *counter;
	unsigned int order;
	bool signals_blocked;
};

static void work(struct pool_job *pool_job)
{
	struct job *job = (struct job *)pool_job;
	sigset_t blocked;

	if (job->counter->gate) {
		sem_wait(job->counter->gate);
	}
	job->order = atomic_fetch_add(&job->counter->started, 1);
	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	job->signals_blocked = sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGCHLD);
	assert_false(pthread_equal(pthread_self(), job->counter->loop));
}

static void done(struct pool_job *pool_job)
{
	struct job *job = (struct job *)pool_job;
	struct counter *counter = job->counter;

	assert_true(pthread_equal(pthread_self(), counter->loop));
	assert_true(job->signals_blocked);
	counter->done++;
	if (counter->resubmit > 0) {
		counter->resubmit--;
		pool_submit(counter->pool, pool_job);
		return;
	}
	free(job);
	if (counter->done == counter->wanted) {
		sd_event_exit(counter->event, 0);
	}
}

static struct job *submit(struct counter *counter)
{
	struct job *job = calloc(1, sizeof(*job));

	assert_non_null(job);
	job->job.work = work;
	job->job.done = done;
	job->counter = counter;
	pool_submit(counter->pool, &job->job);
	return job;
}

static void counter_init(struct counter *counter, size_t threads)
{
	*counter = (struct counter){ .loop = pthread_self() };
	assert_return_code(sd_event_new(&counter->event), 0);
	assert_int_equal(pool_create(counter->event, threads, &counter->pool), 0);
}

static void test_many_jobs(void **state)
{
	struct counter counter;

	(void)state;
	counter_init(&counter, 4);
	counter.wanted = 1000 + 100;
	counter.resubmit = 100;
	for (int i = 0; i < 1000; i++) {
		submit(&counter);
	}
	assert_int_equal(sd_event_loop(counter.event), 0);
	assert_int_equal(counter.done, 1100);
	assert_int_equal(counter.started, 1100);
	pool_destroy(counter.pool);
	sd_event_unref(counter.event);
}

static void test_order_with_one_worker(void **state)
{
	struct counter counter;
	struct job *jobs[20];
	sem_t gate;

	(void)state;
	assert_int_equal(sem_init(&gate, 0, 0), 0);
	counter_init(&counter, 1);
	counter.gate = &gate;
	for (size_t i = 0; i < 20; i++) {
		jobs[i] = submit(&counter);
	}
	for (size_t i = 0; i < 20; i++) {
		sem_post(&gate);
	}
	while (counter.started < 20) {
		/* the jobs are freed by `done`, which runs in this thread only */
		sched_yield();
	}
	for (size_t i = 0; i < 19; i++) {
		assert_int_equal(jobs[i]->order, i);
	}
	pool_destroy(counter.pool);
	assert_int_equal(counter.done, 20);
	sd_event_unref(counter.event);
	sem_destroy(&gate);
}

/* Destroying waits for what was submitted, also for what a `done` submits meanwhile. */
static void test_destroy_loses_nothing(void **state)
{
	struct counter counter;

	(void)state;
	counter_init(&counter, 2);
	counter.resubmit = 10;
	for (int i = 0; i < 50; i++) {
		submit(&counter);
	}
	pool_destroy(counter.pool);
	assert_int_equal(counter.done, 60);
	sd_event_unref(counter.event);
	pool_destroy(NULL);
}

static void test_bad_sizes(void **state)
{
	struct pool *pool = NULL;
	sd_event *event;

	(void)state;
	assert_return_code(sd_event_new(&event), 0);
	assert_int_equal(pool_create(event, 0, &pool), -EINVAL);
	assert_int_equal(pool_create(event, 65, &pool), -EINVAL);
	assert_null(pool);
	sd_event_unref(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_jobs),
		cmocka_unit_test(test_order_with_one_worker),
		cmocka_unit_test(test_destroy_loses_nothing),
		cmocka_unit_test(test_bad_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
