/*
 * The terminal: shows a screen (screen.c), edits the input line, and runs a shell (shell.c). What
 * must stay true: typing damages only the rows that changed.
 */
#include "apps/caret.h"
#include "apps/screen.h"
#include "apps/shell.h"
#include "gfx/theme.h"
#include "lib/text.h"
#include "ui/parts.h"

#include <linux/input-event-codes.h>
#include <string.h>

#define CELL 8
#define ROW  18
#define PAD  10
#define BACK 0x1b1f2b

static const uint32_t palette[8] = { 0x6b7389, 0xf07c76, 0x8fd6a0, 0xf0c674, 0x82aaff, 0xc9a0f0,
	0x7fd0d8, 0xdfe3ee };

struct terminal {
	struct screen screen;
	struct shell shell;
	struct caret caret;
	uint16_t input[SHELL_LINE_SIZE];
	int length;
	int at;        /* the caret in the input */
	int start_row; /* where the input begins */
	int start_column;
	int scroll; /* lines that the view is above the end */
	int recall; /* history entry that is shown, counted from the newest; 0 = none */
	bool leaving;
};

static int rows_of(const struct window *window)
{
	int rows = (window->height - 2 * PAD) / ROW;

	return rows > 0 ? rows : 1;
}

/* The number of the line at the top of the window. */
static int top_row(const struct window *window)
{
	const struct terminal *terminal = window->state;
	int top = terminal->screen.last - rows_of(window) + 1 - terminal->scroll;
	int first = screen_first(&terminal->screen);

	return top < first ? first : top;
}

static void damage_rows(struct window *window, int first, int last)
{
	int top = top_row(window);

	if (last >= first) {
		window_damage(window, (struct rect){ 0, PAD + (first - top) * ROW, window->width,
					  (last - first + 1) * ROW });
	}
}

/* Damages what the model says has changed. */
static void flush(struct window *window)
{
	struct terminal *terminal = window->state;
	struct screen *screen = &terminal->screen;

	if (screen->scrolled || terminal->scroll) {
		terminal->scroll = 0;
		window_damage_all(window);
	} else {
		damage_rows(window, screen->changed_first, screen->changed_last);
	}
	screen->scrolled = false;
	screen->changed_first = 0;
	screen->changed_last = -1;
}

static void caret_cell(const struct terminal *terminal, int *row, int *column)
{
	int cell = terminal->start_column + terminal->at;

	*row = terminal->start_row + cell / terminal->screen.columns;
	*column = cell % terminal->screen.columns;
}

static void damage_caret(struct window *window)
{
	int row;
	int column;

	caret_cell(window->state, &row, &column);
	window_damage(window, (struct rect){ PAD + column * CELL - 1,
				  PAD + (row - top_row(window)) * ROW, CELL + 2, ROW });
}

/* Writes the input line into the screen anew; cells that stay the same cost nothing. */
static void show_input(struct window *window)
{
	struct terminal *terminal = window->state;
	struct screen *screen = &terminal->screen;

	screen->color = 7;
	screen_move(screen, terminal->start_row, terminal->start_column);
	for (int i = 0; i < terminal->length; i++) {
		screen_put(screen, terminal->input[i]);
	}
	screen_clear_rest(screen);
	flush(window);
	damage_caret(window);
	window->deadline_ms = caret_restart(&terminal->caret, desktop_now(window->desktop));
}

static void prompt(struct window *window)
{
	struct terminal *terminal = window->state;
	struct desktop *desktop = window->desktop;
	char text[160];

	text_format(text, sizeof(text), "%s\x1b[32m\x1b[1m%s\x1b[0m\x1b[30m@\x1b[34m%s\x1b[0m $ ",
	    terminal->screen.column ? "\n" : "", desktop->user[0] ? desktop->user : "guest",
	    desktop->host[0] ? desktop->host : "tanmatsu");
	screen_write(&terminal->screen, text);
	terminal->start_row = terminal->screen.row;
	terminal->start_column = terminal->screen.column;
	terminal->length = 0;
	terminal->at = 0;
	terminal->recall = 0;
	show_input(window);
}

static void on_print(void *context, const char *text)
{
	struct window *window = context;

	screen_write(&((struct terminal *)window->state)->screen, text);
}

static void on_clear(void *context)
{
	struct window *window = context;
	struct terminal *terminal = window->state;

	screen_init(&terminal->screen, terminal->screen.columns);
	terminal->scroll = 0;
	window_damage_all(window);
}

static void on_leave(void *context)
{
	((struct terminal *)((struct window *)context)->state)->leaving = true;
}

static void take_input(const struct terminal *terminal, char *line)
{
	size_t at = 0;

	for (int i = 0; i < terminal->length && at + 5 < SHELL_LINE_SIZE; i++) {
		at += text_encode(line + at, terminal->input[i]);
	}
	line[at] = '\0';
}

