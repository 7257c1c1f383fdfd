/*
 * How the values of options are read and printed. A value is hostile text without control characters; nothing is
 * changed unless it is good as a whole.
 */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <inttypes.h>
#include <string.h>

#include "hostd/config_internal.h"

static void *field(const struct config_entry *entry, void *section)
{
	return (char *)section + entry->offset;
}

static const void *const_field(const struct config_entry *entry, const void *section)
{
	return (const char *)section + entry->offset;
}

static bool is_none(const char *value)
{
	return strcmp(value, "none") == 0;
}

int config_read_number(const char **text, uint64_t *number)
{
	uint64_t value = 0;
	const char *c = *text;

	if (*c < '0' || *c > '9') {
		return -EINVAL;
	}
	for (; *c >= '0' && *c <= '9'; c++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*c - '0'), &value)) {
			return -EINVAL;
		}
	}
	*text = c;
	*number = value;
	return 0;
}

static int check_range(const struct config_entry *entry, uint64_t number, char *why)
{
	if (number < entry->least || number > entry->most) {
		snprintf(why, CONFIG_WHY_MAX, "%" PRIu64 " is out of range", number);
		return -EINVAL;
	}
	return 0;
}

/* --- texts -------------------------------------------------------------------------------------------------------- */

int config_parse_text(const struct config_entry *entry, void *section, const char *value, char *why)
{
	size_t length = strlen(value);

	if (length >= entry->size) {
		snprintf(why, CONFIG_WHY_MAX, "longer than %zu bytes", entry->size - 1);
		return -EINVAL;
	}
	memcpy(field(entry, section), value, length + 1);
	return 0;
}

int config_parse_path(const struct config_entry *entry, void *section, const char *value, char *why)
{
	/* "control", "state" and "runtime" cannot be done without. */
	if (is_none(value) && strstr(entry->option.allowed, "none")) {
		value = "";
	} else if (value[0] != '/') {
		snprintf(why, CONFIG_WHY_MAX, "not an absolute path");
		return -EINVAL;
	}
	return config_parse_text(entry, section, value, why);
}

int config_parse_word(const struct config_entry *entry, void *section, const char *value, char *why)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

	if (is_none(value) && strstr(entry->option.allowed, "none")) {
		value = "";
	} else if (!value[0] || value[0] == '-' || value[strspn(value, letters)]) {
		snprintf(why, CONFIG_WHY_MAX, "not a plain word");
		return -EINVAL;
	}
	return config_parse_text(entry, section, value, why);
}

/* Asked of the library itself, which also knows what the system's policy allows. */
int config_parse_priority(
    const struct config_entry *entry, void *section, const char *value, char *why)
{
	gnutls_priority_t priority = NULL;
	const char *at = value;
	int code = gnutls_priority_init(&priority, value, &at);

	if (code < 0) {
		snprintf(why, CONFIG_WHY_MAX, "GnuTLS does not understand \"%.80s\"", at ? at : "");
		return -EINVAL;
	}
	gnutls_priority_deinit(priority);
	return config_parse_text(entry, section, value, why);
}

void config_print_text(const struct config_entry *entry, const void *section, FILE *out)
{
	const char *text = const_field(entry, section);

	fputs(text[0] || !strstr(entry->option.allowed, "none") ? text : "none", out);
}

/* --- numbers ------------------------------------------------------------------------------------------------------ */

int config_parse_u32(const struct config_entry *entry, void *section, const char *value, char *why)
{
	uint64_t number;

	if (config_read_number(&value, &number) || *value) {
		snprintf(why, CONFIG_WHY_MAX, "not a number");
		return -EINVAL;
	}
	if (check_range(entry, number, why)) {
		return -EINVAL;
	}
	*(uint32_t *)field(entry, section) = (uint32_t)(number * entry->scale);
	return 0;
}

void config_print_u32(const struct config_entry *entry, const void *section, FILE *out)
{
	const uint32_t *number = const_field(entry, section);

	fprintf(out, "%" PRIu64, *number / entry->scale);
}

int config_parse_seconds(
    const struct config_entry *entry, void *section, const char *value, char *why)
{
	static const struct {
		const char *unit;
		uint64_t seconds;
	} units[] = { { "", 1 }, { "s", 1 }, { "min", 60 }, { "h", 3600 } };
	uint64_t number;

	if (config_read_number(&value, &number)) {
		snprintf(why, CONFIG_WHY_MAX, "not a number");
		return -EINVAL;
	}
	value += strspn(value, " \t");
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(value, units[i].unit) != 0) {
			continue;
		}
		if (__builtin_mul_overflow(number, units[i].seconds, &number) ||
		    check_range(entry, number, why)) {
			return -EINVAL;
		}
		if (entry->size == sizeof(uint32_t)) {
			*(uint32_t *)field(entry, section) = (uint32_t)(number * entry->scale);
		} else {
			*(uint64_t *)field(entry, section) = number * entry->scale;
		}
		return 0;
	}
	snprintf(why, CONFIG_WHY_MAX, "the unit is none of s, min, h");
	return -EINVAL;
}

