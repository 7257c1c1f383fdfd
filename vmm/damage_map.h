/*
 * What one viewer has not been told yet: the pages of the picture that may have changed, kept between two of its
 * questions. Needed for each viewer since the dirty log forgets what it told the first. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display/scanout.h"
#include "vmm/framebuffer.h"

struct damage_map {
	uint64_t length; /* bytes of the picture; 0: none */
	bool dirty;      /* some bit is set */
	uint64_t pages[FRAMEBUFFER_PAGES / 64];
};

/* A new picture of `length` bytes, at most FRAMEBUFFER_SIZE: all of it is news. */
void damage_map_restart(struct damage_map *map, uint64_t length);
/* Adds spans that lie inside the picture. */
void damage_map_add(struct damage_map *map, const struct scanout_damage *damage);
/* Moves everything into `damage`'s spans; the last one covers the rest when there are too many. */
void damage_map_take(struct damage_map *map, struct scanout_damage *damage);
