/* A machine made of memory and virtual time; see host_platform.h. */
#include "host/host_platform.h"

#include "lib/text.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPARE_SIZE (8u << 20)

static uint64_t host_now_ms(void *context)
{
	return ((struct host_platform *)context)->now_ms;
}

static int64_t host_wall_seconds(void *context)
{
	struct host_platform *host = context;

	return host->wall + (int64_t)(host->now_ms / 1000);
}

static void host_sync_clock(void *context)
{
	(void)context;
}

static uint64_t host_idle_us(void *context)
{
	struct host_platform *host = context;

	/* Something to look at: mostly idle, with waves. */
	host->idle_us += 1000 * (620 + (host->now_ms / 1000 * 7919) % 330);
	return host->idle_us;
}

static void host_serial_write(void *context, const char *text, size_t size)
{
	struct host_platform *host = context;

	if (host->serial_size + size < HOST_SERIAL_SIZE) {
		memcpy(host->serial + host->serial_size, text, size);
		host->serial_size += size;
		host->serial[host->serial_size] = '\0';
	}
}

static void host_get_setting(void *context, const char *name, char *buffer, size_t size)
{
	struct host_platform *host = context;

	if (text_equal(name, "user")) {
		text_copy(buffer, size, host->user);
	} else if (text_equal(name, "host")) {
		text_copy(buffer, size, "oak");
	} else if (text_equal(name, "resumes")) {
		text_format(buffer, size, "%d", host->resumes);
	} else {
		text_copy(buffer, size, "");
	}
}

static bool host_set_mode(void *context, int width, int height, struct surface *visible)
{
	struct host_platform *host = context;
	uint32_t *pixels;

	if (host->max_width && width > host->max_width) {
		return false;
	}
	pixels = calloc((size_t)width * (size_t)height, sizeof(*pixels));
	if (!pixels) {
		return false;
	}
	free(host->pixels);
	host->pixels = pixels;
	host->width = width;
	host->height = height;
	*visible = (struct surface){ pixels, width, height, width };
	return true;
}

static void host_set_leds(void *context, unsigned int leds)
{
	((struct host_platform *)context)->leds = leds;
}

static void host_power_off(void *context)
{
	((struct host_platform *)context)->powered_off = true;
}

static void host_reboot(void *context)
{
	((struct host_platform *)context)->rebooted = true;
}

static const struct platform_ops host_ops = {
	.now_ms = host_now_ms,
	.wall_seconds = host_wall_seconds,
	.sync_clock = host_sync_clock,
	.idle_us = host_idle_us,
	.serial_write = host_serial_write,
	.get_setting = host_get_setting,
	.set_mode = host_set_mode,
	.set_leds = host_set_leds,
	.power_off = host_power_off,
	.reboot = host_reboot,
};

static const struct platform_device devices[] = {
	{ "Display", "00:01.0  1234:1111" },
	{ "virtio-input keyboard", "00:02.0  1af4:1052" },
	{ "virtio-input tablet", "00:03.0  1af4:1052" },
	{ "virtio-rng", "00:04.0  1af4:1044" },
	{ "PS/2 keyboard", "IRQ 1" },
	{ "PS/2 mouse", "IRQ 12" },
	{ "Real-time clock", "port 0x70" },
	{ "Serial port", "port 0x3f8" },
};

bool host_platform_init(struct host_platform *host, const char *command_line, size_t heap_size)
{
	memset(host, 0, sizeof(*host));
	host->info.system = "test host";
	host->info.memory_bytes = 64u << 20;
	host->info.device_count = sizeof(devices) / sizeof(devices[0]);
	memcpy(host->info.devices, devices, sizeof(devices));
	host->info.spare_memory = calloc(1, SPARE_SIZE);
	host->info.spare_size = SPARE_SIZE;
	host->heap_memory = aligned_alloc(16, heap_size & ~(size_t)15);
	host->platform = (struct platform){ &host_ops, host, &host->info, command_line };
	host->wall = 1795423325; /* a Monday morning in November 2026 */
	text_copy(host->user, sizeof(host->user), "Alice");
	if (!host->info.spare_memory || !host->heap_memory) {
		host_platform_fini(host);
		return false;
	}
	heap_init(&host->heap, host->heap_memory, heap_size);
	return true;
}

void host_platform_fini(struct host_platform *host)
{
	free(host->info.spare_memory);
	free(host->heap_memory);
	free(host->pixels);
	memset(host, 0, sizeof(*host));
}

int host_platform_save_png(const struct host_platform *host, const char *path)
{
	size_t count = (size_t)host->width * (size_t)host->height;
	png_image image = { .version = PNG_IMAGE_VERSION,
		.width = (png_uint_32)host->width,
		.height = (png_uint_32)host->height,
		.format = PNG_FORMAT_RGB };
	unsigned char *rgb = malloc(count * 3);
	int done;

	if (!rgb) {
		return -1;
	}
	for (size_t i = 0; i < count; i++) {
		rgb[i * 3] = (unsigned char)(host->pixels[i] >> 16);
		rgb[i * 3 + 1] = (unsigned char)(host->pixels[i] >> 8);
		rgb[i * 3 + 2] = (unsigned char)host->pixels[i];
	}
	done = png_image_write_to_file(&image, path, 0, rgb, 0, NULL);
	free(rgb);
	return done ? 0 : -1;
}
