/* The monitor's structures from any bytes, then once around: what was decoded encodes to the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "display/control.h"

static void check_config(const uint8_t *data, size_t size)
{
	static uint8_t again[2048];
	struct display_config config;
	struct wire in, out;

	wire_init_read(&in, data, size);
	if (display_config_decode(&in, &config) != 0) {
		return;
	}
	wire_init_write(&out, again, sizeof(again));
	display_config_encode(&config, &out);
	if (!wire_ok(&out) || out.position != in.position ||
	    memcmp(again, data, out.position) != 0) {
		abort();
	}
}

static void check_state(const uint8_t *data, size_t size)
{
	static uint8_t again[2048];
	struct display_state state;
	struct wire in, out;

	wire_init_read(&in, data, size);
	if (display_state_decode(&in, &state) != 0) {
		return;
	}
	wire_init_write(&out, again, sizeof(again));
	display_state_encode(&state, &out);
	if (!wire_ok(&out) || out.position != in.position ||
	    memcmp(again, data, out.position) != 0) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_config(data, size);
	check_state(data, size);
	return 0;
}
