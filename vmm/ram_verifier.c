/* See ram_verifier.h. What must stay true: the thread only reads, and touches nothing of the verifier after `done`. */
#include "vmm/ram_verifier.h"

#include <errno.h>

static void *verify(void *argument)
{
	struct ram_verifier *verifier = argument;
	const struct ram *ram = verifier->ram;

	for (uint32_t i = 0; i < ram->unverified_count && !verifier->error; i++) {
		verifier->error = ram_verify(
		    ram, &ram->unverified[i], &verifier->cancel, verifier->reason);
	}
	verifier->done(verifier->context);
	return NULL;
}

int ram_verifier_start(struct ram_verifier *verifier, const struct ram *ram,
    void (*done)(void *context), void *context)
{
	int error;

	if (ram->unverified_count == 0) {
		return 0;
	}
	verifier->ram = ram;
	verifier->done = done;
	verifier->context = context;
	error = pthread_create(&verifier->thread, NULL, verify, verifier);
	verifier->started = error == 0;
	return -error;
}

int ram_verifier_finish(struct ram_verifier *verifier)
{
	if (verifier->started) {
		verifier->started = false;
		(void)pthread_join(verifier->thread, NULL);
	}
	return verifier->error;
}

void ram_verifier_cancel(struct ram_verifier *verifier)
{
	atomic_store(&verifier->cancel, true);
	(void)!ram_verifier_finish(verifier);
}
