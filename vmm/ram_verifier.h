/*
 * Verifies the pages of large memory layers while the guest runs already, so that nobody waits for bytes that he may not
 * touch for hours; reading them also brings them into the page cache before the guest wants them. What must stay true:
 * until it has finished, nothing that the guest does may be taken for good: no snapshot is written over those layers, and
 * when a page turns out damaged the machine ends there and then.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/must_check.h"
#include "vmm/ram.h"

struct ram_verifier {
	const struct ram *ram;
	void (*done)(void *context);
	void *context;
	pthread_t thread;
	bool started; /* and not waited for yet */
	atomic_bool cancel;
	int error; /* the thread's until it was waited for */
	char reason[RAM_REASON_MAX];
};

/*
 * Starts a thread for what `ram` has unverified, if it has any. `done` is called on that thread at its end. `verifier` is
 * zeroed; it borrows all. 0 or -errno of pthread_create(). Loop thread, like the rest.
 */
must_check int ram_verifier_start(struct ram_verifier *verifier, const struct ram *ram,
    void (*done)(void *context), void *context);
/* Waits for the end. 0, or -EPROTO or -errno with verifier->reason; the same when it is called again. */
must_check int ram_verifier_finish(struct ram_verifier *verifier);
/* Gives up, and waits for the thread. Fine when it was never started. */
void ram_verifier_cancel(struct ram_verifier *verifier);
