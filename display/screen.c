/*
 * The viewer's screen (display/screen.h). What must stay true: while a caption is shown the desktop's last frame is kept
 * as it was, so that captions can follow each other without growing darker; without a caption that copy is given back.
 */
#include "display/screen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "display/caption.h"
#include "display/scanout.h"

enum {
	PIXEL_SIZE = 4,
};

struct screen {
	struct picture picture;
	const struct screen_ops *ops;
	void *context;
	struct scroll *scroll;
	bool has_desktop; /* the picture holds a desktop's frame */
	uint8_t caption;  /* its kind, 0: none */
	bool away;        /* greyed without words */
	uint32_t *
	    last; /* the last frame below a caption, of the picture's size, or NULL: a plain background */
};

static void ignore_change(void *context, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	(void)context;
	(void)x;
	(void)y;
	(void)width;
	(void)height;
}

int screen_create(uint32_t width, uint32_t height, const struct screen_ops *ops, void *context,
    struct screen **result)
{
	struct screen *screen = calloc(1, sizeof(*screen));
	int error;

	if (!screen) {
		return -ENOMEM;
	}
	error = picture_init(&screen->picture, width, height);
	if (!error) {
		error = scroll_create(&screen->scroll);
	}
	if (error) {
		screen_destroy(screen);
		return error;
	}
	screen->ops = ops;
	screen->context = context;
	*result = screen;
	return 0;
}

void screen_destroy(struct screen *screen)
{
	if (screen) {
		picture_fini(&screen->picture);
		scroll_destroy(screen->scroll);
		free(screen->last);
		free(screen);
	}
}

const struct picture *screen_picture(const struct screen *screen)
{
	return &screen->picture;
}

uint8_t screen_caption(const struct screen *screen)
{
	return screen->caption;
}

/* Puts `source` on the screen; the picture takes its size if the viewer can follow. */
static must_check int put(struct screen *screen, const struct picture_source *source)
{
	struct picture fresh;
	int error;

	if ((uint64_t)source->width * source->height > PICTURE_PIXELS_MAX) {
		return -EINVAL;
	}
	if ((source->width == screen->picture.width && source->height == screen->picture.height) ||
	    !screen->ops->can_resize(screen->context)) {
		picture_copy(&screen->picture, source, screen->ops->changed, screen->context);
		return 0;
	}
	error = picture_init(&fresh, source->width, source->height);
	if (error) {
		return error;
	}
	picture_copy(&fresh, source, ignore_change, NULL);
	picture_fini(&screen->picture);
	free(screen->last);
	screen->last = NULL;
	screen->picture = fresh;
	screen->ops->replaced(screen->context, &screen->picture);
	return 0;
}

int screen_show_desktop(struct screen *screen, const struct picture_source *source)
{
	int error = put(screen, source);

	if (error) {
		return error;
	}
	screen->has_desktop = true;
	screen->caption = 0;
	screen->away = false;
	free(screen->last);
	screen->last = NULL;
	return 0;
}

void screen_damage_desktop(
    struct screen *screen, const struct picture_source *source, const struct scanout_damage *damage)
{
	if (screen->caption == 0 && !screen->away) {
		if (screen->ops->can_move(screen->context)) {
			scroll_apply(screen->scroll, &screen->picture, source, damage->spans,
			    damage->span_count, screen->ops->moved, screen->context);
		}
		picture_copy_spans(&screen->picture, source, damage->spans, damage->span_count,
		    screen->ops->changed, screen->context);
	}
}

/* Keeps what the picture holds as the last frame. */
static must_check int keep_last(struct screen *screen)
{
	size_t size = (size_t)screen->picture.width * screen->picture.height * PIXEL_SIZE;

	if (!screen->last) {
		screen->last = malloc(size);
		if (!screen->last) {
			return -ENOMEM;
		}
	}
	memcpy(screen->last, screen->picture.pixels, size);
	return 0;
}

/* Draws background and card anew and puts what differs on the screen. */
static must_check int compose(
    struct screen *screen, uint8_t kind, const char *text, uint8_t percent)
{
	const struct picture *picture = &screen->picture;
	struct picture_source source = {
		.width = picture->width,
		.height = picture->height,
		.stride = picture->width * PIXEL_SIZE,
	};
	uint32_t *pixels = malloc((size_t)source.stride * picture->height);
	struct caption_canvas canvas = {
		.pixels = pixels, .width = picture->width, .height = picture->height
	};

	if (!pixels) {
		return -ENOMEM;
	}
	caption_draw_background(&canvas, screen->last);
	if (kind) {
		caption_draw_card(&canvas, kind, text, percent);
	}
	source.pixels = (const uint8_t *)pixels;
	picture_copy(&screen->picture, &source, screen->ops->changed, screen->context);
	free(pixels);
	return 0;
}

int screen_show_caption(struct screen *screen, uint8_t kind, const char *text, uint8_t percent,
    const struct picture_source *frame)
{
	int error = 0;

	if (frame) {
		error = put(screen, frame);
		if (error) {
			return error;
		}
		screen->has_desktop = true;
		error = keep_last(screen);
	} else if (screen->has_desktop && !screen->caption && !screen->away) {
		error = keep_last(screen);
	}
	if (error) {
		return error;
	}
	screen->caption = kind;
	screen->away = false;
	return compose(screen, kind, text, percent);
}

int screen_show_away(struct screen *screen)
{
	int error;

	if (!screen->has_desktop || screen->caption || screen->away) {
		return 0;
	}
	error = keep_last(screen);
	if (error) {
		return error;
	}
	screen->away = true;
	return compose(screen, 0, "", SCREEN_NO_PERCENT);
}
