/*
 * The link to a VMM (display/link.h). What must stay true: the mapping in use is read-only, sealed against shrinking and
 * as large as the picture in it claims; at most one WANT per picture is open.
 */
#include "display/link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>

#include "base/fd.h"
#include "base/ipc.h"
#include "base/log.h"
#include "display/picture.h"

enum {
	QUEUE_LIMIT = 256, /* messages to a VMM that does not read just now */
};

struct link {
	struct ipc_channel *channel;
	const struct link_ops *ops;
	void *context;
	struct scanout scanout; /* id 0: none yet */
	uint8_t *memory;
	bool want_open;
	struct log_limiter limiter;
	struct scanout_damage damage;
};

static void send_message(struct link *link, uint16_t type, const struct wire *wire)
{
	int error = ipc_channel_send(link->channel, type, wire, NULL, 0);

	if (error && error != -EPIPE && log_limiter_permits(&link->limiter)) {
		log_warning("link: cannot send message %u: %s", type, strerror(-error));
	}
}

static void unmap(struct link *link)
{
	if (link->memory) {
		(void)munmap(link->memory, link->scanout.memory_size);
	}
	link->memory = NULL;
	link->scanout.id = 0;
}

static must_check int map(struct link *link, const struct scanout *scanout, int fd)
{
	struct stat status;
	int seals = fcntl(fd, F_GET_SEALS);
	void *memory;

	/* Without the seal the VMM could cut the file and kill this process with SIGBUS. */
	if (seals < 0 || !(seals & F_SEAL_SHRINK)) {
		return -EPROTO;
	}
	if (fstat(fd, &status) < 0) {
		return -errno;
	}
	if (status.st_size < 0 || (uint64_t)status.st_size < scanout->memory_size) {
		return -EPROTO;
	}
	memory = mmap(NULL, scanout->memory_size, PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		return -errno;
	}
	unmap(link);
	link->memory = memory;
	link->scanout = *scanout;
	return 0;
}

static struct picture_source source_of(const struct link *link)
{
	return (struct picture_source){
		.pixels = link->memory + link->scanout.offset,
		.width = link->scanout.width,
		.height = link->scanout.height,
		.stride = link->scanout.stride,
	};
}

static must_check int on_scanout(struct link *link, struct ipc_message *message)
{
	struct picture_source source;
	struct scanout scanout;
	int fd, error;

	error = scanout_decode(&message->body, &scanout);
	if (error || !wire_done(&message->body)) {
		return -EPROTO;
	}
	fd = ipc_message_take_fd(message, 0);
	if (fd < 0) {
		return -EPROTO;
	}
	error = map(link, &scanout, fd);
	fd_close(&fd);
	if (error) {
		return error;
	}
	link->want_open = false; /* it was for another picture */
	source = source_of(link);
	link->ops->on_picture(link->context, &source);
	return 0;
}

static must_check int on_damage(struct link *link, struct ipc_message *message)
{
	struct picture_source source;
	int error;

	if (link->scanout.id == 0) {
		return -EPROTO;
	}
	error = scanout_damage_decode(&message->body, &link->scanout, &link->damage);
	if (error == -ESTALE) {
		return 0; /* of the picture before; the new one was taken whole */
	}
	if (error || !wire_done(&message->body)) {
		return -EPROTO;
	}
	link->want_open = false;
	source = source_of(link);
	link->ops->on_damage(link->context, &source, &link->damage);
	return 0;
}

static int on_message(struct ipc_channel *channel, struct ipc_message *message, void *context)
{
	struct link *link = context;
	uint8_t leds;

	(void)channel;
	switch (message->type) {
	case LINK_SCANOUT:
		return on_scanout(link, message);
	case LINK_DAMAGE:
		return on_damage(link, message);
	case LINK_LEDS:
		leds = wire_get_u8(&message->body);
		if (!wire_done(&message->body)) {
			return -EPROTO;
		}
		link->ops->on_leds(link->context, leds);
		return 0;
	default:
		return -EPROTO;
	}
}

static void on_close(struct ipc_channel *channel, int error, void *context)
{
	struct link *link = context;

	(void)channel;
	link->ops->on_closed(link->context, error);
}

int link_create_take(struct sd_event *event, int socket, const struct link_ops *ops, void *context,
    struct link **result)
{
	static const struct ipc_channel_ops channel_ops = { .on_message = on_message,
		.on_close = on_close };
	struct link *link = calloc(1, sizeof(*link));
	int error;

	if (!link) {
		return -ENOMEM;
	}
	link->ops = ops;
	link->context = context;
	link->limiter = (struct log_limiter){ .burst = 3, .interval_ms = 10000 };
	error = ipc_channel_create_take(
	    event, socket, QUEUE_LIMIT, &channel_ops, link, &link->channel);
	if (error) {
		free(link);
		return error;
	}
	link_want(link);
	*result = link;
	return 0;
}

void link_destroy(struct link *link)
{
	if (!link) {
		return;
	}
	unmap(link);
	ipc_channel_destroy(link->channel);
	free(link);
}

bool link_picture(const struct link *link, struct picture_source *source)
{
	if (link->scanout.id == 0) {
		return false;
	}
	*source = source_of(link);
	return true;
}

void link_want(struct link *link)
{
	uint8_t bytes[4];
	struct wire wire;

	if (link->want_open) {
		return;
	}
	wire_init_write(&wire, bytes, sizeof(bytes));
	wire_put_u32(&wire, link->scanout.id);
	link->want_open = true;
	send_message(link, LINK_WANT, &wire);
}

void link_send_input(struct link *link, const struct input_event *events, size_t count)
{
	uint8_t bytes[LINK_INPUT_MAX * INPUT_EVENT_WIRE_SIZE];
	struct wire wire;

	if (count == 0) {
		return;
	}
	wire_init_write(&wire, bytes, sizeof(bytes));
	for (size_t i = 0; i < count; i++) {
		input_event_encode(&events[i], &wire);
	}
	send_message(link, LINK_INPUT, &wire);
}

void link_resize(struct link *link, uint32_t width, uint32_t height)
{
	uint8_t bytes[8];
	struct wire wire;

	wire_init_write(&wire, bytes, sizeof(bytes));
	wire_put_u32(&wire, width);
	wire_put_u32(&wire, height);
	send_message(link, LINK_RESIZE, &wire);
}
