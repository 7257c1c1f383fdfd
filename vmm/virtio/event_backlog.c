/*
 * The ring of event groups. What must stay true: the last event is a SYN_REPORT or the ring is empty, and no group is
 * longer than EVENT_GROUP_MAX, between calls.
 */
#include "vmm/virtio/event_backlog.h"

#include <assert.h>
#include <errno.h>
#include <linux/input-event-codes.h>

static struct backlog_event *at(struct event_backlog *backlog, uint32_t index)
{
	return &backlog->events[(backlog->head + index) % EVENT_BACKLOG_SIZE];
}

void event_backlog_clear(struct event_backlog *backlog)
{
	backlog->head = 0;
	backlog->count = 0;
}

bool event_backlog_append(
    struct event_backlog *backlog, const struct backlog_event *events, unsigned count)
{
	assert(count > 0 && count < EVENT_GROUP_MAX);
	if (count + 1 > EVENT_BACKLOG_SIZE - backlog->count) {
		return false;
	}
	for (unsigned i = 0; i < count; i++) {
		*at(backlog, backlog->count++) = events[i];
	}
	*at(backlog, backlog->count++) = (struct backlog_event){ .type = EV_SYN,
		.code = SYN_REPORT };
	return true;
}

const struct backlog_event *event_backlog_at(const struct event_backlog *backlog, uint32_t index)
{
	assert(index < backlog->count);
	return &backlog->events[(backlog->head + index) % EVENT_BACKLOG_SIZE];
}

unsigned event_backlog_group_size(const struct event_backlog *backlog)
{
	unsigned size = 1;

	while (event_backlog_at(backlog, size - 1)->type != EV_SYN) {
		size++;
	}
	return size;
}

void event_backlog_drop_first(struct event_backlog *backlog)
{
	assert(backlog->count > 0);
	backlog->head = (backlog->head + 1) % EVENT_BACKLOG_SIZE;
	backlog->count--;
}

void event_backlog_drop_last_group(struct event_backlog *backlog, uint16_t type)
{
	uint32_t first = backlog->count - EVENT_GROUP_MAX;

	if (backlog->count >= EVENT_GROUP_MAX && event_backlog_at(backlog, first)->type == type &&
	    event_backlog_at(backlog, first + 1)->type != EV_SYN) {
		backlog->count = first;
	}
}

void event_backlog_save(const struct event_backlog *backlog, struct wire *out)
{
	wire_put_u32(out, backlog->count);
	for (uint32_t i = 0; i < backlog->count; i++) {
		const struct backlog_event *event = event_backlog_at(backlog, i);

		wire_put_u16(out, event->type);
		wire_put_u16(out, event->code);
		wire_put_u32(out, (uint32_t)event->value);
	}
}

int event_backlog_load(struct event_backlog *backlog, struct wire *in,
    bool (*valid)(const void *context, uint16_t type, uint16_t code), const void *context)
{
	uint32_t count = wire_get_u32(in);
	unsigned in_group = 0;

	event_backlog_clear(backlog);
	if (count > EVENT_BACKLOG_SIZE) {
		return -EPROTO;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct backlog_event event;

		event.type = wire_get_u16(in);
		event.code = wire_get_u16(in);
		event.value = (int32_t)wire_get_u32(in);
		in_group++;
		if (event.type == EV_SYN) {
			if (event.code != SYN_REPORT || event.value != 0 || in_group == 1) {
				return -EPROTO;
			}
			in_group = 0;
		} else if (in_group == EVENT_GROUP_MAX || !valid(context, event.type, event.code)) {
			return -EPROTO;
		}
		backlog->events[i] = event;
	}
	if (in_group != 0 || !wire_ok(in)) {
		return -EPROTO;
	}
	backlog->count = count;
	return 0;
}
