/* See state_file.h. */
#include "vmm/state_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

enum {
	STATE_VERSION = 1,
	CHECKSUM = 16,
};

static const uint8_t state_magic[8] = { 'T', 'M', 'S', 'T', 'A', 'T', 'E', '1' };

static void checksum(const void *bytes, size_t size, uint8_t sum[CHECKSUM])
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, size));
	memcpy(sum, canonical.digest, CHECKSUM);
}

/* Of what was written since `start`. */
static void put_checksum_since(struct wire *out, size_t start)
{
	uint8_t sum[CHECKSUM] = { 0 };

	if (wire_ok(out)) {
		checksum(out->data + start, out->position - start, sum);
	}
	wire_put_bytes(out, sum, sizeof(sum));
}

static bool checksum_matches(struct wire *in, size_t start)
{
	uint8_t expected[CHECKSUM];
	uint8_t sum[CHECKSUM];

	if (!wire_ok(in)) {
		return false;
	}
	checksum(in->data + start, in->position - start, expected);
	wire_get_bytes(in, sum, sizeof(sum));
	return wire_ok(in) && memcmp(sum, expected, sizeof(sum)) == 0;
}

void state_file_put_header(struct wire *out, const struct state_file *file)
{
	size_t start = out->position;

	wire_put_bytes(out, state_magic, sizeof(state_magic));
	wire_put_u32(out, STATE_VERSION);
	wire_put_u64(out, file->generation);
	wire_put_u64(out, file->memory_size);
	wire_put_u32(out, file->vcpus);
	wire_put_u32(out, file->section_count);
	put_checksum_since(out, start);
}

void state_file_put_section(struct wire *out, const char *name, uint32_t instance, uint32_t version,
    const struct wire *body)
{
	size_t start = out->position;
	uint8_t sum[CHECKSUM];

	if (!wire_ok(body)) {
		wire_fail(out);
		return;
	}
	checksum(body->data, body->position, sum);
	wire_put_string(out, name);
	wire_put_u32(out, instance);
	wire_put_u32(out, version);
	wire_put_u64(out, body->position);
	wire_put_bytes(out, sum, sizeof(sum));
	put_checksum_since(out, start);
	wire_put_bytes(out, body->data, body->position);
}

static bool decode_section(struct wire *in, struct state_section *section)
{
	size_t start = in->position;
	uint8_t expected[CHECKSUM];
	uint8_t sum[CHECKSUM];
	uint64_t size;

	wire_get_string(in, section->name, sizeof(section->name));
	section->instance = wire_get_u32(in);
	section->version = wire_get_u32(in);
	size = wire_get_u64(in);
	wire_get_bytes(in, expected, sizeof(expected));
	if (!checksum_matches(in, start)) {
		section->name[0] = '\0'; /* nothing of it can be believed */
		return false;
	}
	if (size > wire_remaining(in)) {
		return false;
	}
	section->size = (size_t)size;
	section->bytes = wire_get_view(in, section->size);
	checksum(section->bytes, section->size, sum);
	return memcmp(sum, expected, sizeof(sum)) == 0;
}

int state_file_decode(
    const uint8_t *bytes, size_t size, struct state_file *file, char reason[STATE_REASON_MAX])
{
	uint8_t magic[sizeof(state_magic)];
	uint32_t version;
	struct wire in;

	*file = (struct state_file){ 0 };
	wire_init_read(&in, bytes, size);
	wire_get_bytes(&in, magic, sizeof(magic));
	version = wire_get_u32(&in);
	file->generation = wire_get_u64(&in);
	file->memory_size = wire_get_u64(&in);
	file->vcpus = wire_get_u32(&in);
	file->section_count = wire_get_u32(&in);
	if (memcmp(magic, state_magic, sizeof(magic)) != 0) {
		snprintf(reason, STATE_REASON_MAX, "it is not a device state file");
		return -EPROTO;
	}
	if (!checksum_matches(&in, 0)) {
		snprintf(reason, STATE_REASON_MAX, "checksum mismatch in its header");
		return -EPROTO;
	}
	if (version != STATE_VERSION || file->section_count > STATE_SECTIONS_MAX) {
		snprintf(reason, STATE_REASON_MAX, "it was made by another version (format %u)",
		    version);
		return -EPROTO;
	}
	for (uint32_t i = 0; i < file->section_count; i++) {
		struct state_section *section = &file->sections[i];

		if (!decode_section(&in, section)) {
			snprintf(reason, STATE_REASON_MAX, "checksum mismatch in section %s",
			    section->name[0] ? section->name : "(its name is damaged)");
			return -EPROTO;
		}
	}
	if (!wire_done(&in)) {
		snprintf(reason, STATE_REASON_MAX, "it does not end after its last section");
		return -EPROTO;
	}
	return 0;
}

struct state_section *state_file_find(struct state_file *file, const char *name, uint32_t instance)
{
	for (uint32_t i = 0; i < file->section_count; i++) {
		struct state_section *section = &file->sections[i];

		if (!section->used && section->instance == instance &&
		    strcmp(section->name, name) == 0) {
			section->used = true;
			return section;
		}
	}
	return NULL;
}

const struct state_section *state_file_unused(const struct state_file *file)
{
	for (uint32_t i = 0; i < file->section_count; i++) {
		if (!file->sections[i].used) {
			return &file->sections[i];
		}
	}
	return NULL;
}
