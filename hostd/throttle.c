/* Delays of failed logins: see throttle.h. */
#include "hostd/throttle.h"

#include <string.h>

static bool entry_matches(const struct throttle_entry *entry, enum throttle_kind kind,
    const struct source *source, uint64_t user)
{
	if (entry->kind != kind) {
		return false;
	}
	if (kind != THROTTLE_USER && !source_equal(&entry->source, source)) {
		return false;
	}
	return kind == THROTTLE_SOURCE || entry->user == user;
}

static size_t find_entry(const struct throttle *throttle, enum throttle_kind kind,
    const struct source *source, uint64_t user)
{
	size_t index = 0;

	while (index < THROTTLE_ENTRIES &&
	       !entry_matches(&throttle->entries[index], kind, source, user)) {
		index++;
	}
	return index;
}

static bool entry_forgotten(const struct throttle_entry *entry, uint64_t now_us)
{
	return now_us > entry->last_us && now_us - entry->last_us > THROTTLE_FORGET_US;
}

/* 0, 1, 1, 2, 4, 8, 16, 30, 30... seconds: one slip of the fingers costs nothing beyond the floor. */
static uint64_t delay_after(uint32_t failures)
{
	uint64_t delay = THROTTLE_FLOOR_US;

	if (failures == 0) {
		return 0;
	}
	for (uint32_t i = 2; i < failures && delay < THROTTLE_DELAY_MAX_US; i++) {
		delay *= 2;
	}
	return delay < THROTTLE_DELAY_MAX_US ? delay : THROTTLE_DELAY_MAX_US;
}

static struct throttle_entry *find_or_make(struct throttle *throttle, enum throttle_kind kind,
    const struct source *source, uint64_t user, uint64_t now_us)
{
	size_t index = find_entry(throttle, kind, source, user);
	struct throttle_entry *entry;

	if (index < THROTTLE_ENTRIES) {
		entry = &throttle->entries[index];
		if (entry_forgotten(entry, now_us)) {
			entry->failures = 0;
			entry->answer_us = 0;
		}
		return entry;
	}
	index = 0;
	for (size_t i = 0; i < THROTTLE_ENTRIES; i++) {
		const struct throttle_entry *candidate = &throttle->entries[i];

		if (candidate->kind == THROTTLE_FREE) {
			index = i;
			break;
		}
		if (candidate->last_us < throttle->entries[index].last_us) {
			index = i;
		}
	}
	entry = &throttle->entries[index];
	*entry = (struct throttle_entry){ .kind = kind, .source = *source, .user = user };
	return entry;
}

uint64_t throttle_start_time(
    const struct throttle *throttle, const struct source *source, uint64_t user, uint64_t now_us)
{
	size_t index = find_entry(throttle, THROTTLE_PAIR, source, user);
	const struct throttle_entry *entry;
	uint64_t start;

	if (index == THROTTLE_ENTRIES) {
		return now_us;
	}
	entry = &throttle->entries[index];
	if (entry_forgotten(entry, now_us)) {
		return now_us;
	}
	start = entry->answer_us;
	if (start > now_us + THROTTLE_START_MAX_US) {
		start = now_us + THROTTLE_START_MAX_US;
	}
	return start > now_us ? start : now_us;
}

uint64_t throttle_failed(struct throttle *throttle, const struct source *source, uint64_t user,
    uint64_t attempt_us, uint64_t now_us)
{
	static const enum throttle_kind kinds[] = { THROTTLE_SOURCE, THROTTLE_USER, THROTTLE_PAIR };
	struct throttle_entry *counted[3];
	uint64_t delay = THROTTLE_FLOOR_US;
	uint64_t answer;

	for (size_t i = 0; i < 3; i++) {
		struct throttle_entry *entry = find_or_make(
		    throttle, kinds[i], source, user, now_us);

		if (entry->failures < UINT32_MAX) {
			entry->failures++;
		}
		entry->last_us = now_us;
		if (delay_after(entry->failures) > delay) {
			delay = delay_after(entry->failures);
		}
		counted[i] = entry;
	}
	answer = attempt_us + delay;
	if (answer < now_us) {
		answer = now_us;
	}
	for (size_t i = 0; i < 3; i++) {
		if (answer > counted[i]->answer_us) {
			counted[i]->answer_us = answer;
		}
	}
	return answer;
}

void throttle_succeeded(struct throttle *throttle, const struct source *source, uint64_t user)
{
	size_t index = find_entry(throttle, THROTTLE_PAIR, source, user);

	if (index < THROTTLE_ENTRIES) {
		memset(&throttle->entries[index], 0, sizeof(throttle->entries[index]));
	}
}
