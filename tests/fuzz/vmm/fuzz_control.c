/* The monitor's messages: what decodes encodes to the same bytes again. */
#include <assert.h>
#include <string.h>

#include "vmm/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[8192];
	struct vmm_config config;
	struct vmm_suspend_report report;
	struct vmm_statistics statistics;
	struct wire in, out;

	wire_init_read(&in, data, size);
	wire_init_write(&out, again, sizeof(again));
	if (vmm_config_decode(&in, &config) == 0) {
		vmm_config_encode(&config, &out);
		assert(wire_ok(&out) && out.position == size && memcmp(again, data, size) == 0);
	}
	wire_init_read(&in, data, size);
	wire_init_write(&out, again, sizeof(again));
	if (vmm_suspend_report_decode(&in, &report) == 0) {
		vmm_suspend_report_encode(&report, &out);
		assert(out.position == size && memcmp(again, data, size) == 0);
	}
	wire_init_read(&in, data, size);
	wire_init_write(&out, again, sizeof(again));
	if (vmm_statistics_decode(&in, &statistics) == 0) {
		vmm_statistics_encode(&statistics, &out);
		assert(out.position == size && memcmp(again, data, size) == 0);
	}
	return 0;
}
