/*
 * The state machine against a small world that plays VMM, store and viewers and checks, at each action, that it is
 * possible and safe. Events are drawn at random, likely ones, unlikely ones and stale ones; the seeds are fixed.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "session/machine.h"

enum {
	STEPS = 100000,
	VIEWERS = 40,
};

enum vmm {
	VMM_NONE,
	VMM_STARTING, /* asked for; VMM_READY, VMM_REFUSED, START_FAILED or VMM_EXITED comes */
	VMM_STANDING, /* built or loaded, has not run */
	VMM_RUNS,
	VMM_PAUSED,
	VMM_WRITING,   /* SUSPEND_DONE or _FAILED comes */
	VMM_SUSPENDED, /* all is written */
	VMM_GOING,     /* told to quit or killed: VMM_EXITED comes */
};

enum store_generation {
	GEN_NONE,
	GEN_TEMPORARY,
	GEN_COMMITTED,
	GEN_CONSUMED,
	GEN_ASIDE,
};

struct seen {
	uint64_t id; /* 0: free */
	bool attached;
	enum machine_caption caption; /* 0: has a picture, or had one last */
};

struct world {
	struct machine machine;
	struct machine_actions actions;
	uint64_t random, now_us;
	enum vmm vmm;
	uint64_t loaded;              /* by the running VMM, 0: booted */
	uint64_t writing;             /* generation of VMM_WRITING and VMM_SUSPENDED */
	uint64_t committing, marking; /* the store owes an answer */
	bool pause_refusable, run_refusable;
	enum store_generation *generations;
	uint64_t generation_limit;
	struct seen viewers[VIEWERS];
	uint64_t next_viewer;
	uint64_t starts, suspends, resumes, live_returns, failures, aborts;
};

static uint64_t draw(struct world *world, uint64_t below)
{
	world->random ^= world->random << 13;
	world->random ^= world->random >> 7;
	world->random ^= world->random << 17;
	return world->random % below;
}

static struct seen *find_viewer(struct world *world, uint64_t id)
{
	for (size_t i = 0; id && i < VIEWERS; i++) {
		if (world->viewers[i].id == id) {
			return &world->viewers[i];
		}
	}
	return NULL;
}

static uint64_t restorable(const struct world *world)
{
	for (uint64_t i = world->machine.next; i-- > 1;) {
		if (world->generations[i] == GEN_COMMITTED) {
			return i;
		}
		if (world->generations[i] == GEN_CONSUMED) {
			return 0;
		}
	}
	return 0;
}

static bool anyone_attached(const struct world *world)
{
	for (size_t i = 0; i < VIEWERS; i++) {
		if (world->viewers[i].id && world->viewers[i].attached) {
			return true;
		}
	}
	return false;
}

/* --- actions: each must be possible in this world ------------------------------------------------------------------ */

static void vmm_ended(struct world *world)
{
	world->vmm = VMM_NONE;
	for (size_t i = 0; i < VIEWERS; i++) {
		world->viewers[i].attached = false;
	}
}

static void do_viewer(struct world *world, const struct machine_action *action)
{
	struct seen *viewer = find_viewer(world, action->viewer);

	assert_non_null(viewer);
	switch (action->type) {
	case MACHINE_ACTION_ATTACH:
		assert_int_equal(world->vmm, VMM_RUNS);
		assert_false(viewer->attached);
		viewer->attached = true;
		viewer->caption = 0;
		break;
	case MACHINE_ACTION_DETACH:
		assert_int_equal(world->vmm, VMM_RUNS);
		assert_true(viewer->attached);
		viewer->attached = false;
		break;
	case MACHINE_ACTION_SHOW:
		assert_false(viewer->attached);
		assert_int_not_equal(action->caption, 0);
		viewer->caption = action->caption;
		break;
	default:
		assert_false(viewer->attached);
		assert_true(strlen(action->text) > 0);
		viewer->id = 0;
		break;
	}
}

