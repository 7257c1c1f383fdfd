/* Reading command lines by the tables of arguments.h; getopt_long does the work. */
#include "client/arguments.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"

enum {
	OPTIONS_MAX = 32,
	FIRST_CODE = 256, /* getopt's codes for options: beyond every character */
};

const struct command_option command_common_options[] = {
	{ "control", 0, "PATH", "the daemon's control socket" },
	{ "json", 0, NULL, "print JSON instead of text" },
	{ "help", 'h', NULL, "say how the command is used" },
	{ "version", 'V', NULL, "print the version" },
	{ 0 },
};

struct option_set {
	const struct command_option *options[OPTIONS_MAX];
	struct option long_options[OPTIONS_MAX + 1];
	char letters[3 * OPTIONS_MAX];
	size_t count;
};

static void option_set_add(struct option_set *set, const struct command_option *options)
{
	size_t letters = strlen(set->letters);

	for (; options && options->name && set->count < OPTIONS_MAX; options++) {
		set->options[set->count] = options;
		set->long_options[set->count] = (struct option){
			.name = options->name,
			.has_arg = options->argument ? required_argument : no_argument,
			.val = (int)(FIRST_CODE + set->count),
		};
		set->count++;
		if (options->letter) {
			set->letters[letters++] = options->letter;
			if (options->argument) {
				set->letters[letters++] = ':';
			}
		}
	}
}

static const struct command_option *option_set_find(const struct option_set *set, int code)
{
	if (code >= FIRST_CODE) {
		return set->options[code - FIRST_CODE];
	}
	for (size_t i = 0; i < set->count; i++) {
		if (set->options[i]->letter == code) {
			return set->options[i];
		}
	}
	return NULL;
}

static void report_bad_option(const struct client *client, const char *command,
    const struct option_set *set, const char *given, int code, bool missing)
{
	const char *equals = strchr(given, '=');
	char letter[3] = { '-', (char)code, 0 };
	char hint[128];
	bool known = false;

	snprintf(
	    hint, sizeof(hint), "Options: tanmatsu %s%s--help", command, command[0] ? " " : "");
	if (code > 0 && code < FIRST_CODE && isprint(code)) {
		given = letter;
	}
	for (size_t i = 0; i < set->count; i++) {
		known |= equals && (size_t)(equals - given) == strlen(set->options[i]->name) + 2 &&
			 memcmp(given + 2, set->options[i]->name, strlen(set->options[i]->name)) ==
			     0;
	}
	client_error(client, hint,
	    missing ? "option %s wants an argument"
	    : known ? "option %s takes no argument"
		    : "there is no option %s here",
	    given);
}

int arguments_parse(const struct client *client, const char *command,
    const struct command_option *options, bool stop_at_positional, int argc, char **argv,
    struct arguments *arguments)
{
	struct option_set set = { .letters = "" };
	int code;

	memset(arguments, 0, sizeof(*arguments));
	/* A leading '+' stops at the first positional, ':' tells a missing argument from an unknown option. */
	for (int i = 1; i < argc && arguments->after_dashes == 0; i++) {
		arguments->after_dashes = strcmp(argv[i], "--") == 0 ? (size_t)(argc - i - 1) : 0;
	}
	strcpy(set.letters, stop_at_positional ? "+:" : ":");
	option_set_add(&set, options);
	option_set_add(&set, command_common_options);
	optind = 0; /* glibc: start afresh, also after another command line was parsed */
	opterr = 0;
	while ((code = getopt_long(argc, argv, set.letters, set.long_options, NULL)) != -1) {
		const struct command_option *option = option_set_find(&set, code);

		if (code == '?' || code == ':' || !option) {
			report_bad_option(
			    client, command, &set, argv[optind - 1], optopt, code == ':');
			return -EINVAL;
		}
		if (arguments->given_count == ARGUMENTS_MAX) {
			client_error(client, NULL, "too many options");
			return -EINVAL;
		}
		arguments->given[arguments->given_count].option = option;
		arguments->given[arguments->given_count].value = option->argument ? optarg : NULL;
		arguments->given_count++;
	}
	arguments->positional = argv + optind;
	arguments->positional_count = (size_t)(argc - optind);
	return 0;
}

const char *arguments_get(const struct arguments *arguments, const char *name)
{
	for (size_t i = arguments->given_count; i > 0; i--) {
		if (strcmp(arguments->given[i - 1].option->name, name) == 0) {
			return arguments->given[i - 1].value ? arguments->given[i - 1].value : "";
		}
	}
	return NULL;
}

const char *arguments_positional(const struct arguments *arguments, size_t index)
{
	return index < arguments->positional_count ? arguments->positional[index] : NULL;
}

int arguments_get_number(const struct client *client, const struct arguments *arguments,
    const char *name, unsigned long minimum, unsigned long maximum, unsigned long *number)
{
	const char *text = arguments_get(arguments, name);
	unsigned long value;
	char *end;

	if (!text) {
		return 0;
	}
	errno = 0;
	value = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end || errno || value < minimum ||
	    value > maximum) {
		client_error(client, NULL, "--%s wants a whole number from %lu to %lu, not \"%s\"",
		    name, minimum, maximum, text);
		return -EINVAL;
	}
	*number = value;
	return 0;
}
