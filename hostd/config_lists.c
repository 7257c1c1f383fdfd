/*
 * How options that are lists are read and printed. A value is hostile text without control characters; nothing is
 * changed unless all of the list is good.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "display/control.h"
#include "hostd/config_internal.h"
#include "hostd/users.h"

#define SEPARATORS ", \t"

/* Takes the next word out of *list into `word`. False at the end; a word that is too long is cut to nothing. */
static bool next_word(const char **list, char *word, size_t size)
{
	size_t length;

	*list += strspn(*list, SEPARATORS);
	length = strcspn(*list, SEPARATORS);
	if (!length) {
		return false;
	}
	if (length < size) {
		memcpy(word, *list, length);
		word[length] = '\0';
	} else {
		word[0] = '\0';
	}
	*list += length;
	return true;
}

static bool is_address(const char *text)
{
	unsigned char binary[16];

	return inet_pton(AF_INET, text, binary) == 1 || inet_pton(AF_INET6, text, binary) == 1;
}

/* "PORT", "*:PORT", "192.0.2.1:PORT", "[2001:db8::1]:PORT". */
static int parse_endpoint(char *word, struct config_listen *listen, char *why)
{
	char *colon = strrchr(word, ':');
	const char *port = colon ? colon + 1 : word;
	const char *address = colon ? word : "*";
	uint64_t number;

	if (colon) {
		*colon = '\0';
	}
	if (config_read_number(&port, &number) || *port || number < 1 || number > 65535) {
		snprintf(why, CONFIG_WHY_MAX, "the port is not 1 to 65535");
		return -EINVAL;
	}
	if (address[0] == '[' && strlen(address) > 2 && address[strlen(address) - 1] == ']') {
		word[strlen(address) - 1] = '\0';
		address++;
	} else if (strchr(address, ':')) {
		snprintf(
		    why, CONFIG_WHY_MAX, "an IPv6 address stands in brackets: [2001:db8::1]:5900");
		return -EINVAL;
	}
	if (strcmp(address, "*") != 0 && !is_address(address)) {
		snprintf(why, CONFIG_WHY_MAX, "not a numeric address");
		return -EINVAL;
	}
	/* Either is shorter than the field. */
	snprintf(listen->address, sizeof(listen->address), "%.63s", address);
	listen->port = (uint16_t)number;
	return 0;
}

int config_parse_listen(
    const struct config_entry *entry, void *section, const char *value, char *why)
{
	struct config_host *host = section;
	struct config_listen list[CONFIG_LISTEN_MAX] = { 0 };
	size_t count = 0;
	char word[72];

	(void)entry;
	if (strcmp(value, "none") == 0) {
		host->listen_count = 0;
		return 0;
	}
	while (next_word(&value, word, sizeof(word))) {
		if (count == CONFIG_LISTEN_MAX) {
			snprintf(why, CONFIG_WHY_MAX, "more than %d", CONFIG_LISTEN_MAX);
			return -EINVAL;
		}
		if (parse_endpoint(word, &list[count], why)) {
			return -EINVAL;
		}
		for (size_t i = 0; i < count; i++) {
			if (list[i].port == list[count].port &&
			    strcmp(list[i].address, list[count].address) == 0) {
				snprintf(why, CONFIG_WHY_MAX, "named twice");
				return -EINVAL;
			}
		}
		count++;
	}
	if (!count) {
		return -EINVAL;
	}
	memcpy(host->listen, list, count * sizeof(list[0]));
	host->listen_count = count;
	return 0;
}

void config_print_listen(const struct config_entry *entry, const void *section, FILE *out)
{
	const struct config_host *host = section;

	(void)entry;
	for (size_t i = 0; i < host->listen_count; i++) {
		bool brackets = strchr(host->listen[i].address, ':');

		fprintf(out, "%s%s%s%s:%" PRIu16, i ? ", " : "", brackets ? "[" : "",
		    host->listen[i].address, brackets ? "]" : "", host->listen[i].port);
	}
	fputs(host->listen_count ? "" : "none", out);
}

static const struct {
	const char *name;
	uint32_t number;
} security_types[] = {
	{ "x509plain", DISPLAY_SECURITY_X509_PLAIN },
	{ "tlsplain", DISPLAY_SECURITY_TLS_PLAIN },
	{ "plain", DISPLAY_SECURITY_PLAIN },
};

enum {
	SECURITY_TYPE_COUNT = sizeof(security_types) / sizeof(security_types[0]),
};