static void do_snapshot(struct world *world, const struct machine_action *action)
{
	uint64_t number = action->generation;

	assert_in_range(number, 1, world->generation_limit - 1);
	switch (action->type) {
	case MACHINE_ACTION_MARK_CONSUMED:
		assert_int_equal(world->marking, 0);
		assert_int_equal(world->generations[number], GEN_COMMITTED);
		assert_true(world->vmm == VMM_NONE ||
			    (world->vmm == VMM_STANDING && world->loaded == number) ||
			    (world->vmm == VMM_SUSPENDED && world->writing == number));
		world->marking = number;
		break;
	case MACHINE_ACTION_BEGIN_SUSPEND:
		assert_true(world->vmm == VMM_RUNS || world->vmm == VMM_PAUSED);
		assert_false(anyone_attached(world));
		assert_int_equal(action->base, world->loaded);
		for (uint64_t i = number; i < world->machine.next; i++) {
			assert_int_equal(world->generations[i], GEN_NONE);
		}
		world->generations[number] = GEN_TEMPORARY;
		world->vmm = VMM_WRITING;
		world->writing = number;
		world->suspends++;
		break;
	case MACHINE_ACTION_COMMIT:
		assert_int_equal(world->vmm, VMM_SUSPENDED);
		assert_int_equal(world->writing, number);
		assert_int_equal(world->generations[number], GEN_TEMPORARY);
		world->committing = number;
		break;
	case MACHINE_ACTION_ABORT_SUSPEND:
		assert_int_equal(world->vmm, VMM_WRITING);
		assert_int_equal(world->writing, number);
		world->aborts++;
		break;
	case MACHINE_ACTION_DISCARD:
		assert_int_equal(world->generations[number], GEN_TEMPORARY);
		assert_int_not_equal(world->committing, number);
		world->generations[number] = GEN_NONE;
		/* The number is not given again all the same. */
		assert_true(world->machine.next > number);
		break;
	default:
		assert_int_equal(action->type, MACHINE_ACTION_SET_ASIDE);
		assert_int_equal(world->generations[number], GEN_COMMITTED);
		world->generations[number] = GEN_ASIDE;
		break;
	}
}

/* A VM may run only when no snapshot could be resumed beside it. */
static void check_run(struct world *world)
{
	assert_int_equal(restorable(world), 0);
	if (world->vmm == VMM_STANDING) {
		assert_true(!world->loaded || world->generations[world->loaded] == GEN_CONSUMED);
	} else {
		assert_true(world->vmm == VMM_PAUSED || world->vmm == VMM_SUSPENDED);
	}
}

static void do_action(struct world *world, const struct machine_action *action)
{
	switch (action->type) {
	case MACHINE_ACTION_START_VMM:
		assert_int_equal(world->vmm, VMM_NONE);
		assert_int_equal(restorable(world), 0);
		world->vmm = VMM_STARTING;
		world->loaded = 0;
		world->starts++;
		break;
	case MACHINE_ACTION_LOAD_VMM:
		assert_int_equal(world->vmm, VMM_NONE);
		assert_int_equal(restorable(world), action->generation);
		world->vmm = VMM_STARTING;
		world->loaded = action->generation;
		break;
	case MACHINE_ACTION_RUN:
		check_run(world);
		world->live_returns += world->vmm == VMM_SUSPENDED;
		world->vmm = VMM_RUNS;
		world->run_refusable = true;
		break;
	case MACHINE_ACTION_PAUSE:
		assert_int_equal(world->vmm, VMM_RUNS);
		assert_false(anyone_attached(world));
		world->vmm = VMM_PAUSED;
		world->pause_refusable = true;
		break;
	case MACHINE_ACTION_QUIT_VMM:
		assert_true(world->vmm == VMM_STANDING || world->vmm == VMM_STARTING ||
			    (world->vmm == VMM_SUSPENDED &&
				world->generations[world->writing] == GEN_COMMITTED));
		world->vmm = VMM_GOING;
		break;
	case MACHINE_ACTION_KILL_VMM:
		assert_int_not_equal(world->vmm, VMM_NONE);
		assert_false(anyone_attached(world));
		world->vmm = VMM_GOING;
		break;
	case MACHINE_ACTION_POWER_BUTTON:
		assert_int_equal(world->vmm, VMM_RUNS);
		break;
	case MACHINE_ACTION_PRUNE:
		assert_int_not_equal(restorable(world), 0);
		break;
	case MACHINE_ACTION_ARM:
		assert_in_range(action->timer, 0, MACHINE_TIMER_COUNT - 1);
		assert_in_range(action->delay_us, 0, UINT64_C(7) * 24 * 3600 * 1000000);
		break;
	case MACHINE_ACTION_DISARM:
		break;
	case MACHINE_ACTION_ATTACH:
	case MACHINE_ACTION_DETACH:
	case MACHINE_ACTION_SHOW:
	case MACHINE_ACTION_CLOSE_VIEWER:
		do_viewer(world, action);
		break;
	default:
		do_snapshot(world, action);
		break;
	}
}

