/*
 * An answer of the daemon: the frame, then each structure that a command reads from it. What was accepted is printed as
 * JSON again and must be accepted once more, with the same content. Strings go through the terminal's cleaning.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/answer.h"
#include "client/control.h"
#include "client/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* After text_clean() nothing can steer a terminal. */
static void check_clean(const char *text)
{
	char clean[ANSWER_TEXT_MAX * 4 + 1];

	text_clean(text, clean, sizeof(clean));
	for (const char *c = clean; *c; c++) {
		assert((unsigned char)*c >= 0x20 && *c != 0x7f);
	}
}

static void read_session(const json_t *json)
{
	static struct answer_session session, again;
	json_t *printed;

	if (answer_session_decode(json, &session)) {
		return;
	}
	assert(session.viewer_count <= ANSWER_VIEWERS_MAX && session.session[0]);
	check_clean(session.session);
	check_clean(session.reason);
	printed = answer_session_encode(&session);
	assert(printed && answer_session_decode(printed, &again) == 0);
	again.viewer_total = session.viewer_total; /* those beyond the limit are not printed */
	assert(strcmp(session.reason, again.reason) == 0 && session.pid == again.pid &&
	       session.viewer_count == again.viewer_count);
	json_decref(printed);
}

static void read_info(const json_t *json)
{
	static struct answer_info info;
	json_t *printed;

	if (answer_info_decode(json, &info)) {
		return;
	}
	assert(info.listen_count <= ANSWER_LISTEN_MAX);
	printed = answer_info_encode(&info);
	assert(printed && answer_info_decode(printed, &info) == 0);
	json_decref(printed);
}

static void read_picture(const json_t *json, uint64_t memory_size)
{
	struct answer_picture picture;

	if (answer_picture_decode(json, memory_size, &picture) || picture.frame) {
		return;
	}
	/* Every row that a screenshot reads lies in the memory. */
	assert(picture.scanout.offset +
		   (uint64_t)picture.scanout.stride * (picture.scanout.height - 1) +
		   (uint64_t)picture.scanout.width * 4 <=
	       memory_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct answer_statistics statistics;
	struct control_reply reply;
	const json_t *list;

	if (control_reply_parse((const char *)data, size, &reply)) {
		return 0;
	}
	check_clean(reply.error);
	list = json_object_get(reply.parameters, "sessions");
	for (size_t i = 0; i < json_array_size(list); i++) {
		read_session(json_array_get(list, i));
	}
	read_session(json_object_get(reply.parameters, "session"));
	if (answer_statistics_decode(
		json_object_get(reply.parameters, "statistics"), &statistics) == 0) {
		json_decref(answer_statistics_encode(&statistics));
	}
	read_info(reply.parameters);
	read_picture(reply.parameters, 0);
	read_picture(reply.parameters, 16 << 20);
	read_picture(reply.parameters, UINT64_MAX);
	control_reply_fini(&reply);
	return 0;
}
