/*
 * The viewers' links (display/scanout.h): damage out, input in. The picture is looked at only while some viewer waits,
 * at the pace of scan_pace.h. A link that breaks the protocol is closed and costs only that viewer. Loop thread, except
 * where said otherwise.
 */
#pragma once

#include <stdint.h>

#include "base/must_check.h"
#include "display/scanout.h"
#include "vmm/machine.h"

struct sd_event;
struct viewers;

struct viewers_ops {
	/* The link of viewer `id` is gone; its keys have been released. */
	void (*on_gone)(void *context, uint64_t id, int error);
};

/* Borrows all arguments. 0 or -errno. */
must_check int viewers_create(struct sd_event *event, struct machine *machine,
    const struct viewers_ops *ops, void *context, struct viewers **viewers);
void viewers_destroy(struct viewers *viewers);

/* Takes `link` in every case. -EEXIST: that id is attached; -ENOSPC: too many; or -errno. */
must_check int viewers_attach_take(struct viewers *viewers, uint64_t id, int link);
/* -ENOENT when there is none of that id. */
must_check int viewers_detach(struct viewers *viewers, uint64_t id);
uint32_t viewers_count(const struct viewers *viewers);
uint64_t viewers_scans(const struct viewers *viewers);

/* From machine_ops; any thread, with the machine's lock held. */
void viewers_on_mode(struct viewers *viewers);
void viewers_on_leds(struct viewers *viewers, uint8_t leds);
/* Input came from elsewhere: an echo may be on its way. With the lock held. */
void viewers_on_input(struct viewers *viewers);
