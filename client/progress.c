/* The progress bar: one line of standard error, drawn over and cleared at the end. See progress.h. */
#include "client/progress.h"

#include <stdio.h>
#include <string.h>

#include "client/client.h"
#include "client/text.h"

enum {
	BAR_CELLS_MAX = 40,
	EIGHTHS = 8, /* a cell is filled by eighths where the terminal shows such blocks */
};

static void draw_cells(const struct client *client, unsigned percent, unsigned cells)
{
	static const char *const eighths[EIGHTHS] = { " ", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	unsigned filled = percent * cells * EIGHTHS / 100;

	for (unsigned i = 0; i < cells; i++) {
		unsigned here = filled > i * EIGHTHS ? filled - i * EIGHTHS : 0;

		if (client->unicode) {
			fputs(here >= EIGHTHS ? "█" : eighths[here], client->err);
		} else {
			fputc(here >= EIGHTHS / 2 ? '#' : '.', client->err);
		}
	}
}

void progress_show(
    const struct client *client, const char *what, unsigned percent, const char *message)
{
	char clean_what[64], clean_message[256];
	unsigned width = client->width < 20 ? 20 : client->width;
	unsigned used, cells;

	if (!client->progress) {
		return;
	}
	percent = percent > 100 ? 100 : percent;
	text_clean(what, clean_what, sizeof(clean_what));
	text_clean(message, clean_message, sizeof(clean_message));
	/* "WHAT [BAR] 100 %  MESSAGE", the message in what room is left. */
	used = (unsigned)strlen(clean_what) + 9;
	cells = width > used + 20 ? (width - used) / 2 : 10;
	cells = cells > BAR_CELLS_MAX ? BAR_CELLS_MAX : cells;
	used += cells + 3;
	fprintf(client->err, "\r\033[K%s [", clean_what);
	draw_cells(client, percent, cells);
	fprintf(client->err, "] %3u %%", percent);
	if (width > used + 2) {
		fprintf(client->err, "  %.*s", (int)(width - used - 2), clean_message);
	}
	fflush(client->err);
}

void progress_clear(const struct client *client)
{
	if (client->progress) {
		fputs("\r\033[K", client->err);
		fflush(client->err);
	}
}
