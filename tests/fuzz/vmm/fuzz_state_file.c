/* The device state file as it comes from the disk, and its sections that are the machine's own. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/cpuid.h"
#include "vmm/state_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct state_file file;
	static struct cpuid cpuid;
	char reason[STATE_REASON_MAX] = "";
	struct wire in;

	if (state_file_decode(data, size, &file, reason) == 0) {
		for (uint32_t i = 0; i < file.section_count; i++) {
			const struct state_section *section = &file.sections[i];

			assert(section->bytes >= data &&
			       section->bytes + section->size <= data + size);
			assert(memchr(section->name, '\0', sizeof(section->name)));
			wire_init_read(&in, section->bytes, section->size);
			if (cpuid_decode(&in, &cpuid) == 0) {
				(void)cpuid_obstacle(&cpuid, &cpuid);
			}
		}
	} else {
		assert(reason[0] != '\0');
	}
	wire_init_read(&in, data, size);
	if (cpuid_decode(&in, &cpuid) == 0) {
		(void)cpuid_obstacle(&cpuid, &cpuid);
	}
	return 0;
}
