/* The desktop's start, end, events and time; the rest of it is in the files that parts.h names. */
#include "ui/desktop.h"

#include "lib/text.h"
#include "ui/parts.h"
#include "ui/samples.h"

#include <errno.h>
#include <linux/input-event-codes.h>

#define TOAST_MS 5000

uint64_t desktop_now(const struct desktop *desktop)
{
	return desktop->platform->ops->now_ms(desktop->platform->context);
}

int64_t desktop_local_time(const struct desktop *desktop)
{
	return desktop->platform->ops->wall_seconds(desktop->platform->context) +
	       60 * (int64_t)desktop->timezone_minutes;
}

void desktop_log(const struct desktop *desktop, const char *format, ...)
{
	char line[256];
	va_list args;
	size_t length;

	va_start(args, format);
	length = text_vformat(line, sizeof(line) - 1, format, args);
	va_end(args);
	line[length++] = '\n';
	desktop->platform->ops->serial_write(desktop->platform->context, line, length);
}

void desktop_damage(struct desktop *desktop, struct rect rect)
{
	struct rect all = { 0, 0, desktop->visible.width, desktop->visible.height };

	damage_add(&desktop->damage, rect_intersect(rect, all));
}

void desktop_damage_all(struct desktop *desktop)
{
	desktop_damage(
	    desktop, (struct rect){ 0, 0, desktop->visible.width, desktop->visible.height });
}

void desktop_show_toast(struct desktop *desktop, const char *text)
{
	desktop_damage(desktop, overlay_toast_bounds(desktop));
	text_copy(desktop->toast, sizeof(desktop->toast), text);
	desktop_damage(desktop, overlay_toast_bounds(desktop));
	desktop->toast_until_ms = desktop_now(desktop) + TOAST_MS;
}

void desktop_shut_down(struct desktop *desktop, enum desktop_state how)
{
	if (desktop->state == DESKTOP_RUNNING) {
		desktop->state = how;
		desktop_log(desktop,
		    how == DESKTOP_REBOOTING ? "tanmatsu-demo: reboot" : "tanmatsu-demo: poweroff");
		desktop_damage_all(desktop);
	}
}

/*
 * Replaces the back buffer. The old one is given back first: memory may not be enough for both, and after a failure the
 * old size fits again, since nothing else was taken in between.
 */
static int replace_back(struct desktop *desktop, int width, int height)
{
	size_t size = (size_t)width * (size_t)height * sizeof(uint32_t);

	heap_free(desktop->heap, desktop->back.pixels);
	desktop->back = (struct surface){ heap_alloc(desktop->heap, size), width, height, width };
	return desktop->back.pixels ? 0 : -ENOMEM;
}

int desktop_set_mode(struct desktop *desktop, int width, int height)
{
	const struct platform *platform = desktop->platform;
	struct surface old = desktop->visible;
	int error;

	if (width < DESKTOP_MIN_WIDTH || height < DESKTOP_MIN_HEIGHT) {
		return -EINVAL;
	}
	error = replace_back(desktop, width, height);
	if (!error &&
	    !platform->ops->set_mode(platform->context, width, height, &desktop->visible)) {
		error = -EINVAL;
	} else if (!error) {
		error = wallpaper_prepare(desktop);
	}
	if (error) {
		if (old.width > 0 && replace_back(desktop, old.width, old.height) == 0) {
			(void)platform->ops->set_mode(
			    platform->context, old.width, old.height, &desktop->visible);
			desktop_damage_all(desktop);
		}
		return error;
	}
	if (old.width > 0) {
		desktop->pointer_x = desktop->pointer_x * width / old.width;
		desktop->pointer_y = desktop->pointer_y * height / old.height;
	}
	wm_fit_all(desktop);
	desktop_damage_all(desktop);
	return 0;
}

static void read_settings(struct desktop *desktop)
{
	const struct platform *platform = desktop->platform;
	char text[48];

	platform->ops->get_setting(platform->context, "user", desktop->user, sizeof(desktop->user));
	platform->ops->get_setting(platform->context, "host", desktop->host, sizeof(desktop->host));
	platform->ops->get_setting(platform->context, "timezone", text, sizeof(text));
	desktop->timezone_minutes = text_parse_int(text, 0);
	platform->ops->get_setting(platform->context, "resumes", text, sizeof(text));
	desktop->resumes = text_parse_int(text, 0);
}

/* Shows the new time of day, and finds out when the minute ends. */
static void update_clock(struct desktop *desktop)
{
	int64_t local = desktop_local_time(desktop);
	int64_t minute = local / 60;

	desktop->minute_deadline_ms = desktop_now(desktop) + (uint64_t)(60 - local % 60) * 1000;
	if (minute == desktop->shown_minute) {
		return;
	}
	desktop_damage(desktop,
	    (struct rect){ desktop->visible.width - 110, panel_bounds(desktop).y + 8, 110, 34 });
	if (minute / 60 != desktop->shown_minute / 60) {
		desktop_damage(desktop, wallpaper_greeting_bounds(desktop));
	}
	desktop->shown_minute = minute;
}