void config_print_u64(const struct config_entry *entry, const void *section, FILE *out)
{
	const uint64_t *number = const_field(entry, section);

	fprintf(out, "%" PRIu64, *number / entry->scale);
}

int config_parse_memory(
    const struct config_entry *entry, void *section, const char *value, char *why)
{
	static const char *const mebibytes[] = { "", "M", "MiB", "MB" };
	static const char *const gibibytes[] = { "G", "GiB", "GB" };
	uint64_t number, unit = 0;

	if (config_read_number(&value, &number)) {
		snprintf(why, CONFIG_WHY_MAX, "not a number");
		return -EINVAL;
	}
	value += strspn(value, " \t");
	for (size_t i = 0; i < sizeof(mebibytes) / sizeof(mebibytes[0]); i++) {
		unit = strcmp(value, mebibytes[i]) == 0 ? 1 : unit;
	}
	for (size_t i = 0; i < sizeof(gibibytes) / sizeof(gibibytes[0]); i++) {
		unit = strcmp(value, gibibytes[i]) == 0 ? 1024 : unit;
	}
	if (!unit) {
		snprintf(why, CONFIG_WHY_MAX, "the unit is neither M nor G");
		return -EINVAL;
	}
	if (__builtin_mul_overflow(number, unit, &number) || check_range(entry, number, why)) {
		return -EINVAL;
	}
	*(uint32_t *)field(entry, section) = (uint32_t)number;
	return 0;
}

void config_print_memory(const struct config_entry *entry, const void *section, FILE *out)
{
	const uint32_t *number = const_field(entry, section);

	fprintf(out, "%" PRIu32 "M", *number);
}

/* `width`, and `height` behind it. */
int config_parse_size(const struct config_entry *entry, void *section, const char *value, char *why)
{
	struct config_desktop *desktop = section;
	uint64_t width, height;

	if (config_read_number(&value, &width) || *value++ != 'x' ||
	    config_read_number(&value, &height) || *value) {
		return -EINVAL;
	}
	if (check_range(entry, width, why) || check_range(entry, height, why)) {
		return -EINVAL;
	}
	desktop->policy.values.width = (uint32_t)width;
	desktop->policy.values.height = (uint32_t)height;
	return 0;
}

void config_print_size(const struct config_entry *entry, const void *section, FILE *out)
{
	const struct config_desktop *desktop = section;

	(void)entry;
	fprintf(out, "%" PRIu32 "x%" PRIu32, desktop->policy.values.width,
	    desktop->policy.values.height);
}

int config_parse_disconnect(
    const struct config_entry *entry, void *section, const char *value, char *why)
{
	(void)why;
	return policy_disconnect_parse(value, field(entry, section));
}

void config_print_disconnect(const struct config_entry *entry, const void *section, FILE *out)
{
	fputs(policy_disconnect_name(*(const enum policy_disconnect *)const_field(entry, section)),
	    out);
}

int config_parse_yes(const struct config_entry *entry, void *section, const char *value, char *why)
{
	bool yes = strcmp(value, "yes") == 0;

	if (!yes && strcmp(value, "no") != 0) {
		snprintf(why, CONFIG_WHY_MAX, "neither yes nor no");
		return -EINVAL;
	}
	*(bool *)field(entry, section) = yes;
	return 0;
}

void config_print_yes(const struct config_entry *entry, const void *section, FILE *out)
{
	fputs(*(const bool *)const_field(entry, section) ? "yes" : "no", out);
}

/* Three numbers, one after the other in the struct. */
int config_parse_startup(
    const struct config_entry *entry, void *section, const char *value, char *why)
{
	struct config_host *host = section;
	uint64_t begin, rate, full;

	(void)entry;
	if (config_read_number(&value, &begin) || *value++ != ':' ||
	    config_read_number(&value, &rate) || *value++ != ':' ||
	    config_read_number(&value, &full) || *value) {
		return -EINVAL;
	}
	if (!begin || begin > full || full > 10000 || rate > 100) {
		snprintf(why, CONFIG_WHY_MAX, "out of range");
		return -EINVAL;
	}
	host->startup_begin = (uint32_t)begin;
	host->startup_rate = (uint32_t)rate;
	host->startup_full = (uint32_t)full;
	return 0;
}

void config_print_startup(const struct config_entry *entry, const void *section, FILE *out)
{
	const struct config_host *host = section;

	(void)entry;
	fprintf(out, "%" PRIu32 ":%" PRIu32 ":%" PRIu32, host->startup_begin, host->startup_rate,
	    host->startup_full);
}
