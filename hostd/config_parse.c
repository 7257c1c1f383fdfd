/*
 * One file of the configuration: sections and lines. libinih splits a line into key and value; sections and line numbers
 * are followed here, because the library cuts long ones silently and does not report every mistake.
 */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "hostd/config_internal.h"
#include "hostd/users.h"

enum {
	LINE_MAX_BYTES = 2048, /* of a line with its end and a NUL */
};

static const char allowed_sections[] = "allowed sections: [host], [desktop], [user NAME]";

/* Where a key was set in this file, by the entry's index; 0: not yet. */
struct notes {
	uint32_t line[CONFIG_OPTIONS_MAX];
};

struct parser {
	struct config *config;
	struct config_report *report;
	const char *name; /* of the file */
	const char *rest; /* text not yet read */
	uint32_t line;
	bool pending; /* the line must reach the handler, or it is no "key = value" */
	enum config_section section;
	enum {
		SECTION_NONE = 0, /* before the first */
		SECTION_GOOD,
		SECTION_BAD, /* reported; what stands in it is passed over */
	} state;
	struct config_user *user; /* of [user NAME]; valid until the next section */
	struct notes host, desktop;
	struct notes *users; /* by index */
	size_t user_notes;
};

/* The user's section, a new one at the end if need be; NULL when that is not possible (reported). */
static struct config_user *open_user(struct parser *parser, const char *name)
{
	struct config *config = parser->config;
	struct config_user *users;
	struct notes *notes;
	size_t index = 0;

	while (index < config->user_count && strcmp(config->users[index].name, name) != 0) {
		index++;
	}
	if (index == config->user_count) {
		if (index == CONFIG_USERS_MAX) {
			config_report_error(parser->report,
			    "%s:%u: more than %d users have a section of their own", parser->name,
			    parser->line, CONFIG_USERS_MAX);
			return NULL;
		}
		users = realloc(config->users, (index + 1) * sizeof(*users));
		if (!users) {
			config_report_error(
			    parser->report, "%s:%u: out of memory", parser->name, parser->line);
			return NULL;
		}
		config->users = users;
		memset(&users[index], 0, sizeof(*users));
		snprintf(users[index].name, sizeof(users[index].name), "%s", name);
		config->user_count++;
	}
	if (parser->user_notes < config->user_count) {
		notes = realloc(parser->users, config->user_count * sizeof(*notes));
		if (!notes) {
			config_report_error(
			    parser->report, "%s:%u: out of memory", parser->name, parser->line);
			return NULL;
		}
		memset(&notes[parser->user_notes], 0,
		    (config->user_count - parser->user_notes) * sizeof(*notes));
		parser->users = notes;
		parser->user_notes = config->user_count;
	}
	return &config->users[index];
}

/* A line that begins with '['. `text` is changed. */
static void enter_section(struct parser *parser, char *text)
{
	char *end = strchr(text, ']');
	char *name = text + 1;

	parser->state = SECTION_BAD;
	parser->user = NULL;
	if (!end || end[1 + strspn(end + 1, " \t\r\n")]) {
		config_report_error(parser->report, "%s:%u: a section's line ends with its ]; %s",
		    parser->name, parser->line, allowed_sections);
		return;
	}
	*end = '\0';
	if (strcmp(name, "host") == 0) {
		parser->section = CONFIG_SECTION_HOST;
		parser->state = SECTION_GOOD;
	} else if (strcmp(name, "desktop") == 0) {
		parser->section = CONFIG_SECTION_DESKTOP;
		parser->state = SECTION_GOOD;
	} else if (strncmp(name, "user ", 5) == 0) {
		name += 5 + strspn(name + 5, " \t");
		if (!users_name_valid(name)) {
			config_report_error(parser->report,
			    "%s:%u: [user %s]: not a user's name; allowed: 1 to %d of A-Z a-z 0-9 "
			    ". _ @ + - $, "
			    "beginning with a letter, a digit or _",
			    parser->name, parser->line, name, USERS_NAME_MAX - 1);
			return;
		}
		parser->section = CONFIG_SECTION_USER;
		parser->user = open_user(parser, name);
		parser->state = parser->user ? SECTION_GOOD : SECTION_BAD;
	} else {
		config_report_error(parser->report, "%s:%u: unknown section [%s]; %s", parser->name,
		    parser->line, name, allowed_sections);
	}
}

static void unknown_key(struct parser *parser, const char *key)
{
	char keys[1024] = "";
	size_t length = 0;

	for (size_t i = 0; i < config_entry_count; i++) {
		const struct config_entry *entry = &config_entries[i];

		if (config_find_entry(parser->section, entry->option.key) != entry) {
			continue;
		}
		length += (size_t)snprintf(keys + length, sizeof(keys) - length, "%s%s",
		    length ? ", " : "", entry->option.key);
		if (length >= sizeof(keys)) {
			break;
		}
	}
	config_report_error(parser->report, "%s:%u: unknown key \"%.64s\"; allowed keys here: %s",
	    parser->name, parser->line, key, keys);
}