/* --- what must hold between events --------------------------------------------------------------------------------- */

static void check_vmm(const struct world *world)
{
	const struct machine *machine = &world->machine;

	assert_int_equal(machine_has_vmm(machine), world->vmm != VMM_NONE);
	assert_int_equal(machine_runs(machine), world->vmm == VMM_RUNS);
	if (world->vmm == VMM_RUNS || world->vmm == VMM_PAUSED) {
		assert_int_equal(machine->base, world->loaded);
	}
	assert_int_equal(world->vmm == VMM_WRITING,
	    machine->step == MACHINE_SAVING || machine->step == MACHINE_ABORTING);
	if (machine->step == MACHINE_SAVED) {
		assert_int_equal(machine->generation, restorable(world));
		assert_int_not_equal(machine->generation, 0);
	}
	if (machine->step == MACHINE_OFF || machine->step == MACHINE_FAILED) {
		assert_int_equal(restorable(world), 0);
		assert_int_equal(machine->generation, 0);
	}
}

static void check_timers(const struct world *world)
{
	static const uint32_t wanted[MACHINE_STEP_COUNT] = {
		[MACHINE_BOOTING] = 1u << MACHINE_TIMER_START,
		[MACHINE_SAVING] = 1u << MACHINE_TIMER_SUSPEND,
		[MACHINE_ABORTING] = 1u << MACHINE_TIMER_SUSPEND,
		[MACHINE_COMMITTING] = 1u << MACHINE_TIMER_SUSPEND,
		[MACHINE_LEAVING] = 1u << MACHINE_TIMER_END,
		[MACHINE_LOADING] = 1u << MACHINE_TIMER_START,
		[MACHINE_MARKING] = 1u << MACHINE_TIMER_START,
		[MACHINE_ENDING] = 1u << MACHINE_TIMER_END,
	};
	const struct machine *machine = &world->machine;
	uint32_t timers = machine->timers;

	if (machine->step == MACHINE_ACTIVE) {
		assert_false(timers & 1u << MACHINE_TIMER_GRACE);
		assert_int_equal(!!(timers & 1u << MACHINE_TIMER_STOP), machine->stopping);
		assert_true(!machine->closing || timers & 1u << MACHINE_TIMER_RETRY);
	} else if (machine->step == MACHINE_DETACHED) {
		bool none = machine->policy.on_disconnect == POLICY_DISCONNECT_KEEP ||
			    machine->wanted || (machine->holds && machine->policy.honour_hold) ||
			    machine->policy.on_disconnect == POLICY_DISCONNECT_PAUSE;

		assert_true(none || timers);
		assert_true(!machine->closing || timers);
	} else {
		assert_int_equal(timers, wanted[machine->step]);
	}
}

