/*
 * The quality that a viewer gets from the process as a whole: what went out as JPEG is exact soon after the picture rests,
 * and a viewer that did not ask for a quality never sees anything that is not exact.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "stage.h"

/* Soft shapes with grain, as a camera has. */
static void draw_photo(struct host *host, uint32_t seed)
{
	uint32_t width, height;
	uint32_t *pixels = host_lock_picture(host, &width, &height);

	for (uint32_t y = 0; y < height; y++) {
		for (uint32_t x = 0; x < width; x++) {
			uint32_t grain, red, green;

			seed = seed * 1664525u + 1013904223u;
			grain = seed >> 29;
			red = x * 180 / width + grain + 30;
			green = y * 150 / height + grain + 40;
			pixels[y * width + x] = red << 16 | green << 8 | (red + green) / 2;
		}
	}
	host_unlock_picture(host, 0, height);
}

static bool shows_exactly(struct client *client, struct host *host)
{
	uint32_t width, height;
	uint32_t *pixels = host_lock_picture(host, &width, &height);
	bool same = client_shows(client, pixels, width, height);

	host_unlock_picture(host, 0, 0);
	return same;
}

static void test_repaired_at_rest(void **state)
{
	struct host_options options = stage_options(*state, DISPLAY_SECURITY_PLAIN);
	struct host *host = host_create(&options);
	struct client client = { 0 };
	bool lossy = false;

	stage_draw(host, 1, 0, 480);
	/* libvncclient asks for quality 5. */
	assert_true(stage_log_in(*state, &client, host, "correct horse", "tight copyrect"));
	assert_true(stage_wait_same_picture(&client, host));
	for (uint32_t i = 0; i < 3; i++) {
		uint64_t start = clock_monotonic_us();
		size_t updates = client.updates;

		draw_photo(host, i);
		assert_true(client_wait_updates(&client, updates + 1, 5000));
		lossy = lossy || !shows_exactly(&client, host);
		assert_true(stage_wait_same_picture(&client, host));
		assert_true(clock_monotonic_us() - start < 4000000);
	}
	assert_true(lossy);
	client_close(&client);
	assert_int_equal(host_wait_exit(host, 5000), DISPLAY_EXIT_VIEWER_LEFT);
	host_destroy(host);
}

static void test_exact_without_quality(void **state)
{
	struct host_options options = stage_options(*state, DISPLAY_SECURITY_PLAIN);
	struct host *host = host_create(&options);
	struct client client = { .exact = true };

	draw_photo(host, 1);
	assert_true(stage_log_in(*state, &client, host, "correct horse", "tight copyrect"));
	assert_true(stage_wait_same_picture(&client, host));
	for (uint32_t i = 0; i < 10; i++) {
		size_t updates = client.updates;

		draw_photo(host, 2 + i);
		assert_true(client_wait_updates(&client, updates + 1, 5000));
		assert_true(shows_exactly(&client, host));
	}
	client_close(&client);
	assert_int_equal(host_wait_exit(host, 5000), DISPLAY_EXIT_VIEWER_LEFT);
	host_destroy(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_repaired_at_rest),
		cmocka_unit_test(test_exact_without_quality),
	};

	return cmocka_run_group_tests(tests, stage_set_up, stage_tear_down);
}
