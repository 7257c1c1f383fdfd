/*
 * The shell: splits a line, runs a command of its table, prints through a callback. It knows the
 * desktop (files, clock, devices, power) but no window, so that tests run it alone.
 */
#pragma once

#include "ui/desktop.h"

#define SHELL_LINE_SIZE 256
#define SHELL_HISTORY   32
#define SHELL_MAX_ARGS  16

struct shell {
	struct desktop *desktop;
	void *context;
	/* Prints UTF-8 text; may hold ESC [ n m. */
	void (*print)(void *context, const char *text);
	/* Clears the screen; and closes the terminal. */
	void (*clear)(void *context);
	void (*leave)(void *context);
	char history[SHELL_HISTORY][SHELL_LINE_SIZE];
	int history_count; /* lines ever entered; line n is in slot n % SHELL_HISTORY */
	/* While "NAME > FILE" runs, output gathers here instead of being printed. */
	char *capture;
	size_t capture_size;
};

/* Runs one line and adds it to the history. */
void shell_run(struct shell *shell, const char *line);

/* printf() to the terminal, at most 500 bytes. */
void shell_print(struct shell *shell, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Completes the word before the end of `line` from commands and files, in place; false if nothing
 * was added. */
bool shell_complete(struct shell *shell, char *line, size_t size);

/* One command; args[0] is its name. */
struct shell_command {
	const char *name;
	const char *usage; /* arguments, for help */
	const char *help;
	void (*run)(struct shell *shell, int count, char **args);
};

/* commands.c (everyday) and system.c (machine): both tables end with a NULL name. */
extern const struct shell_command shell_commands[];
extern const struct shell_command shell_system_commands[];
/* The command of that name, or NULL. */
const struct shell_command *shell_find_command(const char *name);

/* calc.c: value of an arithmetic expression as text, or an error message (then false). */
bool calc_evaluate(const char *expression, char *result, size_t size);