static bool caption_fits(const struct world *world, enum machine_caption caption)
{
	switch (world->machine.step) {
	case MACHINE_OFF:
		return caption == MACHINE_CAPTION_OFF;
	case MACHINE_FAILED:
		return caption == MACHINE_CAPTION_FAILED;
	case MACHINE_SAVED:
		return caption == MACHINE_CAPTION_SAVED || caption == MACHINE_CAPTION_FAILED;
	case MACHINE_PAUSED:
		return caption == MACHINE_CAPTION_SAVED;
	case MACHINE_BOOTING:
		return caption == MACHINE_CAPTION_STARTING;
	case MACHINE_LOADING:
		return caption == MACHINE_CAPTION_RESUMING;
	case MACHINE_MARKING:
		return caption != MACHINE_CAPTION_OFF && caption != MACHINE_CAPTION_STARTING;
	case MACHINE_SAVING:
	case MACHINE_COMMITTING:
	case MACHINE_LEAVING:
	case MACHINE_ABORTING:
		return caption == MACHINE_CAPTION_SUSPENDING || caption == MACHINE_CAPTION_RESUMING;
	default: /* ENDING: what was on the screen when it was told to go */
		return true;
	}
}

static void check_viewers(struct world *world)
{
	const struct machine *machine = &world->machine;
	size_t count = 0, owners = 0;

	for (size_t i = 0; i < VIEWERS; i++) {
		const struct seen *seen = &world->viewers[i];
		const struct machine_viewer *viewer;

		if (!seen->id) {
			continue;
		}
		count++;
		viewer = machine_find_viewer(machine, seen->id);
		assert_non_null(viewer);
		assert_int_equal(viewer->attached, seen->attached);
		assert_int_equal(seen->attached, machine->step == MACHINE_ACTIVE);
		if (!seen->attached && machine->step != MACHINE_ENDING) {
			assert_true(caption_fits(world, seen->caption));
		}
		owners += !!(viewer->rights & MACHINE_RIGHT_OWNER);
	}
	assert_int_equal(count, machine->viewer_count);
	assert_true(owners <= 1);
	assert_true(machine->step != MACHINE_ACTIVE || count);
	assert_true(machine->step != MACHINE_DETACHED || !count);
}

static void check(struct world *world)
{
	check_vmm(world);
	check_timers(world);
	check_viewers(world);
}

/* --- events --------------------------------------------------------------------------------------------------------- */

static const char *const texts[] = { NULL, "", "no space left on device",
	"a very long text that somebody made up to see whether anything is cut where it should not "
	"be, which goes on and "
	"on until it is longer than any reason may be, and then a little further, for good "
	"measure, and a bit more still, "
	"so that it is above two hundred and fifty-six bytes in all" };

/* An answer that is due. False when none is. */
static bool due_answer(struct world *world, struct machine_event *event)
{
	bool good = draw(world, 12) > 0;

	event->text = texts[draw(world, sizeof(texts) / sizeof(texts[0]))];
	if (world->committing && draw(world, 3)) {
		event->generation = world->committing;
		event->type = good ? MACHINE_EVENT_COMMIT_DONE : MACHINE_EVENT_COMMIT_FAILED;
		event->uncertain = !good && draw(world, 3) == 0;
		/* Where nobody knows, the world says that it is there. */
		if (good || event->uncertain) {
			world->generations[world->committing] = GEN_COMMITTED;
		}
		world->committing = 0;
		return true;
	}
	if (world->marking && draw(world, 3)) {
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
		} else if (draw(world, 2)) {
			event->type = MACHINE_EVENT_START_FAILED;
			event->exit = world->loaded && draw(world, 4) == 0 ? MACHINE_EXIT_SNAPSHOT
									   : MACHINE_EXIT_ERROR;
			vmm_ended(world);
		} else {
			event->type = MACHINE_EVENT_VMM_REFUSED;
			event->exit = world->loaded && draw(world, 4) == 0 ? MACHINE_EXIT_SNAPSHOT
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
		event->exit = draw(world, 2) ? MACHINE_EXIT_QUIT : MACHINE_EXIT_KILLED;
		vmm_ended(world);
		return true;
	default:
		return false;
	}
}

