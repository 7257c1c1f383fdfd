/*
 * See viewer.h. What must stay true: a WANT is answered by one DAMAGE; every viewer is told of every change exactly
 * until it has been answered; and no message is sent but from the loop thread: what other threads report only arms the
 * timer.
 */
#include "vmm/viewer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/ipc.h"
#include "base/log.h"
#include "vmm/damage_map.h"
#include "vmm/scan_pace.h"
#include "vmm/timers.h"

enum {
	VIEWERS_MAX = 16,
	LINK_QUEUE =
	    16, /* messages; one DAMAGE at a time, so more means that the viewer does not read */
	LINK_MESSAGE_MAX = 64 + SCANOUT_SPANS_MAX * 8,
};

struct viewer {
	struct viewers *owner;
	struct viewer *next;
	uint64_t id;
	struct ipc_channel *channel;
	bool waiting;
	bool announced; /* it has the current scanout */
	int error;      /* to be closed with this error by the next tick */
	struct damage_map damage;
};

struct viewers {
	struct sd_event *event;
	struct machine *machine;
	const struct viewers_ops *ops;
	void *context;
	struct viewer *first;
	uint32_t count;
	uint64_t scans;
	struct log_limiter log;

	/* Machine's lock. */
	struct device_timer *timer;
	struct scan_pace pace;
	bool mode_changed;
	bool leds_changed;
	uint8_t leds;

	struct scanout_damage scratch;
};

static uint64_t picture_size(const struct scanout *scanout)
{
	return (uint64_t)scanout->stride * scanout->height;
}

static bool anyone_waiting(const struct viewers *viewers)
{
	for (const struct viewer *viewer = viewers->first; viewer; viewer = viewer->next) {
		if (viewer->waiting) {
			return true;
		}
	}
	return false;
}

/* Lock. */
static void arm(struct viewers *viewers)
{
	uint64_t now = clock_monotonic_us();

	timer_set_at(viewers->timer, scan_pace_next(&viewers->pace, now, anyone_waiting(viewers)));
}

static void send(
    struct viewer *viewer, uint16_t type, const struct wire *body, const int *fds, size_t fd_count)
{
	int error = ipc_channel_send(viewer->channel, type, body, fds, fd_count);

	if (error && !viewer->error) {
		viewer->error = error;
	}
}

static void send_leds(struct viewer *viewer, uint8_t leds)
{
	uint8_t buffer[1];
	struct wire wire;

	wire_init_write(&wire, buffer, sizeof(buffer));
	wire_put_u8(&wire, leds);
	send(viewer, LINK_LEDS, &wire, NULL, 0);
}

/* Lock. */
static void announce(struct viewer *viewer, const struct scanout *scanout)
{
	uint8_t buffer[64];
	struct wire wire;
	int fd = framebuffer_read_only_fd(machine_framebuffer(viewer->owner->machine));

	wire_init_write(&wire, buffer, sizeof(buffer));
	scanout_encode(scanout, &wire);
	send(viewer, LINK_SCANOUT, &wire, &fd, 1);
	damage_map_restart(&viewer->damage, picture_size(scanout));
	viewer->announced = true;
}

static void answer(struct viewer *viewer, const struct scanout *scanout, uint64_t found_us)
{
	struct scanout_damage *damage = &viewer->owner->scratch;
	uint8_t buffer[LINK_MESSAGE_MAX];
	struct wire wire;

	damage_map_take(&viewer->damage, damage);
	damage->scanout_id = scanout->id;
	damage->found_us = found_us;
	wire_init_write(&wire, buffer, sizeof(buffer));
	scanout_damage_encode(damage, &wire);
	viewer->waiting = false;
	send(viewer, LINK_DAMAGE, &wire, NULL, 0);
}

