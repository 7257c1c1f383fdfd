/*
 * Command lines, read by a table: what `--help` says, what is accepted and what the completions and manual pages are
 * tested against is one and the same list.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/must_check.h"

struct client;

/* The end of a list of options is an entry without a name. */
struct command_option {
	const char *name;     /* without the dashes */
	char letter;          /* 0: no short form */
	const char *argument; /* how its argument is called in the help, NULL when it takes none */
	const char *help;     /* one line */
};

enum {
	ARGUMENTS_MAX = 64,     /* options given on one command line */
	ARGUMENTS_WORDS = 4096, /* positional arguments of a command that runs another one */
};

/* A command line after parsing. Strings are argv's. */
struct arguments {
	char **positional;
	size_t positional_count;
	size_t after_dashes; /* how many of them stood behind "--" */
	struct {
		const struct command_option *option;
		const char *value; /* NULL for an option without argument */
	} given[ARGUMENTS_MAX];
	size_t given_count;
};

struct command {
	const char *name;
	const char *usage;                    /* the positional arguments, "[SESSION] FILE.png" */
	const char *summary;                  /* one line, without a full stop */
	const struct command_option *options; /* besides the common ones; may be NULL */
	size_t positional_min, positional_max;
	bool prints; /* takes --json */
	int (*run)(struct client *client, const struct arguments *arguments);
};

/* Every command, in the order of the help; ends with an entry without a name. */
extern const struct command command_table[];
/* Options of every command and of the program itself: --control, --json, --help, --version. */
extern const struct command_option command_common_options[];

const struct command *command_find(const char *name);

/*
 * Parses argv[1...] by `options` and the common ones. With `stop_at_positional` the first argument that is no option
 * ends it (for what stands before the command's name). Returns 0, or -EINVAL after saying what is wrong on client->err.
 */
must_check int arguments_parse(const struct client *client, const char *command,
    const struct command_option *options, bool stop_at_positional, int argc, char **argv,
    struct arguments *arguments);

/* The value of the last `--name`, or NULL; for an option without argument: a string that is not NULL when given. */
const char *arguments_get(const struct arguments *arguments, const char *name);
/* The positional argument at `index`, or NULL. */
const char *arguments_positional(const struct arguments *arguments, size_t index);
/* Reads a whole number in [minimum, maximum]. 0, or -EINVAL after saying that `--name` wants one. */
must_check int arguments_get_number(const struct client *client, const struct arguments *arguments,
    const char *name, unsigned long minimum, unsigned long maximum, unsigned long *number);
