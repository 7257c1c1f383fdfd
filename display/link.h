/*
 * The display's end of the link to a desktop's VMM (display/scanout.h): asks for news, maps the shared picture, hands on
 * what changed, sends input. The VMM is not trusted: its memory is mapped only when it can never shrink under us, and
 * numbers are checked before use. Loop thread only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"
#include "display/scanout.h"
#include "input/event.h"

struct link;
struct picture_source;
struct sd_event;

struct link_ops {
	/* A new picture or mode: all of it is new. Valid until the next call, or link_destroy(). */
	void (*on_picture)(void *context, const struct picture_source *source);
	/* These spans of the picture may have changed. */
	void (*on_damage)(void *context, const struct picture_source *source,
	    const struct scanout_damage *damage);
	void (*on_leds)(void *context, uint8_t leds);
	/* The VMM is gone (0) or broke the protocol (-errno). Called once; the link may be destroyed in it. */
	void (*on_closed)(void *context, int error);
};

/* Takes `socket` on success, and asks for the picture. Returns 0 or -errno. */
must_check int link_create_take(struct sd_event *event, int socket, const struct link_ops *ops,
    void *context, struct link **link);
void link_destroy(struct link *link);

/* The picture now, if there is one. */
bool link_picture(const struct link *link, struct picture_source *source);
/* Asks for the next damage, unless that is asked already. */
void link_want(struct link *link);
/* Sends `count` (<= LINK_INPUT_MAX) events. What a VMM that does not read has no room for is dropped. */
void link_send_input(struct link *link, const struct input_event *events, size_t count);
void link_resize(struct link *link, uint32_t width, uint32_t height);
