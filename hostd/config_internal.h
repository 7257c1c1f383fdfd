/*
 * Between the parts of the configuration: config.c has the files and the whole, config_parse.c the
 * lines, config_table.c the options, config_values.c and config_lists.c their values,
 * config_resolve.c what holds in the end.c and config_lists.c their values. Nobody else includes this.
 */
#pragma once

#include <stdio.h>

#include "hostd/config.h"

enum {
	CONFIG_WHY_MAX = 160,
	CONFIG_OPTIONS_MAX = 64,
};

/*
 * An option: the words for people, and how its value is kept. `parse` and `print` get the address of the section's
 * struct: config_host for [host], config_desktop for [desktop] and [user NAME].
 */
struct config_entry {
	struct config_option option;
	/* 0, or -EINVAL; may say more in `why`. The value has no control characters and no spaces at its ends. */
	int (*parse)(const struct config_entry *entry, void *section, const char *value,
	    char why[CONFIG_WHY_MAX]);
	void (*print)(const struct config_entry *entry, const void *section, FILE *out);
	size_t offset, size;      /* of the value in the section's struct */
	uint64_t least, most;     /* of numbers, in the unit of the file */
	uint64_t scale;           /* what is kept is the file's number times this */
	uint32_t policy_setting;  /* bit in policy.set, or 0 */
	uint32_t desktop_setting; /* bit in config_desktop.set, or 0 */
};

extern const struct config_entry config_entries[];
extern const size_t config_entry_count;

/* Adds a line to the report and counts it. */
void config_report_error(struct config_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void config_report_warning(struct config_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The entry of `key` that may stand in a section of that kind (CONFIG_SECTION_USER: [user NAME]), or NULL. */
const struct config_entry *config_find_entry(enum config_section section, const char *key);

/* Reads decimal digits and moves *text behind them. 0, or -EINVAL: none, or too many. */
int config_read_number(const char **text, uint64_t *number);

/* Parsers and printers of config_values.c and config_lists.c. `size` is that of the text with its NUL. */
int config_parse_text(
    const struct config_entry *entry, void *section, const char *value, char *why);
int config_parse_path(
    const struct config_entry *entry, void *section, const char *value, char *why);
int config_parse_word(
    const struct config_entry *entry, void *section, const char *value, char *why);
int config_parse_priority(
    const struct config_entry *entry, void *section, const char *value, char *why);
int config_parse_u32(const struct config_entry *entry, void *section, const char *value, char *why);
int config_parse_seconds(
    const struct config_entry *entry, void *section, const char *value, char *why);
int config_parse_memory(
    const struct config_entry *entry, void *section, const char *value, char *why);
int config_parse_size(
    const struct config_entry *entry, void *section, const char *value, char *why);
int config_parse_disconnect(
    const struct config_entry *entry, void *section, const char *value, char *why);
int config_parse_yes(const struct config_entry *entry, void *section, const char *value, char *why);
int config_parse_listen(
    const struct config_entry *entry, void *section, const char *value, char *why);
int config_parse_security(
    const struct config_entry *entry, void *section, const char *value, char *why);
int config_parse_names(
    const struct config_entry *entry, void *section, const char *value, char *why);
int config_parse_startup(
    const struct config_entry *entry, void *section, const char *value, char *why);
int config_parse_helpers(
    const struct config_entry *entry, void *section, const char *value, char *why);

void config_print_text(const struct config_entry *entry, const void *section, FILE *out);
void config_print_u32(const struct config_entry *entry, const void *section, FILE *out);
void config_print_u64(const struct config_entry *entry, const void *section, FILE *out);
void config_print_memory(const struct config_entry *entry, const void *section, FILE *out);
void config_print_size(const struct config_entry *entry, const void *section, FILE *out);
void config_print_disconnect(const struct config_entry *entry, const void *section, FILE *out);
void config_print_yes(const struct config_entry *entry, const void *section, FILE *out);
void config_print_listen(const struct config_entry *entry, const void *section, FILE *out);
void config_print_security(const struct config_entry *entry, const void *section, FILE *out);
void config_print_names(const struct config_entry *entry, const void *section, FILE *out);
void config_print_startup(const struct config_entry *entry, const void *section, FILE *out);
void config_print_helpers(const struct config_entry *entry, const void *section, FILE *out);