/* What nobody asked for: the VMM dies, or says no. False when there is nothing to break. */
static bool break_something(struct world *world, struct machine_event *event)
{
	event->text = texts[draw(world, sizeof(texts) / sizeof(texts[0]))];
	if (world->vmm == VMM_NONE) {
		return false;
	}
	if (draw(world, 3) == 0 && world->vmm == VMM_RUNS && world->run_refusable) {
		event->type = MACHINE_EVENT_VMM_REFUSED;
		world->run_refusable = false;
		return true;
	}
	if (draw(world, 3) == 0 && world->vmm == VMM_PAUSED && world->pause_refusable) {
		event->type = MACHINE_EVENT_VMM_REFUSED;
		world->pause_refusable = false;
		world->vmm = VMM_RUNS;
		return true;
	}
	event->type = MACHINE_EVENT_VMM_EXITED;
	event->exit = (enum machine_exit)draw(world, 5);
	if (event->exit == MACHINE_EXIT_SNAPSHOT &&
	    !(world->vmm == VMM_STARTING && world->loaded)) {
		event->exit = MACHINE_EXIT_ERROR;
	}
	vmm_ended(world);
	return true;
}

static void viewer_event(struct world *world, struct machine_event *event)
{
	struct seen *viewer = &world->viewers[draw(world, VIEWERS)];

	event->viewer = viewer->id ? viewer->id : world->next_viewer + 1000;
	switch (draw(world, 4)) {
	case 0:
	case 1:
		event->type = MACHINE_EVENT_LOGIN;
		event->rights = (uint32_t)draw(world, 8);
		event->peer = draw(world, 2) ? "192.0.2.1" : NULL;
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

	event->type = types[draw(world, sizeof(types) / sizeof(types[0]))];
	event->timeout_us = draw(world, 2) ? 0 : 30000000;
}

static void draw_event(struct world *world, struct machine_event *event)
{
	uint64_t kind = draw(world, 1000);

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
		event->timer = (enum machine_timer)draw(world, MACHINE_TIMER_COUNT);
		event->busy_permille = (uint32_t)draw(world, 1000);
	} else if (kind < 980) {
		admin_event(world, event);
	} else {
		/* A stale answer. */
		event->type = MACHINE_EVENT_SUSPEND_DONE + (enum machine_event_type)draw(world, 6);
		event->generation = world->machine.next + draw(world, 3);
	}
}

/* The world's side of an event of a viewer, where the machine took it. */
static void take_viewer_event(struct world *world, const struct machine_event *event)
{
	struct seen *viewer = find_viewer(world, event->viewer);

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
	policy.on_disconnect = (enum policy_disconnect)(draw(world, 7) < 3 ? 0 : draw(world, 4));
	policy.honour_hold = draw(world, 2);
	policy.busy_permille = draw(world, 2) ? 0 : 900;
	initial.generation = restorable(world);
	initial.next = last >= world->machine.next ? last + 1 : world->machine.next;
	machine_init(&world->machine, &policy, &initial, world->now_us, &world->actions);
	for (size_t i = 0; i < world->actions.count; i++) {
		do_action(world, &world->actions.items[i]);
	}
	check(world);
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
			do_action(world, &world->actions.items[i]);
		}
		check(world);
		if (machine_settled(&world->machine) && world->vmm == VMM_NONE) {
			break;
		}
		assert_true(rounds++ < 2000);
		memset(&event, 0, sizeof(event));
		if (!due_answer(world, &event)) {
			event.type = MACHINE_EVENT_TIMER;
			event.timer = (enum machine_timer)draw(world, MACHINE_TIMER_COUNT);
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

		world.now_us += draw(&world, 5000000);
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
			do_action(&world, &world.actions.items[i]);
		}
		check(&world);
		world.failures += world.machine.step == MACHINE_FAILED &&
				  before.step != MACHINE_FAILED;
		if (draw(&world, 2000) == 0) {
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
