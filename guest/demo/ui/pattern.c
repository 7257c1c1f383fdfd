/*
 * The memory pattern: fills memory that nothing else uses with numbers that follow from a seed, and
 * verifies them, so that a test can tell whether a suspend and resume kept every byte.
 */
#include "lib/text.h"
#include "ui/desktop.h"

#define MIB (1024u * 1024u)

/* One step of xorshift64*, which never returns to a short cycle from a seed that is not 0. */
static uint64_t step(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

static uint64_t seed_of(const struct desktop *desktop)
{
	return 0x9e3779b97f4a7c15ull ^ desktop->pattern_seed;
}

bool desktop_write_pattern(struct desktop *desktop, int mib, char *report, size_t size)
{
	const struct platform_info *info = desktop->platform->info;
	uint64_t *memory = info->spare_memory;
	uint64_t state;
	size_t bytes;

	if (mib <= 0 || (size_t)mib > info->spare_size / MIB) {
		text_format(report, size, "pattern: there is room for 1 to %zu MiB",
		    info->spare_size / MIB);
		desktop_log(desktop, "%s", report);
		return false;
	}
	bytes = (size_t)mib * MIB;
	desktop->pattern_seed = (uint32_t)desktop_now(desktop) * 2654435761u + 1;
	desktop->pattern_size = bytes;
	state = seed_of(desktop);
	for (size_t i = 0; i < bytes / sizeof(*memory); i++) {
		memory[i] = step(&state);
	}
	text_format(report, size, "pattern: written %d MiB seed %x", mib, desktop->pattern_seed);
	desktop_log(desktop, "%s", report);
	return true;
}

bool desktop_check_pattern(struct desktop *desktop, char *report, size_t size)
{
	const uint64_t *memory = desktop->platform->info->spare_memory;
	uint64_t state = seed_of(desktop);
	size_t bytes = desktop->pattern_size;

	if (bytes == 0) {
		text_copy(report, size, "pattern: none was written");
		desktop_log(desktop, "%s", report);
		return false;
	}
	for (size_t i = 0; i < bytes / sizeof(*memory); i++) {
		if (memory[i] != step(&state)) {
			text_format(
			    report, size, "pattern: BAD at 0x%zx", (size_t)(uintptr_t)&memory[i]);
			desktop_log(desktop, "%s", report);
			return false;
		}
	}
	text_format(report, size, "pattern: ok %zu MiB", bytes / MIB);
	desktop_log(desktop, "%s", report);
	return true;
}
