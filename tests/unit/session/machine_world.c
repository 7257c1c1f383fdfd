/* A small world for the state machine; see machine_world.h. */
#include "machine_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

uint64_t world_draw(struct world *world, uint64_t below)
{
	world->random ^= world->random << 13;
	world->random ^= world->random >> 7;
	world->random ^= world->random << 17;
	return world->random % below;
}

struct seen *world_find_viewer(struct world *world, uint64_t id)
{
	for (size_t i = 0; id && i < VIEWERS; i++) {
		if (world->viewers[i].id == id) {
			return &world->viewers[i];
		}
	}
	return NULL;
}

uint64_t world_restorable(const struct world *world)
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

void world_vmm_ended(struct world *world)
{
	world->vmm = VMM_NONE;
	for (size_t i = 0; i < VIEWERS; i++) {
		world->viewers[i].attached = false;
	}
}

static void do_viewer(struct world *world, const struct machine_action *action)
{
	struct seen *viewer = world_find_viewer(world, action->viewer);

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
	assert_int_equal(world_restorable(world), 0);
	if (world->vmm == VMM_STANDING) {
		assert_true(!world->loaded || world->generations[world->loaded] == GEN_CONSUMED);
	} else {
		assert_true(world->vmm == VMM_PAUSED || world->vmm == VMM_SUSPENDED);
	}
}

void world_do(struct world *world, const struct machine_action *action)
{
	switch (action->type) {
	case MACHINE_ACTION_START_VMM:
		assert_int_equal(world->vmm, VMM_NONE);
		assert_int_equal(world_restorable(world), 0);
		world->vmm = VMM_STARTING;
		world->loaded = 0;
		world->starts++;
		break;
	case MACHINE_ACTION_LOAD_VMM:
		assert_int_equal(world->vmm, VMM_NONE);
		assert_int_equal(world_restorable(world), action->generation);
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
		assert_int_not_equal(world_restorable(world), 0);
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
		assert_int_equal(machine->generation, world_restorable(world));
		assert_int_not_equal(machine->generation, 0);
	}
	if (machine->step == MACHINE_OFF || machine->step == MACHINE_FAILED) {
		assert_int_equal(world_restorable(world), 0);
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

void world_check(struct world *world)
{
	check_vmm(world);
	check_timers(world);
	check_viewers(world);
}
