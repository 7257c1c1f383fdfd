/*
 * The editor's pixels. What must stay true: they follow from the state alone, and a row's ink stays
 * in its row, so that a row can be drawn alone.
 */
#include "apps/editor.h"
#include "gfx/theme.h"
#include "lib/text.h"

int editor_visible_rows(const struct window *window)
{
	int rows = (window->height - EDITOR_TOOLBAR - EDITOR_STATUS - 8) / EDITOR_ROW;

	return rows > 0 ? rows : 1;
}

struct rect editor_save_button(const struct window *window)
{
	return (struct rect){ window->width - 76, 7, 64, 26 };
}

static void draw_toolbar(struct window *window, const struct canvas *canvas)
{
	struct editor *editor = window->state;
	struct rect bar = { 0, 0, window->width, EDITOR_TOOLBAR };
	struct rect button = editor_save_button(window);

	if (canvas_hides(canvas, bar)) {
		return;
	}
	canvas_fill(canvas, bar, THEME_SURFACE);
	canvas_fill(canvas, (struct rect){ 0, EDITOR_TOOLBAR - 1, window->width, 1 }, THEME_LINE);
	canvas_text_cut(
	    canvas, &font_ui, 16, 25, window->width - 120, THEME_TEXT_DIM, editor->name);
	canvas_round(canvas, button, 7, editor->document.modified ? THEME_ACCENT : 0xc3cad8, 255);
	canvas_text_centered(
	    canvas, &font_ui, button.x + button.w / 2, button.y + 17, 0xffffff, "Save");
}

static void draw_status(struct window *window, const struct canvas *canvas)
{
	struct editor *editor = window->state;
	struct rect bar = { 0, window->height - EDITOR_STATUS, window->width, EDITOR_STATUS };
	char text[64];

	if (canvas_hides(canvas, bar)) {
		return;
	}
	canvas_fill(canvas, bar, THEME_SURFACE);
	canvas_fill(canvas, (struct rect){ 0, bar.y, bar.w, 1 }, THEME_LINE);
	text_format(text, sizeof(text), "Line %d, column %d", editor->document.caret.line + 1,
	    editor->document.caret.column + 1);
	canvas_text(canvas, &font_small, 16, bar.y + 17, THEME_TEXT_DIM, text);
	text_format(text, sizeof(text), "%d lines", editor->document.count);
	canvas_text(canvas, &font_small, 200, bar.y + 17, THEME_TEXT_DIM, text);
}

static void draw_row(struct window *window, const struct canvas *canvas, int line_number, int y)
{
	struct editor *editor = window->state;
	struct document *document = &editor->document;
	struct document_line *line = &document->lines[line_number];
	struct canvas body = canvas_sub(
	    canvas, (struct rect){ EDITOR_GUTTER - 2, y,
			window->width - EDITOR_GUTTER - EDITOR_BAR + 2, EDITOR_ROW });
	struct document_place from;
	struct document_place to;
	char number[12];

	text_format(number, sizeof(number), "%d", line_number + 1);
	canvas_text(canvas, &font_small, EDITOR_GUTTER - 16 - font_measure(&font_small, number),
	    y + 13, line_number == document->caret.line ? THEME_TEXT_DIM : 0xb9bfca, number);
	if (document_selection(document, &from, &to) && line_number >= from.line &&
	    line_number <= to.line) {
		int start = line_number == from.line ? from.column : 0;
		int end = line_number == to.line ? to.column : line->length + 1;

		canvas_fill(&body,
		    (struct rect){ 2 + (start - editor->left) * EDITOR_CELL, 0,
			(end - start) * EDITOR_CELL, EDITOR_ROW },
		    THEME_SELECT);
	}
	for (int c = editor->left;
	     c < line->length && c < editor->left + window->width / EDITOR_CELL; c++) {
		(void)canvas_glyph(&body, &font_mono, 2 + (c - editor->left) * EDITOR_CELL, 14,
		    THEME_TEXT, line->text[c]);
	}
	if (line_number == document->caret.line && window_has_focus(window) &&
	    !editor->caret.hidden) {
		canvas_fill(&body,
		    (struct rect){ 1 + (document->caret.column - editor->left) * EDITOR_CELL, 1, 2,
			EDITOR_ROW - 2 },
		    THEME_ACCENT);
	}
}

static void draw_bar(struct window *window, const struct canvas *canvas)
{
	struct editor *editor = window->state;
	int track = window->height - EDITOR_TOOLBAR - EDITOR_STATUS;
	int rows = editor_visible_rows(window);
	int size = track * rows / (editor->document.count > 0 ? editor->document.count : 1);

	if (editor->document.count <= rows) {
		return;
	}
	size = size < 24 ? 24 : size;
	canvas_round(canvas,
	    (struct rect){ window->width - 8,
		EDITOR_TOOLBAR + (track - size) * editor->top / (editor->document.count - rows), 6,
		size },
	    3, 0x000000, 60);
}

void editor_draw(struct window *window, const struct canvas *canvas)
{
	struct editor *editor = window->state;
	struct rect area = { 0, EDITOR_TOOLBAR, window->width,
		window->height - EDITOR_TOOLBAR - EDITOR_STATUS };
	struct canvas text = canvas_sub(canvas, area);
	int rows = editor_visible_rows(window) + 1;

	if (!rect_empty(text.clip)) {
		text = *canvas;
		text.clip = canvas_sub(canvas, area).clip;
		canvas_fill(&text, area, THEME_PAPER);
		for (int i = 0; i < rows && editor->top + i < editor->document.count; i++) {
			int y = EDITOR_TOOLBAR + 4 + i * EDITOR_ROW;

			if (!canvas_hides(
				&text, (struct rect){ 0, y, window->width, EDITOR_ROW })) {
				draw_row(window, &text, editor->top + i, y);
			}
		}
		draw_bar(window, &text);
	}
	draw_toolbar(window, canvas);
	draw_status(window, canvas);
}
