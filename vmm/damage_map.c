/* See damage_map.h. */
#include "vmm/damage_map.h"

#include <string.h>

enum {
	PAGE = 4096,
};

static uint64_t page_count(const struct damage_map *map)
{
	return (map->length + PAGE - 1) / PAGE;
}

static void set_pages(struct damage_map *map, uint64_t first, uint64_t end)
{
	for (uint64_t page = first; page < end; page++) {
		map->pages[page / 64] |= 1ull << (page % 64);
	}
	map->dirty = map->dirty || first < end;
}

void damage_map_restart(struct damage_map *map, uint64_t length)
{
	memset(map, 0, sizeof(*map));
	map->length = length < FRAMEBUFFER_SIZE ? length : FRAMEBUFFER_SIZE;
	set_pages(map, 0, page_count(map));
}

void damage_map_add(struct damage_map *map, const struct scanout_damage *damage)
{
	uint64_t count = page_count(map);

	for (size_t i = 0; i < damage->span_count; i++) {
		const struct scanout_span *span = &damage->spans[i];
		uint64_t end = ((uint64_t)span->offset + span->length + PAGE - 1) / PAGE;

		set_pages(map, span->offset / PAGE, end < count ? end : count);
	}
}

static bool is_set(const struct damage_map *map, uint64_t page)
{
	return map->pages[page / 64] & (1ull << (page % 64));
}

void damage_map_take(struct damage_map *map, struct scanout_damage *damage)
{
	uint64_t count = page_count(map);
	uint64_t page = 0;

	damage->span_count = 0;
	while (map->dirty && page < count) {
		uint64_t start = page;
		uint64_t end;

		if (!is_set(map, page)) {
			page++;
			continue;
		}
		while (page < count && is_set(map, page)) {
			page++;
		}
		end = page * PAGE < map->length ? page * PAGE : map->length;
		if (damage->span_count == SCANOUT_SPANS_MAX) {
			struct scanout_span *last = &damage->spans[SCANOUT_SPANS_MAX - 1];

			last->length = (uint32_t)(end - last->offset);
			continue;
		}
		damage->spans[damage->span_count++] = (struct scanout_span){
			.offset = (uint32_t)(start * PAGE),
			.length = (uint32_t)(end - start * PAGE),
		};
	}
	memset(map->pages, 0, sizeof(map->pages));
	map->dirty = false;
}
