/* Help texts, made from the table of commands so that the two cannot differ. See help.h. */
#include "client/help.h"

#include <string.h>

#include "client/arguments.h"
#include "client/client.h"
#include "client/command.h"
#include "version.h"

enum {
	OPTION_COLUMN = 26, /* where the explanation of an option begins */
};

static void print_options(FILE *file, const struct command_option *options, bool with_json)
{
	for (; options && options->name; options++) {
		char left[64];

		if (!with_json && strcmp(options->name, "json") == 0) {
			continue;
		}
		snprintf(left, sizeof(left), "  %c%c%c --%s%s%s", options->letter ? '-' : ' ',
		    options->letter ? options->letter : ' ', options->letter ? ',' : ' ',
		    options->name, options->argument ? " " : "",
		    options->argument ? options->argument : "");
		if (strlen(left) < OPTION_COLUMN) {
			fprintf(file, "%-*s%s\n", OPTION_COLUMN, left, options->help);
		} else {
			fprintf(file, "%s\n%*s%s\n", left, OPTION_COLUMN, "", options->help);
		}
	}
}

void help_print_all(const struct client *client, FILE *file)
{
	(void)client;
	fputs("Usage: tanmatsu [--control PATH] [--json] COMMAND [ARGUMENTS]\n"
	      "\n"
	      "The desktops of this host: a virtual machine per user, for any VNC viewer.\n"
	      "Without SESSION a command is about your own desktop.\n"
	      "\n",
	    file);
	for (const struct command *command = command_table; command->name; command++) {
		fprintf(file, "  %-12s %s\n", command->name, command->summary);
	}
	fputs("\n", file);
	print_options(file, command_common_options, true);
	fputs("\n"
	      "Exit status: 0 done, 1 failed, 2 usage, 3 not running, 4 not found, 77 denied.\n"
	      "More: tanmatsu COMMAND --help, man tanmatsu\n",
	    file);
}

void help_print_command(const struct client *client, const struct command *command)
{
	fprintf(client->out, "Usage: tanmatsu %s%s%s [OPTIONS]\n\n%s.\n\n", command->name,
	    command->usage[0] ? " " : "", command->usage, command->summary);
	print_options(client->out, command->options, false);
	print_options(client->out, command_common_options, command->prints);
}

int help_print_version(const struct client *client)
{
	if (client->json) {
		return client_print_json_take(
		    client, json_pack("{s:s}", "version", TANMATSU_VERSION));
	}
	fprintf(client->out, "tanmatsu %s\n", TANMATSU_VERSION);
	return CLIENT_DONE;
}

static json_t *options_to_json(const struct command_option *options, bool with_json)
{
	json_t *list = json_array();

	for (; options && options->name; options++) {
		const char letter[2] = { options->letter, 0 };

		if (!with_json && strcmp(options->name, "json") == 0) {
			continue;
		}
		json_array_append_new(
		    list, json_pack("{s:s, s:s, s:s?, s:s}", "name", options->name, "letter",
			      letter, "argument", options->argument, "help", options->help));
	}
	return list;
}

/* For the tests of completions and manual pages, and for whoever builds on the command. */
static int print_json(const struct client *client)
{
	json_t *commands = json_array();

	for (const struct command *command = command_table; command->name; command++) {
		json_t *options = options_to_json(command->options, false);

		json_array_append_new(
		    commands, json_pack("{s:s, s:s, s:s, s:b, s:o}", "name", command->name, "usage",
				  command->usage, "summary", command->summary, "json",
				  command->prints, "options", options));
	}
	return client_print_json_take(
	    client, json_pack("{s:o, s:o}", "commands", commands, "options",
			options_to_json(command_common_options, true)));
}

int command_help(struct client *client, const struct arguments *arguments)
{
	const char *name = arguments_positional(arguments, 0);
	const struct command *command;

	if (client->json) {
		return print_json(client);
	}
	if (!name) {
		help_print_all(client, client->out);
		return CLIENT_DONE;
	}
	command = command_find(name);
	if (!command) {
		client_error(client, "Commands: tanmatsu help", "there is no command \"%s\"", name);
		return CLIENT_USAGE;
	}
	help_print_command(client, command);
	return CLIENT_DONE;
}