int config_parse_security(
    const struct config_entry *entry, void *section, const char *value, char *why)
{
	struct config_host *host = section;
	uint32_t list[SECURITY_TYPE_COUNT];
	size_t count = 0;
	char word[32];

	(void)entry;
	while (next_word(&value, word, sizeof(word))) {
		size_t type = 0;

		while (type < SECURITY_TYPE_COUNT &&
		       strcasecmp(word, security_types[type].name) != 0) {
			type++;
		}
		if (type == SECURITY_TYPE_COUNT) {
			return -EINVAL;
		}
		for (size_t i = 0; i < count; i++) {
			if (list[i] == security_types[type].number) {
				snprintf(why, CONFIG_WHY_MAX, "named twice");
				return -EINVAL;
			}
		}
		list[count++] = security_types[type].number;
	}
	if (!count) {
		return -EINVAL;
	}
	memcpy(host->security, list, count * sizeof(list[0]));
	host->security_count = count;
	return 0;
}

void config_print_security(const struct config_entry *entry, const void *section, FILE *out)
{
	const struct config_host *host = section;

	(void)entry;
	for (size_t i = 0; i < host->security_count; i++) {
		for (size_t type = 0; type < SECURITY_TYPE_COUNT; type++) {
			if (security_types[type].number == host->security[i]) {
				fprintf(out, "%s%s", i ? ", " : "", security_types[type].name);
			}
		}
	}
}

/* A host name by the letters of RFC 1123, or an address. */
static bool is_host_name(const char *text)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.";

	return is_address(text) ||
	       (text[0] && text[0] != '-' && text[0] != '.' && !text[strspn(text, letters)]);
}

int config_parse_names(
    const struct config_entry *entry, void *section, const char *value, char *why)
{
	struct config_host *host = section;
	char list[CONFIG_NAMES_MAX][sizeof(host->names[0])] = { { 0 } };
	size_t count = 0;
	char word[sizeof(host->names[0])];

	(void)entry;
	if (strcmp(value, "none") == 0) {
		host->name_count = 0;
		return 0;
	}
	while (next_word(&value, word, sizeof(word))) {
		if (count == CONFIG_NAMES_MAX || !is_host_name(word)) {
			snprintf(why, CONFIG_WHY_MAX,
			    count == CONFIG_NAMES_MAX ? "too many" : "not a host name or address");
			return -EINVAL;
		}
		snprintf(list[count++], sizeof(list[0]), "%s", word);
	}
	if (!count) {
		return -EINVAL;
	}
	memcpy(host->names, list, count * sizeof(list[0]));
	host->name_count = count;
	return 0;
}

void config_print_names(const struct config_entry *entry, const void *section, FILE *out)
{
	const struct config_host *host = section;

	(void)entry;
	for (size_t i = 0; i < host->name_count; i++) {
		fprintf(out, "%s%s", i ? ", " : "", host->names[i]);
	}
	fputs(host->name_count ? "" : "none", out);
}

int config_parse_helpers(
    const struct config_entry *entry, void *section, const char *value, char *why)
{
	struct config_desktop *desktop = section;
	struct grant_helper list[GRANT_HELPERS_MAX] = { 0 };
	size_t count = 0;
	char word[GRANT_NAME_MAX + 8];

	(void)entry;
	if (strcmp(value, "none") == 0) {
		desktop->helper_count = 0;
		return 0;
	}
	while (next_word(&value, word, sizeof(word))) {
		char *colon = strchr(word, ':');
		const char *help = colon ? colon + 1 : "view";

		if (colon) {
			*colon = '\0';
		}
		if (count == GRANT_HELPERS_MAX) {
			snprintf(why, CONFIG_WHY_MAX, "more than %d", GRANT_HELPERS_MAX);
			return -EINVAL;
		}
		if (!users_name_valid(word) ||
		    (strcmp(help, "view") != 0 && strcmp(help, "steer") != 0)) {
			return -EINVAL;
		}
		for (size_t i = 0; i < count; i++) {
			if (strcmp(list[i].user, word) == 0) {
				snprintf(why, CONFIG_WHY_MAX, "named twice");
				return -EINVAL;
			}
		}
		snprintf(
		    list[count].user, sizeof(list[count].user), "%.*s", GRANT_NAME_MAX - 1, word);
		list[count++].help = help[0] == 's' ? GRANT_HELP_STEER : GRANT_HELP_VIEW;
	}
	if (!count) {
		return -EINVAL;
	}
	memcpy(desktop->helpers, list, count * sizeof(list[0]));
	desktop->helper_count = count;
	return 0;
}

void config_print_helpers(const struct config_entry *entry, const void *section, FILE *out)
{
	const struct config_desktop *desktop = section;

	(void)entry;
	for (size_t i = 0; i < desktop->helper_count; i++) {
		fprintf(out, "%s%s:%s", i ? ", " : "", desktop->helpers[i].user,
		    desktop->helpers[i].help == GRANT_HELP_STEER ? "steer" : "view");
	}
	fputs(desktop->helper_count ? "" : "none", out);
}