static void set_input(struct window *window, const char *line)
{
	struct terminal *terminal = window->state;

	terminal->length = 0;
	for (uint32_t code = font_next_code(&line); code && terminal->length < SHELL_LINE_SIZE - 1;
	     code = font_next_code(&line)) {
		terminal->input[terminal->length++] = (uint16_t)code;
	}
	damage_caret(window);
	terminal->at = terminal->length;
	show_input(window);
}

static void enter(struct window *window)
{
	struct terminal *terminal = window->state;
	struct desktop *desktop = window->desktop;
	char line[SHELL_LINE_SIZE];

	take_input(terminal, line);
	terminal->at = terminal->length;
	screen_move(&terminal->screen, terminal->start_row, terminal->start_column);
	for (int i = 0; i < terminal->length; i++) {
		screen_put(&terminal->screen, terminal->input[i]);
	}
	screen_write(&terminal->screen, "\n");
	shell_run(&terminal->shell, line);
	if (terminal->leaving) {
		wm_close(desktop, window);
		return;
	}
	prompt(window);
}

static void recall(struct window *window, int step)
{
	struct terminal *terminal = window->state;
	struct shell *shell = &terminal->shell;
	int most = shell->history_count < SHELL_HISTORY ? shell->history_count : SHELL_HISTORY;
	int next = terminal->recall + step;

	if (next < 0 || next > most) {
		return;
	}
	terminal->recall = next;
	set_input(
	    window, next == 0 ? "" : shell->history[(shell->history_count - next) % SHELL_HISTORY]);
}

static void complete(struct window *window)
{
	struct terminal *terminal = window->state;
	char line[SHELL_LINE_SIZE];

	take_input(terminal, line);
	if (terminal->at == terminal->length &&
	    shell_complete(&terminal->shell, line, sizeof(line))) {
		set_input(window, line);
	}
}

static void insert(struct terminal *terminal, uint32_t code)
{
	if (terminal->length < SHELL_LINE_SIZE - 1) {
		memmove(terminal->input + terminal->at + 1, terminal->input + terminal->at,
		    (size_t)(terminal->length - terminal->at) * sizeof(terminal->input[0]));
		terminal->input[terminal->at++] = (uint16_t)code;
		terminal->length++;
	}
}

static void erase(struct terminal *terminal, int at)
{
	if (at >= 0 && at < terminal->length) {
		memmove(terminal->input + at, terminal->input + at + 1,
		    (size_t)(terminal->length - at - 1) * sizeof(terminal->input[0]));
		terminal->length--;
		terminal->at = at;
	}
}

static void scroll(struct window *window, int lines)
{
	struct terminal *terminal = window->state;
	int most = terminal->screen.last - screen_first(&terminal->screen) - rows_of(window) + 1;
	int to = terminal->scroll + lines;

	to = to > most ? most : to;
	to = to < 0 ? 0 : to;
	if (to != terminal->scroll) {
		terminal->scroll = to;
		window_damage_all(window);
	}
}

static bool edit_key(struct window *window, const struct key_press *key)
{
	struct terminal *terminal = window->state;

	switch (key->code) {
	case KEY_LEFT:
		terminal->at -= terminal->at > 0;
		return true;
	case KEY_RIGHT:
		terminal->at += terminal->at < terminal->length;
		return true;
	case KEY_HOME:
		terminal->at = 0;
		return true;
	case KEY_END:
		terminal->at = terminal->length;
		return true;
	case KEY_BACKSPACE:
		erase(terminal, terminal->at - 1);
		return true;
	case KEY_DELETE:
		erase(terminal, terminal->at);
		return true;
	default:
		if (key->text) {
			insert(terminal, key->text);
			return true;
		}
		return false;
	}
}

static void control_key(struct window *window, int code)
{
	struct terminal *terminal = window->state;

	switch (code) {
	case KEY_C:
		screen_write(&terminal->screen, "^C\n");
		prompt(window);
		break;
	case KEY_L:
		on_clear(window);
		prompt(window);
		break;
	case KEY_U:
		set_input(window, "");
		break;
	default:
		break;
	}
}

static void terminal_key(struct window *window, const struct key_press *key)
{
	if (!key->down || (key->mods & (MOD_ALT | MOD_META))) {
		return;
	}
	if (key->mods & MOD_CTRL) {
		control_key(window, key->code);
		return;
	}
	switch (key->code) {
	case KEY_ENTER:
	case KEY_KPENTER:
		enter(window);
		return;
	case KEY_UP:
		recall(window, 1);
		return;
	case KEY_DOWN:
		recall(window, -1);
		return;
	case KEY_TAB:
		complete(window);
		return;
	case KEY_PAGEUP:
		scroll(window, rows_of(window) - 1);
		return;
	case KEY_PAGEDOWN:
		scroll(window, 1 - rows_of(window));
		return;
	default:
		break;
	}
	damage_caret(window);
	if (edit_key(window, key)) {
		show_input(window);
	}
}

