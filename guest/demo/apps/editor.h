/*
 * The editor's state, as its two files share it: editor.c (input, scrolling, files) and
 * editor_draw.c (pixels).
 */
#pragma once

#include "apps/caret.h"
#include "apps/document.h"
#include "ui/desktop.h"

/* The layout of the window, pixels. */
#define EDITOR_TOOLBAR 40
#define EDITOR_STATUS  26
#define EDITOR_ROW     18
#define EDITOR_CELL    8
#define EDITOR_GUTTER  52
#define EDITOR_BAR     10

struct editor {
	struct document document;
	struct caret caret;
	char name[FS_NAME_SIZE];
	int top;  /* first line that is shown */
	int left; /* first column that is shown */
	bool dragging_bar;
	bool shown_modified; /* what the save button shows */
};

/* How many rows of text fit, at least 1. */
int editor_visible_rows(const struct window *window);

/* Where the save button is, in the content. */
struct rect editor_save_button(const struct window *window);

/* Draws the content (app_class.draw). */
void editor_draw(struct window *window, const struct canvas *canvas);
