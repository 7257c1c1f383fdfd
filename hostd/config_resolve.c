/*
 * What holds in the end: for one user's desktop, and for all that --check-config prints.
 */
#include <string.h>

#include "hostd/config_internal.h"

/* --- what holds for a user ---------------------------------------------------------------------------------------- */

static const struct config_user *find_user(const struct config *config, const char *user)
{
	for (size_t i = 0; i < config->user_count; i++) {
		if (strcmp(config->users[i].name, user) == 0) {
			return &config->users[i];
		}
	}
	return NULL;
}

void config_resolve(const struct config *config, const char *user, const struct policy_layer *image,
    struct config_resolved *resolved)
{
	const struct config_user *own = find_user(config, user);
	const struct config_desktop *sources[] = { &config->desktop, own ? &own->desktop : NULL };
	const struct policy_layer *layers[] = { &config->desktop.policy, image,
		own ? &own->desktop.policy : NULL };

	memset(resolved, 0, sizeof(*resolved));
	policy_resolve(layers, sizeof(layers) / sizeof(layers[0]), &resolved->policy);
	snprintf(resolved->grant.owner, sizeof(resolved->grant.owner), "%s", user);
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		const struct config_desktop *source = sources[i];

		if (!source) {
			continue;
		}
		if (source->set & CONFIG_SET_KERNEL) {
			memcpy(resolved->kernel, source->kernel, sizeof(resolved->kernel));
			/* Another kernel has another initial RAM disk and command line. */
			resolved->initrd[0] = '\0';
			resolved->command_line[0] = '\0';
		}
		if (source->set & CONFIG_SET_INITRD) {
			memcpy(resolved->initrd, source->initrd, sizeof(resolved->initrd));
		}
		if (source->set & CONFIG_SET_COMMAND_LINE) {
			memcpy(resolved->command_line, source->command_line,
			    sizeof(resolved->command_line));
		}
		if (source->set & CONFIG_SET_HELPERS) {
			memcpy(resolved->grant.helpers, source->helpers,
			    sizeof(resolved->grant.helpers));
			resolved->grant.helper_count = source->helper_count;
		}
	}
}

/* --- printout ----------------------------------------------------------------------------------------------------- */

static void print_entry(const struct config_entry *entry, const void *section, bool help, FILE *out)
{
	if (help) {
		fprintf(out, "\n# %s\n# Allowed: %s.\n", entry->option.help, entry->option.allowed);
	}
	fprintf(out, "%s = ", entry->option.key);
	entry->print(entry, section, out);
	fputc('\n', out);
}

void config_print(const struct config *config, FILE *out)
{
	fputs("[host]\n", out);
	for (size_t i = 0; i < config_entry_count; i++) {
		if (config_entries[i].option.section == CONFIG_SECTION_HOST) {
			print_entry(&config_entries[i], &config->host, true, out);
		}
	}
	fputs("\n[desktop]\n", out);
	for (size_t i = 0; i < config_entry_count; i++) {
		if (config_entries[i].option.section == CONFIG_SECTION_DESKTOP) {
			print_entry(&config_entries[i], &config->desktop, true, out);
		}
	}
	for (size_t user = 0; user < config->user_count; user++) {
		const struct config_desktop *desktop = &config->users[user].desktop;

		fprintf(out, "\n[user %s]\n", config->users[user].name);
		for (size_t i = 0; i < config_entry_count; i++) {
			const struct config_entry *entry = &config_entries[i];

			if (desktop->policy.set & entry->policy_setting ||
			    desktop->set & entry->desktop_setting) {
				print_entry(entry, desktop, false, out);
			}
		}
	}
}
