/* See answer.h: tables of members, walked in both directions. */
#include "client/answer.h"

#include <errno.h>
#include <string.h>

#include "base/wire.h"

/* A member of a structure that stands under the same key in JSON. */
struct member {
	const char *key;
	size_t offset;
	size_t size;      /* of a string; 0: uint64_t */
	uint64_t maximum; /* of a number */
};

#define STRING(type, name)                                                              \
	{                                                                               \
#name, offsetof(struct type, name), sizeof(((struct type *)0)->name), 0 \
	}
#define NUMBER(type, name, limit)                              \
	{                                                      \
#name, offsetof(struct type, name), 0, (limit) \
	}
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint64_t any = INT64_MAX; /* JSON integers are signed in jansson */

static const struct member viewer_members[] = {
	NUMBER(answer_viewer, viewer, any),
	STRING(answer_viewer, user),
	STRING(answer_viewer, peer),
	NUMBER(answer_viewer, since_us, any),
};

static const struct member session_members[] = {
	STRING(answer_session, session),
	STRING(answer_session, user),
	STRING(answer_session, state),
	NUMBER(answer_session, memory_mib, UINT32_MAX),
	NUMBER(answer_session, vcpus, 4096),
	NUMBER(answer_session, width, SCANOUT_SIZE_MAX),
	NUMBER(answer_session, height, SCANOUT_SIZE_MAX),
	NUMBER(answer_session, pid, INT32_MAX),
	NUMBER(answer_session, generation, any),
	NUMBER(answer_session, resumes, any),
	NUMBER(answer_session, since_us, any),
	STRING(answer_session, reason),
	NUMBER(answer_session, snapshot_bytes, any),
	STRING(answer_session, last_error),
};

static const struct member statistics_members[] = {
	NUMBER(answer_statistics, uptime_us, any),
	NUMBER(answer_statistics, vcpu_us, any),
	NUMBER(answer_statistics, exits, any),
	NUMBER(answer_statistics, ram_private_bytes, any),
	NUMBER(answer_statistics, damage_scans, any),
	NUMBER(answer_statistics, input_events, any),
	NUMBER(answer_statistics, viewers, UINT32_MAX),
	NUMBER(answer_statistics, width, SCANOUT_SIZE_MAX),
	NUMBER(answer_statistics, height, SCANOUT_SIZE_MAX),
};

static const struct member hold_members[] = {
	STRING(answer_hold, user),
	STRING(answer_hold, reason),
	NUMBER(answer_hold, since_us, any),
};

static const struct member listen_members[] = {
	STRING(answer_listen, address),
	NUMBER(answer_listen, port, 65535),
};

static const struct member info_members[] = {
	STRING(answer_info, version),
	STRING(answer_info, mode),
	STRING(answer_info, host),
	NUMBER(answer_info, pid, INT32_MAX),
	{ "unix", offsetof(struct answer_info, unix_path), ANSWER_PATH_MAX, 0 },
	STRING(answer_info, state),
	STRING(answer_info, runtime),
	NUMBER(answer_info, uptime_us, any),
	NUMBER(answer_info, sessions, UINT32_MAX),
	NUMBER(answer_info, viewers, UINT32_MAX),
	STRING(answer_info, ca),
	STRING(answer_info, layout),
};

int answer_string(const json_t *object, const char *key, char *buffer, size_t size)
{
	const json_t *value = json_object_get(object, key);
	size_t length;

	buffer[0] = 0;
	if (!value || json_is_null(value)) {
		return 0;
	}
	if (!json_is_string(value)) {
		return -EPROTO;
	}
	length = json_string_length(value);
	if (length >= size || memchr(json_string_value(value), 0, length)) {
		return -EPROTO;
	}
	memcpy(buffer, json_string_value(value), length + 1);
	return 0;
}

int answer_number(const json_t *object, const char *key, uint64_t maximum, uint64_t *number)
{
	const json_t *value = json_object_get(object, key);

	*number = 0;
	if (!value || json_is_null(value)) {
		return 0;
	}
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    (uint64_t)json_integer_value(value) > maximum) {
		return -EPROTO;
	}
	*number = (uint64_t)json_integer_value(value);
	return 0;
}

static int decode(const json_t *json, const struct member *members, size_t count, void *structure)
{
	if (!json_is_object(json)) {
		return -EPROTO;
	}
	for (size_t i = 0; i < count; i++) {
		char *place = (char *)structure + members[i].offset;
		uint64_t number;
		int error;

		if (members[i].size > 0) {
			error = answer_string(json, members[i].key, place, members[i].size);
		} else {
			error = answer_number(json, members[i].key, members[i].maximum, &number);
			memcpy(place, &number, sizeof(number));
		}
		if (error) {
			return error;
		}
	}
	return 0;
}

static json_t *encode(const void *structure, const struct member *members, size_t count)
{
	json_t *json = json_object();

	for (size_t i = 0; json && i < count; i++) {
		const char *place = (const char *)structure + members[i].offset;
		uint64_t number;
		json_t *value;

		if (members[i].size > 0) {
			value = json_string(place);
		} else {
			memcpy(&number, place, sizeof(number));
			value = json_integer((json_int_t)number);
		}
		if (json_object_set_new(json, members[i].key, value) < 0) {
			json_decref(json);
			return NULL;
		}
	}
	return json;
}

