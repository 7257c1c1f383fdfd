/*
 * A small world for the state machine: a VMM, a store and viewers that do what actions say, and check that each is
 * possible and safe at that moment. Test only: a check that fails ends the test.
 */
#pragma once

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

/* A random number below `below`; the world's seed decides. */
uint64_t world_draw(struct world *world, uint64_t below);
struct seen *world_find_viewer(struct world *world, uint64_t id);
/* The generation that a new daemon would resume from, or 0. */
uint64_t world_restorable(const struct world *world);
/* The VMM process is gone. */
void world_vmm_ended(struct world *world);
/* Carries an action out. */
void world_do(struct world *world, const struct machine_action *action);
/* What must hold between events. */
void world_check(struct world *world);
