/*
 * The system monitor: CPU use over the last minute, memory, uptime, resumes, devices. It looks once
 * a second while it is open, and draws only the numbers and the graph then.
 */
#include "gfx/theme.h"
#include "lib/text.h"
#include "ui/desktop.h"

#include <string.h>

#define SAMPLES   60
#define PERIOD_MS 1000

struct monitor {
	uint8_t busy[SAMPLES]; /* percent, oldest first */
	/* When it looked, and what it saw: drawing uses nothing newer, so that drawing twice is the
	 * same. */
	uint64_t last_ms;
	size_t used; /* bytes of the heap */
	uint64_t last_idle_us;
};

static struct rect graph_area(const struct window *window)
{
	return (struct rect){ 20, 46, window->width - 40, 120 };
}

static bool monitor_open(struct window *window, const char *argument)
{
	struct monitor *monitor = window->state;
	const struct platform *platform = window->desktop->platform;

	(void)argument;
	monitor->last_ms = desktop_now(window->desktop);
	monitor->used = window->desktop->heap->used;
	monitor->last_idle_us = platform->ops->idle_us(platform->context);
	window->deadline_ms = monitor->last_ms + PERIOD_MS;
	return true;
}

static void monitor_tick(struct window *window, uint64_t now_ms)
{
	struct monitor *monitor = window->state;
	const struct platform *platform = window->desktop->platform;
	uint64_t idle = platform->ops->idle_us(platform->context);
	uint64_t passed = (now_ms - monitor->last_ms) * 1000;
	uint64_t idled = idle - monitor->last_idle_us;
	struct rect graph = graph_area(window);

	memmove(monitor->busy, monitor->busy + 1, SAMPLES - 1);
	monitor->busy[SAMPLES - 1] = (uint8_t)(passed > idled ? (passed - idled) * 100 / passed
							      : 0);
	monitor->last_ms = now_ms;
	monitor->used = window->desktop->heap->used;
	monitor->last_idle_us = idle;
	window->deadline_ms = now_ms + PERIOD_MS;
	window_damage(window, graph);
	window_damage(window, (struct rect){ window->width - 80, 16, 64, 22 });
	window_damage(window, (struct rect){ 20, 184, window->width - 40, 80 });
}

static void draw_graph(struct window *window, const struct canvas *canvas)
{
	struct monitor *monitor = window->state;
	struct rect g = graph_area(window);
	struct canvas plot = canvas_sub(canvas, g);
	float step = (float)(g.w - 2) / (float)(SAMPLES - 1);

	canvas_round(canvas, g, 8, THEME_PAPER, 255);
	for (int i = 1; i < 4; i++) {
		canvas_fill(canvas, (struct rect){ g.x + 1, g.y + g.h * i / 4, g.w - 2, 1 },
		    THEME_SURFACE_ALT);
	}
	for (int x = 1; x < g.w - 1; x++) {
		float at = (float)(x - 1) / step;
		int i = (int)at;
		float part = at - (float)i;
		int next = i + 1 < SAMPLES ? i + 1 : i;
		float busy = (float)monitor->busy[i] * (1.0f - part) +
			     (float)monitor->busy[next] * part;
		int top = g.h - 3 - (int)(busy * (float)(g.h - 8) / 100.0f);

		canvas_blend(&plot, (struct rect){ x, top, 1, g.h - 1 - top }, THEME_GREEN, 56);
	}
	for (int i = 0; i + 1 < SAMPLES; i++) {
		float y0 = (float)(g.h - 3) - (float)(monitor->busy[i] * (g.h - 8)) / 100.0f;
		float y1 = (float)(g.h - 3) - (float)(monitor->busy[i + 1] * (g.h - 8)) / 100.0f;

		canvas_line(&plot, 1.0f + step * (float)i, y0, 1.0f + step * (float)(i + 1), y1,
		    1.8f, 0x2f8f5a, 255);
	}
	canvas_round_line(canvas, g, 8, 1.0f, 0x000000, 34);
}

static void draw_fact(
    const struct canvas *canvas, int x, int y, const char *label, const char *value)
{
	canvas_text(canvas, &font_ui, x, y, THEME_TEXT_DIM, label);
	canvas_text(canvas, &font_bold, x + 84, y, THEME_TEXT, value);
}

static void draw_facts(struct window *window, const struct canvas *canvas)
{
	const struct desktop *desktop = window->desktop;
	const struct monitor *monitor = window->state;
	uint64_t seconds = monitor->last_ms / 1000;
	int right = window->width / 2 + 10;
	int used = (int)(monitor->used * 100 / desktop->heap->size);
	struct rect bar = { 20, 232, window->width - 40, 8 };
	char text[64];

	text_format(
	    text, sizeof(text), "%lu:%02lu:%02lu", seconds / 3600, seconds / 60 % 60, seconds % 60);
	draw_fact(canvas, 20, 198, "Uptime", text);
	text_format(
	    text, sizeof(text), "%d time%s", desktop->resumes, desktop->resumes == 1 ? "" : "s");
	draw_fact(canvas, right, 198, "Resumed", text);
	text_format(text, sizeof(text), "%zu of %zu MiB", (monitor->used + 524288) >> 20,
	    desktop->heap->size >> 20);
	draw_fact(canvas, 20, 222, "Memory", text);
	text_format(text, sizeof(text), "%dx%d", desktop->visible.width, desktop->visible.height);
	draw_fact(canvas, right, 222, "Screen", text);
	canvas_round(canvas, bar, 4, THEME_LINE, 255);
	bar.w = bar.w * used / 100;
	canvas_round(
	    canvas, (struct rect){ bar.x, bar.y, bar.w < 8 ? 8 : bar.w, 8 }, 4, THEME_ACCENT, 255);
}

static void draw_devices(struct window *window, const struct canvas *canvas)
{
	const struct platform_info *info = window->desktop->platform->info;

	canvas_text(canvas, &font_bold, 20, 272, THEME_TEXT, "Devices");
	for (unsigned int i = 0; i < info->device_count; i++) {
		int y = 296 + (int)i * 20;

		canvas_disc(canvas, 26.0f, (float)y - 4.0f, 3.0f, THEME_GREEN, 255);
		canvas_text_cut(canvas, &font_ui, 38, y, window->width - 210, THEME_TEXT,
		    info->devices[i].name);
		canvas_text(canvas, &font_small,
		    window->width - 20 - font_measure(&font_small, info->devices[i].detail), y,
		    THEME_TEXT_DIM, info->devices[i].detail);
	}
}

static void monitor_draw(struct window *window, const struct canvas *canvas)
{
	struct monitor *monitor = window->state;
	char text[16];

	canvas_fill(canvas, (struct rect){ 0, 0, window->width, window->height }, THEME_SURFACE);
	canvas_text(canvas, &font_bold, 20, 32, THEME_TEXT, "Processor");
	text_format(text, sizeof(text), "%d %%", monitor->busy[SAMPLES - 1]);
	canvas_text(canvas, &font_bold, window->width - 20 - font_measure(&font_bold, text), 32,
	    0x2f8f5a, text);
	if (!canvas_hides(canvas, graph_area(window))) {
		draw_graph(window, canvas);
	}
	draw_facts(window, canvas);
	draw_devices(window, canvas);
}

const struct app_class app_monitor = {
	.id = "monitor",
	.title = "System Monitor",
	.icon = ICON_MONITOR,
	.width = 440,
	.height = 470,
	.min_width = 380,
	.min_height = 300,
	.state_size = sizeof(struct monitor),
	.single = true,
	.open = monitor_open,
	.draw = monitor_draw,
	.tick = monitor_tick,
};