static void handle_resume(struct desktop *desktop)
{
	char text[DESKTOP_TOAST_SIZE];

	desktop->platform->ops->sync_clock(desktop->platform->context);
	read_settings(desktop);
	keyboard_release_all(&desktop->keyboard);
	desktop->buttons = 0;
	desktop->pressed = (struct hit){ .part = HIT_NOTHING, .item = -1 };
	update_clock(desktop);
	for (int i = 0; i < desktop->window_count; i++) {
		if (desktop->windows[i]->class == &app_monitor) {
			window_damage_all(desktop->windows[i]);
		}
	}
	desktop_log(desktop, "tanmatsu-demo: resumed %d", desktop->resumes);
	if (desktop->pattern_mib > 0) {
		(void)desktop_check_pattern(desktop, text, sizeof(text));
	}
}

static void handle_key(struct desktop *desktop, const struct key_press *press)
{
	struct window *window = desktop->focus;

	if (press->code == KEY_CAPSLOCK && press->down && !press->repeat) {
		desktop->platform->ops->set_leds(
		    desktop->platform->context, desktop->keyboard.caps_lock ? 2u : 0u);
		desktop_damage(desktop, panel_item(desktop, PANEL_LAYOUT));
	}
	if (!shortcuts_take(desktop, press) && window && window->class->key) {
		window->class->key(window, press);
	}
}

static void echo_pointer(const struct desktop *desktop)
{
	if (desktop->echo) {
		desktop_log(desktop, "ptr: %d %d %u", desktop->pointer_x, desktop->pointer_y,
		    desktop->buttons);
	}
}

void desktop_handle_event(struct desktop *desktop, const struct platform_event *event)
{
	struct key_press press;

	if (desktop->state != DESKTOP_RUNNING) {
		return;
	}
	switch (event->type) {
	case PLATFORM_EVENT_KEY:
		if (desktop->echo) {
			desktop_log(desktop, "key: %d %s", event->code,
			    event->value == 0   ? "up"
			    : event->value == 1 ? "down"
						: "repeat");
		}
		if (keyboard_feed(&desktop->keyboard, event->code, event->value,
			desktop_now(desktop), &press)) {
			handle_key(desktop, &press);
		}
		break;
	case PLATFORM_EVENT_POINTER:
		pointer_moved(desktop, (int)((int64_t)event->x * desktop->visible.width / 32768),
		    (int)((int64_t)event->y * desktop->visible.height / 32768));
		echo_pointer(desktop);
		break;
	case PLATFORM_EVENT_MOTION:
		pointer_moved(
		    desktop, desktop->pointer_x + event->x, desktop->pointer_y + event->y);
		echo_pointer(desktop);
		break;
	case PLATFORM_EVENT_BUTTON:
		pointer_button(desktop, event->code, event->value != 0);
		echo_pointer(desktop);
		break;
	case PLATFORM_EVENT_WHEEL:
		pointer_wheel(desktop, event->value);
		if (desktop->echo) {
			desktop_log(desktop, "wheel: %d", event->value);
		}
		break;
	case PLATFORM_EVENT_MODE:
		if (event->x != desktop->visible.width || event->y != desktop->visible.height) {
			if (desktop_set_mode(desktop, event->x, event->y) == 0) {
				desktop_log(
				    desktop, "tanmatsu-demo: mode %dx%d", event->x, event->y);
			}
		}
		break;
	case PLATFORM_EVENT_RESUMED:
		handle_resume(desktop);
		break;
	case PLATFORM_EVENT_POWER:
		desktop_shut_down(desktop, DESKTOP_POWERING_OFF);
		break;
	case PLATFORM_EVENT_NONE:
		break;
	}
}

void desktop_run_timers(struct desktop *desktop)
{
	uint64_t now = desktop_now(desktop);
	struct key_press press;

	if (keyboard_repeat(&desktop->keyboard, now, &press)) {
		handle_key(desktop, &press);
	}
	if (now >= desktop->minute_deadline_ms) {
		update_clock(desktop);
	}
	if (desktop->toast[0] && now >= desktop->toast_until_ms) {
		desktop_damage(desktop, overlay_toast_bounds(desktop));
		desktop->toast[0] = '\0';
	}
	for (int i = desktop->window_count - 1; i >= 0; i--) {
		struct window *window = desktop->windows[i];

		if (now >= window->deadline_ms) {
			window->deadline_ms = PLATFORM_NO_DEADLINE;
			window->class->tick(window, now);
		}
	}
}

