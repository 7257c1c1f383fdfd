/* Tables on standard output, by libsmartcols: cut to the terminal's width there, whole and uncoloured elsewhere. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/must_check.h"

struct client;
struct table;

struct table_column {
	const char *name;
	double width; /* hint: part of the terminal's width if below 1, characters otherwise */
	bool right;   /* aligned right */
	bool cut;     /* may be cut when the line does not fit */
	bool wrap;    /* may be broken over several lines */
};

must_check int table_create(const struct client *client, const struct table_column *columns,
    size_t count, struct table **table);
/* One row; the strings are copied and may be foreign. `colour` (a libsmartcols name or NULL) is that of the column
 * `colour_column`. */
must_check int table_add_row(
    struct table *table, const char *const *cells, size_t colour_column, const char *colour);
void table_print(struct table *table);
void table_destroy(struct table *table);
