/*
 * The text editor: draws a document (document.c), scrolls it, and keeps it in the files that the
 * terminal sees too. What must stay true: typing damages only the rows that changed.
 */
#include "apps/editor.h"
#include "lib/text.h"

#include <linux/input-event-codes.h>
#include <string.h>

static int visible_columns(const struct window *window)
{
	return (window->width - EDITOR_GUTTER - EDITOR_BAR - 8) / EDITOR_CELL;
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
		window_damage(window, editor_save_button(window));
	}
}

static void damage_rows(struct window *window, int first, int last)
{
	struct editor *editor = window->state;
	int rows = editor_visible_rows(window) + 1;

	first = first < editor->top ? 0 : first - editor->top;
	last = last >= editor->top + rows ? rows : last - editor->top;
	if (last >= first && first <= rows) {
		window_damage(
		    window, (struct rect){ 0, EDITOR_TOOLBAR + 4 + first * EDITOR_ROW,
				window->width - EDITOR_BAR, (last - first + 1) * EDITOR_ROW });
	}
}

static void damage_caret(struct window *window)
{
	struct editor *editor = window->state;
	struct document_place p = editor->document.caret;

	window_damage(
	    window, (struct rect){ EDITOR_GUTTER + (p.column - editor->left) * EDITOR_CELL - 1,
			EDITOR_TOOLBAR + 4 + (p.line - editor->top) * EDITOR_ROW, 3, EDITOR_ROW });
}

/* Scrolls so that the caret is seen, and damages what changed. */
static void update(struct window *window)
{
	struct editor *editor = window->state;
	struct document *document = &editor->document;
	int rows = editor_visible_rows(window);
	int columns = visible_columns(window);
	int top = editor->top;
	int left = editor->left;
	int first;
	int last;

	top = document->caret.line < top ? document->caret.line : top;
	top = document->caret.line >= top + rows ? document->caret.line - rows + 1 : top;
	left = document->caret.column < left ? document->caret.column : left;
	left = document->caret.column >= left + columns ? document->caret.column - columns + 8
							: left;
	if (top != editor->top || left != editor->left) {
		editor->top = top;
		editor->left = left;
		window_damage_all(window);
	}
	if (document_take_changes(document, &first, &last)) {
		damage_rows(window, first, last);
		if (last == INT32_MAX) {
			window_damage(
			    window, (struct rect){ window->width - EDITOR_BAR, EDITOR_TOOLBAR,
					EDITOR_BAR, window->height - EDITOR_TOOLBAR });
		}
	}
	/* Only the numbers at the left of the status line follow the caret. */
	window_damage(
	    window, (struct rect){ 0, window->height - EDITOR_STATUS + 1, 300, EDITOR_STATUS - 1 });
	set_title(window);
	if (editor->caret.hidden) {
		damage_caret(window);
	}
	window->deadline_ms = caret_restart(&editor->caret, desktop_now(window->desktop));
}

static void load(struct window *window, const char *name)
{
	struct editor *editor = window->state;
	struct fs_file *file = fs_find(&window->desktop->fs, name);

	text_copy(editor->name, sizeof(editor->name), name);
	if (file && file->size > 0) {
		document_insert(&editor->document, file->data, file->size);
		document_move(&editor->document,
		    text_equal(name, "welcome.txt") ? DOCUMENT_FINISH : DOCUMENT_START, false);
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
	window_damage(window, (struct rect){ 0, 0, window->width, EDITOR_TOOLBAR });
}

static void copy_selection(struct window *window)
{
	struct editor *editor = window->state;
	struct desktop *desktop = window->desktop;
	struct document_place from;
	struct document_place to;

	if (document_selection(&editor->document, &from, &to)) {
		heap_free(desktop->heap, desktop->clipboard);
		desktop->clipboard = document_copy(
		    &editor->document, from, to, &desktop->clipboard_size);
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
			document_insert(
			    &editor->document, desktop->clipboard, desktop->clipboard_size);
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
		document_move_rows(document, 1 - editor_visible_rows(window), select);
		return true;
	case KEY_PAGEDOWN:
		document_move_rows(document, editor_visible_rows(window) - 1, select);
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
	int most = editor->document.count - editor_visible_rows(window);

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
	struct document_place place = {
		editor->top + (event->y - EDITOR_TOOLBAR - 4 + EDITOR_ROW) / EDITOR_ROW - 1,
		editor->left + (event->x - EDITOR_GUTTER + EDITOR_CELL / 2) / EDITOR_CELL
	};

	if (event->type == POINTER_WHEEL) {
		scroll_to(window, editor->top - 3 * event->wheel);
	} else if (event->type == POINTER_UP) {
		editor->dragging_bar = false;
	} else if (event->type == POINTER_DOWN && event->button == POINTER_LEFT) {
		if (rect_contains(editor_save_button(window), event->x, event->y)) {
			save(window);
			set_title(window);
			return;
		}
		editor->dragging_bar = event->x >= window->width - EDITOR_BAR &&
				       event->y > EDITOR_TOOLBAR;
		if (!editor->dragging_bar && event->y > EDITOR_TOOLBAR) {
			document_place_caret(&editor->document, place, false);
			update(window);
		}
	}
	if (!(event->buttons & POINTER_LEFT) || event->type == POINTER_WHEEL) {
		return;
	}
	if (editor->dragging_bar) {
		scroll_to(window, (event->y - EDITOR_TOOLBAR) * editor->document.count /
					  (window->height - EDITOR_TOOLBAR - EDITOR_STATUS) -
				      editor_visible_rows(window) / 2);
	} else if (event->type == POINTER_MOVE && event->y > EDITOR_TOOLBAR) {
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
