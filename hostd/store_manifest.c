/*
 * The two manifests as JSON. Written for people to read, read as if an attacker had written them: every number is
 * checked, every text bounded; what is not known is passed over, so that a newer version may add to them.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hostd/store_internal.h"
#include "hostd/users.h"

/* --- reading ------------------------------------------------------------------------------------------------------ */

struct reader {
	char *message;
	int error;
};

static void fail(struct reader *reader, const char *key, const char *what)
{
	if (!reader->error) {
		store_say(reader->message, "%s: %s", key, what);
		reader->error = -EBADMSG;
	}
}

static uint64_t get_number(
    struct reader *reader, const json_t *object, const char *key, uint64_t least, uint64_t most)
{
	const json_t *value = json_object_get(object, key);
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < 0 || (uint64_t)number < least ||
	    (uint64_t)number > most) {
		fail(reader, key, value ? "not a number in its range" : "missing");
		return least;
	}
	return (uint64_t)number;
}

/* Copies a text of printable characters. */
static void get_text(
    struct reader *reader, const json_t *object, const char *key, char *text, size_t size)
{
	const json_t *value = json_object_get(object, key);
	const char *string = json_string_value(value);
	size_t length = json_string_length(value);

	text[0] = '\0';
	if (!string || length >= size || strlen(string) != length) {
		fail(reader, key, !value ? "missing" : "not a text, or too long");
		return;
	}
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)string[i] < 0x20 || string[i] == 0x7f) {
			fail(reader, key, "has control characters in it");
			return;
		}
	}
	memcpy(text, string, length + 1);
}

static bool get_bool(struct reader *reader, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_boolean(value)) {
		fail(reader, key, value ? "neither true nor false" : "missing");
	}
	return json_is_true(value);
}

static const json_t *get_object(struct reader *reader, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_object(value)) {
		fail(reader, key, "missing");
	}
	return value;
}

/* The root object of the text, once its format is known; NULL: failed. */
static json_t *load(struct reader *reader, const char *text, size_t size)
{
	json_error_t where;
	json_t *root = size > STORE_MANIFEST_MAX
			   ? NULL
			   : json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
	uint64_t format;

	if (!root) {
		reader->error = -EBADMSG;
		store_say(reader->message, "not JSON: %s",
		    size > STORE_MANIFEST_MAX ? "too long" : where.text);
		return NULL;
	}
	if (!json_is_object(root)) {
		fail(reader, "manifest", "not an object");
	}
	format = get_number(reader, root, "format", 1, INT32_MAX);
	if (!reader->error && format != STORE_FORMAT) {
		store_say(
		    reader->message, "format %" PRIu64 " was written by a newer version", format);
		reader->error = -EXDEV;
	}
	if (reader->error) {
		json_decref(root);
		return NULL;
	}
	return root;
}

int store_parse_session(
    const char *text, size_t size, struct store_session_info *info, char *message)
{
	struct reader reader = { .message = message };
	json_t *root = load(&reader, text, size);

	memset(info, 0, sizeof(*info));
	if (!root) {
		return reader.error;
	}
	get_text(&reader, root, "user", info->user, sizeof(info->user));
	if (!reader.error && !users_name_valid(info->user)) {
		fail(&reader, "user", "not a user's name");
	}
	info->created_us = get_number(&reader, root, "created_us", 0, INT64_MAX);
	info->resumes = get_number(&reader, root, "resumes", 0, INT64_MAX);
	info->running = get_bool(&reader, root, "running");
	json_decref(root);
	return reader.error;
}

/* 32 hexadecimal digits, the high half first. */
static void get_hash(struct reader *reader, const json_t *object, const char *key, uint64_t hash[2])
{
	char text[33];

	get_text(reader, object, key, text, sizeof(text));
	if (reader->error) {
		return;
	}
	if (strlen(text) != 32 || text[strspn(text, "0123456789abcdef")]) {
		fail(reader, key, "not a checksum");
		return;
	}
	hash[0] = strtoull(text + 16, NULL, 16);
	text[16] = '\0';
	hash[1] = strtoull(text, NULL, 16);
}

static void get_layers(
    struct reader *reader, const json_t *root, struct store_generation *generation)
{
	const json_t *list = json_object_get(root, "layers");
	size_t count = json_array_size(list);

	if (!count || count > CATALOGUE_LAYERS_MAX) {
		fail(reader, "layers", list ? "none, or too many" : "missing");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_array_get(list, i);
		json_int_t number = json_integer_value(value);

		if (!json_is_integer(value) || number < 1 ||
		    (i && (uint64_t)number <= generation->layers[i - 1])) {
			fail(reader, "layers", "not ascending numbers");
			return;
		}
		generation->layers[i] = (uint64_t)number;
	}
	generation->layer_count = count;
	if (generation->layers[count - 1] != generation->number) {
		fail(reader, "layers", "does not end with its own number");
	}
}

