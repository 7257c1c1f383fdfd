/*
 * The viewer's picture (display/picture.h). What must stay true: after a copy every pixel of the suspected tiles equals
 * what was read from the source, and every pixel that this changed lies in a rectangle that was told. The source may
 * change while it is read; that is another change, and told by whoever makes it.
 */
#include "display/picture.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "display/scanout.h"

enum {
	PIXEL_SIZE = 4,
};

struct rectangle {
	uint32_t x1, y1, x2, y2; /* without x2 and y2 */
};

/* The rectangles of two neighbouring rows of tiles, so that what continues below becomes one. */
struct merger {
	struct rectangle *open, *next;
	size_t open_count, next_count;
	picture_changed changed;
	void *context;
};

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

int picture_init(struct picture *picture, uint32_t width, uint32_t height)
{
	memset(picture, 0, sizeof(*picture));
	if (width == 0 || height == 0 || width > UINT16_MAX || height > UINT16_MAX ||
	    (uint64_t)width * height > PICTURE_PIXELS_MAX) {
		return -EINVAL;
	}
	picture->width = width;
	picture->height = height;
	picture->columns = (width + PICTURE_TILE_WIDTH - 1) / PICTURE_TILE_WIDTH;
	picture->rows = (height + PICTURE_TILE_HEIGHT - 1) / PICTURE_TILE_HEIGHT;
	picture->pixels = calloc((size_t)width * height, PIXEL_SIZE);
	picture->suspects = calloc(picture->columns, picture->rows);
	picture->scratch = calloc((size_t)picture->columns * 2, sizeof(struct rectangle));
	if (!picture->pixels || !picture->suspects || !picture->scratch) {
		picture_fini(picture);
		return -ENOMEM;
	}
	return 0;
}

void picture_fini(struct picture *picture)
{
	free(picture->pixels);
	free(picture->suspects);
	free(picture->scratch);
	memset(picture, 0, sizeof(*picture));
}

/* Suspects the pixels [x1, x2) of the rows [y1, y2). */
static void suspect(struct picture *picture, uint32_t x1, uint32_t y1, uint32_t x2, uint32_t y2)
{
	uint32_t first, last;

	x2 = min_u32(x2, picture->width);
	y2 = min_u32(y2, picture->height);
	if (x1 >= x2 || y1 >= y2) {
		return;
	}
	first = x1 / PICTURE_TILE_WIDTH;
	last = (x2 - 1) / PICTURE_TILE_WIDTH;
	for (uint32_t row = y1 / PICTURE_TILE_HEIGHT; row <= (y2 - 1) / PICTURE_TILE_HEIGHT;
	     row++) {
		memset(picture->suspects + (size_t)row * picture->columns + first, 1,
		    last - first + 1);
	}
}

static void suspect_span(
    struct picture *picture, const struct picture_source *source, const struct scanout_span *span)
{
	uint32_t last = span->offset + span->length - 1;
	uint32_t first_row = span->offset / source->stride;
	uint32_t last_row = last / source->stride;
	uint32_t x1 = span->offset % source->stride / PIXEL_SIZE;
	uint32_t x2 = last % source->stride / PIXEL_SIZE + 1;

	if (first_row == last_row) {
		suspect(picture, x1, first_row, min_u32(x2, source->width), first_row + 1);
		return;
	}
	suspect(picture, x1, first_row, source->width, first_row + 1);
	suspect(picture, 0, first_row + 1, source->width, last_row);
	suspect(picture, 0, last_row, min_u32(x2, source->width), last_row + 1);
}

/* Copies one row of a tile if it differs, and widens `changed` (x1 > x2 at first) by what did. */
static void copy_row(uint32_t *to, const uint8_t *from, uint32_t width, uint32_t x, uint32_t y,
    struct rectangle *changed)
{
	uint32_t copy[PICTURE_TILE_WIDTH];
	uint32_t first = 0;
	uint32_t last = width;

	if (memcmp(to, from, (size_t)width * PIXEL_SIZE) == 0) {
		return;
	}
	/* Read once: the guest may write at this moment, and what is compared must be what is shown. */
	memcpy(copy, from, (size_t)width * PIXEL_SIZE);
	while (first < width && to[first] == copy[first]) {
		first++;
	}
	if (first == width) {
		return;
	}
	while (to[last - 1] == copy[last - 1]) {
		last--;
	}
	memcpy(to + first, copy + first, (size_t)(last - first) * PIXEL_SIZE);
	changed->x1 = min_u32(changed->x1, x + first);
	changed->x2 = max_u32(changed->x2, x + last);
	changed->y1 = min_u32(changed->y1, y);
	changed->y2 = y + 1;
}

/* Copies what differs in a tile. Returns false if nothing did. */
static bool copy_tile(struct picture *picture, const struct picture_source *source, uint32_t column,
    uint32_t row, struct rectangle *changed)
{
	uint32_t x = column * PICTURE_TILE_WIDTH;
	uint32_t y1 = row * PICTURE_TILE_HEIGHT;
	uint32_t y2 = min_u32(min_u32(y1 + PICTURE_TILE_HEIGHT, picture->height), source->height);
	uint32_t x2 = min_u32(min_u32(x + PICTURE_TILE_WIDTH, picture->width), source->width);

	*changed = (struct rectangle){ UINT32_MAX, UINT32_MAX, 0, 0 };
	if (x >= x2) {
		return false;
	}
	for (uint32_t y = y1; y < y2; y++) {
		copy_row(picture->pixels + (size_t)y * picture->width + x,
		    source->pixels + (size_t)y * source->stride + (size_t)x * PIXEL_SIZE, x2 - x, x,
		    y, changed);
	}
	return changed->x2 > changed->x1;
}

