/*
 * A small paint program: round brush, colours, sizes, clear. The picture is a surface of its own
 * that grows with the window and never shrinks, so that resizing loses nothing.
 */
#include "gfx/theme.h"
#include "lib/text.h"
#include "ui/desktop.h"

#define SIDE    76
#define SWATCH  26
#define COLUMNS 2

static const uint32_t colors[] = { 0x232733, 0xffffff, 0xd9534f, 0xf08a4b, 0xf2c14e, 0x3fa66a,
	0x2a9d9a, 0x3d6fe0, 0x6a4fc4, 0xc45ab3, 0x8d6e63, 0x9aa3b2 };
static const int sizes[] = { 2, 6, 12, 24 };

#define COLOR_COUNT (int)(sizeof(colors) / sizeof(colors[0]))
#define SIZE_COUNT  (int)(sizeof(sizes) / sizeof(sizes[0]))

struct paint {
	struct surface picture;
	int color;
	int size;
	int last_x;
	int last_y;
	bool drawing;
};

static struct rect swatch(int i)
{
	return (struct rect){ 9 + i % COLUMNS * (SWATCH + 6), 12 + i / COLUMNS * (SWATCH + 6),
		SWATCH, SWATCH };
}

static struct rect size_button(int i)
{
	return (struct rect){ 9 + i % COLUMNS * (SWATCH + 6), 216 + i / COLUMNS * (SWATCH + 6),
		SWATCH, SWATCH };
}

static struct rect clear_button(void)
{
	return (struct rect){ 9, 292, 2 * SWATCH + 6, 28 };
}

static void fill(struct surface *picture, int from_x, int from_y)
{
	for (int y = 0; y < picture->height; y++) {
		for (int x = y < from_y ? from_x : 0; x < picture->width; x++) {
			picture->pixels[(size_t)y * (size_t)picture->stride + (size_t)x] = 0xffffff;
		}
	}
}

/* Makes the picture at least as large as the window shows. Returns false without memory, and it
 * stays as it was. */
static bool grow(struct window *window)
{
	struct paint *paint = window->state;
	struct surface old = paint->picture;
	int width = window->width - SIDE > old.width ? window->width - SIDE : old.width;
	int height = window->height > old.height ? window->height : old.height;
	struct surface grown = { NULL, width, height, width };
	struct canvas canvas;

	if (width == old.width && height == old.height) {
		return true;
	}
	grown.pixels = heap_alloc(
	    window->desktop->heap, (size_t)width * (size_t)height * sizeof(uint32_t));
	if (!grown.pixels) {
		return false;
	}
	fill(&grown, old.width, old.height);
	if (old.pixels) {
		canvas = canvas_init(&grown, (struct rect){ 0, 0, width, height });
		canvas_copy(&canvas, 0, 0, &old);
	}
	heap_free(window->desktop->heap, old.pixels);
	paint->picture = grown;
	return true;
}

static bool paint_open(struct window *window, const char *argument)
{
	struct paint *paint = window->state;

	(void)argument;
	paint->color = 7;
	paint->size = 1;
	return grow(window);
}

static void paint_resize(struct window *window)
{
	(void)grow(window);
	window_damage_all(window);
}

static void paint_close(struct window *window)
{
	heap_free(window->desktop->heap, ((struct paint *)window->state)->picture.pixels);
}

static void stroke(struct window *window, int x, int y)
{
	struct paint *paint = window->state;
	struct surface *picture = &paint->picture;
	struct canvas canvas = canvas_init(
	    picture, (struct rect){ 0, 0, picture->width, picture->height });
	int reach = sizes[paint->size] / 2 + 3;
	struct rect from = { paint->last_x - reach, paint->last_y - reach, 2 * reach, 2 * reach };
	struct rect to = { x - reach, y - reach, 2 * reach, 2 * reach };

	canvas_line(&canvas, (float)paint->last_x + 0.5f, (float)paint->last_y + 0.5f,
	    (float)x + 0.5f, (float)y + 0.5f, (float)sizes[paint->size], colors[paint->color], 255);
	window_damage(window, rect_intersect(rect_move(rect_union(from, to), SIDE, 0),
				  (struct rect){ SIDE, 0, window->width, window->height }));
	paint->last_x = x;
	paint->last_y = y;
}

