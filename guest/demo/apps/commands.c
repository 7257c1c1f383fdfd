/* The shell's everyday commands: files, time, fun. Machine commands are in system.c. */
#include "apps/shell.h"

#include "lib/text.h"
#include "ui/parts.h"

static void run_help(struct shell *shell, int count, char **args)
{
	const struct shell_command *const tables[] = { shell_commands, shell_system_commands };

	(void)count;
	(void)args;
	for (int t = 0; t < 2; t++) {
		for (const struct shell_command *c = tables[t]; c->name; c++) {
			char head[48];

			text_format(head, sizeof(head), "%s %s", c->name, c->usage);
			shell_print(shell, "  \x1b[32m%-24s\x1b[0m %s\n", head, c->help);
		}
	}
}

static void run_echo(struct shell *shell, int count, char **args)
{
	for (int i = 1; i < count; i++) {
		shell_print(shell, "%s%s", i > 1 ? " " : "", args[i]);
	}
	shell_print(shell, "\n");
}

static void run_ls(struct shell *shell, int count, char **args)
{
	struct fs *fs = &shell->desktop->fs;

	(void)count;
	(void)args;
	for (int i = 0; i < FS_MAX_FILES; i++) {
		if (fs->files[i].name[0]) {
			shell_print(shell, "  %8zu  \x1b[36m%s\x1b[0m\n", fs->files[i].size,
			    fs->files[i].name);
		}
	}
}

static void print_file(struct shell *shell, const struct fs_file *file)
{
	char piece[257];
	size_t at = 0;

	while (at < file->size) {
		size_t size = file->size - at < 256 ? file->size - at : 256;

		/* Do not cut a character in two. */
		while (
		    size > 1 && at + size < file->size && (file->data[at + size] & 0xc0) == 0x80) {
			size--;
		}
		for (size_t i = 0; i < size; i++) {
			piece[i] = file->data[at + i];
		}
		piece[size] = '\0';
		shell_print(shell, "%s", piece);
		at += size;
	}
	if (file->size > 0 && file->data[file->size - 1] != '\n') {
		shell_print(shell, "\n");
	}
}

static void run_cat(struct shell *shell, int count, char **args)
{
	for (int i = 1; i < count; i++) {
		struct fs_file *file = fs_find(&shell->desktop->fs, args[i]);

		if (file) {
			print_file(shell, file);
		} else {
			shell_print(shell, "cat: %s: no such file\n", args[i]);
		}
	}
}

static void run_rm(struct shell *shell, int count, char **args)
{
	for (int i = 1; i < count; i++) {
		if (!fs_remove(&shell->desktop->fs, args[i])) {
			shell_print(shell, "rm: %s: no such file\n", args[i]);
		}
	}
}

static void run_cp(struct shell *shell, int count, char **args)
{
	struct fs_file *file = count == 3 ? fs_find(&shell->desktop->fs, args[1]) : NULL;

	if (!file) {
		shell_print(shell, "cp: name a file and its copy\n");
	} else if (fs_write(&shell->desktop->fs, args[2], file->data, file->size) != 0) {
		shell_print(shell, "cp: %s: cannot be written\n", args[2]);
	}
}

static void run_edit(struct shell *shell, int count, char **args)
{
	if (count > 1 && !fs_name_valid(args[1])) {
		shell_print(shell, "edit: %s: not a file name\n", args[1]);
		return;
	}
	(void)wm_open(shell->desktop, &app_editor, count > 1 ? args[1] : NULL);
}

static void run_open(struct shell *shell, int count, char **args)
{
	for (int i = 0; count > 1 && i < DESKTOP_APP_COUNT; i++) {
		if (text_equal(desktop_apps[i]->id, args[1])) {
			(void)wm_open(shell->desktop, desktop_apps[i], count > 2 ? args[2] : NULL);
			return;
		}
	}
	shell_print(shell, "open: terminal, editor, paint, monitor or inputtest\n");
}

