/*
 * demo-host: runs the demo desktop as a Linux program from a script, and saves screenshots. For
 * developers and tests; not installed.
 *
 *   demo-host [--size WxH] [--cmdline "demo.app=editor ..."] < script
 *
 * Script lines: type TEXT | key CODE [up|down] | move X Y | down BUTTON | up BUTTON | click X Y |
 * wheel N | wait MS | mode W H | resume | power | shot FILE.png. Text is typed on a US keyboard.
 * The serial port goes to standard output.
 */
#include "host/host_platform.h"
#include "ui/desktop.h"

#include <linux/input-event-codes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void send_event(struct desktop *desktop, struct platform_event event)
{
	desktop_handle_event(desktop, &event);
	desktop_run_timers(desktop);
	desktop_render(desktop);
}

static void send_key(struct desktop *desktop, int code, int value)
{
	send_event(desktop,
	    (struct platform_event){ .type = PLATFORM_EVENT_KEY, .code = code, .value = value });
}

static void tap(struct desktop *desktop, int code, bool shift)
{
	if (shift) {
		send_key(desktop, KEY_LEFTSHIFT, 1);
	}
	send_key(desktop, code, 1);
	send_key(desktop, code, 0);
	if (shift) {
		send_key(desktop, KEY_LEFTSHIFT, 0);
	}
}

/* Finds the key of a character by asking the keyboard model itself. */
static void type_text(struct desktop *desktop, const char *text)
{
	struct keyboard probe;
	struct key_press press;

	for (; *text; text++) {
		if (text[0] == '\\' && text[1] == 'n') {
			tap(desktop, KEY_ENTER, false);
			text++;
			continue;
		}
		for (int i = 0; i < 2 * 128; i++) {
			keyboard_init(&probe);
			if (i & 1) {
				(void)keyboard_feed(&probe, KEY_LEFTSHIFT, 1, 0, &press);
			}
			if (keyboard_feed(&probe, i / 2, 1, 0, &press) &&
			    press.text == (unsigned char)*text) {
				tap(desktop, i / 2, i & 1);
				break;
			}
		}
	}
}

static void move(struct desktop *desktop, int x, int y)
{
	send_event(desktop, (struct platform_event){ .type = PLATFORM_EVENT_POINTER,
				.x = (x * 32768 + 16384) / desktop->visible.width,
				.y = (y * 32768 + 16384) / desktop->visible.height });
}

static void press_button(struct desktop *desktop, const char *name, int value)
{
	int code = strcmp(name, "right") == 0    ? BTN_RIGHT
		   : strcmp(name, "middle") == 0 ? BTN_MIDDLE
						 : BTN_LEFT;

	send_event(desktop,
	    (struct platform_event){ .type = PLATFORM_EVENT_BUTTON, .code = code, .value = value });
}

static void wait_until(struct host_platform *host, struct desktop *desktop, uint64_t end)
{
	while (desktop_next_deadline(desktop) <= end) {
		host->now_ms = desktop_next_deadline(desktop) > host->now_ms
				   ? desktop_next_deadline(desktop)
				   : host->now_ms;
		desktop_run_timers(desktop);
		desktop_render(desktop);
	}
	host->now_ms = end;
}

static bool run_line(struct host_platform *host, struct desktop *desktop, char *line)
{
	char word[256] = "";
	int a = 0;
	int b = 0;

	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "type ", 5) == 0) {
		type_text(desktop, line + 5);
	} else if (sscanf(line, "key %d %255s", &a, word) >= 1) {
		if (strcmp(word, "up") != 0) {
			send_key(desktop, a, 1);
		}
		if (strcmp(word, "down") != 0) {
			send_key(desktop, a, 0);
		}
	} else if (sscanf(line, "move %d %d", &a, &b) == 2) {
		move(desktop, a, b);
	} else if (sscanf(line, "click %d %d", &a, &b) == 2) {
		move(desktop, a, b);
		press_button(desktop, "left", 1);
		press_button(desktop, "left", 0);
		host->now_ms += 500;
	} else if (sscanf(line, "down %255s", word) == 1) {
		press_button(desktop, word, 1);
	} else if (sscanf(line, "up %255s", word) == 1) {
		press_button(desktop, word, 0);
	} else if (sscanf(line, "wheel %d", &a) == 1) {
		send_event(
		    desktop, (struct platform_event){ .type = PLATFORM_EVENT_WHEEL, .value = a });
	} else if (sscanf(line, "wait %d", &a) == 1) {
		wait_until(host, desktop, host->now_ms + (uint64_t)a);
	} else if (sscanf(line, "mode %d %d", &a, &b) == 2) {
		send_event(desktop,
		    (struct platform_event){ .type = PLATFORM_EVENT_MODE, .x = a, .y = b });
	} else if (strcmp(line, "resume") == 0) {
		host->resumes++;
		send_event(desktop, (struct platform_event){ .type = PLATFORM_EVENT_RESUMED });
	} else if (strcmp(line, "power") == 0) {
		send_event(desktop, (struct platform_event){ .type = PLATFORM_EVENT_POWER });
	} else if (sscanf(line, "shot %255s", word) == 1) {
		return host_platform_save_png(host, word) == 0;
	} else {
		return line[0] == '\0' || line[0] == '#';
	}
	return true;
}

int main(int argc, char **argv)
{
	static struct host_platform host;
	struct desktop *desktop;
	const char *command_line = "";
	int width = 1280;
	int height = 800;
	char line[1024];

	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--cmdline") == 0) {
			command_line = argv[i + 1];
		} else if (strcmp(argv[i], "--size") == 0) {
			(void)!sscanf(argv[i + 1], "%dx%d", &width, &height);
		}
	}
	if (!host_platform_init(&host, command_line, 96u << 20) ||
	    desktop_create(&host.platform, &host.heap, width, height, &desktop) != 0) {
		fputs("demo-host: cannot start\n", stderr);
		return 1;
	}
	desktop_render(desktop);
	desktop_announce(desktop);
	while (fgets(line, sizeof(line), stdin)) {
		if (!run_line(&host, desktop, line)) {
			fprintf(stderr, "demo-host: failed: %s\n", line);
			return 1;
		}
	}
	fputs(host.serial, stdout);
	desktop_destroy(desktop);
	host_platform_fini(&host);
	return 0;
}