static uint64_t area(const struct rectangle *rectangle)
{
	return (uint64_t)(rectangle->x2 - rectangle->x1) * (rectangle->y2 - rectangle->y1);
}

static struct rectangle bounds(const struct rectangle *a, const struct rectangle *b)
{
	return (struct rectangle){
		.x1 = min_u32(a->x1, b->x1),
		.y1 = min_u32(a->y1, b->y1),
		.x2 = max_u32(a->x2, b->x2),
		.y2 = max_u32(a->y2, b->y2),
	};
}

/* True if one rectangle around both costs little more than both: a rectangle has a price of its own. */
static bool worth_joining(
    const struct rectangle *a, const struct rectangle *b, struct rectangle *joined)
{
	uint64_t both = area(a) + area(b);

	*joined = bounds(a, b);
	return area(joined) <= both + both / 4 + 256;
}

static void tell(struct merger *merger, const struct rectangle *rectangle)
{
	merger->changed(merger->context, rectangle->x1, rectangle->y1,
	    rectangle->x2 - rectangle->x1, rectangle->y2 - rectangle->y1);
}

static void add_tile(struct merger *merger, const struct rectangle *tile)
{
	struct rectangle joined;

	if (merger->next_count > 0 &&
	    worth_joining(&merger->next[merger->next_count - 1], tile, &joined)) {
		merger->next[merger->next_count - 1] = joined;
	} else {
		merger->next[merger->next_count++] = *tile;
	}
}

/* A row of tiles is done: rectangles from above that continue here grow, the others are told. */
static void end_row(struct merger *merger)
{
	struct rectangle *swap;

	for (size_t i = 0; i < merger->open_count; i++) {
		struct rectangle joined;
		bool continued = false;

		for (size_t j = 0; j < merger->next_count && !continued; j++) {
			if (worth_joining(&merger->open[i], &merger->next[j], &joined)) {
				merger->next[j] = joined;
				continued = true;
			}
		}
		if (!continued) {
			tell(merger, &merger->open[i]);
		}
	}
	swap = merger->open;
	merger->open = merger->next;
	merger->open_count = merger->next_count;
	merger->next = swap;
	merger->next_count = 0;
}

static void copy_suspects(struct picture *picture, const struct picture_source *source,
    picture_changed changed, void *context)
{
	struct rectangle *scratch = picture->scratch;
	struct merger merger = {
		.open = scratch,
		.next = scratch + picture->columns,
		.changed = changed,
		.context = context,
	};

	for (uint32_t row = 0; row < picture->rows; row++) {
		uint8_t *suspects = picture->suspects + (size_t)row * picture->columns;

		for (uint32_t column = 0; column < picture->columns; column++) {
			struct rectangle tile;

			if (suspects[column] && copy_tile(picture, source, column, row, &tile)) {
				add_tile(&merger, &tile);
			}
			suspects[column] = 0;
		}
		end_row(&merger);
	}
	end_row(&merger);
}

size_t picture_suspect_spans(struct picture *picture, const struct picture_source *source,
    const struct scanout_span *spans, size_t span_count)
{
	size_t count = 0;

	for (size_t i = 0; i < span_count; i++) {
		if (spans[i].length > 0) {
			suspect_span(picture, source, &spans[i]);
		}
	}
	for (size_t i = 0; i < (size_t)picture->columns * picture->rows; i++) {
		count += picture->suspects[i];
	}
	return count;
}

void picture_copy_spans(struct picture *picture, const struct picture_source *source,
    const struct scanout_span *spans, size_t span_count, picture_changed changed, void *context)
{
	for (size_t i = 0; i < span_count; i++) {
		if (spans[i].length > 0) {
			suspect_span(picture, source, &spans[i]);
		}
	}
	copy_suspects(picture, source, changed, context);
}

/* Black where the source does not reach. */
static void blacken(
    struct picture *picture, uint32_t x1, uint32_t y1, picture_changed changed, void *context)
{
	bool dirty = false;

	if (x1 >= picture->width) {
		return;
	}
	for (uint32_t y = y1; y < picture->height; y++) {
		uint32_t *row = picture->pixels + (size_t)y * picture->width;

		for (uint32_t x = x1; x < picture->width; x++) {
			dirty = dirty || row[x] != 0;
			row[x] = 0;
		}
	}
	if (dirty) {
		changed(context, x1, y1, picture->width - x1, picture->height - y1);
	}
}

void picture_copy(struct picture *picture, const struct picture_source *source,
    picture_changed changed, void *context)
{
	suspect(picture, 0, 0, source->width, source->height);
	copy_suspects(picture, source, changed, context);
	if (source->width < picture->width) {
		blacken(picture, source->width, 0, changed, context);
	}
	if (source->height < picture->height) {
		blacken(picture, 0, source->height, changed, context);
	}
}
