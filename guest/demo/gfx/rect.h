/*
 * Integer rectangles: x, y of the top left pixel, w, h in pixels; empty when w or h is not
 * positive. Coordinates stay far below 2^20, so that sums never overflow.
 */
#pragma once

#include <stdbool.h>

struct rect {
	int x;
	int y;
	int w;
	int h;
};

static inline bool rect_empty(struct rect r)
{
	return r.w <= 0 || r.h <= 0;
}

static inline bool rect_contains(struct rect r, int x, int y)
{
	return x >= r.x && y >= r.y && x < r.x + r.w && y < r.y + r.h;
}

/* True if all of `inner` lies in `outer`. */
static inline bool rect_covers(struct rect outer, struct rect inner)
{
	return inner.x >= outer.x && inner.y >= outer.y && inner.x + inner.w <= outer.x + outer.w &&
	       inner.y + inner.h <= outer.y + outer.h;
}

static inline struct rect rect_intersect(struct rect a, struct rect b)
{
	int x = a.x > b.x ? a.x : b.x;
	int y = a.y > b.y ? a.y : b.y;
	int right = a.x + a.w < b.x + b.w ? a.x + a.w : b.x + b.w;
	int bottom = a.y + a.h < b.y + b.h ? a.y + a.h : b.y + b.h;

	return right > x && bottom > y ? (struct rect){ x, y, right - x, bottom - y }
				       : (struct rect){ x, y, 0, 0 };
}

/* The smallest rectangle that holds both; an empty one does not count. */
static inline struct rect rect_union(struct rect a, struct rect b)
{
	int x = a.x < b.x ? a.x : b.x;
	int y = a.y < b.y ? a.y : b.y;
	int right = a.x + a.w > b.x + b.w ? a.x + a.w : b.x + b.w;
	int bottom = a.y + a.h > b.y + b.h ? a.y + a.h : b.y + b.h;

	if (rect_empty(a)) {
		return b;
	}
	return rect_empty(b) ? a : (struct rect){ x, y, right - x, bottom - y };
}

/* Shrinks (or with a negative amount grows) on all four sides. */
static inline struct rect rect_inset(struct rect r, int amount)
{
	return (struct rect){ r.x + amount, r.y + amount, r.w - 2 * amount, r.h - 2 * amount };
}

static inline struct rect rect_move(struct rect r, int dx, int dy)
{
	return (struct rect){ r.x + dx, r.y + dy, r.w, r.h };
}
