/*
 * The state machine against a small world (machine_world.c) that checks each action. Events are drawn at random, likely
 * ones, unlikely ones and stale ones; the seeds are fixed.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "machine_world.h"

static const char *const texts[] = { NULL, "", "no space left on device",
	"a very long text that somebody made up to see whether anything is cut where it should not "
	"be, which goes on and "
	"on until it is longer than any reason may be, and then a little further, for good "
	"measure, and a bit more still, "
	"so that it is above two hundred and fifty-six bytes in all" };

/* An answer that is due. False when none is. */
static bool due_answer(struct world *world, struct machine_event *event)
{
	bool good = world_draw(world, 12) > 0;

	event->text = texts[world_draw(world, sizeof(texts) / sizeof(texts[0]))];
	if (world->committing && world_draw(world, 3)) {
		event->generation = world->committing;
		event->type = good ? MACHINE_EVENT_COMMIT_DONE : MACHINE_EVENT_COMMIT_FAILED;
		event->uncertain = !good && world_draw(world, 3) == 0;
		/* Where nobody knows, the world says that it is there. */
		if (good || event->uncertain) {
			world->generations[world->committing] = GEN_COMMITTED;
		}
		world->committing = 0;
		return true;
	}
	if (world->marking && world_draw(world, 3)) {
		event->generation = world->marking;
		event->type = good ? MACHINE_EVENT_CONSUMED : MACHINE_EVENT_CONSUME_FAILED;
		if (good) {
			world->generations[world->marking] = GEN_CONSUMED;
			world->resumes++;
		}
		world->marking = 0;
		return true;
	}
	switch (world->vmm) {
	case VMM_STARTING:
		if (good) {
			event->type = MACHINE_EVENT_VMM_READY;
			world->vmm = VMM_STANDING;
		} else if (world_draw(world, 2)) {
			event->type = MACHINE_EVENT_START_FAILED;
			event->exit = world->loaded && world_draw(world, 4) == 0
					  ? MACHINE_EXIT_SNAPSHOT
					  : MACHINE_EXIT_ERROR;
			world_vmm_ended(world);
		} else {
			event->type = MACHINE_EVENT_VMM_REFUSED;
			event->exit = world->loaded && world_draw(world, 4) == 0
					  ? MACHINE_EXIT_SNAPSHOT
					  : MACHINE_EXIT_ERROR;
		}
		return true;
	case VMM_WRITING:
		event->generation = world->writing;
		event->type = good ? MACHINE_EVENT_SUSPEND_DONE : MACHINE_EVENT_SUSPEND_FAILED;
		world->vmm = good ? VMM_SUSPENDED : VMM_RUNS;
		return true;
	case VMM_GOING:
		event->type = MACHINE_EVENT_VMM_EXITED;
		event->exit = world_draw(world, 2) ? MACHINE_EXIT_QUIT : MACHINE_EXIT_KILLED;
		world_vmm_ended(world);
		return true;
	default:
		return false;
	}
}

/* What nobody asked for: the VMM dies, or says no. False when there is nothing to break. */
static bool break_something(struct world *world, struct machine_event *event)
{
	event->text = texts[world_draw(world, sizeof(texts) / sizeof(texts[0]))];
	if (world->vmm == VMM_NONE) {
		return false;
	}
	if (world_draw(world, 3) == 0 && world->vmm == VMM_RUNS && world->run_refusable) {
		event->type = MACHINE_EVENT_VMM_REFUSED;
		world->run_refusable = false;
		return true;
	}
	if (world_draw(world, 3) == 0 && world->vmm == VMM_PAUSED && world->pause_refusable) {
		event->type = MACHINE_EVENT_VMM_REFUSED;
		world->pause_refusable = false;
		world->vmm = VMM_RUNS;
		return true;
	}
	event->type = MACHINE_EVENT_VMM_EXITED;
	event->exit = (enum machine_exit)world_draw(world, 5);
	if (event->exit == MACHINE_EXIT_SNAPSHOT &&
	    !(world->vmm == VMM_STARTING && world->loaded)) {
		event->exit = MACHINE_EXIT_ERROR;
	}
	world_vmm_ended(world);
	return true;
}

static void viewer_event(struct world *world, struct machine_event *event)
{
	struct seen *viewer = &world->viewers[world_draw(world, VIEWERS)];

	event->viewer = viewer->id ? viewer->id : world->next_viewer + 1000;
	switch (world_draw(world, 4)) {
	case 0:
	case 1:
		event->type = MACHINE_EVENT_LOGIN;
		event->rights = (uint32_t)world_draw(world, 8);
		event->peer = world_draw(world, 2) ? "192.0.2.1" : NULL;
		if (!viewer->id) {
			event->viewer = world->next_viewer++;
		}
		break;
	case 2:
		event->type = MACHINE_EVENT_VIEWER_GONE;
		break;
	default:
		event->type = MACHINE_EVENT_VIEWER_ACTION;
		break;
	}
}

static void admin_event(struct world *world, struct machine_event *event)
{
	static const enum machine_event_type types[] = { MACHINE_EVENT_ADMIN_START,
		MACHINE_EVENT_ADMIN_SUSPEND, MACHINE_EVENT_ADMIN_RESUME, MACHINE_EVENT_ADMIN_STOP,
		MACHINE_EVENT_ADMIN_KILL, MACHINE_EVENT_HOLD_TAKEN, MACHINE_EVENT_HOLD_RELEASED,
		MACHINE_EVENT_HOLD_RELEASED };

	event->type = types[world_draw(world, sizeof(types) / sizeof(types[0]))];
	event->timeout_us = world_draw(world, 2) ? 0 : 30000000;
}

