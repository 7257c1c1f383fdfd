/* Kernel images: the first byte says how long the initrd is, the rest is the image. Must not leave the guest's RAM. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/loader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct loader_source kernel, initrd;
	struct loader_request request = { .kernel = &kernel, .command_line = "quiet" };
	struct loader_entry entry;
	struct guestmem memory;
	char reason[LOADER_REASON_MAX];
	int error;

	if (size < 1 || guestmem_create(&memory, 32 << 20)) {
		return 0;
	}
	kernel = loader_source_memory(data + 1, size - 1);
	initrd = loader_source_memory(data + 1, data[0] < size ? data[0] : 0);
	request.initrd = data[0] ? &initrd : NULL;
	request.screen = (struct loader_screen){ 640, 480, 2560, 0xc0000000, 32 << 20 };
	error = loader_load(&request, &memory, &entry, reason);
	if (!error) {
		assert(guestmem_contains(&memory, entry.rsi, 4096));
		assert(guestmem_contains(&memory, entry.cr3, 6 * 4096));
	} else {
		assert(strlen(reason) > 0);
	}
	guestmem_fini(&memory);
	return 0;
}
