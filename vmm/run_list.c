/* See run_list.h. */
#include "vmm/run_list.h"

#include <errno.h>
#include <stdlib.h>

enum {
	WORKING_MAX = 4 * RAM_LAYER_RUNS_MAX, /* runs kept before they are merged */
};

void run_list_init(struct run_list *list, uint64_t boundary)
{
	*list = (struct run_list){ .boundary = boundary };
}

void run_list_fini(struct run_list *list)
{
	free(list->runs);
	*list = (struct run_list){ 0 };
}

static bool may_join(
    const struct run_list *list, const struct ram_run *first, uint64_t page, uint32_t kind)
{
	uint64_t end = first->page + first->count;

	if (first->page < list->boundary && page >= list->boundary) {
		return false;
	}
	if (page + 1 - first->page > RAM_LAYER_RUN_PAGES_MAX) {
		return false;
	}
	return page == end ? first->kind == kind || list->gap > 0 : page - end <= list->gap;
}

/* `first` grows to end with `last_page`. */
static void join(struct ram_run *first, uint64_t last_page, uint32_t kind)
{
	if (last_page != first->page + first->count || kind != first->kind) {
		first->kind = RAM_RUN_DATA;
	}
	first->count = (uint32_t)(last_page + 1 - first->page);
}

static void merge(struct run_list *list)
{
	uint32_t kept = 0;

	for (uint32_t i = 1; i < list->count; i++) {
		const struct ram_run next = list->runs[i];
		struct ram_run *last = &list->runs[kept];

		if (may_join(list, last, next.page, next.kind) &&
		    next.page + next.count - last->page <= RAM_LAYER_RUN_PAGES_MAX) {
			if (next.page != last->page + last->count || next.kind != last->kind) {
				last->kind = RAM_RUN_DATA;
			}
			last->count = (uint32_t)(next.page + next.count - last->page);
		} else {
			list->runs[++kept] = next;
		}
	}
	list->count = list->count ? kept + 1 : 0;
}

static void shrink_to(struct run_list *list, uint32_t count)
{
	/* Ends: once the gap is as large as the machine only the boundary and the largest run's size part runs. */
	while (list->count > count) {
		list->gap = list->gap ? list->gap * 2 : 1;
		merge(list);
	}
}

int run_list_add(struct run_list *list, uint64_t page, enum ram_run_kind kind)
{
	if (list->count > 0 && may_join(list, &list->runs[list->count - 1], page, kind)) {
		join(&list->runs[list->count - 1], page, kind);
		return 0;
	}
	if (list->count == WORKING_MAX) {
		shrink_to(list, RAM_LAYER_RUNS_MAX);
		return run_list_add(list, page, kind);
	}
	if (list->count == list->capacity) {
		uint32_t capacity = list->capacity ? list->capacity * 2 : 64;
		struct ram_run *grown = realloc(list->runs, capacity * sizeof(*grown));

		if (!grown) {
			return -ENOMEM;
		}
		list->runs = grown;
		list->capacity = capacity;
	}
	list->runs[list->count++] = (struct ram_run){ .page = page, .count = 1, .kind = kind };
	return 0;
}

void run_list_finish(struct run_list *list)
{
	shrink_to(list, RAM_LAYER_RUNS_MAX);
}
