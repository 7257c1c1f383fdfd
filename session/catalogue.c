/*
 * Planning with generations. Nothing here touches a disk; hostd/store.c does what is planned.
 */
#include "session/catalogue.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum catalogue_kind catalogue_parse_name(const char *name, uint64_t *number)
{
	static const char prefix[] = "gen.";
	uint64_t value = 0;
	const char *text = name + sizeof(prefix) - 1;

	*number = 0;
	if (strncmp(name, prefix, sizeof(prefix) - 1) != 0 || *text < '1' || *text > '9') {
		return CATALOGUE_OTHER;
	}
	for (; *text >= '0' && *text <= '9'; text++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value)) {
			return CATALOGUE_OTHER;
		}
	}
	/* The last number has no successor. */
	if (value == UINT64_MAX) {
		return CATALOGUE_OTHER;
	}
	*number = value;
	if (!*text) {
		return CATALOGUE_COMMITTED;
	}
	if (strcmp(text, ".tmp") == 0) {
		return CATALOGUE_TEMPORARY;
	}
	if (strcmp(text, ".damaged") == 0) {
		return CATALOGUE_DAMAGED;
	}
	*number = 0;
	return CATALOGUE_OTHER;
}

void catalogue_format_name(enum catalogue_kind kind, uint64_t number, char name[CATALOGUE_NAME_MAX])
{
	static const char *const suffixes[] = {
		[CATALOGUE_OTHER] = "",
		[CATALOGUE_COMMITTED] = "",
		[CATALOGUE_TEMPORARY] = ".tmp",
		[CATALOGUE_DAMAGED] = ".damaged",
	};

	snprintf(
	    name, CATALOGUE_NAME_MAX, "gen.%llu%s", (unsigned long long)number, suffixes[kind]);
}

void catalogue_init(struct catalogue *catalogue)
{
	catalogue->count = 0;
}

static bool layers_make_sense(const struct catalogue_generation *generation)
{
	size_t count = generation->layer_count;

	if (!count || count > CATALOGUE_LAYERS_MAX ||
	    generation->layers[count - 1] != generation->number || !generation->layers[0]) {
		return false;
	}
	for (size_t i = 1; i < count; i++) {
		if (generation->layers[i] <= generation->layers[i - 1]) {
			return false;
		}
	}
	return true;
}

int catalogue_add(struct catalogue *catalogue, const struct catalogue_generation *generation)
{
	size_t at = 0;

	if (!generation->number || generation->number == UINT64_MAX ||
	    generation->kind == CATALOGUE_OTHER ||
	    (generation->kind == CATALOGUE_COMMITTED && generation->readable &&
		!layers_make_sense(generation))) {
		return -EINVAL;
	}
	if (catalogue->count == CATALOGUE_GENERATIONS_MAX) {
		return -ENOSPC;
	}
	for (; at < catalogue->count; at++) {
		const struct catalogue_generation *other = &catalogue->generations[at];

		if (other->number == generation->number && other->kind == generation->kind) {
			return -EEXIST;
		}
		if (other->number > generation->number) {
			break;
		}
	}
	memmove(&catalogue->generations[at + 1], &catalogue->generations[at],
	    (catalogue->count - at) * sizeof(catalogue->generations[0]));
	catalogue->generations[at] = *generation;
	catalogue->count++;
	return 0;
}

const struct catalogue_generation *catalogue_find(
    const struct catalogue *catalogue, uint64_t number)
{
	for (size_t i = 0; i < catalogue->count; i++) {
		const struct catalogue_generation *generation = &catalogue->generations[i];

		if (generation->number == number && generation->kind == CATALOGUE_COMMITTED) {
			return generation;
		}
	}
	return NULL;
}

const struct catalogue_generation *catalogue_newest(const struct catalogue *catalogue)
{
	for (size_t i = catalogue->count; i-- > 0;) {
		if (catalogue->generations[i].kind == CATALOGUE_COMMITTED) {
			return &catalogue->generations[i];
		}
	}
	return NULL;
}