static void run_date(struct shell *shell, int count, char **args)
{
	int zone = shell->desktop->timezone_minutes;
	int size = zone < 0 ? -zone : zone;
	char text[48];

	(void)count;
	(void)args;
	calendar_format_full(desktop_local_time(shell->desktop), text, sizeof(text));
	shell_print(shell, "%s UTC%c%02d:%02d\n", text, zone < 0 ? '-' : '+', size / 60, size % 60);
}

static void run_clear(struct shell *shell, int count, char **args)
{
	(void)count;
	(void)args;
	shell->clear(shell->context);
}

static void run_history(struct shell *shell, int count, char **args)
{
	int first = shell->history_count > SHELL_HISTORY ? shell->history_count - SHELL_HISTORY : 0;

	(void)count;
	(void)args;
	for (int i = first; i < shell->history_count; i++) {
		shell_print(shell, "  %3d  %s\n", i + 1, shell->history[i % SHELL_HISTORY]);
	}
}

/* Joins all arguments with blanks. */
static void join(char *text, size_t size, int count, char **args)
{
	size_t at = 0;

	text[0] = '\0';
	for (int i = 1; i < count; i++) {
		at += text_format(text + at, size - at, "%s%s", i > 1 ? " " : "", args[i]);
	}
}

static void run_calc(struct shell *shell, int count, char **args)
{
	char expression[SHELL_LINE_SIZE];
	char result[64];

	join(expression, sizeof(expression), count, args);
	if (calc_evaluate(expression, result, sizeof(result))) {
		shell_print(shell, "%s\n", result);
	} else {
		shell_print(shell, "calc: %s\n", result);
	}
}

static void run_cowsay(struct shell *shell, int count, char **args)
{
	char words[64];
	int length = 0;

	join(words, sizeof(words), count, args);
	if (!words[0]) {
		text_copy(words, sizeof(words), "moo, wherever you log in");
	}
	for (const char *c = words; *c; c++) {
		length += (*c & 0xc0) != 0x80;
	}
	shell_print(shell, "  ");
	for (int i = 0; i < length + 2; i++) {
		shell_print(shell, "_");
	}
	shell_print(shell, "\n < %s >\n  ", words);
	for (int i = 0; i < length + 2; i++) {
		shell_print(shell, "-");
	}
	shell_print(shell, "\n        \\   ^__^\n"
			   "         \\  (oo)\\_______\n"
			   "            (__)\\       )\\/\\\n"
			   "                ||----w |\n"
			   "                ||     ||\n");
}

static void run_whoami(struct shell *shell, int count, char **args)
{
	(void)count;
	(void)args;
	shell_print(shell, "%s\n", shell->desktop->user[0] ? shell->desktop->user : "guest");
}

static void run_exit(struct shell *shell, int count, char **args)
{
	(void)count;
	(void)args;
	shell->leave(shell->context);
}

const struct shell_command shell_commands[] = {
	{ "help", "", "this list", run_help },
	{ "ls", "", "list files", run_ls },
	{ "cat", "FILE...", "show files", run_cat },
	{ "edit", "[FILE]", "open the text editor", run_edit },
	{ "cp", "FILE COPY", "copy a file", run_cp },
	{ "rm", "FILE...", "remove files", run_rm },
	{ "echo", "TEXT [> FILE]", "print, or write to a file", run_echo },
	{ "open", "PROGRAM", "start a program", run_open },
	{ "calc", "EXPRESSION", "calculate, as in 2*(3+4)", run_calc },
	{ "date", "", "date and time", run_date },
	{ "history", "", "lines entered before", run_history },
	{ "whoami", "", "your name", run_whoami },
	{ "cowsay", "[TEXT]", "a cow with something to say", run_cowsay },
	{ "clear", "", "clear the screen", run_clear },
	{ "exit", "", "close the terminal", run_exit },
	{ NULL, NULL, NULL, NULL },
};
