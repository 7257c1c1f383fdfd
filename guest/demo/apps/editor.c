/*
 * The text editor: draws a document (document.c), scrolls it, and keeps it in the files that the
 * terminal sees too. What must stay true: typing damages only the rows that changed.
 */
#include "apps/caret.h"
#include "apps/document.h"
#include "gfx/theme.h"
#include "lib/text.h"
#include "ui/desktop.h"

#include <linux/input-event-codes.h>
#include <string.h>

#define TOOLBAR 40
#define STATUS  26
#define ROW     18
#define CELL    8
#define GUTTER  52
#define BAR     10

struct editor {
	struct document document;
	struct caret caret;
	char name[FS_NAME_SIZE];
	int top;  /* first line that is shown */
	int left; /* first column that is shown */
	bool dragging_bar;
	bool shown_modified; /* what the save button shows */
};

static int visible_rows(const struct window *window)
{
	int rows = (window->height - TOOLBAR - STATUS - 8) / ROW;

	return rows > 0 ? rows : 1;
}

static int visible_columns(const struct window *window)
{
	return (window->width - GUTTER - BAR - 8) / CELL;
}

static struct rect save_button(const struct window *window)
{
	return (struct rect){ window->width - 76, 7, 64, 26 };
}

static void set_title(struct window *window)
{
	struct editor *editor = window->state;
	char title[WINDOW_TITLE_SIZE];

	text_format(title, sizeof(title), "%s%s", editor->document.modified ? "\xe2\x80\xa2 " : "",
		    editor->name);
	window_set_title(window, title);
	if (editor->shown_modified != editor->document.modified) {
		editor->shown_modified = editor->document.modified;
		window_damage(window, save_button(window));
	}
}

static void damage_rows(struct window *window, int first, int last)
{
	struct editor *editor = window->state;
	int rows = visible_rows(window) + 1;

	first = first < editor->top ? 0 : first - editor->top;
	last = last >= editor->top + rows ? rows : last - editor->top;
	if (last >= first && first <= rows) {
		window_damage(window,
			      (struct rect){ 0, TOOLBAR + 4 + first * ROW, window->width - BAR,
					     (last - first + 1) * ROW });
	}
}

/* Scrolls so that the caret is seen, and damages what changed. */
static void update(struct window *window)
{
	struct editor *editor = window->state;
	struct document *document = &editor->document;
	int rows = visible_rows(window);
	int columns = visible_columns(window);
	int top = editor->top;
	int left = editor->left;
	int first;
	int last;

	top = document->caret.line < top ? document->caret.line : top;
	top = document->caret.line >= top + rows ? document->caret.line - rows + 1 : top;
	left = document->caret.column < left ? document->caret.column : left;
	left =
	    document->caret.column >= left + columns ? document->caret.column - columns + 8 : left;
	if (top != editor->top || left != editor->left) {
		editor->top = top;
		editor->left = left;
		window_damage_all(window);
	}
	if (document_take_changes(document, &first, &last)) {
		damage_rows(window, first, last);
		if (last == INT32_MAX) {
			window_damage(window, (struct rect){ window->width - BAR, TOOLBAR, BAR,
							     window->height - TOOLBAR });
		}
	}
	/* Only the numbers at the left of the status line follow the caret. */
	window_damage(window, (struct rect){ 0, window->height - STATUS + 1, 300, STATUS - 1 });
	set_title(window);
	window->deadline_ms = caret_restart(&editor->caret, desktop_now(window->desktop));
}

static void damage_caret(struct window *window)
{
	struct editor *editor = window->state;
	struct document_place p = editor->document.caret;

	window_damage(window, (struct rect){ GUTTER + (p.column - editor->left) * CELL - 1,
					     TOOLBAR + 4 + (p.line - editor->top) * ROW, 3, ROW });
}

