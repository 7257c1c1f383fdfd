/*
 * The text editor's model: lines of characters, a caret and a selection. No drawing, no files;
 * UTF-8 goes in and comes out. What must stay true: there is always at least one line, and caret
 * and anchor always lie on a character or just after the last one of a line.
 */
#pragma once

#include "lib/heap.h"

#include <stdbool.h>
#include <stdint.h>

struct document_line {
	uint16_t *text; /* code points of the basic plane */
	int length;
	int capacity;
};

struct document_place {
	int line;
	int column;
};

struct document {
	struct heap *heap;
	struct document_line *lines;
	int count;
	int capacity;
	struct document_place caret;
	struct document_place
	    anchor;        /* other end of the selection; equal to caret if there is none */
	int wanted_column; /* that up and down try to keep */
	bool modified;
	/* Lines that look different since document_take_changes(): [first, last]; last = INT32_MAX:
	 * all below too. */
	int changed_first;
	int changed_last;
};

enum document_move {
	DOCUMENT_LEFT,
	DOCUMENT_RIGHT,
	DOCUMENT_UP,
	DOCUMENT_DOWN,
	DOCUMENT_HOME,
	DOCUMENT_END,
	DOCUMENT_START,
	DOCUMENT_FINISH,
	DOCUMENT_WORD_LEFT,
	DOCUMENT_WORD_RIGHT,
};

/* An empty document of one line; false without memory. */
bool document_init(struct document *document, struct heap *heap);
void document_fini(struct document *document);

/* Inserts UTF-8 text at the caret, in place of the selection. What does not fit in memory is left
 * out. */
void document_insert(struct document *document, const char *text, size_t size);

/* Inserts one character; '\n' splits the line. False without memory. */
bool document_type(struct document *document, uint32_t code);

/* Removes the selection; false if there was none. */
bool document_remove_selection(struct document *document);

/* Removes the selection, or the character before or after the caret. */
void document_backspace(struct document *document);
void document_delete(struct document *document);

/* Moves the caret; `select` keeps the anchor. document_move_rows moves by screen rows, for page up
 * and down. */
void document_move(struct document *document, enum document_move move, bool select);
void document_move_rows(struct document *document, int rows, bool select);
void document_place_caret(struct document *document, struct document_place place, bool select);
void document_select_all(struct document *document);

/* The selection in order; false if it is empty. */
bool document_selection(
    const struct document *document, struct document_place *from, struct document_place *to);

/* Text between two places as UTF-8 in new heap memory (not terminated), its size in *size; NULL
 * without memory. */
char *document_copy(const struct document *document, struct document_place from,
    struct document_place to, size_t *size);

/* The whole text, in the same way. */
char *document_copy_all(const struct document *document, size_t *size);

/* Which lines changed since the last call; false if none did. */
bool document_take_changes(struct document *document, int *first, int *last);
