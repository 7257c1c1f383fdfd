/*
 * The configuration as a whole: defaults, files, the checks across options.
 */
#include "hostd/config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "display/control.h"
#include "hostd/config_internal.h"
#include "version.h"

enum {
	UID_BASE_DEFAULT = 0x70000000, /* above what systemd gives to containers, below 2^31 */
};

/* --- the report --------------------------------------------------------------------------------------------------- */

/* Adds a line. Characters that could trick a terminal are shown as '?'. */
static void report_line(struct config_report *report, const char *format, va_list arguments)
{
	char line[2048];
	int length = vsnprintf(line, sizeof(line) - 1, format, arguments);
	size_t used = length < 0 ? 0 : (size_t)length;
	char *text;

	if (used > sizeof(line) - 2) {
		used = sizeof(line) - 2;
	}
	for (size_t i = 0; i < used; i++) {
		line[i] = (unsigned char)line[i] < 0x20 || line[i] == 0x7f ? '?' : line[i];
	}
	line[used++] = '\n';
	text = realloc(report->text, report->size + used + 1);
	if (!text) {
		return; /* the count still says that there is a mistake */
	}
	memcpy(text + report->size, line, used);
	report->text = text;
	report->size += used;
	text[report->size] = '\0';
}

void config_report_error(struct config_report *report, const char *format, ...)
{
	va_list arguments;

	report->errors++;
	if (report->errors > 1000) {
		return; /* enough to mend for now */
	}
	va_start(arguments, format);
	report_line(report, format, arguments);
	va_end(arguments);
}

void config_report_warning(struct config_report *report, const char *format, ...)
{
	va_list arguments;

	report->warnings++;
	va_start(arguments, format);
	report_line(report, format, arguments);
	va_end(arguments);
}

void config_report_fini(struct config_report *report)
{
	free(report->text);
	*report = (struct config_report){ 0 };
}

/* --- defaults ----------------------------------------------------------------------------------------------------- */

