/*
 * What is to happen to a desktop, resolved from what the host, its image and its user say. Pure;
 * any thread.
 *
 * What must stay true: a setting that nobody made has the documented default (policy_default()); a
 * later layer wins over an earlier one, setting by setting; a resolved policy is always usable
 * (numbers inside their bounds).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"

/* What is done when the last viewer has been gone for the grace time. */
enum policy_disconnect {
	POLICY_DISCONNECT_SUSPEND = 0, /* RAM to disk, VMM ends */
	POLICY_DISCONNECT_PAUSE = 1,   /* vCPUs stop, memory stays */
	POLICY_DISCONNECT_KEEP = 2,    /* runs on */
	POLICY_DISCONNECT_SHUTDOWN =
	    3, /* power button; suspended if the guest does not follow it */
};

enum {
	POLICY_MEMORY_MIN_MIB = 16,
	POLICY_MEMORY_MAX_MIB = 1024 * 1024,
	POLICY_VCPUS_MAX = 16,
	POLICY_SIZE_MIN = 320,
	POLICY_SIZE_MAX = 7680,
	POLICY_GRACE_MAX_S = 7 * 24 * 3600,
	POLICY_KEEP_GENERATIONS_MAX = 32,
};

struct policy {
	enum policy_disconnect on_disconnect;
	uint64_t disconnect_grace_us; /* last viewer gone -> on_disconnect */
	bool honour_hold; /* a hold keeps the desktop from being suspended, paused or shut down by
			     itself */
	uint32_t busy_permille; /* CPU use of all vCPUs together from which a desktop counts as busy
				   and is left alone; 0: never */
	uint64_t busy_recheck_us;    /* when a busy or held desktop is looked at again */
	uint64_t start_timeout_us;   /* VMM started or loading -> ready */
	uint64_t suspend_timeout_us; /* suspend begun -> written */
	uint64_t stop_timeout_us;    /* power button -> off, when the request does not say */
	uint64_t retry_first_us,
	    retry_max_us; /* pause after a failed suspend: doubles from the first to the most */
	uint32_t keep_generations; /* snapshots kept besides those that are needed, at least 1 */
	uint32_t memory_mib;
	uint32_t vcpus;
	uint32_t width, height;
};

/* Which settings a layer makes. */
enum policy_setting {
	POLICY_SET_ON_DISCONNECT = 1 << 0,
	POLICY_SET_DISCONNECT_GRACE = 1 << 1,
	POLICY_SET_HONOUR_HOLD = 1 << 2,
	POLICY_SET_BUSY = 1 << 3,
	POLICY_SET_STOP_TIMEOUT = 1 << 4,
	POLICY_SET_KEEP_GENERATIONS = 1 << 5,
	POLICY_SET_MEMORY = 1 << 6,
	POLICY_SET_VCPUS = 1 << 7,
	POLICY_SET_SIZE = 1 << 8,
};

/* What one source (host, image, user) says; values count only where their bit is in `set`. */
struct policy_layer {
	uint32_t set; /* enum policy_setting */
	struct policy values;
};

/* The built-in defaults: suspend after 10 s, 512 MiB, 2 vCPUs, 1280x800. */
void policy_default(struct policy *policy);

/*
 * The defaults, then each layer over them in order (host, image, user); NULL entries are skipped.
 * Values outside their bounds are brought to the nearest bound, since an image is not trusted to
 * name sane ones.
 */
void policy_resolve(const struct policy_layer *const *layers, size_t count, struct policy *policy);

/* "suspend", "pause", "keep", "shutdown"; "?" for a number that is none of them. */
const char *policy_disconnect_name(enum policy_disconnect value);
/* The other way round: 0 or -EINVAL. */
must_check int policy_disconnect_parse(const char *name, enum policy_disconnect *value);
