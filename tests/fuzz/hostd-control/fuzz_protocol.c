/*
 * Messages between monitor and broker, the first byte choosing the decoder: what is accepted is written again and read to
 * the same bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hostd/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(struct wire *written, const uint8_t *data, size_t size)
{
	if (!wire_ok(written) || written->position != size ||
	    memcmp(written->data, data, size) != 0) {
		abort();
	}
	wire_fini(written);
}

static void try_request(const uint8_t *data, size_t size)
{
	struct request request;
	struct wire in;
	struct wire out;

	wire_init_read(&in, data, size);
	if (request_decode(&in, &request) == 0) {
		wire_init_growing(&out, 1 << 20);
		request_encode(&request, &out);
		compare(&out, data, size);
	}
}

static void try_report(const uint8_t *data, size_t size)
{
	struct report report;
	struct wire in;
	struct wire out;

	wire_init_read(&in, data, size);
	if (report_decode(&in, &report) == 0) {
		wire_init_growing(&out, 1 << 20);
		report_encode(&report, &out);
		compare(&out, data, size);
	}
}

static void try_settings(const uint8_t *data, size_t size)
{
	static struct protocol_settings settings;
	struct wire in;
	struct wire out;

	wire_init_read(&in, data, size);
	if (protocol_settings_decode(&in, &settings) == 0) {
		wire_init_growing(&out, 1 << 20);
		protocol_settings_encode(&settings, &out);
		compare(&out, data, size);
	}
}

static void try_session(const uint8_t *data, size_t size)
{
	struct protocol_session session;
	struct wire in;
	struct wire out;

	wire_init_read(&in, data, size);
	if (protocol_session_decode(&in, &session) == 0) {
		wire_init_growing(&out, 1 << 20);
		protocol_session_encode(&session, &out);
		compare(&out, data, size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(const uint8_t *, size_t) = {
		try_request,
		try_report,
		try_settings,
		try_session,
	};

	if (size > 0 && data[0] < sizeof(tries) / sizeof(tries[0])) {
		tries[data[0]](data + 1, size - 1);
	}
	return 0;
}