/* Lock. Looks for changes and adds them to every viewer's map. */
static void scan(struct viewers *viewers, const struct scanout *scanout, uint64_t now)
{
	int spans = framebuffer_collect(machine_framebuffer(viewers->machine), scanout->offset,
	    picture_size(scanout), &viewers->scratch);

	viewers->scans++;
	if (spans < 0 && log_limiter_permits(&viewers->log)) {
		log_error("viewer: reading the dirty log: %s", strerrordesc_np(-spans));
	}
	if (spans > 0) {
		for (struct viewer *viewer = viewers->first; viewer; viewer = viewer->next) {
			damage_map_add(&viewer->damage, &viewers->scratch);
		}
	}
	scan_pace_on_scan(&viewers->pace, now, spans > 0);
}

/* Lock. Everything that is to be sent is sent here. */
static void tick(void *context)
{
	struct viewers *viewers = context;
	struct scanout scanout;
	bool shown = machine_scanout(viewers->machine, &scanout);
	uint64_t now = clock_monotonic_us();

	if (viewers->mode_changed) {
		viewers->mode_changed = false;
		for (struct viewer *viewer = viewers->first; viewer; viewer = viewer->next) {
			viewer->announced = false;
		}
	}
	for (struct viewer *viewer = viewers->first; viewer && shown; viewer = viewer->next) {
		if (!viewer->announced) {
			announce(viewer, &scanout);
		}
	}
	if (viewers->leds_changed) {
		viewers->leds_changed = false;
		for (struct viewer *viewer = viewers->first; viewer; viewer = viewer->next) {
			send_leds(viewer, viewers->leds);
		}
	}
	if (shown && anyone_waiting(viewers)) {
		scan(viewers, &scanout, now);
		for (struct viewer *viewer = viewers->first; viewer; viewer = viewer->next) {
			if (viewer->waiting && viewer->damage.dirty) {
				answer(viewer, &scanout, now);
			}
		}
	}
	timer_set_at(viewers->timer,
	    shown ? scan_pace_next(&viewers->pace, now, anyone_waiting(viewers)) : UINT64_MAX);
}

static void remove_viewer(struct viewer *viewer)
{
	struct viewers *viewers = viewer->owner;
	const struct input_event release = { .type = INPUT_RELEASE_ALL };
	struct viewer **link = &viewers->first;

	while (*link != viewer) {
		link = &(*link)->next;
	}
	*link = viewer->next;
	viewers->count--;
	machine_lock(viewers->machine);
	machine_input(viewers->machine, &release);
	arm(viewers);
	machine_unlock(viewers->machine);
	ipc_channel_destroy(viewer->channel);
	free(viewer);
}

static int on_want(struct viewer *viewer, struct wire *body)
{
	struct viewers *viewers = viewer->owner;
	uint32_t id = wire_get_u32(body);

	if (!wire_done(body)) {
		return -EPROTO;
	}
	machine_lock(viewers->machine);
	viewer->waiting = true;
	if (id == 0) {
		viewer->announced = false;
		send_leds(viewer, machine_leds(viewers->machine));
	}
	scan_pace_on_want(&viewers->pace, clock_monotonic_us());
	arm(viewers);
	machine_unlock(viewers->machine);
	return viewer->error;
}

static int on_input(struct viewer *viewer, struct wire *body)
{
	struct viewers *viewers = viewer->owner;
	struct input_event events[LINK_INPUT_MAX];
	size_t count = 0;

	while (wire_remaining(body) > 0) {
		if (count == LINK_INPUT_MAX || input_event_decode(body, &events[count])) {
			return -EPROTO;
		}
		count++;
	}
	if (count == 0) {
		return -EPROTO;
	}
	machine_lock(viewers->machine);
	for (size_t i = 0; i < count; i++) {
		machine_input(viewers->machine, &events[i]);
	}
	viewers_on_input(viewers);
	machine_unlock(viewers->machine);
	return 0;
}

static int on_resize(struct viewer *viewer, struct wire *body)
{
	uint32_t width = wire_get_u32(body);
	uint32_t height = wire_get_u32(body);

	if (!wire_done(body) || width == 0 || width > SCANOUT_SIZE_MAX || height == 0 ||
	    height > SCANOUT_SIZE_MAX) {
		return -EPROTO;
	}
	machine_lock(viewer->owner->machine);
	machine_set_preferred_size(viewer->owner->machine, width, height);
	machine_unlock(viewer->owner->machine);
	return 0;
}