static void load(struct window *window, const char *name)
{
	struct editor *editor = window->state;
	struct fs_file *file = fs_find(&window->desktop->fs, name);

	text_copy(editor->name, sizeof(editor->name), name);
	if (file && file->size > 0) {
		document_insert(&editor->document, file->data, file->size);
		document_move(&editor->document,
			      text_equal(name, "welcome.txt") ? DOCUMENT_FINISH : DOCUMENT_START,
			      false);
		editor->document.modified = false;
	}
}

static bool editor_open(struct window *window, const char *argument)
{
	struct editor *editor = window->state;
	char name[FS_NAME_SIZE];

	if (!document_init(&editor->document, window->desktop->heap)) {
		return false;
	}
	for (int i = 1; !argument && i < 100; i++) {
		text_format(name, sizeof(name), i == 1 ? "untitled.txt" : "untitled%d.txt", i);
		if (!fs_find(&window->desktop->fs, name)) {
			argument = name;
		}
	}
	load(window, argument && fs_name_valid(argument) ? argument : "untitled.txt");
	update(window);
	return true;
}

static void editor_close(struct window *window)
{
	struct editor *editor = window->state;

	document_fini(&editor->document);
}

static void save(struct window *window)
{
	struct editor *editor = window->state;
	char message[DESKTOP_TOAST_SIZE];
	size_t size = 0;
	char *text = document_copy_all(&editor->document, &size);
	int error = text ? fs_write(&window->desktop->fs, editor->name, text, size) : -1;

	heap_free(window->desktop->heap, text);
	if (error) {
		text_format(message, sizeof(message), "There is no room to save %s", editor->name);
	} else {
		editor->document.modified = false;
		text_format(message, sizeof(message), "Saved %s", editor->name);
		desktop_log(window->desktop, "editor: saved %s %zu bytes", editor->name, size);
	}
	desktop_show_toast(window->desktop, message);
	window_damage(window, (struct rect){ 0, 0, window->width, TOOLBAR });
}

static void copy_selection(struct window *window)
{
	struct editor *editor = window->state;
	struct desktop *desktop = window->desktop;
	struct document_place from;
	struct document_place to;

	if (document_selection(&editor->document, &from, &to)) {
		heap_free(desktop->heap, desktop->clipboard);
		desktop->clipboard =
		    document_copy(&editor->document, from, to, &desktop->clipboard_size);
	}
}

static bool editor_shortcut(struct window *window, int code)
{
	struct editor *editor = window->state;
	struct desktop *desktop = window->desktop;

	switch (code) {
	case KEY_S:
		save(window);
		return true;
	case KEY_A:
		document_select_all(&editor->document);
		return true;
	case KEY_C:
		copy_selection(window);
		return true;
	case KEY_X:
		copy_selection(window);
		(void)document_remove_selection(&editor->document);
		return true;
	case KEY_V:
		if (desktop->clipboard) {
			document_insert(&editor->document, desktop->clipboard,
					desktop->clipboard_size);
		}
		return true;
	default:
		return false;
	}
}

static bool editor_navigate(struct window *window, const struct key_press *key)
{
	struct document *document = &((struct editor *)window->state)->document;
	bool select = key->mods & MOD_SHIFT;
	bool ctrl = key->mods & MOD_CTRL;

	switch (key->code) {
	case KEY_LEFT:
		document_move(document, ctrl ? DOCUMENT_WORD_LEFT : DOCUMENT_LEFT, select);
		return true;
	case KEY_RIGHT:
		document_move(document, ctrl ? DOCUMENT_WORD_RIGHT : DOCUMENT_RIGHT, select);
		return true;
	case KEY_UP:
		document_move(document, DOCUMENT_UP, select);
		return true;
	case KEY_DOWN:
		document_move(document, DOCUMENT_DOWN, select);
		return true;
	case KEY_HOME:
		document_move(document, ctrl ? DOCUMENT_START : DOCUMENT_HOME, select);
		return true;
	case KEY_END:
		document_move(document, ctrl ? DOCUMENT_FINISH : DOCUMENT_END, select);
		return true;
	case KEY_PAGEUP:
		document_move_rows(document, 1 - visible_rows(window), select);
		return true;
	case KEY_PAGEDOWN:
		document_move_rows(document, visible_rows(window) - 1, select);
		return true;
	default:
		return false;
	}
}

