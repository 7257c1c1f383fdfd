/* `tanmatsu screenshot`: the file holds the very pixels, and no number from the daemon leads outside the picture. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <png.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/client.h"
#include "display/frame.h"
#include "fake_server.h"
#include "run.h"

enum {
	WIDTH = 31,
	HEIGHT = 17,
	STRIDE = 160, /* more than a row needs */
	OFFSET = 4096,
};

static uint32_t pixel_at(uint32_t x, uint32_t y)
{
	return 0xab000000u | (x * 8) << 16 | (y * 15) << 8 | ((x ^ y) & 0xff);
}

/* The picture as a framebuffer: at an offset, with wide rows. */
static int make_picture(void)
{
	int fd = memfd_create("picture", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, OFFSET + STRIDE * HEIGHT), 0);
	for (uint32_t y = 0; y < HEIGHT; y++) {
		for (uint32_t x = 0; x < WIDTH; x++) {
			uint32_t pixel = pixel_at(x, y);

			assert_int_equal(pwrite(fd, &pixel, 4, OFFSET + y * STRIDE + x * 4), 4);
		}
	}
	return fd;
}

static void check_png(const char *path)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	uint8_t *pixels;

	assert_true(png_image_begin_read_from_file(&image, path));
	assert_int_equal(image.width, WIDTH);
	assert_int_equal(image.height, HEIGHT);
	assert_int_equal(image.format & PNG_FORMAT_FLAG_ALPHA, 0);
	image.format = PNG_FORMAT_RGB;
	pixels = malloc(PNG_IMAGE_SIZE(image));
	assert_non_null(pixels);
	assert_true(png_image_finish_read(&image, NULL, pixels, 0, NULL));
	for (uint32_t y = 0; y < HEIGHT; y++) {
		for (uint32_t x = 0; x < WIDTH; x++) {
			const uint8_t *pixel = pixels + 3 * (y * WIDTH + x);

			assert_int_equal(
			    (uint32_t)pixel[0] << 16 | (uint32_t)pixel[1] << 8 | pixel[2],
			    pixel_at(x, y) & 0xffffff);
		}
	}
	free(pixels);
}

static unsigned count_files(const char *folder)
{
	struct dirent *entry;
	unsigned count = 0;
	DIR *dir = opendir(folder);

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		count += entry->d_name[0] != '.';
	}
	closedir(dir);
	return count;
}

static void test_running(void **state)
{
	char folder[] = "/tmp/tanmatsu-test-XXXXXX", path[64];
	int picture = make_picture();
	const struct fake_answer script[] = {
		{ .method = "Picture",
		    .fd = picture,
		    .text = "{\"parameters\":{\"width\":31,\"height\":17,\"stride\":160,"
			    "\"format\":1,\"offset\":4096}}" },
		{ .method = "List",
		    .text = "{\"parameters\":{\"sessions\":[{\"session\":\"alice\"}]}}" },
	};
	struct fake_server *server = fake_server_start(script, 2);
	struct run result, again, json;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a.png", folder);
	result = RUN(server, "screenshot", "alice", path);
	assert_int_equal(result.status, CLIENT_DONE);
	assert_non_null(strstr(result.out, "the screen of alice, 31x17"));
	check_png(path);
	again = RUN(server, "screenshot", path);
	assert_int_equal(again.status, CLIENT_DONE);
	check_png(path);
	assert_int_equal(count_files(folder), 1);
	json = RUN(server, "screenshot", "alice", path, "--json");
	assert_non_null(strstr(json.out, "\"last_frame\": false"));
	run_free(&result);
	run_free(&again);
	run_free(&json);
	unlink(path);
	rmdir(folder);
	fake_server_stop(server);
	close(picture);
}

static void test_standard_output(void **state)
{
	int picture = make_picture();
	const struct fake_answer script[] = {
		{ .method = "Picture",
		    .fd = picture,
		    .text = "{\"parameters\":{\"width\":31,\"height\":17,\"stride\":160,"
			    "\"format\":1,\"offset\":4096}}" },
	};
	struct fake_server *server = fake_server_start(script, 1);
	struct run result = RUN(server, "screenshot", "alice", "-");
	struct run terminal = RUN_TERMINAL(server, "screenshot", "alice", "-");

	(void)state;
	assert_int_equal(result.status, CLIENT_DONE);
	assert_memory_equal(result.out, "\x89PNG\r\n", 6);
	assert_int_equal(terminal.status, CLIENT_USAGE);
	assert_string_equal(terminal.out, "");
	run_free(&result);
	run_free(&terminal);
	fake_server_stop(server);
	close(picture);
}

