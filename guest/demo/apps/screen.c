/* Ring of lines behind a terminal; see screen.h. */
#include "apps/screen.h"

#include "base/font.h"

#include <string.h>

static struct screen_cell *line_of(struct screen *screen, int row)
{
	return screen->cells[row % SCREEN_LINES];
}

const struct screen_cell *screen_line(const struct screen *screen, int row)
{
	return screen->cells[row % SCREEN_LINES];
}

int screen_first(const struct screen *screen)
{
	return screen->last >= SCREEN_LINES ? screen->last - SCREEN_LINES + 1 : 0;
}

static void mark(struct screen *screen, int row)
{
	if (screen->changed_last < screen->changed_first) {
		screen->changed_first = row;
		screen->changed_last = row;
		return;
	}
	screen->changed_first = row < screen->changed_first ? row : screen->changed_first;
	screen->changed_last = row > screen->changed_last ? row : screen->changed_last;
}

void screen_init(struct screen *screen, int columns)
{
	memset(screen, 0, sizeof(*screen));
	screen->columns = columns > SCREEN_COLUMNS ? SCREEN_COLUMNS : columns < 8 ? 8 : columns;
	screen->color = 7;
	screen->changed_last = -1;
}

static void set_cell(struct screen *screen, int row, int column, struct screen_cell cell)
{
	struct screen_cell *at = &line_of(screen, row)[column];

	if (at->code != cell.code || at->color != cell.color || at->bold != cell.bold) {
		*at = cell;
		mark(screen, row);
	}
}

static void next_line(struct screen *screen)
{
	screen->column = 0;
	screen->row++;
	if (screen->row > screen->last) {
		screen->last = screen->row;
		memset(line_of(screen, screen->row), 0, sizeof(screen->cells[0]));
		screen->scrolled = true;
		mark(screen, screen->row);
	}
}

void screen_put(struct screen *screen, uint32_t code)
{
	if (screen->column >= screen->columns) {
		next_line(screen);
	}
	set_cell(screen, screen->row, screen->column,
	    (struct screen_cell){ (uint16_t)(code < 0x10000 ? code : 0xfffd), screen->color & 7,
		screen->color >> 3 });
	screen->column++;
}

static void obey_escape(struct screen *screen, uint32_t code)
{
	if (screen->escape == 1) {
		screen->escape = code == '[' ? 2 : 0;
		screen->parameter = 0;
	} else if (code >= '0' && code <= '9') {
		screen->parameter = (screen->parameter * 10 + (int)(code - '0')) % 1000;
	} else {
		int p = screen->parameter;

		screen->escape = 0;
		if (code == 'm') {
			screen->color = p == 1 ? screen->color | 8
					: p >= 30 && p <= 37
					    ? (uint8_t)((screen->color & 8) | (p - 30))
					    : 7;
		}
	}
}

void screen_write(struct screen *screen, const char *text)
{
	for (uint32_t code = font_next_code(&text); code; code = font_next_code(&text)) {
		if (screen->escape) {
			obey_escape(screen, code);
		} else if (code == 0x1b) {
			screen->escape = 1;
		} else if (code == '\n') {
			next_line(screen);
		} else if (code == '\r') {
			screen->column = 0;
		} else if (code == '\t') {
			do {
				screen_put(screen, ' ');
			} while (screen->column % 8 && screen->column < screen->columns);
		} else if (code >= ' ') {
			screen_put(screen, code);
		}
	}
}

void screen_move(struct screen *screen, int row, int column)
{
	screen->row = row > screen->last ? screen->last : row;
	screen->row = screen->row < screen_first(screen) ? screen_first(screen) : screen->row;
	screen->column = column;
}

void screen_clear_rest(struct screen *screen)
{
	const struct screen_cell blank = { 0, 0, 0 };

	for (int row = screen->row; row <= screen->last; row++) {
		for (int c = row == screen->row ? screen->column : 0; c < SCREEN_COLUMNS; c++) {
			set_cell(screen, row, c, blank);
		}
	}
}
