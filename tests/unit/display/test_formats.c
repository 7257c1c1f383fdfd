/* The formats that cross process borders: scanout and damage, the last frame, the monitor's structures; good and hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "display/control.h"
#include "display/frame.h"
#include "display/scanout.h"

static const struct scanout good = {
	.id = 3,
	.format = SCANOUT_FORMAT_XRGB8888,
	.width = 1280,
	.height = 800,
	.stride = 1280 * 4 + 64,
	.offset = 4096,
	.memory_size = 4096 + (1280 * 4 + 64) * 800,
};

static int pass(const struct scanout *scanout, struct scanout *result)
{
	uint8_t bytes[64];
	struct wire wire;

	wire_init_write(&wire, bytes, sizeof(bytes));
	scanout_encode(scanout, &wire);
	assert_true(wire_ok(&wire));
	wire_init_read(&wire, bytes, wire.position);
	return scanout_decode(&wire, result);
}

static void test_scanout(void **state)
{
	struct scanout result, bad;

	(void)state;
	assert_int_equal(pass(&good, &result), 0);
	assert_int_equal(result.id, good.id);
	assert_int_equal(result.format, good.format);
	assert_int_equal(result.width, good.width);
	assert_int_equal(result.height, good.height);
	assert_int_equal(result.stride, good.stride);
	assert_int_equal(result.offset, good.offset);
	assert_int_equal(result.memory_size, good.memory_size);
#define REFUSED(field, value)                                   \
	do {                                                    \
		bad = good;                                     \
		bad.field = (value);                            \
		assert_int_equal(pass(&bad, &result), -EPROTO); \
	} while (0)
	REFUSED(id, 0);
	REFUSED(format, 0);
	REFUSED(format, 2);
	REFUSED(width, 0);
	REFUSED(height, 0);
	REFUSED(width, SCANOUT_SIZE_MAX + 1);
	REFUSED(height, SCANOUT_SIZE_MAX + 1);
	REFUSED(width, 0x40000000); /* times 4 is 0 in 32 bits */
	REFUSED(height, 0xffffffff);
	REFUSED(stride, 1280 * 4 - 4);
	REFUSED(stride, 1280 * 4 + 65);
	REFUSED(stride, 0xfffffffc);
	REFUSED(stride, 0);
	REFUSED(offset, 4097);
	REFUSED(offset, 4100);
	REFUSED(offset, UINT64_MAX - 3);
	REFUSED(memory_size, good.memory_size - 1);
	REFUSED(memory_size, 0);
#undef REFUSED
}

static void test_scanout_cut(void **state)
{
	uint8_t bytes[64];
	struct scanout result;
	struct wire wire;
	size_t size;

	(void)state;
	wire_init_write(&wire, bytes, sizeof(bytes));
	scanout_encode(&good, &wire);
	size = wire.position;
	for (size_t cut = 0; cut < size; cut++) {
		wire_init_read(&wire, bytes, cut);
		assert_int_equal(scanout_decode(&wire, &result), -EPROTO);
	}
}

static int pass_damage(const struct scanout_damage *damage, struct scanout_damage *result)
{
	uint8_t *bytes = malloc(16384);
	struct wire wire;
	int error;

	wire_init_write(&wire, bytes, 16384);
	scanout_damage_encode(damage, &wire);
	assert_true(wire_ok(&wire));
	wire_init_read(&wire, bytes, wire.position);
	error = scanout_damage_decode(&wire, &good, result);
	free(bytes);
	return error;
}

