/* The limit on connections that have not logged in: see admission.h. */
#include "hostd/admission.h"

#include <string.h>

static struct admission_slot *find_slot(struct admission *admission, uint64_t id)
{
	for (size_t i = 0; i < ADMISSION_SLOTS; i++) {
		if (admission->slots[i].state != ADMISSION_FREE && admission->slots[i].id == id) {
			return &admission->slots[i];
		}
	}
	return NULL;
}

static uint32_t count_source(const struct admission *admission, const struct source *source)
{
	uint32_t count = 0;

	for (size_t i = 0; i < ADMISSION_SLOTS; i++) {
		if (admission->slots[i].state != ADMISSION_FREE &&
		    source_equal(&admission->slots[i].source, source)) {
			count++;
		}
	}
	return count;
}

/*
 * The oldest droppable slot of one source, or (source NULL) of the source that takes up most places, if those are at least
 * `least`.
 */
static struct admission_slot *find_victim(
    struct admission *admission, const struct source *source, uint32_t least)
{
	struct admission_slot *victim = NULL;
	uint32_t victim_weight = 0;

	for (size_t i = 0; i < ADMISSION_SLOTS; i++) {
		struct admission_slot *slot = &admission->slots[i];
		uint32_t weight;

		if (slot->state != ADMISSION_WAITING ||
		    (source != NULL && !source_equal(&slot->source, source))) {
			continue;
		}
		weight = count_source(admission, &slot->source);
		if (weight < least) {
			continue;
		}
		if (victim == NULL || weight > victim_weight ||
		    (weight == victim_weight && slot->order < victim->order)) {
			victim = slot;
			victim_weight = weight;
		}
	}
	return victim;
}

/* sshd's rule: from `begin` on a chance of `rate` percent, rising linearly to 100 at `full`. */
static bool chance_to_drop(const struct admission_limits *limits, uint32_t count, uint32_t random)
{
	uint64_t percent;

	if (count < limits->begin) {
		return false;
	}
	if (count >= limits->full || limits->full <= limits->begin) {
		return true;
	}
	percent = limits->rate + (uint64_t)(100 - limits->rate) * (count - limits->begin) /
				     (limits->full - limits->begin);
	return ((uint64_t)random * 100) >> 32 < percent;
}

struct admission_decision admission_enter(
    struct admission *admission, uint64_t id, const struct source *source, uint32_t random)
{
	struct admission_decision decision = { 0 };
	const struct admission_limits *limits = &admission->limits;
	struct admission_slot *victim = NULL;
	uint32_t count = (uint32_t)admission_count(admission);
	bool must_drop = count >= limits->full || count >= ADMISSION_SLOTS;

	if (count_source(admission, source) >= limits->per_source) {
		victim = find_victim(admission, source, 1);
		must_drop = true;
	} else if (must_drop) {
		victim = find_victim(admission, NULL, 1);
	} else if (chance_to_drop(limits, count, random)) {
		/* Early only where one source has several: whoever has a single one is left alone while there is room. */
		victim = find_victim(admission, NULL, 2);
	}
	if (must_drop && victim == NULL) {
		return decision;
	}
	if (victim != NULL) {
		decision.drop = true;
		decision.drop_id = victim->id;
		memset(victim, 0, sizeof(*victim));
	}
	for (size_t i = 0; i < ADMISSION_SLOTS; i++) {
		if (admission->slots[i].state == ADMISSION_FREE) {
			admission->slots[i] = (struct admission_slot){
				.state = ADMISSION_WAITING,
				.id = id,
				.order = admission->next_order++,
				.source = *source,
			};
			decision.accept = true;
			break;
		}
	}
	return decision;
}

void admission_mark(struct admission *admission, uint64_t id, enum admission_state state)
{
	struct admission_slot *slot = find_slot(admission, id);

	if (slot != NULL) {
		slot->state = state;
	}
}

enum admission_state admission_state_of(const struct admission *admission, uint64_t id)
{
	for (size_t i = 0; i < ADMISSION_SLOTS; i++) {
		if (admission->slots[i].state != ADMISSION_FREE && admission->slots[i].id == id) {
			return admission->slots[i].state;
		}
	}
	return ADMISSION_FREE;
}

void admission_leave(struct admission *admission, uint64_t id)
{
	struct admission_slot *slot = find_slot(admission, id);

	if (slot != NULL) {
		memset(slot, 0, sizeof(*slot));
	}
}

size_t admission_count(const struct admission *admission)
{
	size_t count = 0;

	for (size_t i = 0; i < ADMISSION_SLOTS; i++) {
		count += admission->slots[i].state != ADMISSION_FREE;
	}
	return count;
}