static int decode_holds(const json_t *holds, struct answer_session *session)
{
	if (holds && !json_is_array(holds)) {
		return -EPROTO;
	}
	for (size_t i = 0; i < json_array_size(holds) && i < ANSWER_HOLDS_MAX; i++) {
		int error = decode(json_array_get(holds, i), hold_members, COUNT(hold_members),
		    &session->holds[i]);

		if (error) {
			return error;
		}
		session->hold_count++;
	}
	return 0;
}

int answer_session_decode(const json_t *json, struct answer_session *session)
{
	const json_t *viewers;
	int error;

	memset(session, 0, sizeof(*session));
	error = decode(json, session_members, COUNT(session_members), session);
	if (error) {
		return error;
	}
	if (!session->session[0]) {
		return -EPROTO;
	}
	viewers = json_object_get(json, "viewers");
	if (viewers && !json_is_array(viewers)) {
		return -EPROTO;
	}
	session->viewer_total = json_array_size(viewers);
	session->viewer_count = session->viewer_total < ANSWER_VIEWERS_MAX ? session->viewer_total
									   : ANSWER_VIEWERS_MAX;
	for (size_t i = 0; i < session->viewer_count; i++) {
		error = decode(json_array_get(viewers, i), viewer_members, COUNT(viewer_members),
		    &session->viewers[i]);
		if (error) {
			return error;
		}
	}
	return decode_holds(json_object_get(json, "holds"), session);
}

json_t *answer_session_encode(const struct answer_session *session)
{
	json_t *json = encode(session, session_members, COUNT(session_members));
	json_t *viewers = json_array();
	json_t *holds = json_array();

	for (size_t i = 0; i < session->hold_count; i++) {
		json_array_append_new(
		    holds, encode(&session->holds[i], hold_members, COUNT(hold_members)));
	}
	for (size_t i = 0; i < session->viewer_count; i++) {
		json_array_append_new(
		    viewers, encode(&session->viewers[i], viewer_members, COUNT(viewer_members)));
	}
	if (json_object_set_new(json, "viewers", viewers) < 0 ||
	    json_object_set_new(json, "holds", holds) < 0) {
		json_decref(json);
		return NULL;
	}
	return json;
}

int answer_statistics_decode(const json_t *json, struct answer_statistics *statistics)
{
	memset(statistics, 0, sizeof(*statistics));
	return decode(json, statistics_members, COUNT(statistics_members), statistics);
}

json_t *answer_statistics_encode(const struct answer_statistics *statistics)
{
	return encode(statistics, statistics_members, COUNT(statistics_members));
}

int answer_info_decode(const json_t *json, struct answer_info *info)
{
	const json_t *listen;
	int error;

	memset(info, 0, sizeof(*info));
	error = decode(json, info_members, COUNT(info_members), info);
	if (error) {
		return error;
	}
	listen = json_object_get(json, "listen");
	if (listen && !json_is_array(listen)) {
		return -EPROTO;
	}
	for (size_t i = 0; i < json_array_size(listen) && i < ANSWER_LISTEN_MAX; i++) {
		error = decode(json_array_get(listen, i), listen_members, COUNT(listen_members),
		    &info->listen[i]);
		if (error) {
			return error;
		}
		info->listen_count++;
	}
	return 0;
}

json_t *answer_info_encode(const struct answer_info *info)
{
	json_t *json = encode(info, info_members, COUNT(info_members));
	json_t *listen = json_array();

	for (size_t i = 0; i < info->listen_count; i++) {
		json_array_append_new(
		    listen, encode(&info->listen[i], listen_members, COUNT(listen_members)));
	}
	if (json_object_set_new(json, "listen", listen) < 0) {
		json_decref(json);
		return NULL;
	}
	return json;
}

int answer_picture_decode(const json_t *json, uint64_t memory_size, struct answer_picture *picture)
{
	uint64_t width, height, stride, format, offset;
	uint8_t space[64];
	struct scanout told;
	struct wire wire;
	size_t size;

	memset(picture, 0, sizeof(*picture));
	if (!json_is_object(json)) {
		return -EPROTO;
	}
	if (json_is_true(json_object_get(json, "frame"))) {
		picture->frame = 1;
		return 0;
	}
	if (answer_number(json, "width", SCANOUT_SIZE_MAX, &width) ||
	    answer_number(json, "height", SCANOUT_SIZE_MAX, &height) ||
	    answer_number(json, "stride", UINT32_MAX, &stride) ||
	    answer_number(json, "format", UINT32_MAX, &format) ||
	    answer_number(json, "offset", any, &offset)) {
		return -EPROTO;
	}
	told = (struct scanout){
		.id = 1,
		.format = (uint32_t)format,
		.width = (uint32_t)width,
		.height = (uint32_t)height,
		.stride = (uint32_t)stride,
		.offset = offset,
		.memory_size = memory_size,
	};
	/* The format of the link between VMM and viewer has the one check there is for such numbers. */
	wire_init_write(&wire, space, sizeof(space));
	scanout_encode(&told, &wire);
	if (!wire_ok(&wire)) {
		return -EPROTO;
	}
	size = wire.position;
	wire_init_read(&wire, space, size);
	return scanout_decode(&wire, &picture->scanout);
}
