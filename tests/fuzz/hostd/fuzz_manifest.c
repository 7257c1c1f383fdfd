/*
 * The parsers of both manifests: any bytes. What must hold: no crash, a message with each refusal, and what is accepted
 * keeps to its bounds.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "hostd/store.h"
#include "hostd/users.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_generation(const struct store_generation *generation)
{
	struct catalogue_generation entry = { .number = generation->number,
		.kind = CATALOGUE_COMMITTED,
		.readable = true,
		.layer_count = generation->layer_count };
	static struct catalogue catalogue;

	assert(generation->number && generation->base < generation->number);
	assert(generation->layer_count <= CATALOGUE_LAYERS_MAX);
	memcpy(entry.layers, generation->layers, sizeof(entry.layers));
	catalogue_init(&catalogue);
	/* The catalogue takes all that the parser lets through. */
	assert(catalogue_add(&catalogue, &entry) == 0);
	assert(strnlen(generation->identity.cpu, STORE_FINGERPRINT_MAX) < STORE_FINGERPRINT_MAX);
	assert(strnlen(generation->identity.disk, STORE_FINGERPRINT_MAX) < STORE_FINGERPRINT_MAX);
	assert(strnlen(generation->identity.version, STORE_VERSION_MAX) < STORE_VERSION_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct store_session_info info;
	struct store_generation generation;
	char message[STORE_TEXT_MAX];
	int error;

	message[0] = '\0';
	error = store_parse_session((const char *)data, size, &info, message);
	assert(!error || ((error == -EBADMSG || error == -EXDEV) && message[0]));
	assert(error || users_name_valid(info.user));
	message[0] = '\0';
	error = store_parse_generation((const char *)data, size, &generation, message);
	assert(!error || ((error == -EBADMSG || error == -EXDEV) && message[0]));
	if (!error) {
		check_generation(&generation);
	}
	return 0;
}
