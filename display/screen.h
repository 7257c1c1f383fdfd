/*
 * What is on the viewer's screen at any moment of a connection: the desktop, or a caption over the last frame or over a
 * plain background. Owns the picture, decides its size (the desktop's when the viewer can follow, else the first one),
 * and tells which rectangles changed. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"
#include "display/picture.h"
#include "display/scroll.h"

struct scanout_damage;
struct screen;

enum {
	SCREEN_TEXT_MAX = 512,
	SCREEN_NO_PERCENT = 255,
};

struct screen_ops {
	picture_changed changed;
	/* The picture lies elsewhere or has another size, and all of it is new. */
	void (*replaced)(void *context, const struct picture *picture);
	/* Parts of the picture have moved, before what is told as changed next. */
	scroll_moved moved;
	/* True if the viewer can move parts of its picture by itself; otherwise they are told as changed. */
	bool (*can_move)(void *context);
	/* True if the viewer can be given another size now. */
	bool (*can_resize)(void *context);
};

must_check int screen_create(uint32_t width, uint32_t height, const struct screen_ops *ops,
    void *context, struct screen **screen);
void screen_destroy(struct screen *screen);
const struct picture *screen_picture(const struct screen *screen);

/* The desktop's picture, whole: the caption goes. Returns 0, -EINVAL when it is too large to be shown, or -ENOMEM. */
must_check int screen_show_desktop(struct screen *screen, const struct picture_source *source);
/* The desktop's picture where it changed; ignored while a caption is shown. */
void screen_damage_desktop(struct screen *screen, const struct picture_source *source,
    const struct scanout_damage *damage);
/* A caption of enum display_caption, copied; below it the last frame, or `frame` if not NULL. 0 or -errno. */
must_check int screen_show_caption(struct screen *screen, uint8_t kind, const char *text,
    uint8_t percent, const struct picture_source *frame);
/* The desktop is away: its last frame, greyed, without words. */
must_check int screen_show_away(struct screen *screen);
/* The kind of the caption that is shown, else 0. */
uint8_t screen_caption(const struct screen *screen);