uint64_t desktop_next_deadline(const struct desktop *desktop)
{
	uint64_t next = desktop->minute_deadline_ms;

	if (desktop->keyboard.repeat_code && desktop->keyboard.repeat_ms < next) {
		next = desktop->keyboard.repeat_ms;
	}
	if (desktop->toast[0] && desktop->toast_until_ms < next) {
		next = desktop->toast_until_ms;
	}
	for (int i = 0; i < desktop->window_count; i++) {
		if (desktop->windows[i]->deadline_ms < next) {
			next = desktop->windows[i]->deadline_ms;
		}
	}
	return next;
}

/* The first view: something to read at the top left, a terminal at the bottom right, both to be
 * seen. */
static void open_welcome(struct desktop *desktop)
{
	struct rect area = wm_work_area(desktop);
	int height = area.h * 48 / 100 < 420 ? area.h * 48 / 100 : 420;
	int x = area.w - 48 - 640;
	int y = area.h - 32 - height;
	struct window *editor = wm_open(desktop, &app_editor, "welcome.txt");
	struct window *terminal = wm_open(desktop, &app_terminal, NULL);

	if (editor && terminal && area.w >= 960) {
		wm_set_frame(desktop, editor,
		    (struct rect){ 48, 136, 600, area.h - 320 < 436 ? area.h - 320 : 436 });
		wm_set_frame(desktop, terminal,
		    (struct rect){ x < 480 ? x : 480, y < 340 ? y : 340, 640, height });
	}
}

/* Opens what the command line wants to see, or a pleasant first view. */
static void open_first_windows(struct desktop *desktop)
{
	char value[32];

	if (!text_get_option(desktop->platform->command_line, "demo.app", value, sizeof(value))) {
		open_welcome(desktop);
		return;
	}
	for (int i = 0; i < DESKTOP_APP_COUNT; i++) {
		if (text_equal(value, desktop_apps[i]->id)) {
			(void)wm_open(desktop, desktop_apps[i], NULL);
		}
	}
}

int desktop_create(
    const struct platform *platform, struct heap *heap, int width, int height, struct desktop **out)
{
	struct desktop *desktop = heap_alloc(heap, sizeof(*desktop));
	char value[32];
	int error;

	if (!desktop) {
		return -ENOMEM;
	}
	desktop->platform = platform;
	desktop->heap = heap;
	desktop->hover = (struct hit){ .part = HIT_NOTHING, .item = -1 };
	desktop->pressed = desktop->hover;
	fs_init(&desktop->fs, heap);
	keyboard_init(&desktop->keyboard);
	cursor_init(&desktop->cursor);
	read_settings(desktop);
	error = desktop_set_mode(desktop, width, height);
	if (error) {
		heap_free(heap, desktop->back.pixels);
		heap_free(heap, desktop);
		return error;
	}
	samples_install(&desktop->fs, desktop->user);
	desktop->pointer_x = width / 2;
	desktop->pointer_y = height / 2;
	(void)text_get_option(platform->command_line, "demo.layout", value, sizeof(value));
	(void)keyboard_set_layout(&desktop->keyboard, value);
	desktop->echo = text_get_option(
			    platform->command_line, "demo.echo", value, sizeof(value)) &&
			text_equal(value, "1");
	(void)text_get_option(platform->command_line, "demo.pattern", value, sizeof(value));
	desktop->pattern_mib = text_parse_int(value, 0);
	update_clock(desktop);
	open_first_windows(desktop);
	*out = desktop;
	return 0;
}

void desktop_announce(struct desktop *desktop)
{
	char report[DESKTOP_TOAST_SIZE];

	desktop_log(
	    desktop, "tanmatsu-demo: ready %dx%d", desktop->visible.width, desktop->visible.height);
	desktop_log(desktop, "tanmatsu-demo: started in %lu ms",
	    (desktop->platform->info->boot_us + 500) / 1000 + desktop_now(desktop));
	if (desktop->pattern_mib > 0) {
		(void)desktop_write_pattern(desktop, desktop->pattern_mib, report, sizeof(report));
	}
}

void desktop_destroy(struct desktop *desktop)
{
	struct heap *heap;

	if (!desktop) {
		return;
	}
	heap = desktop->heap;
	while (desktop->window_count > 0) {
		wm_close(desktop, desktop->windows[desktop->window_count - 1]);
	}
	for (int i = 0; i < FS_MAX_FILES; i++) {
		heap_free(heap, desktop->fs.files[i].data);
	}
	heap_free(heap, desktop->clipboard);
	heap_free(heap, desktop->hills);
	heap_free(heap, desktop->glow);
	heap_free(heap, desktop->back.pixels);
	heap_free(heap, desktop);
}
