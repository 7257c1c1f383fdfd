/* Tables by libsmartcols; every cell is cleaned before the library sees it. See table.h. */
#include "client/table.h"

#include <errno.h>
#include <libsmartcols.h>
#include <stdlib.h>

#include "client/client.h"
#include "client/text.h"

enum {
	CELL_MAX = 1024,
};

struct table {
	struct libscols_table *scols;
	size_t columns;
};

int table_create(const struct client *client, const struct table_column *columns, size_t count,
    struct table **table)
{
	struct table *created = calloc(1, sizeof(*created));

	if (!created) {
		return -ENOMEM;
	}
	created->columns = count;
	created->scols = scols_new_table();
	if (!created->scols) {
		goto fail;
	}
	scols_table_set_stream(created->scols, client->out);
	scols_table_enable_colors(created->scols, client->colour);
	scols_table_enable_ascii(created->scols, !client->unicode);
	/* text_clean() has been there already, and knows more than the locale does. */
	scols_table_enable_noencoding(created->scols, 1);
	scols_table_set_termforce(
	    created->scols, client->terminal ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
	if (client->terminal) {
		scols_table_set_termwidth(created->scols, client->width);
	}
	for (size_t i = 0; i < count; i++) {
		int flags = (columns[i].right ? SCOLS_FL_RIGHT : 0) |
			    (columns[i].cut ? SCOLS_FL_TRUNC : 0) |
			    (columns[i].wrap ? SCOLS_FL_WRAP : 0);

		if (!scols_table_new_column(
			created->scols, columns[i].name, columns[i].width, flags)) {
			goto fail;
		}
	}
	*table = created;
	return 0;
fail:
	table_destroy(created);
	return -ENOMEM;
}

int table_add_row(
    struct table *table, const char *const *cells, size_t colour_column, const char *colour)
{
	struct libscols_line *line = scols_table_new_line(table->scols, NULL);
	char cell[CELL_MAX];

	if (!line) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < table->columns; i++) {
		if (scols_line_set_data(line, i, text_clean(cells[i], cell, sizeof(cell))) < 0) {
			return -ENOMEM;
		}
	}
	if (colour && scols_cell_set_color(scols_line_get_cell(line, colour_column), colour) < 0) {
		return -EINVAL;
	}
	return 0;
}

void table_print(struct table *table)
{
	scols_print_table(table->scols);
}

void table_destroy(struct table *table)
{
	if (!table) {
		return;
	}
	scols_unref_table(table->scols);
	free(table);
}
