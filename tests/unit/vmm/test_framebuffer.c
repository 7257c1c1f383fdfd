/* The framebuffer's memory: nobody else writes to it, and changes are told once for each purpose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/damage_map.h"
#include "vmm/framebuffer.h"

static void test_read_only(void **state)
{
	struct framebuffer *framebuffer;
	uint8_t *mapping;
	int fd;

	(void)state;
	assert_int_equal(framebuffer_create(-1, 0, &framebuffer), 0);
	fd = framebuffer_read_only_fd(framebuffer);
	assert_true(write(fd, "x", 1) < 0);
	assert_true(ftruncate(fd, 0) < 0);
	assert_ptr_equal(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(
	    fcntl(fd, F_GET_SEALS) & (F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL),
	    F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL);
	mapping = mmap(NULL, FRAMEBUFFER_SIZE, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(mapping, MAP_FAILED);
	assert_int_equal(mprotect(mapping, 4096, PROT_READ | PROT_WRITE), -1);
	framebuffer_memory(framebuffer)[FRAMEBUFFER_SIZE - 1] = 0x5a;
	assert_int_equal(mapping[FRAMEBUFFER_SIZE - 1], 0x5a);
	munmap(mapping, FRAMEBUFFER_SIZE);
	framebuffer_destroy(framebuffer);
}

static void test_collect(void **state)
{
	static struct scanout_damage damage;
	struct framebuffer *framebuffer;

	(void)state;
	assert_int_equal(framebuffer_create(-1, 0, &framebuffer), 0);
	assert_int_equal(framebuffer_collect(framebuffer, 0, FRAMEBUFFER_SIZE, &damage), 0);
	framebuffer_mark_dirty(framebuffer, 4096, 1);
	framebuffer_mark_dirty(framebuffer, 8191, 2);
	framebuffer_mark_dirty(framebuffer, 64 * 4096, 4096);
	framebuffer_mark_dirty(framebuffer, FRAMEBUFFER_SIZE - 1, 1);
	framebuffer_mark_dirty(framebuffer, FRAMEBUFFER_SIZE, 1); /* outside */
	framebuffer_mark_dirty(framebuffer, 0, 0);
	assert_int_equal(framebuffer_collect(framebuffer, 0, FRAMEBUFFER_SIZE, &damage), 3);
	assert_int_equal(damage.spans[0].offset, 4096);
	assert_int_equal(damage.spans[0].length, 8192);
	assert_int_equal(damage.spans[1].offset, 64 * 4096);
	assert_int_equal(damage.spans[2].offset, FRAMEBUFFER_SIZE - 4096);
	assert_int_equal(framebuffer_collect(framebuffer, 0, FRAMEBUFFER_SIZE, &damage), 0);
	framebuffer_destroy(framebuffer);
}

/* Pages that lie across the ends of the picture are cut to it; those outside stay to be told. */
static void test_collect_part(void **state)
{
	static struct scanout_damage damage;
	struct framebuffer *framebuffer;

	(void)state;
	assert_int_equal(framebuffer_create(-1, 0, &framebuffer), 0);
	framebuffer_mark_dirty(framebuffer, 0, 16384);
	assert_int_equal(framebuffer_collect(framebuffer, 5000, 4000, &damage), 1);
	assert_int_equal(damage.spans[0].offset, 0);
	assert_int_equal(damage.spans[0].length, 4000);
	assert_int_equal(framebuffer_collect(framebuffer, 0, 16384, &damage), 2);
	assert_int_equal(damage.spans[0].length, 4096);
	assert_int_equal(damage.spans[1].offset, 12288);
	assert_int_equal(framebuffer_collect(framebuffer, 1, FRAMEBUFFER_SIZE, &damage), -EINVAL);
	assert_int_equal(framebuffer_collect(framebuffer, UINT64_MAX, 2, &damage), -EINVAL);
	framebuffer_destroy(framebuffer);
}

static void test_too_many_spans(void **state)
{
	static struct scanout_damage damage;
	struct framebuffer *framebuffer;

	(void)state;
	assert_int_equal(framebuffer_create(-1, 0, &framebuffer), 0);
	for (uint64_t page = 0; page < FRAMEBUFFER_PAGES; page += 2) {
		framebuffer_mark_dirty(framebuffer, page * 4096, 1);
	}
	assert_int_equal(
	    framebuffer_collect(framebuffer, 0, FRAMEBUFFER_SIZE, &damage), SCANOUT_SPANS_MAX);
	assert_int_equal(
	    damage.spans[SCANOUT_SPANS_MAX - 1].offset + damage.spans[SCANOUT_SPANS_MAX - 1].length,
	    FRAMEBUFFER_SIZE - 4096);
	framebuffer_destroy(framebuffer);
}

static void test_written(void **state)
{
	static struct scanout_damage damage;
	struct framebuffer *framebuffer;
	const uint64_t *written;

	(void)state;
	assert_int_equal(framebuffer_create(-1, 0, &framebuffer), 0);
	framebuffer_mark_dirty(framebuffer, 4096, 1);
	/* Telling viewers does not make a snapshot forget. */
	assert_int_equal(framebuffer_collect(framebuffer, 0, FRAMEBUFFER_SIZE, &damage), 1);
	assert_int_equal(framebuffer_written(framebuffer, &written), 0);
	assert_int_equal(written[0], 2);
	framebuffer_forget_written(framebuffer);
	assert_int_equal(framebuffer_written(framebuffer, &written), 0);
	assert_int_equal(written[0], 0);
	framebuffer_destroy(framebuffer);
}

static void test_damage_map(void **state)
{
	static struct damage_map map;
	static struct scanout_damage damage;

	(void)state;
	damage_map_restart(&map, 10000);
	assert_true(map.dirty);
	damage_map_take(&map, &damage);
	assert_int_equal(damage.span_count, 1);
	assert_int_equal(damage.spans[0].length, 10000);
	assert_false(map.dirty);
	damage_map_take(&map, &damage);
	assert_int_equal(damage.span_count, 0);

	damage.span_count = 2;
	damage.spans[0] = (struct scanout_span){ .offset = 4000, .length = 200 }; /* two pages */
	damage.spans[1] = (struct scanout_span){ .offset = 9000, .length = UINT32_MAX };
	damage_map_add(&map, &damage);
	damage.span_count = 1;
	damage.spans[0] = (struct scanout_span){ .offset = 0, .length = 1 };
	damage_map_add(&map, &damage);
	damage_map_take(&map, &damage);
	assert_int_equal(damage.span_count, 1);
	assert_int_equal(damage.spans[0].offset, 0);
	assert_int_equal(damage.spans[0].length, 10000);

	damage_map_restart(&map, UINT64_MAX);
	damage_map_take(&map, &damage);
	assert_int_equal(damage.spans[0].length, FRAMEBUFFER_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_collect),
		cmocka_unit_test(test_collect_part),
		cmocka_unit_test(test_too_many_spans),
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_damage_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