static int on_message(struct ipc_channel *channel, struct ipc_message *message, void *context)
{
	struct viewer *viewer = context;

	(void)channel;
	if (viewer->error) {
		return viewer->error;
	}
	switch (message->type) {
	case LINK_WANT:
		return on_want(viewer, &message->body);
	case LINK_INPUT:
		return on_input(viewer, &message->body);
	case LINK_RESIZE:
		return on_resize(viewer, &message->body);
	default:
		return -EPROTO;
	}
}

static void on_close(struct ipc_channel *channel, int error, void *context)
{
	struct viewer *viewer = context;
	struct viewers *viewers = viewer->owner;
	uint64_t id = viewer->id;

	(void)channel;
	error = error ? error : viewer->error;
	remove_viewer(viewer);
	viewers->ops->on_gone(viewers->context, id, error);
}

static const struct ipc_channel_ops link_ops = {
	.on_message = on_message,
	.on_close = on_close,
};

int viewers_attach_take(struct viewers *viewers, uint64_t id, int link)
{
	struct viewer *viewer;
	int error;

	for (const struct viewer *other = viewers->first; other; other = other->next) {
		if (other->id == id) {
			fd_close(&link);
			return -EEXIST;
		}
	}
	viewer = viewers->count < VIEWERS_MAX ? calloc(1, sizeof(*viewer)) : NULL;
	if (!viewer) {
		fd_close(&link);
		return viewers->count < VIEWERS_MAX ? -ENOMEM : -ENOSPC;
	}
	viewer->owner = viewers;
	viewer->id = id;
	error = ipc_channel_create_take(
	    viewers->event, link, LINK_QUEUE, &link_ops, viewer, &viewer->channel);
	if (error) {
		fd_close(&link);
		free(viewer);
		return error;
	}
	viewer->next = viewers->first;
	viewers->first = viewer;
	viewers->count++;
	return 0;
}

int viewers_detach(struct viewers *viewers, uint64_t id)
{
	for (struct viewer *viewer = viewers->first; viewer; viewer = viewer->next) {
		if (viewer->id == id) {
			remove_viewer(viewer);
			return 0;
		}
	}
	return -ENOENT;
}

uint32_t viewers_count(const struct viewers *viewers)
{
	return viewers->count;
}

uint64_t viewers_scans(const struct viewers *viewers)
{
	return viewers->scans;
}

void viewers_on_mode(struct viewers *viewers)
{
	viewers->mode_changed = true;
	timer_set_at(viewers->timer, 0);
}

void viewers_on_leds(struct viewers *viewers, uint8_t leds)
{
	viewers->leds = leds;
	viewers->leds_changed = true;
	timer_set_at(viewers->timer, 0);
}

void viewers_on_input(struct viewers *viewers)
{
	scan_pace_on_input(&viewers->pace, clock_monotonic_us());
	arm(viewers);
}

int viewers_create(struct sd_event *event, struct machine *machine, const struct viewers_ops *ops,
    void *context, struct viewers **viewers)
{
	struct viewers *created = calloc(1, sizeof(*created));

	if (!created) {
		return -ENOMEM;
	}
	created->event = event;
	created->log = (struct log_limiter){ .burst = 3, .interval_ms = 60000 };
	created->machine = machine;
	created->ops = ops;
	created->context = context;
	machine_lock(machine);
	created->timer = timer_create_in(machine_timers(machine), tick, created);
	machine_unlock(machine);
	if (!created->timer) {
		free(created);
		return -ENOMEM;
	}
	*viewers = created;
	return 0;
}

void viewers_destroy(struct viewers *viewers)
{
	if (!viewers) {
		return;
	}
	while (viewers->first) {
		remove_viewer(viewers->first);
	}
	machine_lock(viewers->machine);
	timer_destroy_in(viewers->timer);
	machine_unlock(viewers->machine);
	free(viewers);
}
