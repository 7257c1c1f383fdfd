/* The shell's commands about the machine: memory, devices, pattern, serial port, keyboard, power.
 */
#include "apps/shell.h"

#include "lib/text.h"
#include "ui/parts.h"

static void run_uname(struct shell *shell, int count, char **args)
{
	const struct desktop *desktop = shell->desktop;

	(void)count;
	(void)args;
	shell_print(shell, "Tanmatsu demo desktop, %s, on %s\n", desktop->platform->info->system,
	    desktop->host[0] ? desktop->host : "this host");
}

static void run_uptime(struct shell *shell, int count, char **args)
{
	uint64_t seconds = desktop_now(shell->desktop) / 1000;

	(void)count;
	(void)args;
	shell_print(shell, "up %lu:%02lu:%02lu, resumed %d time%s\n", seconds / 3600,
	    seconds / 60 % 60, seconds % 60, shell->desktop->resumes,
	    shell->desktop->resumes == 1 ? "" : "s");
}

static void run_mem(struct shell *shell, int count, char **args)
{
	const struct desktop *desktop = shell->desktop;
	const struct platform_info *info = desktop->platform->info;

	(void)count;
	(void)args;
	shell_print(shell,
	    "  machine       %8lu KiB\n  desktop heap  %8zu KiB, %zu KiB used\n"
	    "  screen        %8zu KiB (%dx%d)\n  pattern       %8zu KiB of %zu KiB\n",
	    info->memory_bytes / 1024, desktop->heap->size / 1024, desktop->heap->used / 1024,
	    (size_t)desktop->visible.stride * (size_t)desktop->visible.height / 256,
	    desktop->visible.width, desktop->visible.height, desktop->pattern_size / 1024,
	    info->spare_size / 1024);
}

static void run_devices(struct shell *shell, int count, char **args)
{
	const struct platform_info *info = shell->desktop->platform->info;

	(void)count;
	(void)args;
	for (unsigned int i = 0; i < info->device_count; i++) {
		shell_print(shell, "  %-24s \x1b[34m%s\x1b[0m\n", info->devices[i].name,
		    info->devices[i].detail);
	}
}

static void run_pattern(struct shell *shell, int count, char **args)
{
	char report[DESKTOP_TOAST_SIZE];

	if (count == 3 && text_equal(args[1], "write")) {
		(void)desktop_write_pattern(
		    shell->desktop, text_parse_int(args[2], 0), report, sizeof(report));
	} else if (count == 2 && text_equal(args[1], "check")) {
		(void)desktop_check_pattern(shell->desktop, report, sizeof(report));
	} else {
		text_copy(report, sizeof(report), "pattern: write N (MiB), or check");
	}
	shell_print(shell, "%s\n", report);
}

static void run_serial(struct shell *shell, int count, char **args)
{
	char line[SHELL_LINE_SIZE];
	size_t at = 0;

	line[0] = '\0';
	for (int i = 1; i < count; i++) {
		at += text_format(line + at, sizeof(line) - at, "%s%s", i > 1 ? " " : "", args[i]);
	}
	desktop_log(shell->desktop, "%s", line);
}

static void run_layout(struct shell *shell, int count, char **args)
{
	struct keyboard *keyboard = &shell->desktop->keyboard;

	if (count > 1 && !keyboard_set_layout(keyboard, args[1])) {
		shell_print(shell, "layout: us, de, fr or jp\n");
		return;
	}
	desktop_damage(shell->desktop, panel_item(shell->desktop, PANEL_LAYOUT));
	shell_print(shell, "keyboard layout %s\n", keyboard_layout_name(keyboard));
}

static void run_mode(struct shell *shell, int count, char **args)
{
	struct desktop *desktop = shell->desktop;

	if (count == 3 && desktop_set_mode(desktop, text_parse_int(args[1], 0),
			      text_parse_int(args[2], 0)) != 0) {
		shell_print(shell, "mode: %s by %s is not possible\n", args[1], args[2]);
		return;
	}
	shell_print(shell, "%dx%d\n", desktop->visible.width, desktop->visible.height);
}

static void run_poweroff(struct shell *shell, int count, char **args)
{
	(void)count;
	(void)args;
	desktop_shut_down(shell->desktop, DESKTOP_POWERING_OFF);
}

static void run_reboot(struct shell *shell, int count, char **args)
{
	(void)count;
	(void)args;
	desktop_shut_down(shell->desktop, DESKTOP_REBOOTING);
}

const struct shell_command shell_system_commands[] = {
	{ "uname", "", "what this is", run_uname },
	{ "uptime", "", "time since the start, resumes", run_uptime },
	{ "mem", "", "memory in use", run_mem },
	{ "devices", "", "hardware that was found", run_devices },
	{ "mode", "[WIDTH HEIGHT]", "screen size", run_mode },
	{ "layout", "[us|de|fr|jp]", "keyboard layout", run_layout },
	{ "pattern", "write N | check", "fill N MiB, verify them", run_pattern },
	{ "serial", "TEXT", "write a line to COM1", run_serial },
	{ "reboot", "", "start the machine anew", run_reboot },
	{ "poweroff", "", "switch the machine off", run_poweroff },
	{ NULL, NULL, NULL, NULL },
};
