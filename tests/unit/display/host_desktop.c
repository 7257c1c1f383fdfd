/* The desktop of the display tests (host.h): its picture, what changed in it, and the link to the viewer's process. */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "host_internal.h"

void host_make_memory(struct host *host, uint32_t width, uint32_t height)
{
	uint64_t size = (uint64_t)width * height * 4 + 4096;

	if (host->memory) {
		munmap(host->memory, host->scanout.memory_size);
		fd_close(&host->memory_fd);
	}
	host->memory_fd = memfd_create("picture", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert(host->memory_fd >= 0 && ftruncate(host->memory_fd, (off_t)size) == 0);
	assert(fcntl(host->memory_fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
	host->memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, host->memory_fd, 0);
	assert(host->memory != MAP_FAILED);
	host->scanout = (struct scanout){
		.id = host->scanout.id + 1,
		.format = SCANOUT_FORMAT_XRGB8888,
		.width = width,
		.height = height,
		.stride = width * 4,
		.offset = 4096,
		.memory_size = size,
	};
	host->scanout_due = true;
}

static void send_scanout(struct host *host)
{
	char path[64];
	uint8_t bytes[64];
	struct wire wire;
	int readonly;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", host->memory_fd);
	readonly = open(path, O_RDONLY | O_CLOEXEC);
	assert(readonly >= 0);
	wire_init_write(&wire, bytes, sizeof(bytes));
	scanout_encode(&host->scanout, &wire);
	(void)!ipc_send(host->link, LINK_SCANOUT, &wire, &readonly, 1);
	close(readonly);
	host->scanout_due = false;
}

/* What is due goes out, if the viewer wants it. */
void host_serve_link(struct host *host)
{
	uint8_t bytes[64];
	struct wire wire;

	if (host->link < 0) {
		return;
	}
	if (host->leds_due) {
		wire_init_write(&wire, bytes, sizeof(bytes));
		wire_put_u8(&wire, host->leds);
		(void)!ipc_send(host->link, LINK_LEDS, &wire, NULL, 0);
		host->leds_due = false;
	}
	if (host->scanout_due && host->wants > 0) {
		send_scanout(host);
		host->damage_due = false;
	}
	if (host->damage_due && host->want) {
		struct scanout_damage *damage = calloc(1, sizeof(*damage));

		damage->scanout_id = host->scanout.id;
		damage->found_us = clock_monotonic_us();
		damage->span_count = 1;
		damage->spans[0].offset = host->damage_first * host->scanout.stride;
		damage->spans[0].length = (host->damage_end - host->damage_first) *
					  host->scanout.stride;
		wire_init_write(&wire, bytes, sizeof(bytes));
		scanout_damage_encode(damage, &wire);
		(void)!ipc_send(host->link, LINK_DAMAGE, &wire, NULL, 0);
		free(damage);
		host->want = false;
		host->damage_due = false;
	}
}

static void echo(struct host *host, const struct input_event *event)
{
	uint32_t *pixels = (uint32_t *)(host->memory + host->scanout.offset);
	uint32_t left = (uint32_t)(host->input_count / 2 % (host->scanout.width / 8) * 8);
	uint32_t top = (uint32_t)(host->input_count / 2 / (host->scanout.width / 8) * 16 %
				  (host->scanout.height / 16 * 16));

	if (event->type != INPUT_KEY || event->value != 1) {
		return;
	}
	for (uint32_t y = top; y < top + 16; y++) {
		for (uint32_t x = left; x < left + 8; x++) {
			pixels[y * host->scanout.width + x] = (x ^ y) & 1
								  ? 0xffffff
								  : (uint32_t)host->input_count;
		}
	}
	host->damage_first = host->damage_due && host->damage_first < top ? host->damage_first
									  : top;
	host->damage_end = host->damage_due && host->damage_end > top + 16 ? host->damage_end
									   : top + 16;
	host->damage_due = true;
}

void host_on_link_message(struct host *host, struct ipc_message *message)
{
	if (message->type == LINK_WANT) {
		uint32_t id = wire_get_u32(&message->body);

		host->wants++;
		host->want = true;
		host->scanout_due = host->scanout_due || id == 0;
	} else if (message->type == LINK_INPUT) {
		struct input_event event;

		while (wire_remaining(&message->body) > 0 &&
		       input_event_decode(&message->body, &event) == 0) {
			if (host->input_count < HOST_EVENTS_MAX) {
				host->input[host->input_count++] = event;
				if (host->options.echo) {
					echo(host, &event);
				}
			}
		}
	} else if (message->type == LINK_RESIZE) {
		host->resize_width = wire_get_u32(&message->body);
		host->resize_height = wire_get_u32(&message->body);
		host->resizes++;
		if (host->options.follow_resize) {
			host_make_memory(host, host->resize_width, host->resize_height);
		}
	}
}

uint32_t *host_lock_picture(struct host *host, uint32_t *width, uint32_t *height)
{
	pthread_mutex_lock(&host->lock);
	*width = host->scanout.width;
	*height = host->scanout.height;
	return (uint32_t *)(host->memory + host->scanout.offset);
}

void host_unlock_picture(struct host *host, uint32_t first_row, uint32_t row_count)
{
	if (!host->damage_due) {
		host->damage_first = first_row;
		host->damage_end = first_row;
	}
	host->damage_due = true;
	host->damage_first = first_row < host->damage_first ? first_row : host->damage_first;
	host->damage_end = first_row + row_count > host->damage_end ? first_row + row_count
								    : host->damage_end;
	pthread_mutex_unlock(&host->lock);
	host_kick(host);
}

void host_set_mode(struct host *host, uint32_t width, uint32_t height)
{
	pthread_mutex_lock(&host->lock);
	host_make_memory(host, width, height);
	pthread_mutex_unlock(&host->lock);
	host_kick(host);
}

void host_set_leds(struct host *host, uint8_t leds)
{
	pthread_mutex_lock(&host->lock);
	host->leds = leds;
	host->leds_due = true;
	pthread_mutex_unlock(&host->lock);
	host_kick(host);
}

void host_send_link(struct host *host, uint16_t type, const void *body, size_t size, int fd)
{
	struct wire wire = { .data = (uint8_t *)body, .size = size, .position = size };

	pthread_mutex_lock(&host->lock);
	(void)!ipc_send(host->link, type, &wire, fd >= 0 ? &fd : NULL, fd >= 0);
	pthread_mutex_unlock(&host->lock);
}

void host_drop_link(struct host *host)
{
	pthread_mutex_lock(&host->lock);
	fd_close(&host->link);
	pthread_mutex_unlock(&host->lock);
	host_kick(host);
}
