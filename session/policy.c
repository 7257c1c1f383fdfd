/*
 * Resolving settings from several sources: setting by setting, the last source that makes it wins.
 */
#include "session/policy.h"

#include <errno.h>
#include <string.h>

#define SECOND_US UINT64_C(1000000)

static const char *const disconnect_names[] = {
	[POLICY_DISCONNECT_SUSPEND] = "suspend",
	[POLICY_DISCONNECT_PAUSE] = "pause",
	[POLICY_DISCONNECT_KEEP] = "keep",
	[POLICY_DISCONNECT_SHUTDOWN] = "shutdown",
};

enum {
	DISCONNECT_COUNT = sizeof(disconnect_names) / sizeof(disconnect_names[0]),
};

void policy_default(struct policy *policy)
{
	*policy = (struct policy){
		.on_disconnect = POLICY_DISCONNECT_SUSPEND,
		.disconnect_grace_us = 10 * SECOND_US,
		.honour_hold = true,
		.busy_permille = 0,
		.busy_recheck_us = 60 * SECOND_US,
		.start_timeout_us = 60 * SECOND_US,
		.suspend_timeout_us = 120 * SECOND_US,
		.stop_timeout_us = 60 * SECOND_US,
		.retry_first_us = 5 * SECOND_US,
		.retry_max_us = 300 * SECOND_US,
		.keep_generations = 1,
		.memory_mib = 512,
		.vcpus = 2,
		.width = 1280,
		.height = 800,
	};
}

static void apply(const struct policy_layer *layer, struct policy *policy)
{
	const struct policy *values = &layer->values;

	if (layer->set & POLICY_SET_ON_DISCONNECT) {
		policy->on_disconnect = values->on_disconnect;
	}
	if (layer->set & POLICY_SET_DISCONNECT_GRACE) {
		policy->disconnect_grace_us = values->disconnect_grace_us;
	}
	if (layer->set & POLICY_SET_HONOUR_HOLD) {
		policy->honour_hold = values->honour_hold;
	}
	if (layer->set & POLICY_SET_BUSY) {
		policy->busy_permille = values->busy_permille;
	}
	if (layer->set & POLICY_SET_STOP_TIMEOUT) {
		policy->stop_timeout_us = values->stop_timeout_us;
	}
	if (layer->set & POLICY_SET_KEEP_GENERATIONS) {
		policy->keep_generations = values->keep_generations;
	}
	if (layer->set & POLICY_SET_MEMORY) {
		policy->memory_mib = values->memory_mib;
	}
	if (layer->set & POLICY_SET_VCPUS) {
		policy->vcpus = values->vcpus;
	}
	if (layer->set & POLICY_SET_SIZE) {
		policy->width = values->width;
		policy->height = values->height;
	}
}

static uint64_t bound(uint64_t value, uint64_t least, uint64_t most)
{
	return value < least ? least : value > most ? most : value;
}

void policy_resolve(const struct policy_layer *const *layers, size_t count, struct policy *policy)
{
	policy_default(policy);
	for (size_t i = 0; i < count; i++) {
		if (layers[i]) {
			apply(layers[i], policy);
		}
	}
	if ((unsigned int)policy->on_disconnect >= DISCONNECT_COUNT) {
		policy->on_disconnect = POLICY_DISCONNECT_SUSPEND;
	}
	policy->disconnect_grace_us = bound(
	    policy->disconnect_grace_us, 0, POLICY_GRACE_MAX_S * SECOND_US);
	policy->stop_timeout_us = bound(
	    policy->stop_timeout_us, SECOND_US, POLICY_GRACE_MAX_S * SECOND_US);
	policy->busy_permille = (uint32_t)bound(policy->busy_permille, 0, 1000 * POLICY_VCPUS_MAX);
	policy->keep_generations = (uint32_t)bound(
	    policy->keep_generations, 1, POLICY_KEEP_GENERATIONS_MAX);
	policy->memory_mib = (uint32_t)bound(
	    policy->memory_mib, POLICY_MEMORY_MIN_MIB, POLICY_MEMORY_MAX_MIB);
	policy->vcpus = (uint32_t)bound(policy->vcpus, 1, POLICY_VCPUS_MAX);
	policy->width = (uint32_t)bound(policy->width, POLICY_SIZE_MIN, POLICY_SIZE_MAX);
	policy->height = (uint32_t)bound(policy->height, POLICY_SIZE_MIN, POLICY_SIZE_MAX);
}

const char *policy_disconnect_name(enum policy_disconnect value)
{
	return (unsigned int)value < DISCONNECT_COUNT ? disconnect_names[value] : "?";
}

int policy_disconnect_parse(const char *name, enum policy_disconnect *value)
{
	for (unsigned int i = 0; i < DISCONNECT_COUNT; i++) {
		if (strcmp(name, disconnect_names[i]) == 0) {
			*value = i;
			return 0;
		}
	}
	return -EINVAL;
}
