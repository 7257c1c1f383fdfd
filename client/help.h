/* What `--help` and `--version` print, made from the table of commands. */
#pragma once

#include <stdio.h>

#include "base/must_check.h"

struct client;
struct command;

void help_print_all(const struct client *client, FILE *file);
void help_print_command(const struct client *client, const struct command *command);
/* The version of this command alone. Returns CLIENT_DONE. */
must_check int help_print_version(const struct client *client);
