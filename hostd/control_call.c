/* Calls and answers of the control socket: see control_call.h. */
#include "hostd/control_call.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "input/event.h"

static const char PREFIX[] = "org.tanmatsu.";

int control_call_parse(const char *text, size_t size, struct control_call *call)
{
	json_t *json;
	json_t *parameters;
	const char *method;
	size_t length;
	int error = -EPROTO;

	memset(call, 0, sizeof(*call));
	if (size > CONTROL_CALL_MAX) {
		return -EPROTO;
	}
	json = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(json)) {
		goto out;
	}
	method = json_string_value(json_object_get(json, "method"));
	if (method == NULL || strncmp(method, PREFIX, sizeof(PREFIX) - 1) != 0) {
		goto out;
	}
	method += sizeof(PREFIX) - 1;
	length = strlen(method);
	if (length == 0 || length >= sizeof(call->method)) {
		goto out;
	}
	parameters = json_object_get(json, "parameters");
	if (parameters != NULL && !json_is_object(parameters)) {
		goto out;
	}
	memcpy(call->method, method, length + 1);
	call->more = json_is_true(json_object_get(json, "more"));
	call->parameters = parameters != NULL ? json_incref(parameters) : json_object();
	error = call->parameters != NULL ? 0 : -ENOMEM;
out:
	json_decref(json);
	return error;
}

void control_call_fini(struct control_call *call)
{
	json_decref(call->parameters);
	call->parameters = NULL;
}

int control_call_string(const struct control_call *call, const char *key, char *text, size_t size)
{
	const json_t *value = json_object_get(call->parameters, key);

	if (value == NULL) {
		return -ENOENT;
	}
	/* A NUL inside would make two readers see two strings. */
	if (!json_is_string(value) || json_string_length(value) >= size ||
	    strlen(json_string_value(value)) != json_string_length(value)) {
		return -EINVAL;
	}
	memcpy(text, json_string_value(value), json_string_length(value) + 1);
	return 0;
}

int control_call_number(const struct control_call *call, const char *key, uint64_t maximum,
    uint64_t fallback, uint64_t *number)
{
	const json_t *value = json_object_get(call->parameters, key);

	if (value == NULL) {
		*number = fallback;
		return 0;
	}
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    (uint64_t)json_integer_value(value) > maximum) {
		return -EINVAL;
	}
	*number = (uint64_t)json_integer_value(value);
	return 0;
}

static bool take_integer(
    const json_t *array, size_t index, int64_t low, int64_t high, int64_t *number)
{
	const json_t *value = json_array_get(array, index);

	if (!json_is_integer(value) || json_integer_value(value) < low ||
	    json_integer_value(value) > high) {
		return false;
	}
	*number = json_integer_value(value);
	return true;
}

static must_check int put_event(const json_t *json, struct wire *out)
{
	uint8_t bytes[INPUT_EVENT_WIRE_SIZE];
	int64_t type = 0;
	int64_t code = 0;
	int64_t value = 0;
	int64_t x = 0;
	int64_t y = 0;
	struct input_event event;
	struct wire wire;

	if (!json_is_array(json) || json_array_size(json) != 5 ||
	    !take_integer(json, 0, 0, UINT8_MAX, &type) ||
	    !take_integer(json, 1, 0, UINT16_MAX, &code) ||
	    !take_integer(json, 2, INT32_MIN, INT32_MAX, &value) ||
	    !take_integer(json, 3, 0, UINT16_MAX, &x) ||
	    !take_integer(json, 4, 0, UINT16_MAX, &y)) {
		return -EINVAL;
	}
	event = (struct input_event){
		.type = (uint8_t)type,
		.code = (uint16_t)code,
		.value = (int32_t)value,
		.x = (uint16_t)x,
		.y = (uint16_t)y,
	};
	/* The decoder knows which events make sense. */
	wire_init_write(&wire, bytes, sizeof(bytes));
	input_event_encode(&event, &wire);
	wire_init_read(&wire, bytes, sizeof(bytes));
	if (input_event_decode(&wire, &event) != 0) {
		return -EINVAL;
	}
	wire_put_bytes(out, bytes, sizeof(bytes));
	return 0;
}

int control_call_events(const struct control_call *call, struct wire *out, size_t *count)
{
	const json_t *events = json_object_get(call->parameters, "events");
	size_t size = json_array_size(events);

	if (!json_is_array(events) || size == 0 || size > CONTROL_EVENTS_MAX) {
		return -EINVAL;
	}
	wire_put_u16(out, (uint16_t)size);
	for (size_t i = 0; i < size; i++) {
		int error = put_event(json_array_get(events, i), out);

		if (error) {
			return error;
		}
	}
	*count = size;
	return wire_ok(out) ? 0 : -EINVAL;
}

char *control_answer_take(json_t *parameters, bool continues)
{
	json_t *answer = json_pack(
	    "{s:o}", "parameters", parameters != NULL ? parameters : json_object());
	char *text = NULL;

	if (answer != NULL && continues &&
	    json_object_set_new(answer, "continues", json_true()) < 0) {
		json_decref(answer);
		return NULL;
	}
	if (answer != NULL) {
		text = json_dumps(answer, JSON_COMPACT);
	}
	json_decref(answer);
	return text;
}

char *control_error_take(const char *error, const char *message, json_t *more)
{
	json_t *parameters = more != NULL ? more : json_object();
	json_t *answer;
	char *text = NULL;

	if (parameters == NULL ||
	    json_object_set_new(parameters, "message", json_string(message)) < 0) {
		json_decref(parameters);
		return NULL;
	}
	answer = json_pack("{s:s+,s:o}", "error", PREFIX, error, "parameters", parameters);
	if (answer != NULL) {
		text = json_dumps(answer, JSON_COMPACT);
	}
	json_decref(answer);
	return text;
}
