/*
 * The configuration: /etc/tanmatsu/tanmatsu.conf, then tanmatsu.conf.d/(*).conf beside it in the
 * order of their names, later ones over earlier ones. One table says which options there are; the
 * parser, --check-config, the printout and the test of the man page all read that table.
 *
 * What must stay true: nothing is silently ignored; every mistake is reported, all of them at once,
 * as `file:line: message`, with the values that are allowed; a configuration with a mistake is not
 * used at all.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/must_check.h"
#include "session/grant.h"
#include "session/policy.h"

enum {
	CONFIG_LISTEN_MAX = 16,
	CONFIG_SECURITY_MAX = 8, /* equals DISPLAY_SECURITY_MAX */
	CONFIG_NAMES_MAX = 16,
	CONFIG_TEXT_MAX = 1024,  /* bytes of a text option with its NUL */
	CONFIG_PATH_MAX = 1024,  /* bytes of a path with its NUL */
	CONFIG_SOCKET_MAX = 108, /* of a Unix socket's path: sun_path */
	CONFIG_USERS_MAX = 4096, /* [user NAME] sections */
	CONFIG_FILE_MAX = 1024 * 1024,
	CONFIG_FILES_MAX = 256,
};

/* Whose defaults: the system's daemon (root), or a daemon that a user runs. */
enum config_mode {
	CONFIG_MODE_SYSTEM = 0, /* /etc, /var/lib, /run */
	CONFIG_MODE_USER = 1,   /* $XDG_CONFIG_HOME, $XDG_STATE_HOME, $XDG_RUNTIME_DIR */
};

/* An address to listen on. */
struct config_listen {
	char address[64]; /* numeric IPv4 or IPv6, or "*": all, both families */
	uint16_t port;
};

/* What can be said in [desktop] and in [user NAME]. */
struct config_desktop {
	struct policy_layer policy;
	uint32_t set; /* enum config_desktop_setting: which of the following were said */
	char kernel[CONFIG_PATH_MAX]; /* "": the built-in demo desktop */
	char initrd[CONFIG_PATH_MAX];
	char command_line[CONFIG_TEXT_MAX];
	struct grant_helper helpers[GRANT_HELPERS_MAX];
	size_t helper_count;
};

enum config_desktop_setting {
	CONFIG_SET_KERNEL = 1 << 0,
	CONFIG_SET_INITRD = 1 << 1,
	CONFIG_SET_COMMAND_LINE = 1 << 2,
	CONFIG_SET_HELPERS = 1 << 3,
};

struct config_user {
	char name[GRANT_NAME_MAX];
	struct config_desktop desktop;
};

struct config_host {
	struct config_listen
	    listen[CONFIG_LISTEN_MAX]; /* default *:5900; "listen = none" is an empty list */
	size_t listen_count;
	char unix_socket[CONFIG_SOCKET_MAX]; /* RFB for local users, RUNTIME/rfb.sock; "" when
						switched off */
	char control[CONFIG_SOCKET_MAX];     /* RUNTIME/control.sock */
	char state[CONFIG_PATH_MAX];
	char runtime[CONFIG_PATH_MAX];
	uint32_t
	    security[CONFIG_SECURITY_MAX]; /* RFB security types by number, in the order offered */
	size_t security_count;
	char tls_priority[256];
	char certificate[CONFIG_PATH_MAX]; /* chain, PEM; "" with key: a certificate of our own in
					      STATE/tls */
	char key[CONFIG_PATH_MAX];
	char ca[CONFIG_PATH_MAX]; /* what `tanmatsu cert` prints; "" with a given certificate: none
				     to print */
	char names[CONFIG_NAMES_MAX][256]; /* further names in our own certificate */
	size_t name_count;
	uint32_t login_grace_s;
	uint32_t startup_begin, startup_rate,
	    startup_full; /* as sshd's MaxStartups: from begin on, rate percent refused */
	uint32_t max_sessions;
	uint32_t max_viewers;
	char layout[32];
	char desktop_name[128]; /* "%u" is the user, "%h" the host */
	char pam_service[64];
	char pam_confdir[CONFIG_PATH_MAX]; /* "": the system's */
	char admin_group[64];
	uint32_t uid_base; /* display and VMM processes run as uid_base + slot, never as a person */
};

struct config {
	enum config_mode mode;
	struct config_host host;
	struct config_desktop desktop;
	struct config_user *users; /* sorted by name */
	size_t user_count;
	char path[CONFIG_PATH_MAX]; /* the main file */
};

/* What went wrong, a line each, `file:line: ...`. Zero-initialise; config_report_fini() frees. */
struct config_report {
	char *text; /* lines that end with \n; NULL when there is nothing */
	size_t size;
	size_t errors;
	size_t warnings;
};

/*
 * Reads the configuration. `path` NULL: the mode's own file, which need not be there; a given one
 * must. The .conf.d folder is `path` with ".d" appended and need not be there. On mistakes returns
 * -EINVAL, with all of them in `report`; on a file that cannot be read its -errno, said there too.
 * On success 0 and a config for config_destroy(), maybe with warnings in `report`. Loads no other
 * file and asks no name service; any thread.
 */
must_check int config_load(
    const char *path, enum config_mode mode, struct config **config, struct config_report *report);
/* The defaults alone. 0 or -ENOMEM; -ENXIO when a user's folders are not known (no HOME). */
must_check int config_create(enum config_mode mode, struct config **config);
/* One file's text over it, with `name` in messages; for tests and fuzzing. Mistakes are counted in
 * `report`. */
void config_parse(
    struct config *config, const char *name, const char *text, struct config_report *report);
/* The checks across options, once all files are read, and the defaults that follow from others
 * (sockets). */
void config_finish(struct config *config, struct config_report *report);
void config_destroy(struct config *config);
void config_report_fini(struct config_report *report);

/* Everything that holds for one user's desktop: [desktop], then [user NAME] over it. */
struct config_resolved {
	struct policy policy;
	char kernel[CONFIG_PATH_MAX];
	char initrd[CONFIG_PATH_MAX];
	char command_line[CONFIG_TEXT_MAX];
	struct grant_object grant; /* owner and helpers */
};

/* `image` is what the image says (NULL: nothing); it stands between the host's and the user's
 * settings. */
void config_resolve(const struct config *config, const char *user, const struct policy_layer *image,
    struct config_resolved *resolved);

/* Prints the configuration that holds, complete, in the format of the file, each option below its
 * help: --check-config. */
void config_print(const struct config *config, FILE *out);

/* The table of options, for the printout and for the test that the man page names each. */
enum config_section {
	CONFIG_SECTION_HOST = 0,
	CONFIG_SECTION_DESKTOP = 1, /* and [user NAME] */
	CONFIG_SECTION_USER = 2,    /* only in [user NAME] */
};

struct config_option {
	enum config_section section;
	const char *key;
	const char *allowed; /* the allowed values in words, as messages say them */
	const char *help;    /* one sentence */
};

/* The option at `index` in the table, or false behind the last. */
bool config_option_at(size_t index, struct config_option *option);