/* Joins folder and name; -ENAMETOOLONG when they do not fit. */
static int join(char *path, size_t size, const char *folder, const char *name)
{
	int length = snprintf(path, size, "%s%s", folder, name);

	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

/* $`variable`, or $HOME/`below`; then `name`. -ENXIO when neither is an absolute path. */
static int user_folder(
    char *path, size_t size, const char *variable, const char *below, const char *name)
{
	const char *folder = getenv(variable), *home = getenv("HOME");
	char under_home[CONFIG_PATH_MAX];
	int error;

	if (!folder || folder[0] != '/') {
		if (!home || home[0] != '/' || !below) {
			return -ENXIO;
		}
		error = join(under_home, sizeof(under_home), home, below);
		if (error) {
			return error;
		}
		folder = under_home;
	}
	return join(path, size, folder, name);
}

static int default_paths(struct config *config)
{
	struct config_host *host = &config->host;
	int error;

	if (config->mode == CONFIG_MODE_SYSTEM) {
		(void)!join(config->path, sizeof(config->path), TANMATSU_SYSCONFDIR,
		    "/tanmatsu/tanmatsu.conf");
		(void)!join(
		    host->state, sizeof(host->state), TANMATSU_LOCALSTATEDIR, "/lib/tanmatsu");
		(void)!join(
		    host->runtime, sizeof(host->runtime), TANMATSU_RUNSTATEDIR, "/tanmatsu");
		return 0;
	}
	error = user_folder(config->path, sizeof(config->path), "XDG_CONFIG_HOME", "/.config",
	    "/tanmatsu/tanmatsu.conf");
	if (!error) {
		error = user_folder(host->state, sizeof(host->state), "XDG_STATE_HOME",
		    "/.local/state", "/tanmatsu");
	}
	if (!error && user_folder(host->runtime, sizeof(host->runtime), "XDG_RUNTIME_DIR", NULL,
			  "/tanmatsu")) {
		error = join(host->runtime, sizeof(host->runtime), host->state, "/run");
	}
	return error;
}

int config_create(enum config_mode mode, struct config **config)
{
	struct config *created = calloc(1, sizeof(*created));
	struct config_host *host;
	int error;

	if (!created) {
		return -ENOMEM;
	}
	host = &created->host;
	created->mode = mode;
	error = default_paths(created);
	if (error) {
		free(created);
		return error;
	}
	host->listen[0] = (struct config_listen){ .address = "*", .port = 5900 };
	host->listen_count = 1;
	/* "?" stands for a default that follows from other options; config_finish() replaces it. */
	strcpy(host->unix_socket, "?");
	strcpy(host->control, "?");
	host->security[0] = DISPLAY_SECURITY_X509_PLAIN;
	host->security_count = 1;
	strcpy(host->tls_priority, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2");
	host->login_grace_s = 30;
	host->startup_begin = 10;
	host->startup_rate = 30;
	host->startup_full = 100;
	host->max_sessions = 1024;
	host->max_viewers = 2048;
	strcpy(host->layout, "us");
	strcpy(host->desktop_name, "%u on %h");
	strcpy(host->pam_service, "tanmatsu");
	strcpy(host->admin_group, "tanmatsu");
	host->uid_base = UID_BASE_DEFAULT;
	policy_default(&created->desktop.policy.values);
	*config = created;
	return 0;
}

void config_destroy(struct config *config)
{
	if (config) {
		free(config->users);
		free(config);
	}
}

/* --- checks across options ---------------------------------------------------------------------------------------- */

static int by_name(const void *left, const void *right)
{
	return strcmp(
	    ((const struct config_user *)left)->name, ((const struct config_user *)right)->name);
}

static bool is_loopback(const struct config_listen *listen)
{
	return strncmp(listen->address, "127.", 4) == 0 || strcmp(listen->address, "::1") == 0;
}

static void finish_socket(struct config *config, char path[CONFIG_SOCKET_MAX], const char *key,
    const char *name, struct config_report *report)
{
	if (strcmp(path, "?") == 0 && join(path, CONFIG_SOCKET_MAX, config->host.runtime, name)) {
		config_report_error(report,
		    "%s: runtime = %.200s: too long for the sockets in it; shorten it, or set %s",
		    config->path, config->host.runtime, key);
	}
}

static void check_tls(const struct config *config, struct config_report *report)
{
	const struct config_host *host = &config->host;
	bool certificate = host->certificate[0], key = host->key[0];

	if (certificate != key) {
		config_report_error(report, "%s: %s is set, but not %s: set both, or neither",
		    config->path, certificate ? "certificate" : "key",
		    certificate ? "key" : "certificate");
	}
	if (certificate && host->name_count) {
		config_report_warning(report,
		    "%s: warning: names has no effect on a given certificate, which has its own",
		    config->path);
	}
	if (host->ca[0] && !certificate) {
		config_report_error(report,
		    "%s: ca is set, but not certificate: set both, or neither", config->path);
	}
	for (size_t i = 0; i < host->security_count; i++) {
		for (size_t j = 0; j < host->listen_count; j++) {
			if (host->security[i] != DISPLAY_SECURITY_X509_PLAIN &&
			    !is_loopback(&host->listen[j])) {
				config_report_warning(report,
				    "%s: warning: security_types: %s on %s:%u lets others on the "
				    "network read or "
				    "steal passwords",
				    config->path,
				    host->security[i] == DISPLAY_SECURITY_PLAIN ? "plain"
										: "tlsplain",
				    host->listen[j].address, host->listen[j].port);
			}
		}
	}
}

static void check_desktop(
    const struct config *config, const char *user, struct config_report *report)
{
	struct config_resolved resolved;

	config_resolve(config, user, NULL, &resolved);
	/* The built-in desktop has a command line too, but no initrd. */
	if (!resolved.kernel[0] && resolved.initrd[0]) {
		config_report_error(report,
		    "%s: [%s%s]: initrd is set, but no kernel that it is for", config->path,
		    user[0] ? "user " : "desktop", user);
	}
}

void config_finish(struct config *config, struct config_report *report)
{
	if (config->user_count) {
		qsort(config->users, config->user_count, sizeof(config->users[0]), by_name);
	}
	finish_socket(config, config->host.unix_socket, "unix", "/rfb.sock", report);
	finish_socket(config, config->host.control, "control", "/control.sock", report);
	if (config->host.unix_socket[0] &&
	    strcmp(config->host.unix_socket, config->host.control) == 0) {
		config_report_error(report, "%s: unix and control are the same path", config->path);
	}
	if (!config->host.listen_count && !config->host.unix_socket[0]) {
		config_report_error(report,
		    "%s: listen and unix are both none: no viewer could connect", config->path);
	}
	check_tls(config, report);
	check_desktop(config, "", report);
	for (size_t i = 0; i < config->user_count; i++) {
		check_desktop(config, config->users[i].name, report);
	}
}

/* --- files -------------------------------------------------------------------------------------------------------- */

/* Reads a file and parses it. -ENOENT is left to the caller, everything else is reported. */
static int read_one(struct config *config, int folder, const char *open_name, const char *name,
    struct config_report *report)
{
	int fd = openat(folder, open_name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat status;
	char *text;
	size_t size;
	int error;

	if (fd < 0) {
		error = -errno;
		if (error != -ENOENT) {
			config_report_error(
			    report, "%s: cannot be opened: %s", name, strerror(-error));
		}
		return error;
	}
	error = fstat(fd, &status) == 0 ? 0 : -errno;
	if (!error && !S_ISREG(status.st_mode)) {
		error = -EINVAL;
		config_report_error(report, "%s: not a file", name);
		goto out;
	}
	if (!error) {
		error = fd_read_file(fd, CONFIG_FILE_MAX, &text, &size);
	}
	if (error) {
		config_report_error(report, "%s: cannot be read: %s", name, strerror(-error));
		goto out;
	}
	if (strlen(text) != size) {
		error = -EINVAL;
		config_report_error(report, "%s: not a text: it has a NUL byte in it", name);
	} else {
		config_parse(config, name, text, report);
	}
	free(text);
out:
	close(fd);
	return error;
}

static int is_conf(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > 5 &&
	       strcmp(entry->d_name + length - 5, ".conf") == 0;
}

static int in_byte_order(const struct dirent **left, const struct dirent **right)
{
	return strcmp((*left)->d_name, (*right)->d_name);
}

static int read_folder(struct config *config, const char *main_file, struct config_report *report)
{
	char path[CONFIG_PATH_MAX], name[CONFIG_PATH_MAX + 256];
	struct dirent **entries;
	int count, result = 0, folder;

	if (join(path, sizeof(path), main_file, ".d")) {
		return -ENAMETOOLONG;
	}
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0) {
		result = errno == ENOENT ? 0 : -errno;
		if (result) {
			config_report_error(
			    report, "%s: cannot be opened: %s", path, strerror(-result));
		}
		return result;
	}
	count = scandirat(folder, ".", &entries, is_conf, in_byte_order);
	if (count < 0) {
		result = -errno;
		config_report_error(report, "%s: cannot be read: %s", path, strerror(-result));
		close(folder);
		return result;
	}
	for (int i = 0; i < count; i++) {
		if (i < CONFIG_FILES_MAX) {
			int error;

			snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
			error = read_one(config, folder, entries[i]->d_name, name, report);
			if (error == -ENOENT) {
				config_report_error(report, "%s: a link to nowhere", name);
			}
			result = result ? result : error;
		} else if (i == CONFIG_FILES_MAX) {
			config_report_error(
			    report, "%s: more than %d files", path, CONFIG_FILES_MAX);
		}
		free(entries[i]);
	}
	free(entries);
	close(folder);
	return result;
}

int config_load(
    const char *path, enum config_mode mode, struct config **config, struct config_report *report)
{
	struct config *loading;
	int error = config_create(mode, &loading);
	int folder_error;

	if (error) {
		config_report_error(report, "configuration: %s",
		    error == -ENXIO
			? "HOME is not set, so the folders of a daemon of one's own are not known"
			: strerror(-error));
		return error;
	}
	if (path && join(loading->path, sizeof(loading->path), path, "")) {
		config_report_error(report, "%.200s...: the path is too long", path);
		config_destroy(loading);
		return -ENAMETOOLONG;
	}
	error = read_one(loading, AT_FDCWD, loading->path, loading->path, report);
	if (error == -ENOENT) {
		if (path) {
			config_report_error(report, "%s: no such file", path);
		} else {
			error = 0;
		}
	}
	folder_error = read_folder(loading, loading->path, report);
	error = error ? error : folder_error;
	config_finish(loading, report);
	if (!error && report->errors) {
		error = -EINVAL;
	}
	if (error) {
		config_destroy(loading);
		return error;
	}
	*config = loading;
	return 0;
}
