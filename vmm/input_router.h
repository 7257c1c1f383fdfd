/*
 * Which emulated device hears an input event: the virtio keyboard and tablet when the guest has drivers for them, the
 * PS/2 keyboard and mouse until then. Keeps what is held down, over all viewers, and releases it on request.
 * Machine's lock.
 */
#pragma once

#include "input/event.h"

struct input_router;
struct i8042;
struct virtio_input;

must_check int input_router_create(struct i8042 *i8042, struct virtio_input *keyboard,
    struct virtio_input *tablet, struct input_router **router);
void input_router_destroy(struct input_router *router);
/* One event that was decoded (and so checked); `width` and `height` of the picture turn positions into PS/2 motion. */
void input_router_event(
    struct input_router *router, const struct input_event *event, uint32_t width, uint32_t height);
/* After the devices were loaded from a snapshot: takes over which keys their guest believes to be down, and releases them. */
void input_router_resumed(struct input_router *router);