uint64_t catalogue_restorable(const struct catalogue *catalogue, const char **reason)
{
	const struct catalogue_generation *newest = catalogue_newest(catalogue);
	const char *unused;

	if (!reason) {
		reason = &unused;
	}
	*reason = NULL;
	if (!newest) {
		return 0;
	}
	if (!newest->readable) {
		*reason = "Its saved memory cannot be read.";
		return 0;
	}
	if (newest->consumed) {
		*reason = "It was running when the host or its virtual machine stopped.";
		return 0;
	}
	for (size_t i = 0; i < newest->layer_count; i++) {
		if (!catalogue_find(catalogue, newest->layers[i])) {
			*reason = "A part of its saved memory is missing.";
			return 0;
		}
	}
	return newest->number;
}

uint64_t catalogue_next(const struct catalogue *catalogue)
{
	return catalogue->count ? catalogue->generations[catalogue->count - 1].number + 1 : 1;
}

int catalogue_plan_layers(const struct catalogue *catalogue, uint64_t base, uint64_t number,
    bool complete, uint64_t layers[CATALOGUE_LAYERS_MAX], size_t *count)
{
	const struct catalogue_generation *below;

	*count = 0;
	if (number <= base) {
		return -EINVAL;
	}
	if (base && !complete) {
		below = catalogue_find(catalogue, base);
		if (!below || !below->readable) {
			return -ENOENT;
		}
		if (below->layer_count >= CATALOGUE_LAYERS_MAX) {
			return -E2BIG;
		}
		memcpy(layers, below->layers, below->layer_count * sizeof(layers[0]));
		*count = below->layer_count;
	}
	layers[(*count)++] = number;
	return 0;
}

bool catalogue_wants_complete(const struct catalogue *catalogue, uint64_t base, size_t limit)
{
	const struct catalogue_generation *below = base ? catalogue_find(catalogue, base) : NULL;

	if (limit > CATALOGUE_LAYERS_MAX) {
		limit = CATALOGUE_LAYERS_MAX;
	}
	return base && (!below || !below->readable || below->layer_count >= limit);
}

/* Marks the generations that `of` needs, itself included. False when that is not known. */
static bool mark_needed(
    const struct catalogue *catalogue, const struct catalogue_generation *of, bool *needed)
{
	if (!of->readable) {
		return false;
	}
	for (size_t layer = 0; layer < of->layer_count; layer++) {
		for (size_t i = 0; i < catalogue->count; i++) {
			needed[i] |= catalogue->generations[i].number == of->layers[layer];
		}
	}
	return true;
}

void catalogue_plan_prune(
    const struct catalogue *catalogue, size_t keep, uint64_t base, struct catalogue_plan *plan)
{
	bool needed[CATALOGUE_GENERATIONS_MAX] = { false };
	const struct catalogue_generation *pinned = base ? catalogue_find(catalogue, base) : NULL;
	size_t kept = 0;

	plan->count = 0;
	if ((pinned && !mark_needed(catalogue, pinned, needed)) || (base && !pinned)) {
		return;
	}
	for (size_t i = catalogue->count; i-- > 0;) {
		const struct catalogue_generation *generation = &catalogue->generations[i];

		if (generation->kind == CATALOGUE_TEMPORARY && kept) {
			plan->items[plan->count].kind = generation->kind;
			plan->items[plan->count++].number = generation->number;
		}
		if (generation->kind != CATALOGUE_COMMITTED) {
			continue;
		}
		if (kept < keep || !kept) {
			kept++;
			if (!mark_needed(catalogue, generation, needed)) {
				plan->count = 0;
				return;
			}
		} else if (!needed[i] && generation->readable) {
			plan->items[plan->count].kind = generation->kind;
			plan->items[plan->count++].number = generation->number;
		}
	}
}

void catalogue_plan_sweep(const struct catalogue *catalogue, struct catalogue_plan *plan)
{
	plan->count = 0;
	for (size_t i = catalogue->count; i-- > 0;) {
		if (catalogue->generations[i].kind == CATALOGUE_TEMPORARY) {
			plan->items[plan->count].kind = CATALOGUE_TEMPORARY;
			plan->items[plan->count++].number = catalogue->generations[i].number;
		}
	}
}
