/*
 * The generations of one desktop's snapshots, as pure planning: what their folders are called,
 * which one may be resumed, which older RAM layers it needs, what may be deleted. hostd/store.c
 * reads the folders into a catalogue and carries the plans out. Any thread.
 *
 * A generation is a folder: `gen.N.tmp` while it is written, `gen.N` once one rename has committed
 * it, and `gen.N.damaged` when it was set aside. Its RAM layer lies over the layers that its
 * manifest lists, oldest first, the last being its own.
 *
 * What must stay true: a number is given only once while anything bears it or a higher one; the newest committed generation is never
 * deleted, nor a layer that a kept generation needs; only the newest committed generation can be
 * restorable, and only until it is consumed, since the disk moves on from it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"

enum {
	CATALOGUE_GENERATIONS_MAX = 128, /* folders of any kind; more is -ENOSPC */
	CATALOGUE_LAYERS_MAX = 32,       /* equals VMM_LAYERS_MAX */
	CATALOGUE_NAME_MAX = 40,         /* bytes of a folder's name with its NUL */
};

enum catalogue_kind {
	CATALOGUE_OTHER = 0,     /* not one of ours: left alone */
	CATALOGUE_COMMITTED = 1, /* gen.N */
	CATALOGUE_TEMPORARY =
	    2, /* gen.N.tmp: a suspend that did not end; deleted at the next occasion */
	CATALOGUE_DAMAGED = 3, /* gen.N.damaged: kept for a person to look at */
};

struct catalogue_generation {
	uint64_t number;
	enum catalogue_kind kind;
	bool consumed; /* a vCPU has run from it, or may have */
	bool readable; /* its manifest was there and in order; an unreadable one is never restored
			  and never pruned */
	size_t layer_count;
	uint64_t layers[CATALOGUE_LAYERS_MAX]; /* generations whose RAM layers it needs, oldest
						  first, itself last */
};

struct catalogue {
	size_t count;
	struct catalogue_generation
	    generations[CATALOGUE_GENERATIONS_MAX]; /* by number, ascending; kinds may repeat one */
};

/* What a folder's name says. `number` is 1 or more for ours; leading zeros, signs and overflow make
 * it OTHER. */
enum catalogue_kind catalogue_parse_name(const char *name, uint64_t *number);
/* Writes "gen.N", "gen.N.tmp" or "gen.N.damaged". */
void catalogue_format_name(
    enum catalogue_kind kind, uint64_t number, char name[CATALOGUE_NAME_MAX]);

void catalogue_init(struct catalogue *catalogue);
/* Adds one, sorted in. 0; -EINVAL when its numbers make no sense (layers not ascending, not ending
 * in itself, too many); -EEXIST when that number and kind are there; -ENOSPC. */
must_check int catalogue_add(
    struct catalogue *catalogue, const struct catalogue_generation *generation);
/* The committed generation of that number, or NULL. */
const struct catalogue_generation *catalogue_find(
    const struct catalogue *catalogue, uint64_t number);
/* The newest committed generation, or NULL. */
const struct catalogue_generation *catalogue_newest(const struct catalogue *catalogue);
/*
 * The generation to resume from, or 0 to boot: the newest committed one, when it is readable, not
 * consumed, and all of its layers are there. When 0 though a newest one exists, `reason` (may be
 * NULL) says why in a sentence; else it is NULL.
 */
uint64_t catalogue_restorable(const struct catalogue *catalogue, const char **reason);
/* The next number to write: above every number of any kind that was ever seen. */
uint64_t catalogue_next(const struct catalogue *catalogue);

/*
 * The layers of generation `number`, written by a VMM that was loaded from `base` (0: booted):
 * base's layers and its own, or only its own when the VMM reported the layer as complete. 0;
 * -ENOENT when base is not there; -E2BIG when the chain would be longer than CATALOGUE_LAYERS_MAX;
 * -EINVAL when number is not above base.
 */
must_check int catalogue_plan_layers(const struct catalogue *catalogue, uint64_t base,
    uint64_t number, bool complete, uint64_t layers[CATALOGUE_LAYERS_MAX], size_t *count);
/*
 * True when a VMM loaded from `base` has to write a complete layer, because its chain is at least
 * `limit` long (at most CATALOGUE_LAYERS_MAX).
 */
bool catalogue_wants_complete(const struct catalogue *catalogue, uint64_t base, size_t limit);

struct catalogue_plan {
	size_t count;
	struct {
		enum catalogue_kind kind;
		uint64_t number;
	} items[CATALOGUE_GENERATIONS_MAX]; /* in the order to delete them */
};

/*
 * What may go after a commit: committed generations beyond the newest `keep` (at least 1) that no
 * kept generation needs as a layer and that are not in the chain of `base`, the generation a
 * running VMM was loaded from (0: none). Newest first, so that a crash in the middle leaves no
 * generation without its layers. Unreadable ones stay, and while one of the kept generations is
 * unreadable nothing goes at all, since nobody knows what it needs. Damaged ones stay. Temporary
 * ones below the newest committed one go too: whoever wrote them has written a later one since.
 */
void catalogue_plan_prune(
    const struct catalogue *catalogue, size_t keep, uint64_t base, struct catalogue_plan *plan);
/* The temporary folders: what an interrupted suspend left. Only while no VMM of this desktop is
 * writing. */
void catalogue_plan_sweep(const struct catalogue *catalogue, struct catalogue_plan *plan);