static void test_last_frame(void **state)
{
	char path[] = "/tmp/tanmatsu-test-XXXXXX";
	FILE *frame = tmpfile();
	uint32_t pixels[WIDTH * HEIGHT];
	const struct fake_answer script[] = {
		{ .method = "Picture",
		    .fd = fileno(frame),
		    .text = "{\"parameters\":{\"frame\":true}}" },
	};
	struct fake_server *server = fake_server_start(script, 1);
	struct run result;

	(void)state;
	for (uint32_t i = 0; i < WIDTH * HEIGHT; i++) {
		pixels[i] = pixel_at(i % WIDTH, i / WIDTH);
	}
	assert_int_equal(frame_write(fileno(frame), WIDTH, HEIGHT, WIDTH * 4, pixels), 0);
	close(mkstemp(path));
	result = RUN(server, "screenshot", "alice", path);
	assert_int_equal(result.status, CLIENT_DONE);
	assert_non_null(strstr(result.out, "the last frame of alice"));
	check_png(path);
	unlink(path);
	run_free(&result);
	fake_server_stop(server);
	fclose(frame);
}

static void test_hostile_pictures(void **state)
{
	static const char *const cases[] = {
		"{}",
		"{\"frame\":true}", /* the memory of a framebuffer is no frame file */
		"{\"width\":0,\"height\":17,\"stride\":160,\"format\":1,\"offset\":0}",
		"{\"width\":31,\"height\":0,\"stride\":160,\"format\":1,\"offset\":0}",
		"{\"width\":31,\"height\":17,\"stride\":160,\"format\":2,\"offset\":0}",
		"{\"width\":31,\"height\":17,\"stride\":123,\"format\":1,\"offset\":0}",
		"{\"width\":31,\"height\":17,\"stride\":160,\"format\":1,\"offset\":8192}",
		"{\"width\":31,\"height\":17,\"stride\":160,\"format\":1,\"offset\":"
		"9223372036854775807}",
		"{\"width\":31,\"height\":17,\"stride\":160,\"format\":1,\"offset\":-1}",
		"{\"width\":31,\"height\":17,\"stride\":4294967295,\"format\":1,\"offset\":0}",
		"{\"width\":16385,\"height\":17,\"stride\":160,\"format\":1,\"offset\":0}",
		"{\"width\":-1,\"height\":17,\"stride\":160,\"format\":1,\"offset\":0}",
		"{\"width\":\"31\",\"height\":17,\"stride\":160,\"format\":1,\"offset\":0}",
		"{\"width\":31,\"height\":16384,\"stride\":160,\"format\":1,\"offset\":0}",
	};
	int picture = make_picture();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256], path[] = "/tmp/tanmatsu-test-picture.png";
		const struct fake_answer script[] = {
			{ .method = "Picture", .fd = picture, .text = text }
		};
		struct fake_server *server;
		struct run result;

		snprintf(text, sizeof(text), "{\"parameters\":%s}", cases[i]);
		unlink(path);
		server = fake_server_start(script, 1);
		result = RUN(server, "screenshot", "alice", path);
		if (result.status != CLIENT_FAILED || !strstr(result.err, "makes no sense")) {
			fail_msg("%s: %d %s", cases[i], result.status, result.err);
		}
		assert_int_not_equal(access(path, F_OK), 0);
		run_free(&result);
		fake_server_stop(server);
	}
	close(picture);
}

static void test_no_descriptor_or_no_place(void **state)
{
	int picture = make_picture();
	const struct fake_answer script[] = {
		{ .method = "Picture", .text = "{\"parameters\":{\"frame\":true}}", .times = 1 },
		{ .method = "Picture",
		    .fd = picture,
		    .text = "{\"parameters\":{\"width\":31,\"height\":17,\"stride\":160,"
			    "\"format\":1,\"offset\":4096}}" },
	};
	struct fake_server *server = fake_server_start(script, 2);
	struct run without = RUN(server, "screenshot", "alice", "/tmp/never.png");
	struct run nowhere = RUN(server, "screenshot", "alice", "/nowhere/never.png");

	(void)state;
	assert_int_equal(without.status, CLIENT_FAILED);
	assert_int_equal(nowhere.status, CLIENT_FAILED);
	assert_non_null(strstr(nowhere.err, "/nowhere/never.png: No such file or directory"));
	run_free(&without);
	run_free(&nowhere);
	fake_server_stop(server);
	close(picture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_running),
		cmocka_unit_test(test_standard_output),
		cmocka_unit_test(test_last_frame),
		cmocka_unit_test(test_hostile_pictures),
		cmocka_unit_test(test_no_descriptor_or_no_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