static void editor_key(struct window *window, const struct key_press *key)
{
	struct editor *editor = window->state;
	struct document *document = &editor->document;

	if (!key->down || (key->mods & (MOD_ALT | MOD_META))) {
		return;
	}
	if (editor_navigate(window, key)) {
		update(window);
		return;
	}
	if (key->mods & MOD_CTRL) {
		if (editor_shortcut(window, key->code)) {
			update(window);
		}
		return;
	}
	switch (key->code) {
	case KEY_ENTER:
	case KEY_KPENTER:
		(void)document_type(document, '\n');
		break;
	case KEY_BACKSPACE:
		document_backspace(document);
		break;
	case KEY_DELETE:
		document_delete(document);
		break;
	case KEY_TAB:
		document_insert(document, "    ", 4);
		break;
	default:
		if (!key->text) {
			return;
		}
		(void)document_type(document, key->text);
		break;
	}
	update(window);
}

static void scroll_to(struct window *window, int top)
{
	struct editor *editor = window->state;
	int most = editor->document.count - visible_rows(window);

	top = top > most ? most : top;
	top = top < 0 ? 0 : top;
	if (top != editor->top) {
		editor->top = top;
		window_damage_all(window);
	}
}

static void editor_pointer(struct window *window, const struct pointer_event *event)
{
	struct editor *editor = window->state;
	struct document_place place = { editor->top + (event->y - TOOLBAR - 4 + ROW) / ROW - 1,
					editor->left + (event->x - GUTTER + CELL / 2) / CELL };

	if (event->type == POINTER_WHEEL) {
		scroll_to(window, editor->top - 3 * event->wheel);
	} else if (event->type == POINTER_UP) {
		editor->dragging_bar = false;
	} else if (event->type == POINTER_DOWN && event->button == POINTER_LEFT) {
		if (rect_contains(save_button(window), event->x, event->y)) {
			save(window);
			set_title(window);
			return;
		}
		editor->dragging_bar = event->x >= window->width - BAR && event->y > TOOLBAR;
		if (!editor->dragging_bar && event->y > TOOLBAR) {
			document_place_caret(&editor->document, place, false);
			update(window);
		}
	}
	if (!(event->buttons & POINTER_LEFT) || event->type == POINTER_WHEEL) {
		return;
	}
	if (editor->dragging_bar) {
		scroll_to(window, (event->y - TOOLBAR) * editor->document.count /
					  (window->height - TOOLBAR - STATUS) -
				      visible_rows(window) / 2);
	} else if (event->type == POINTER_MOVE && event->y > TOOLBAR) {
		document_place_caret(&editor->document, place, true);
		update(window);
	}
}

static void editor_tick(struct window *window, uint64_t now_ms)
{
	struct editor *editor = window->state;
	bool before = editor->caret.hidden;

	window->deadline_ms = caret_tick(&editor->caret, now_ms);
	if (before != editor->caret.hidden && window_has_focus(window)) {
		damage_caret(window);
	}
}

static void editor_focus(struct window *window, bool focused)
{
	struct editor *editor = window->state;

	editor->caret.hidden = false;
	window->deadline_ms = focused ? caret_restart(&editor->caret, desktop_now(window->desktop))
				      : PLATFORM_NO_DEADLINE;
	damage_caret(window);
}

static void draw_toolbar(struct window *window, const struct canvas *canvas)
{
	struct editor *editor = window->state;
	struct rect bar = { 0, 0, window->width, TOOLBAR };
	struct rect button = save_button(window);

	if (canvas_hides(canvas, bar)) {
		return;
	}
	canvas_fill(canvas, bar, THEME_SURFACE);
	canvas_fill(canvas, (struct rect){ 0, TOOLBAR - 1, window->width, 1 }, THEME_LINE);
	canvas_text_cut(canvas, &font_ui, 16, 25, window->width - 120, THEME_TEXT_DIM,
			editor->name);
	canvas_round(canvas, button, 7, editor->document.modified ? THEME_ACCENT : 0xc3cad8, 255);
	canvas_text_centered(canvas, &font_ui, button.x + button.w / 2, button.y + 17, 0xffffff,
			     "Save");
}

