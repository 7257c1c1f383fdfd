/*
 * From viewers' events to the devices that the guest listens to. What must stay true: a key or button that went down in
 * one device goes up in the same one, also when the guest's driver came or went in between.
 */
#include "vmm/input_router.h"

#include <errno.h>
#include <linux/input-event-codes.h>
#include <stdlib.h>

#include "vmm/dev/i8042.h"
#include "vmm/virtio/virtio_input.h"

struct input_router {
	struct i8042 *i8042;
	struct virtio_input *keyboard;
	struct virtio_input *tablet;
	bool virtio_keyboard, virtio_tablet; /* which device heard the last event of its kind */
	/* Where the PS/2 mouse has been moved to, in pixels. */
	bool positioned;
	int32_t x, y;
};

static bool is_ready(const struct virtio_input *input)
{
	return input && virtio_input_ready(input);
}

/* Follows the guest's drivers; what the PS/2 devices hold when a virtio device takes over goes up there. */
static void update_devices(struct input_router *router)
{
	bool keyboard = is_ready(router->keyboard), tablet = is_ready(router->tablet);

	if (keyboard && !router->virtio_keyboard) {
		i8042_release_keys(router->i8042);
	}
	if (tablet && !router->virtio_tablet) {
		i8042_release_buttons(router->i8042);
	}
	if (!tablet && router->virtio_tablet) {
		router->positioned = false;
	}
	router->virtio_keyboard = keyboard;
	router->virtio_tablet = tablet;
}

static void on_device_ready(void *context)
{
	update_devices(context);
}

static void release_all(struct input_router *router)
{
	i8042_release_keys(router->i8042);
	i8042_release_buttons(router->i8042);
	if (router->keyboard) {
		virtio_input_release_all(router->keyboard);
	}
	if (router->tablet) {
		virtio_input_release_all(router->tablet);
	}
}

/* The mouse knows motion only: from where it was sent last, which is the middle at first, as guests have it. */
static void move_mouse(
    struct input_router *router, const struct input_event *event, uint32_t width, uint32_t height)
{
	int32_t x = (int32_t)((uint64_t)event->x * width >> 16);
	int32_t y = (int32_t)((uint64_t)event->y * height >> 16);

	if (!router->positioned) {
		router->x = (int32_t)(width / 2);
		router->y = (int32_t)(height / 2);
		router->positioned = true;
	}
	i8042_motion(router->i8042, x - router->x, y - router->y, 0);
	router->x = x;
	router->y = y;
}

static void route_pointer(
    struct input_router *router, const struct input_event *event, uint32_t width, uint32_t height)
{
	if (router->virtio_tablet) {
		virtio_input_position(router->tablet, event->x / 2, event->y / 2);
	} else if (width > 0 && height > 0 && width <= UINT16_MAX && height <= UINT16_MAX) {
		move_mouse(router, event, width, height);
	}
}

static void route_wheel(struct input_router *router, const struct input_event *event)
{
	if (router->virtio_tablet) {
		virtio_input_wheel(router->tablet, event->code, event->value);
	} else if (event->code == REL_WHEEL) {
		i8042_motion(router->i8042, 0, 0, event->value);
	}
}

void input_router_event(
    struct input_router *router, const struct input_event *event, uint32_t width, uint32_t height)
{
	update_devices(router);
	switch (event->type) {
	case INPUT_KEY:
		if (router->virtio_keyboard) {
			virtio_input_key(router->keyboard, event->code, event->value != 0);
		} else {
			(void)i8042_key(router->i8042, event->code, event->value != 0);
		}
		break;
	case INPUT_POINTER:
		route_pointer(router, event, width, height);
		break;
	case INPUT_BUTTON:
		if (router->virtio_tablet) {
			virtio_input_key(router->tablet, event->code, event->value != 0);
		} else {
			i8042_button(router->i8042, event->code, event->value != 0);
		}
		break;
	case INPUT_WHEEL:
		route_wheel(router, event);
		break;
	case INPUT_RELEASE_ALL:
		release_all(router);
		break;
	default:
		break;
	}
}

void input_router_resumed(struct input_router *router)
{
	router->positioned = false;
	update_devices(router);
	release_all(router);
}

int input_router_create(struct i8042 *i8042, struct virtio_input *keyboard,
    struct virtio_input *tablet, struct input_router **router)
{
	struct input_router *created;

	if (!i8042) {
		return -EINVAL;
	}
	created = calloc(1, sizeof(*created));
	if (!created) {
		return -ENOMEM;
	}
	created->i8042 = i8042;
	created->keyboard = keyboard;
	created->tablet = tablet;
	if (keyboard) {
		virtio_input_set_on_ready(keyboard, on_device_ready, created);
	}
	if (tablet) {
		virtio_input_set_on_ready(tablet, on_device_ready, created);
	}
	*router = created;
	return 0;
}

void input_router_destroy(struct input_router *router)
{
	if (!router) {
		return;
	}
	if (router->keyboard) {
		virtio_input_set_on_ready(router->keyboard, NULL, NULL);
	}
	if (router->tablet) {
		virtio_input_set_on_ready(router->tablet, NULL, NULL);
	}
	free(router);
}