static void draw_event(struct world *world, struct machine_event *event)
{
	uint64_t kind = world_draw(world, 1000);

	memset(event, 0, sizeof(*event));
	if (kind < 400 && due_answer(world, event)) {
		return;
	}
	if (kind >= 400 && kind < 403 && break_something(world, event)) {
		return;
	}
	if (kind < 600) {
		viewer_event(world, event);
	} else if (kind < 920) {
		event->type = MACHINE_EVENT_TIMER;
		event->timer = (enum machine_timer)world_draw(world, MACHINE_TIMER_COUNT);
		event->busy_permille = (uint32_t)world_draw(world, 1000);
	} else if (kind < 980) {
		admin_event(world, event);
	} else {
		/* A stale answer. */
		event->type = MACHINE_EVENT_SUSPEND_DONE +
			      (enum machine_event_type)world_draw(world, 6);
		event->generation = world->machine.next + world_draw(world, 3);
	}
}

/* The world's side of an event of a viewer, where the machine took it. */
static void take_viewer_event(struct world *world, const struct machine_event *event)
{
	struct seen *viewer = world_find_viewer(world, event->viewer);

	if (event->type == MACHINE_EVENT_VIEWER_GONE && viewer) {
		viewer->id = 0;
		viewer->attached = false;
	} else if (event->type == MACHINE_EVENT_LOGIN) {
		for (size_t i = 0; !viewer && i < VIEWERS; i++) {
			if (!world->viewers[i].id) {
				viewer = &world->viewers[i];
			}
		}
		assert_non_null(viewer);
		*viewer = (struct seen){ .id = event->viewer };
	}
}

static void start_world(struct world *world, uint64_t seed, bool keep_snapshots)
{
	struct machine_initial initial = { 0 };
	struct policy policy;
	uint64_t last = 0;

	if (!keep_snapshots) {
		memset(world, 0, sizeof(*world));
		world->random = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
		world->generation_limit = STEPS + 2;
		world->generations = calloc(world->generation_limit, sizeof(world->generations[0]));
		assert_non_null(world->generations);
		world->next_viewer = 1;
	}
	for (uint64_t i = 1; i < world->machine.next; i++) {
		if (world->generations[i] == GEN_TEMPORARY) {
			world->generations[i] = GEN_NONE; /* swept */
		}
		last = world->generations[i] ? i : last;
	}
	memset(world->viewers, 0, sizeof(world->viewers));
	world->committing = world->marking = 0;
	policy_default(&policy);
	policy.on_disconnect = (enum policy_disconnect)(
	    world_draw(world, 7) < 3 ? 0 : world_draw(world, 4));
	policy.honour_hold = world_draw(world, 2);
	policy.busy_permille = world_draw(world, 2) ? 0 : 900;
	initial.generation = world_restorable(world);
	initial.next = last >= world->machine.next ? last + 1 : world->machine.next;
	machine_init(&world->machine, &policy, &initial, world->now_us, &world->actions);
	for (size_t i = 0; i < world->actions.count; i++) {
		world_do(world, &world->actions.items[i]);
	}
	world_check(world);
}

/* Everything is answered well from now on: the host's end must leave no VMM and no viewer. */
static void shut_down(struct world *world)
{
	struct machine_event event = { .type = MACHINE_EVENT_HOST_SHUTDOWN };
	size_t rounds = 0;

	while (true) {
		assert_int_equal(
		    machine_handle(&world->machine, &event, world->now_us, &world->actions), 0);
		for (size_t i = 0; i < world->actions.count; i++) {
			world_do(world, &world->actions.items[i]);
		}
		world_check(world);
		if (machine_settled(&world->machine) && world->vmm == VMM_NONE) {
			break;
		}
		assert_true(rounds++ < 2000);
		memset(&event, 0, sizeof(event));
		if (!due_answer(world, &event)) {
			event.type = MACHINE_EVENT_TIMER;
			event.timer = (enum machine_timer)world_draw(world, MACHINE_TIMER_COUNT);
		}
	}
	assert_int_equal(world->machine.viewer_count, 0);
}

static void run_seed(uint64_t seed)
{
	static struct world world;
	struct machine_event event;

	start_world(&world, seed, false);
	for (size_t step = 0; step < STEPS; step++) {
		struct machine before = world.machine;
		int result;

		world.now_us += world_draw(&world, 5000000);
		draw_event(&world, &event);
		result = machine_handle(&world.machine, &event, world.now_us, &world.actions);
		if (result < 0) {
			assert_true(result == -EBUSY || result == -ENOENT);
			assert_int_equal(world.actions.count, 0);
			assert_memory_equal(&world.machine, &before, sizeof(before));
			assert_non_null(machine_refusal(&world.machine, event.type, result));
			continue;
		}
		take_viewer_event(&world, &event);
		for (size_t i = 0; i < world.actions.count; i++) {
			world_do(&world, &world.actions.items[i]);
		}
		world_check(&world);
		world.failures += world.machine.step == MACHINE_FAILED &&
				  before.step != MACHINE_FAILED;
		if (world_draw(&world, 2000) == 0) {
			shut_down(&world);
			start_world(&world, seed, true);
		}
	}
	printf("seed %" PRIu64 ": %" PRIu64 " boots, %" PRIu64 " suspends, %" PRIu64
	       " aborted, %" PRIu64 " marks, %" PRIu64 " live returns, %" PRIu64 " failures\n",
	    seed, world.starts, world.suspends, world.aborts, world.resumes, world.live_returns,
	    world.failures);
	/* The walk went everywhere that matters. */
	assert_true(world.starts > 50 && world.suspends > 50 && world.aborts > 20 &&
		    world.resumes > 50 && world.live_returns > 10 && world.failures > 10);
	free(world.generations);
}

static void test_random_walks(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		run_seed(seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_walks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
