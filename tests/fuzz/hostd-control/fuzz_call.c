/* A call of the control socket: whatever it is, what is taken from it is terminated, in range, and decodes as input events. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hostd/control_call.h"
#include "input/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_events(const struct control_call *call)
{
	struct input_event event;
	struct wire out;
	struct wire in;
	size_t count = 0;

	wire_init_growing(&out, 64 * 1024);
	if (control_call_events(call, &out, &count) == 0) {
		wire_init_read(&in, out.data, out.position);
		if (wire_get_u16(&in) != count || count > CONTROL_EVENTS_MAX) {
			abort();
		}
		for (size_t i = 0; i < count; i++) {
			if (input_event_decode(&in, &event) != 0) {
				abort();
			}
		}
		if (!wire_done(&in)) {
			abort();
		}
	}
	wire_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct control_call call;
	uint64_t number = 0;
	char name[64];

	if (control_call_parse((const char *)data, size, &call) == 0) {
		if (strlen(call.method) == 0 || call.parameters == NULL) {
			abort();
		}
		if (control_call_string(&call, "session", name, sizeof(name)) == 0 &&
		    strlen(name) >= sizeof(name)) {
			abort();
		}
		if (control_call_number(&call, "timeout_s", 86400, 60, &number) == 0 &&
		    number > 86400) {
			abort();
		}
		check_events(&call);
		free(control_error_take("Failed", call.method, NULL));
	}
	control_call_fini(&call);
	return 0;
}