static void test_damage(void **state)
{
	uint32_t size = good.stride * good.height;
	struct scanout_damage *damage = calloc(1, sizeof(*damage));
	struct scanout_damage *result = calloc(1, sizeof(*result));

	(void)state;
	damage->scanout_id = good.id;
	damage->found_us = 123456789;
	damage->span_count = SCANOUT_SPANS_MAX;
	for (uint32_t i = 0; i < SCANOUT_SPANS_MAX; i++) {
		damage->spans[i] = (struct scanout_span){ i * 4000, 4000 };
	}
	assert_int_equal(pass_damage(damage, result), 0);
	assert_memory_equal(result, damage, sizeof(*damage));
	damage->spans[7] = (struct scanout_span){ size, 0 };
	assert_int_equal(pass_damage(damage, result), 0);
	damage->spans[7] = (struct scanout_span){ 0, size };
	assert_int_equal(pass_damage(damage, result), 0);
	damage->spans[7] = (struct scanout_span){ 0, size + 1 };
	assert_int_equal(pass_damage(damage, result), -EPROTO);
	damage->spans[7] = (struct scanout_span){ size, 1 };
	assert_int_equal(pass_damage(damage, result), -EPROTO);
	damage->spans[7] = (struct scanout_span){ 0xffffffff, 2 };
	assert_int_equal(pass_damage(damage, result), -EPROTO);
	damage->spans[7] = (struct scanout_span){ 8, 0xfffffffc };
	assert_int_equal(pass_damage(damage, result), -EPROTO);
	assert_int_equal(result->span_count, 0);
	damage->spans[7] = (struct scanout_span){ 0, 4 };
	damage->scanout_id = good.id + 1;
	assert_int_equal(pass_damage(damage, result), -ESTALE);
	free(damage);
	free(result);
}

static void test_damage_count_lies(void **state)
{
	uint8_t bytes[64];
	struct scanout_damage *result = calloc(1, sizeof(*result));
	struct wire wire;

	(void)state;
	for (unsigned int count = 1; count < 65536; count += 511) {
		wire_init_write(&wire, bytes, sizeof(bytes));
		wire_put_u32(&wire, good.id);
		wire_put_u64(&wire, 0);
		wire_put_u16(&wire, (uint16_t)count);
		wire_put_u32(&wire, 0);
		wire_init_read(&wire, bytes, wire.position);
		assert_int_equal(scanout_damage_decode(&wire, &good, result), -EPROTO);
		assert_int_equal(result->span_count, 0);
	}
	free(result);
}

