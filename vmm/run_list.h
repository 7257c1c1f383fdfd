/*
 * Pages become runs: appended one by one in rising order, merged with their neighbours, and with ever larger gaps
 * between them when there are more runs than a layer may have. Pages of a gap that is merged over are written too, as
 * they are in memory. Pure.
 */
#pragma once

#include "base/must_check.h"
#include "vmm/ram_layer.h"

struct run_list {
	struct ram_run *runs; /* malloc'ed */
	uint32_t count, capacity;
	uint32_t gap;      /* pages that may lie between two runs that are merged */
	uint64_t boundary; /* no run goes across this page */
};

void run_list_init(struct run_list *list, uint64_t boundary);
void run_list_fini(struct run_list *list);
/* `page` is above all that were added. 0 or -ENOMEM. */
must_check int run_list_add(struct run_list *list, uint64_t page, enum ram_run_kind kind);
/* Brings the list down to RAM_LAYER_RUNS_MAX. */
void run_list_finish(struct run_list *list);