int store_parse_generation(
    const char *text, size_t size, struct store_generation *generation, char *message)
{
	struct reader reader = { .message = message };
	struct store_identity *identity = &generation->identity;
	json_t *root = load(&reader, text, size);
	const json_t *object, *files;

	memset(generation, 0, sizeof(*generation));
	if (!root) {
		return reader.error;
	}
	generation->number = get_number(&reader, root, "number", 1, INT64_MAX - 1);
	generation->base = get_number(&reader, root, "base", 0, INT64_MAX - 1);
	if (generation->base >= generation->number) {
		fail(&reader, "base", "not below its number");
	}
	generation->created_us = get_number(&reader, root, "created_us", 0, INT64_MAX);
	object = get_object(&reader, root, "identity");
	get_text(&reader, object, "cpu", identity->cpu, sizeof(identity->cpu));
	get_text(&reader, object, "disk", identity->disk, sizeof(identity->disk));
	get_text(&reader, object, "version", identity->version, sizeof(identity->version));
	identity->memory_mib = (uint32_t)get_number(&reader, object, "memory_mib", 1, 1u << 24);
	identity->vcpus = (uint32_t)get_number(&reader, object, "vcpus", 1, 1024);
	files = get_object(&reader, root, "files");
	object = get_object(&reader, files, "state");
	generation->state_bytes = get_number(&reader, object, "bytes", 0, INT64_MAX);
	get_hash(&reader, object, "xxh3_128", generation->state_hash);
	object = get_object(&reader, files, "ram");
	generation->ram_bytes = get_number(&reader, object, "bytes", 0, INT64_MAX);
	object = get_object(&reader, files, "frame");
	generation->frame_bytes = get_number(&reader, object, "bytes", 0, INT64_MAX);
	get_hash(&reader, object, "xxh3_128", generation->frame_hash);
	get_layers(&reader, root, generation);
	json_decref(root);
	return reader.error;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

/* "2026-11-23T19:27:54Z": for people; never read back. */
static json_t *format_time(uint64_t microseconds)
{
	time_t seconds = (time_t)(microseconds / 1000000);
	char text[32] = "";
	struct tm parts;

	if (gmtime_r(&seconds, &parts)) {
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
	}
	return json_string(text);
}

static char *dump(json_t *root)
{
	char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;

	json_decref(root);
	return text;
}

char *store_format_session(const struct store_session_info *info)
{
	return dump(json_pack("{s:i, s:s, s:I, s:o, s:I, s:b}", "format", STORE_FORMAT, "user",
	    info->user, "created_us", (json_int_t)info->created_us, "created",
	    format_time(info->created_us), "resumes", (json_int_t)info->resumes, "running",
	    info->running));
}

static void format_hash(const uint64_t hash[2], char text[33])
{
	snprintf(text, 33, "%016" PRIx64 "%016" PRIx64, hash[1], hash[0]);
}

char *store_format_generation(const struct store_generation *generation)
{
	const struct store_identity *identity = &generation->identity;
	json_t *layers = json_array();
	char state[33], frame[33];

	for (size_t i = 0; i < generation->layer_count; i++) {
		if (json_array_append_new(
			layers, json_integer((json_int_t)generation->layers[i]))) {
			json_decref(layers);
			return NULL;
		}
	}
	format_hash(generation->state_hash, state);
	format_hash(generation->frame_hash, frame);
	return dump(json_pack("{s:i, s:I, s:I, s:I, s:o, s:{s:s, s:s, s:s, s:i, s:i}, "
			      "s:{s:{s:I, s:s}, s:{s:I}, s:{s:I, s:s}}, s:o}",
	    "format", STORE_FORMAT, "number", (json_int_t)generation->number, "base",
	    (json_int_t)generation->base, "created_us", (json_int_t)generation->created_us,
	    "created", format_time(generation->created_us), "identity", "cpu", identity->cpu,
	    "disk", identity->disk, "version", identity->version, "memory_mib",
	    (int)identity->memory_mib, "vcpus", (int)identity->vcpus, "files", "state", "bytes",
	    (json_int_t)generation->state_bytes, "xxh3_128", state, "ram", "bytes",
	    (json_int_t)generation->ram_bytes, "frame", "bytes",
	    (json_int_t)generation->frame_bytes, "xxh3_128", frame, "layers", layers));
}
