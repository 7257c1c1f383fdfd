/*
 * Input events on their way to a guest that gives no buffers yet: a bounded ring of groups, each ended by SYN_REPORT. A
 * group enters and leaves whole. Part of virtio_input.c; embedded by value; machine's lock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/must_check.h"
#include "base/wire.h"

enum {
	EVENT_BACKLOG_SIZE = 512, /* events */
	EVENT_GROUP_MAX = 3,      /* events of a group, its SYN_REPORT included */
};

struct backlog_event {
	uint16_t type, code;
	int32_t value;
};

struct event_backlog {
	struct backlog_event events[EVENT_BACKLOG_SIZE]; /* a ring */
	uint32_t head, count;
};

void event_backlog_clear(struct event_backlog *backlog);
/* Appends `count` events and a SYN_REPORT. False, and nothing appended, when there is no room. */
bool event_backlog_append(
    struct event_backlog *backlog, const struct backlog_event *events, unsigned count);
/* `index` < count, 0 is the oldest. */
const struct backlog_event *event_backlog_at(const struct event_backlog *backlog, uint32_t index);
/* Events of the oldest group; the backlog is not empty. */
unsigned event_backlog_group_size(const struct event_backlog *backlog);
/* Removes the oldest event. */
void event_backlog_drop_first(struct event_backlog *backlog);
/* Removes the newest group when it is a full one (EVENT_GROUP_MAX) that begins with an event of `type`. */
void event_backlog_drop_last_group(struct event_backlog *backlog, uint16_t type);

void event_backlog_save(const struct event_backlog *backlog, struct wire *out);
/* -EPROTO: a group is cut or too long, or holds an event that `valid` does not know (SYN_REPORT is known). */
must_check int event_backlog_load(struct event_backlog *backlog, struct wire *in,
    bool (*valid)(const void *context, uint16_t type, uint16_t code), const void *context);