static int memory_file(void)
{
	int fd = memfd_create("frame", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void test_frame(void **state)
{
	enum { WIDTH = 33, HEIGHT = 7, STRIDE = 160 };
	uint8_t pixels[HEIGHT * STRIDE];
	struct frame frame;
	int fd = memory_file();

	(void)state;
	for (size_t i = 0; i < sizeof(pixels); i++) {
		pixels[i] = (uint8_t)(i * 7);
	}
	assert_int_equal(frame_write(fd, WIDTH, HEIGHT, STRIDE, pixels), 0);
	assert_int_equal(frame_map(fd, &frame), 0);
	assert_int_equal(frame.width, WIDTH);
	assert_int_equal(frame.height, HEIGHT);
	assert_int_equal(frame.stride, WIDTH * 4);
	for (size_t y = 0; y < HEIGHT; y++) {
		assert_memory_equal(
		    frame.pixels + y * frame.stride, pixels + y * STRIDE, WIDTH * 4);
	}
	frame_unmap(&frame);
	frame_unmap(&frame);
	/* One byte short. */
	assert_int_equal(ftruncate(fd, FRAME_HEADER_SIZE + WIDTH * 4 * HEIGHT - 1), 0);
	assert_int_equal(frame_map(fd, &frame), -EPROTO);
	assert_null(frame.mapping);
	assert_int_equal(ftruncate(fd, 10), 0);
	assert_int_equal(frame_map(fd, &frame), -EPROTO);
	close(fd);
	assert_int_equal(frame_write(fd, 0, HEIGHT, STRIDE, pixels), -EINVAL);
	assert_int_equal(frame_write(fd, WIDTH, HEIGHT, WIDTH * 4 - 1, pixels), -EINVAL);
}

/* Each byte of the header set to each of a few values: refused or inside the file. */
static void test_frame_mutated(void **state)
{
	static const uint8_t values[] = { 0, 1, 0x7f, 0x80, 0xff };
	uint8_t pixels[16 * 16 * 4] = { 1 };
	uint8_t header[24];
	struct frame frame;
	int fd = memory_file();

	(void)state;
	assert_int_equal(frame_write(fd, 16, 16, 64, pixels), 0);
	assert_int_equal(pread(fd, header, sizeof(header), 0), sizeof(header));
	for (size_t at = 0; at < sizeof(header); at++) {
		for (size_t i = 0; i < sizeof(values); i++) {
			uint8_t kept = header[at];

			assert_int_equal(pwrite(fd, &values[i], 1, (off_t)at), 1);
			if (frame_map(fd, &frame) == 0) {
				volatile uint8_t last =
				    frame.pixels[(size_t)frame.stride * frame.height - 1];

				(void)last;
				assert_true(
				    frame.mapping_size <= FRAME_HEADER_SIZE + sizeof(pixels));
			}
			frame_unmap(&frame);
			assert_int_equal(pwrite(fd, &kept, 1, (off_t)at), 1);
		}
	}
	close(fd);
}

static struct display_config good_config(void)
{
	struct display_config config = {
		.viewer_id = 0x123456789abcdef0,
		.peer = "192.0.2.7",
		.peer_user = "",
		.desktop_name = "alice’s desktop",
		.layout = "de(nodeadkeys)",
		.grace_s = 30,
		.security = { DISPLAY_SECURITY_X509_PLAIN, DISPLAY_SECURITY_TLS_PLAIN },
		.security_count = 2,
		.tls_priority = "NORMAL",
		.width = 1280,
		.height = 800,
	};

	return config;
}

static int pass_config(const struct display_config *config, struct display_config *result)
{
	uint8_t bytes[2048];
	struct wire wire;

	wire_init_write(&wire, bytes, sizeof(bytes));
	display_config_encode(config, &wire);
	if (!wire_ok(&wire)) {
		return -EOVERFLOW;
	}
	wire_init_read(&wire, bytes, wire.position);
	return display_config_decode(&wire, result);
}

static void test_config(void **state)
{
	struct display_config config = good_config();
	struct display_config result;

	(void)state;
	assert_int_equal(pass_config(&config, &result), 0);
	assert_string_equal(result.peer, config.peer);
	assert_string_equal(result.desktop_name, config.desktop_name);
	assert_string_equal(result.layout, config.layout);
	assert_string_equal(result.tls_priority, config.tls_priority);
	assert_memory_equal(result.security, config.security, sizeof(config.security));
	assert_int_equal(result.viewer_id, config.viewer_id);
	assert_int_equal(result.width, 1280);
	config.security[1] = 2; /* VNC authentication */
	assert_int_equal(pass_config(&config, &result), -EPROTO);
	config = good_config();
	config.security_count = DISPLAY_SECURITY_MAX + 1;
	assert_int_equal(pass_config(&config, &result), -EOVERFLOW);
	config = good_config();
	config.width = 0;
	assert_int_equal(pass_config(&config, &result), -EPROTO);
	config = good_config();
	config.height = SCANOUT_SIZE_MAX + 1;
	assert_int_equal(pass_config(&config, &result), -EPROTO);
}

static void test_config_cut(void **state)
{
	struct display_config config = good_config();
	struct display_config result;
	uint8_t bytes[2048];
	struct wire wire;
	size_t size;

	(void)state;
	wire_init_write(&wire, bytes, sizeof(bytes));
	display_config_encode(&config, &wire);
	size = wire.position;
	for (size_t cut = 0; cut < size; cut++) {
		wire_init_read(&wire, bytes, cut);
		assert_int_equal(display_config_decode(&wire, &result), -EPROTO);
		assert_true(result.security_count <= DISPLAY_SECURITY_MAX);
	}
}

static void test_state(void **state)
{
	struct display_state out = {
		.viewer_id = 9,
		.phase = DISPLAY_PHASE_SESSION,
		.attached = true,
		.user = "alice",
		.peer = "unix",
		.pid = 4711,
	};
	struct display_state in;
	uint8_t bytes[256];
	struct wire wire;

	(void)state;
	wire_init_write(&wire, bytes, sizeof(bytes));
	display_state_encode(&out, &wire);
	wire_init_read(&wire, bytes, wire.position);
	assert_int_equal(display_state_decode(&wire, &in), 0);
	assert_true(wire_done(&wire));
	assert_string_equal(in.user, "alice");
	assert_int_equal(in.pid, 4711);
	assert_true(in.attached);
	bytes[8] = DISPLAY_PHASE_SESSION + 1;
	wire_init_read(&wire, bytes, sizeof(bytes));
	assert_int_equal(display_state_decode(&wire, &in), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scanout),
		cmocka_unit_test(test_scanout_cut),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_damage_count_lies),
		cmocka_unit_test(test_frame),
		cmocka_unit_test(test_frame_mutated),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_config_cut),
		cmocka_unit_test(test_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
