/*
 * The terminal's model: a ring of lines of coloured cells that text is written to, with
 * scroll-back. No drawing, no keys. What must stay true: line numbers only grow; line n is in the
 * ring while last - n < SCREEN_LINES; a cell that did not change is not reported as changed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SCREEN_LINES   400
#define SCREEN_COLUMNS 200

struct screen_cell {
	uint16_t code;
	uint8_t color; /* 0..7 */
	uint8_t bold;
};

struct screen {
	struct screen_cell cells[SCREEN_LINES][SCREEN_COLUMNS];
	int columns; /* where lines wrap */
	int last;    /* number of the last line */
	int row;     /* number of the line that is written to */
	int column;
	uint8_t color;
	int escape; /* 0 none, 1 after ESC, 2 after ESC [ */
	int parameter;
	int changed_first; /* line numbers; last < first: none */
	int changed_last;
	bool scrolled; /* a new last line came */
};

/* Clears everything; `columns` is cut to SCREEN_COLUMNS. */
void screen_init(struct screen *screen, int columns);

/* Writes UTF-8 text: wraps, obeys \n, \r, and ESC [ n m (0, 1, 30..37). */
void screen_write(struct screen *screen, const char *text);

/* Writes one character as it is. */
void screen_put(struct screen *screen, uint32_t code);

/* Moves to a cell, at most the last line; and clears from there to the end of everything. */
void screen_move(struct screen *screen, int row, int column);
void screen_clear_rest(struct screen *screen);

/* A line's cells, by number; it must be in the ring. */
const struct screen_cell *screen_line(const struct screen *screen, int row);

/* The first line that still exists. */
int screen_first(const struct screen *screen);