static void press_tool(struct window *window, int x, int y)
{
	struct paint *paint = window->state;

	for (int i = 0; i < COLOR_COUNT; i++) {
		if (rect_contains(swatch(i), x, y)) {
			paint->color = i;
		}
	}
	for (int i = 0; i < SIZE_COUNT; i++) {
		if (rect_contains(size_button(i), x, y)) {
			paint->size = i;
		}
	}
	if (rect_contains(clear_button(), x, y)) {
		fill(&paint->picture, 0, 0);
		window_damage_all(window);
	}
	window_damage(window, (struct rect){ 0, 0, SIDE, window->height });
}

static void paint_pointer(struct window *window, const struct pointer_event *event)
{
	struct paint *paint = window->state;
	int x = event->x - SIDE;

	switch (event->type) {
	case POINTER_DOWN:
		if (event->button != POINTER_LEFT) {
			break;
		}
		if (x < 0) {
			press_tool(window, event->x, event->y);
			break;
		}
		paint->drawing = true;
		paint->last_x = x;
		paint->last_y = event->y;
		stroke(window, x, event->y);
		break;
	case POINTER_MOVE:
		if (paint->drawing && (event->buttons & POINTER_LEFT)) {
			stroke(window, x, event->y);
		}
		break;
	case POINTER_UP:
		paint->drawing = paint->drawing && (event->buttons & POINTER_LEFT);
		break;
	case POINTER_WHEEL:
		paint->size += event->wheel > 0 ? 1 : -1;
		paint->size = paint->size < 0             ? 0
			      : paint->size >= SIZE_COUNT ? SIZE_COUNT - 1
							  : paint->size;
		window_damage(window, (struct rect){ 0, 0, SIDE, window->height });
		break;
	}
}

static void draw_tools(struct window *window, const struct canvas *canvas)
{
	struct paint *paint = window->state;
	struct rect clear = clear_button();

	canvas_fill(canvas, (struct rect){ 0, 0, SIDE, window->height }, THEME_SURFACE);
	canvas_fill(canvas, (struct rect){ SIDE - 1, 0, 1, window->height }, THEME_LINE);
	for (int i = 0; i < COLOR_COUNT; i++) {
		struct rect r = swatch(i);

		if (i == paint->color) {
			canvas_round_line(canvas, rect_inset(r, -3), 9, 2.0f, THEME_ACCENT, 255);
		}
		canvas_round(canvas, r, 7, colors[i], 255);
		canvas_round_line(canvas, r, 7, 1.0f, 0x000000, 40);
	}
	for (int i = 0; i < SIZE_COUNT; i++) {
		struct rect r = size_button(i);

		if (i == paint->size) {
			canvas_round(canvas, r, 7, THEME_SELECT, 255);
		}
		canvas_disc(canvas, (float)r.x + 13.0f, (float)r.y + 13.0f, 1.5f + 2.5f * (float)i,
		    THEME_TEXT, 255);
	}
	canvas_round(canvas, clear, 7, THEME_SURFACE_ALT, 255);
	canvas_round_line(canvas, clear, 7, 1.0f, 0x000000, 36);
	canvas_text_centered(
	    canvas, &font_ui, clear.x + clear.w / 2, clear.y + 18, THEME_TEXT, "Clear");
}

static void paint_draw(struct window *window, const struct canvas *canvas)
{
	struct paint *paint = window->state;
	struct rect area = { SIDE, 0, window->width - SIDE, window->height };
	struct canvas picture = canvas_sub(canvas, area);

	if (!rect_empty(picture.clip)) {
		canvas_fill(canvas, area, THEME_PAPER);
		canvas_copy(&picture, 0, 0, &paint->picture);
	}
	if (!canvas_hides(canvas, (struct rect){ 0, 0, SIDE, window->height })) {
		draw_tools(window, canvas);
	}
}

const struct app_class app_paint = {
	.id = "paint",
	.title = "Paint",
	.icon = ICON_PAINT,
	.width = 620,
	.height = 420,
	.min_width = 240,
	.min_height = 332,
	.state_size = sizeof(struct paint),
	.open = paint_open,
	.draw = paint_draw,
	.resize = paint_resize,
	.pointer = paint_pointer,
	.close = paint_close,
};