static bool has_control_characters(const char *value)
{
	for (; *value; value++) {
		if (iscntrl((unsigned char)*value) && *value != '\t') {
			return true;
		}
	}
	return false;
}

static void set_value(struct parser *parser, const char *key, const char *value)
{
	const struct config_entry *entry = config_find_entry(parser->section, key);
	struct config_desktop *desktop = parser->user ? &parser->user->desktop
						      : &parser->config->desktop;
	bool host = parser->section == CONFIG_SECTION_HOST;
	struct notes *notes = host           ? &parser->host
			      : parser->user ? &parser->users[parser->user - parser->config->users]
					     : &parser->desktop;
	char why[CONFIG_WHY_MAX] = "";
	uint32_t *line;

	if (!entry) {
		unknown_key(parser, key);
		return;
	}
	line = &notes->line[entry - config_entries];
	if (*line) {
		config_report_error(parser->report, "%s:%u: %s: set already on line %u",
		    parser->name, parser->line, key, *line);
		return;
	}
	*line = parser->line;
	if (has_control_characters(value)) {
		config_report_error(parser->report,
		    "%s:%u: %s: the value has control characters in it", parser->name, parser->line,
		    key);
		return;
	}
	if (entry->parse(entry, host ? (void *)&parser->config->host : desktop, value, why)) {
		config_report_error(parser->report, "%s:%u: %s = %.200s: %s%sallowed: %s",
		    parser->name, parser->line, key, value, why, why[0] ? "; " : "",
		    entry->option.allowed);
		return;
	}
	if (!host) {
		desktop->policy.set |= entry->policy_setting;
		desktop->set |= entry->desktop_setting;
	}
}

/* From libinih: "key = value". Its idea of the section is not used. */
static int on_key(void *context, const char *section, const char *key, const char *value)
{
	struct parser *parser = context;

	(void)section;
	parser->pending = false;
	if (parser->state == SECTION_GOOD) {
		set_value(parser, key, value);
	} else if (parser->state == SECTION_NONE) {
		config_report_error(parser->report,
		    "%s:%u: \"%.64s\" stands before the first section; %s", parser->name,
		    parser->line, key, allowed_sections);
	}
	return 1;
}

static void check_pending(struct parser *parser)
{
	if (parser->pending) {
		config_report_error(parser->report,
		    "%s:%u: not understood; allowed: [section], key = value, # comment",
		    parser->name, parser->line);
		parser->pending = false;
	}
}

/* For libinih, in the manner of fgets(): the next line, or an empty one where it is dealt with here. */
static char *read_line(char *buffer, int size, void *context)
{
	struct parser *parser = context;
	const char *end = strchr(parser->rest, '\n');
	size_t length = end ? (size_t)(end - parser->rest) + 1 : strlen(parser->rest);
	const char *line = parser->rest;
	char *start;

	check_pending(parser);
	if (!length) {
		return NULL;
	}
	assert(size >= LINE_MAX_BYTES);
	parser->rest += length;
	parser->line++;
	strcpy(buffer, "\n");
	if (length >= LINE_MAX_BYTES) {
		config_report_error(parser->report, "%s:%u: longer than %d bytes", parser->name,
		    parser->line, LINE_MAX_BYTES - 1);
		return buffer;
	}
	memcpy(buffer, line, length);
	buffer[length] = '\0';
	start = buffer + strspn(buffer, " \t\r\n");
	if (*start == '[') {
		enter_section(parser, start);
		strcpy(buffer, "\n");
	} else if (*start && *start != '#' && *start != ';') {
		parser->pending = true;
	}
	return buffer;
}

void config_parse(
    struct config *config, const char *name, const char *text, struct config_report *report)
{
	struct parser parser = { .config = config, .report = report, .name = name, .rest = text };

	/* The library's settings are variables of its own; these are set once and for all, to the same each time: lines
	 * as long as ours, and neither continuation lines nor comments behind a value, which would cut values silently. */
	ini_use_stack = false;
	ini_initial_alloc = LINE_MAX_BYTES;
	ini_allow_realloc = false;
	ini_max_line = LINE_MAX_BYTES;
	ini_allow_multiline = false;
	ini_allow_inline_comments = false;
	ini_stop_on_first_error = false;
	if (ini_parse_stream(read_line, &parser, on_key, &parser) == -2) {
		config_report_error(report, "%s: out of memory", name);
	}
	check_pending(&parser);
	free(parser.users);
}
