/* Merging list of damaged rectangles; see damage.h. What must stay true: the union never loses a
 * pixel. */
#include "gfx/damage.h"

#include <limits.h>

static int area(struct rect r)
{
	return r.w * r.h;
}

/* Pixels that merging the two would draw for nothing; negative if they overlap. */
static int waste(struct rect a, struct rect b)
{
	return area(rect_union(a, b)) - area(a) - area(b);
}

void damage_add(struct damage *damage, struct rect rect)
{
	if (rect_empty(rect)) {
		return;
	}
	for (;;) {
		int best = -1;
		int best_waste = INT_MAX;

		for (int i = 0; i < damage->count; i++) {
			int w = waste(damage->rects[i], rect);

			if (w < best_waste) {
				best = i;
				best_waste = w;
			}
		}
		if (best < 0 || (best_waste > 1024 && damage->count < DAMAGE_MAX_RECTS)) {
			damage->rects[damage->count++] = rect;
			return;
		}
		rect = rect_union(damage->rects[best], rect);
		damage->rects[best] = damage->rects[--damage->count];
	}
}