static void terminal_pointer(struct window *window, const struct pointer_event *event)
{
	if (event->type == POINTER_WHEEL) {
		scroll(window, 3 * event->wheel);
	}
}

static void terminal_tick(struct window *window, uint64_t now_ms)
{
	struct terminal *terminal = window->state;
	bool before = terminal->caret.hidden;

	window->deadline_ms = caret_tick(&terminal->caret, now_ms);
	if (before != terminal->caret.hidden && window_has_focus(window)) {
		damage_caret(window);
	}
}

static void terminal_focus(struct window *window, bool focused)
{
	struct terminal *terminal = window->state;

	terminal->caret.hidden = false;
	window->deadline_ms = focused
				  ? caret_restart(&terminal->caret, desktop_now(window->desktop))
				  : PLATFORM_NO_DEADLINE;
	damage_caret(window);
}

static bool terminal_open(struct window *window, const char *argument)
{
	struct terminal *terminal = window->state;

	(void)argument;
	screen_init(&terminal->screen, (window->width - 2 * PAD) / CELL);
	terminal->shell.desktop = window->desktop;
	terminal->shell.context = window;
	terminal->shell.print = on_print;
	terminal->shell.clear = on_clear;
	terminal->shell.leave = on_leave;
	screen_write(&terminal->screen,
	    "\x1b[1mTanmatsu\x1b[0m demo desktop. Type \x1b[32mhelp\x1b[0m "
	    "for commands.\n\n");
	prompt(window);
	return true;
}

static void terminal_resize(struct window *window)
{
	struct terminal *terminal = window->state;
	int columns = (window->width - 2 * PAD) / CELL;

	/* Old lines keep their breaks; only the input line is laid out again. */
	terminal->screen.columns = columns > SCREEN_COLUMNS ? SCREEN_COLUMNS : columns;
	if (terminal->start_column < columns) {
		show_input(window);
	}
	window_damage_all(window);
}

static void draw_caret(struct window *window, const struct canvas *canvas)
{
	struct terminal *terminal = window->state;
	struct rect box = { 0, 0, CELL, ROW - 2 };
	int row;
	int column;

	caret_cell(terminal, &row, &column);
	box.x = PAD + column * CELL;
	box.y = PAD + (row - top_row(window)) * ROW + 1;
	if (!window_has_focus(window)) {
		canvas_round_line(canvas, box, 1, 1.0f, palette[2], 200);
	} else if (!terminal->caret.hidden) {
		canvas_round(canvas, box, 1, palette[2], 255);
		if (terminal->at < terminal->length) {
			(void)canvas_glyph(canvas, &font_mono, box.x, box.y + 13, BACK,
			    terminal->input[terminal->at]);
		}
	}
}

static void draw_bar(struct window *window, const struct canvas *canvas)
{
	struct terminal *terminal = window->state;
	int rows = rows_of(window);
	int total = terminal->screen.last - screen_first(&terminal->screen) + 1;
	int size = total > 0 ? window->height * rows / total : 0;

	if (terminal->scroll > 0 && total > rows) {
		size = size < 24 ? 24 : size;
		canvas_round(canvas,
		    (struct rect){ window->width - 8,
			(window->height - size) *
			    (top_row(window) - screen_first(&terminal->screen)) / (total - rows),
			5, size },
		    2, 0xffffff, 90);
	}
}

static void terminal_draw(struct window *window, const struct canvas *canvas)
{
	struct terminal *terminal = window->state;
	int top = top_row(window);

	canvas_fill(canvas, (struct rect){ 0, 0, window->width, window->height }, BACK);
	for (int i = 0; i < rows_of(window) && top + i <= terminal->screen.last; i++) {
		const struct screen_cell *cells = screen_line(&terminal->screen, top + i);
		int y = PAD + i * ROW;

		/* Ink that would reach into the next row is cut, so that a row can be drawn alone.
		 */
		struct canvas line = canvas_sub(canvas, (struct rect){ 0, y, window->width, ROW });

		if (rect_empty(line.clip)) {
			continue;
		}
		for (int c = 0; c < SCREEN_COLUMNS && PAD + c * CELL < window->width; c++) {
			if (cells[c].code > ' ') {
				(void)canvas_glyph(&line,
				    cells[c].bold ? &font_mono_bold : &font_mono, PAD + c * CELL,
				    14, palette[cells[c].color], cells[c].code);
			}
		}
	}
	draw_caret(window, canvas);
	draw_bar(window, canvas);
}

const struct app_class app_terminal = {
	.id = "terminal",
	.title = "Terminal",
	.icon = ICON_TERMINAL,
	.width = 660,
	.height = 400,
	.min_width = 320,
	.min_height = 160,
	.state_size = sizeof(struct terminal),
	.open = terminal_open,
	.draw = terminal_draw,
	.resize = terminal_resize,
	.key = terminal_key,
	.pointer = terminal_pointer,
	.focus = terminal_focus,
	.tick = terminal_tick,
};