static void draw_status(struct window *window, const struct canvas *canvas)
{
	struct editor *editor = window->state;
	struct rect bar = { 0, window->height - STATUS, window->width, STATUS };
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
	    canvas, (struct rect){ GUTTER - 2, y, window->width - GUTTER - BAR + 2, ROW });
	struct document_place from;
	struct document_place to;
	char number[12];

	text_format(number, sizeof(number), "%d", line_number + 1);
	canvas_text(canvas, &font_small, GUTTER - 16 - font_measure(&font_small, number), y + 13,
		    line_number == document->caret.line ? THEME_TEXT_DIM : 0xb9bfca, number);
	if (document_selection(document, &from, &to) && line_number >= from.line &&
	    line_number <= to.line) {
		int start = line_number == from.line ? from.column : 0;
		int end = line_number == to.line ? to.column : line->length + 1;

		canvas_fill(&body,
			    (struct rect){ 2 + (start - editor->left) * CELL, 0,
					   (end - start) * CELL, ROW },
			    THEME_SELECT);
	}
	for (int c = editor->left; c < line->length && c < editor->left + window->width / CELL;
	     c++) {
		(void)canvas_glyph(&body, &font_mono, 2 + (c - editor->left) * CELL, 14, THEME_TEXT,
				   line->text[c]);
	}
	if (line_number == document->caret.line && window_has_focus(window) &&
	    !editor->caret.hidden) {
		canvas_fill(&body,
			    (struct rect){ 1 + (document->caret.column - editor->left) * CELL, 1, 2,
					   ROW - 2 },
			    THEME_ACCENT);
	}
}

static void draw_bar(struct window *window, const struct canvas *canvas)
{
	struct editor *editor = window->state;
	int track = window->height - TOOLBAR - STATUS;
	int rows = visible_rows(window);
	int size = track * rows / (editor->document.count > 0 ? editor->document.count : 1);

	if (editor->document.count <= rows) {
		return;
	}
	size = size < 24 ? 24 : size;
	canvas_round(
	    canvas,
	    (struct rect){ window->width - 8,
			   TOOLBAR + (track - size) * editor->top / (editor->document.count - rows),
			   6, size },
	    3, 0x000000, 60);
}

static void editor_draw(struct window *window, const struct canvas *canvas)
{
	struct editor *editor = window->state;
	struct rect area = { 0, TOOLBAR, window->width, window->height - TOOLBAR - STATUS };
	struct canvas text = canvas_sub(canvas, area);
	int rows = visible_rows(window) + 1;

	if (!rect_empty(text.clip)) {
		text = *canvas;
		text.clip = canvas_sub(canvas, area).clip;
		canvas_fill(&text, area, THEME_PAPER);
		for (int i = 0; i < rows && editor->top + i < editor->document.count; i++) {
			int y = TOOLBAR + 4 + i * ROW;

			if (!canvas_hides(&text, (struct rect){ 0, y, window->width, ROW })) {
				draw_row(window, &text, editor->top + i, y);
			}
		}
		draw_bar(window, &text);
	}
	draw_toolbar(window, canvas);
	draw_status(window, canvas);
}

const struct app_class app_editor = {
	.id = "editor",
	.title = "Text Editor",
	.icon = ICON_EDITOR,
	.width = 600,
	.height = 400,
	.min_width = 300,
	.min_height = 180,
	.state_size = sizeof(struct editor),
	.open = editor_open,
	.draw = editor_draw,
	.key = editor_key,
	.pointer = editor_pointer,
	.focus = editor_focus,
	.tick = editor_tick,
	.close = editor_close,
};
