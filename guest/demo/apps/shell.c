/* Splitting lines, redirection, history, completion; the commands are in commands.c and system.c.
 */
#include "apps/shell.h"

#include "lib/text.h"

#include <string.h>

#define CAPTURE_SIZE 8192

static void emit(struct shell *shell, const char *text)
{
	size_t length = text_length(text);

	if (!shell->capture) {
		shell->print(shell->context, text);
	} else if (shell->capture_size + length < CAPTURE_SIZE) {
		memcpy(shell->capture + shell->capture_size, text, length);
		shell->capture_size += length;
	}
}

void shell_print(struct shell *shell, const char *format, ...)
{
	char text[500];
	va_list args;

	va_start(args, format);
	(void)text_vformat(text, sizeof(text), format, args);
	va_end(args);
	emit(shell, text);
}

static const struct shell_command *find_in(const struct shell_command *table, const char *name)
{
	for (; table->name; table++) {
		if (text_equal(table->name, name)) {
			return table;
		}
	}
	return NULL;
}

const struct shell_command *shell_find_command(const char *name)
{
	const struct shell_command *command = find_in(shell_commands, name);

	return command ? command : find_in(shell_system_commands, name);
}

/* Cuts `line` into words in place; quotes keep blanks. Returns the number of words. */
static int split(char *line, char **args)
{
	char *out = line;
	int count = 0;

	while (count < SHELL_MAX_ARGS) {
		char quote = 0;

		while (*line == ' ') {
			line++;
		}
		if (!*line) {
			break;
		}
		args[count++] = out;
		for (; *line && (quote || *line != ' '); line++) {
			if (*line == quote) {
				quote = 0;
			} else if (!quote && (*line == '"' || *line == '\'')) {
				quote = *line;
			} else {
				*out++ = *line;
			}
		}
		line += *line != '\0';
		*out++ = '\0';
	}
	return count;
}

/* Takes "> FILE" or ">> FILE" off the end of the words; returns the file or NULL. */
static const char *take_redirection(int *count, char **args, bool *append)
{
	for (int i = 1; i + 1 < *count; i++) {
		*append = text_equal(args[i], ">>");
		if (*append || text_equal(args[i], ">")) {
			*count = i;
			return args[i + 1];
		}
	}
	return NULL;
}

static void store_capture(struct shell *shell, const char *name, bool append)
{
	struct fs *fs = &shell->desktop->fs;
	struct fs_file *file = append ? fs_find(fs, name) : NULL;
	size_t before = file ? file->size : 0;
	char *whole = heap_alloc(shell->desktop->heap, before + shell->capture_size);
	int error = -1;

	if (whole) {
		if (before > 0) {
			memcpy(whole, file->data, before);
		}
		memcpy(whole + before, shell->capture, shell->capture_size);
		error = fs_write(fs, name, whole, before + shell->capture_size);
	}
	heap_free(shell->desktop->heap, whole);
	heap_free(shell->desktop->heap, shell->capture);
	shell->capture = NULL;
	if (error) {
		shell_print(shell, "%s: cannot be written\n", name);
	}
}

void shell_run(struct shell *shell, const char *line)
{
	char copy[SHELL_LINE_SIZE + 1];
	char *args[SHELL_MAX_ARGS];
	const struct shell_command *command;
	const char *file;
	bool append = false;
	int count;

	text_copy(copy, SHELL_LINE_SIZE, line);
	count = split(copy, args);
	if (count == 0) {
		return;
	}
	text_copy(shell->history[shell->history_count++ % SHELL_HISTORY], SHELL_LINE_SIZE, line);
	command = shell_find_command(args[0]);
	if (!command) {
		shell_print(shell, "%s: no such command. Try \x1b[32mhelp\x1b[0m.\n", args[0]);
		return;
	}
	file = take_redirection(&count, args, &append);
	if (file) {
		shell->capture = heap_alloc(shell->desktop->heap, CAPTURE_SIZE);
		shell->capture_size = 0;
	}
	command->run(shell, count, args);
	if (file && shell->capture) {
		store_capture(shell, file, append);
	}
}

/* Adds the rest of `candidate` to what was found so far: the part that all candidates share. */
static void merge(const char *candidate, const char *word, char *found, size_t size, int *matches)
{
	size_t i = 0;

	if (!text_starts(candidate, word)) {
		return;
	}
	if ((*matches)++ == 0) {
		text_copy(found, size, candidate);
		return;
	}
	while (found[i] && found[i] == candidate[i]) {
		i++;
	}
	found[i] = '\0';
}

bool shell_complete(struct shell *shell, char *line, size_t size)
{
	size_t length = text_length(line);
	size_t start = length;
	char found[64] = "";
	int matches = 0;

	while (start > 0 && line[start - 1] != ' ') {
		start--;
	}
	if (start == 0) {
		for (const struct shell_command *c = shell_commands; c->name; c++) {
			merge(c->name, line, found, sizeof(found), &matches);
		}
		for (const struct shell_command *c = shell_system_commands; c->name; c++) {
			merge(c->name, line, found, sizeof(found), &matches);
		}
	} else {
		for (int i = 0; i < FS_MAX_FILES; i++) {
			if (shell->desktop->fs.files[i].name[0]) {
				merge(shell->desktop->fs.files[i].name, line + start, found,
				    sizeof(found), &matches);
			}
		}
	}
	if (matches == 0) {
		return false;
	}
	text_copy(line + start, size - start, found);
	if (matches == 1 && text_length(line) + 1 < size) {
		text_copy(line + text_length(line), 2, " ");
	}
	return text_length(line) != length;
}
