/*
 * The monitor's start-up: folders, the state lock, the certificate, the identity of this host. Whatever is wrong ends the
 * start with a message that says what, where, and what to do.
 */
#include "hostd/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "hostd/certificate.h"
#include "version.h"

enum {
	CPUINFO_MAX = 256 * 1024,
};

/* Makes a folder and those above it. */
static must_check int make_folders(const char *path, mode_t mode)
{
	char part[CONFIG_PATH_MAX];
	size_t length = (size_t)snprintf(part, sizeof(part), "%s", path);

	if (length == 0 || length >= sizeof(part)) {
		return -ENAMETOOLONG;
	}
	for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST) {
			return -errno;
		}
		*slash = '/';
	}
	if (mkdir(part, mode) < 0 && errno != EEXIST) {
		return -errno;
	}
	return 0;
}

static must_check int open_folder(int parent, const char *name, int *fd)
{
	struct stat status;

	if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST) {
		return -errno;
	}
	*fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0 || fstat(*fd, &status) < 0) {
		return -errno;
	}
	/* Whoever could write here could pretend to be a VMM. */
	if (status.st_uid != geteuid() || status.st_mode & 077) {
		return fchmod(*fd, 0700) < 0 || status.st_uid != geteuid() ? -EPERM : 0;
	}
	return 0;
}

static must_check int open_runtime(struct monitor *monitor)
{
	const char *path = monitor->config->host.runtime;
	int error = make_folders(path, monitor->root ? 0755 : 0700);

	if (error == 0) {
		monitor->runtime_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		error = monitor->runtime_fd < 0 ? -errno : 0;
	}
	if (error == 0) {
		error = open_folder(monitor->runtime_fd, "vmm", &monitor->vmm_fd);
	}
	if (error == 0) {
		error = open_folder(monitor->runtime_fd, "display", &monitor->display_fd);
	}
	if (error) {
		log_error("runtime = %s: %s: this folder must belong to the user who runs the "
			  "daemon; set "
			  "[host] runtime",
		    path, strerror(-error));
	}
	return error;
}

static must_check int read_path(const char *path, size_t limit, char **data, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int error = fd < 0 ? -errno : fd_read_file(fd, limit, data, size);

	fd_close(&fd);
	return error;
}

static void load_ca(struct monitor *monitor, const char *path)
{
	size_t size = 0;

	free(monitor->ca_pem);
	monitor->ca_pem = NULL;
	monitor->ca_path[0] = '\0';
	if (path[0] == '\0') {
		return;
	}
	if (read_path(path, CERTIFICATE_PEM_MAX, &monitor->ca_pem, &size) != 0 ||
	    certificate_fingerprint(monitor->ca_pem, size, monitor->ca_sha256) != 0) {
		log_warning("ca = %s: cannot be read or is no certificate: `tanmatsu cert` has "
			    "nothing to print",
		    path);
		free(monitor->ca_pem);
		monitor->ca_pem = NULL;
		return;
	}
	(void)snprintf(monitor->ca_path, sizeof(monitor->ca_path), "%.255s", path);
}

/* The files to use: those that are configured, or our own, made or renewed if need be. */
static must_check int provide(struct monitor *monitor, char chain[CONFIG_PATH_MAX],
    char key[CONFIG_PATH_MAX], char ca[CONFIG_PATH_MAX])
{
	const struct config_host *host = &monitor->config->host;
	const char *names[CONFIG_NAMES_MAX];
	struct certificate_names wanted = {
		.host_name = monitor->host,
		.names = names,
		.count = host->name_count,
	};
	enum certificate_outcome outcome = CERTIFICATE_KEPT;
	char message[CERTIFICATE_TEXT_MAX] = "";
	char folder[CONFIG_PATH_MAX];
	int error;

	if (host->certificate[0] != '\0') {
		(void)snprintf(chain, CONFIG_PATH_MAX, "%s", host->certificate);
		(void)snprintf(key, CONFIG_PATH_MAX, "%s", host->key);
		(void)snprintf(ca, CONFIG_PATH_MAX, "%s", host->ca);
		return 0;
	}
	for (size_t i = 0; i < host->name_count; i++) {
		names[i] = host->names[i];
	}
	(void)snprintf(folder, sizeof(folder), "%.1000s/tls", host->state);
	error = certificate_provide(folder, &wanted, time(NULL), &outcome, message);
	if (error) {
		log_error("certificate: %s", message[0] != '\0' ? message : strerror(-error));
		return error;
	}
	if (outcome != CERTIFICATE_KEPT) {
		log_notice("certificate: %s in %s; viewers are to trust ca.pem there",
		    outcome == CERTIFICATE_MADE ? "made" : "renewed", folder);
	}
	(void)snprintf(chain, CONFIG_PATH_MAX, "%.900s/%s", folder, CERTIFICATE_LEAF_FILE);
	(void)snprintf(key, CONFIG_PATH_MAX, "%.900s/%s", folder, CERTIFICATE_LEAF_KEY_FILE);
	(void)snprintf(ca, CONFIG_PATH_MAX, "%.900s/%s", folder, CERTIFICATE_CA_FILE);
	return 0;
}

static void free_secret(char *data, size_t size)
{
	if (data != NULL) {
		explicit_bzero(data, size);
		free(data);
	}
}

int monitor_load_certificate(struct monitor *monitor)
{
	char message[CERTIFICATE_TEXT_MAX] = "";
	char chain_path[CONFIG_PATH_MAX];
	char key_path[CONFIG_PATH_MAX];
	char ca_path[CONFIG_PATH_MAX];
	char *chain = NULL;
	char *key = NULL;
	size_t chain_size = 0;
	size_t key_size = 0;
	int error;

	error = provide(monitor, chain_path, key_path, ca_path);
	if (error) {
		return error;
	}
	error = read_path(chain_path, CERTIFICATE_PEM_MAX, &chain, &chain_size);
	if (error) {
		log_error("certificate = %s: %s", chain_path, strerror(-error));
		goto fail;
	}
	error = read_path(key_path, CERTIFICATE_PEM_MAX, &key, &key_size);
	if (error) {
		log_error("key = %s: %s", key_path, strerror(-error));
		goto fail;
	}
	error = certificate_check(
	    chain_path, chain, chain_size, key, key_size, time(NULL), message);
	if (error) {
		log_error("certificate: %s", message);
		goto fail;
	}
	free(monitor->chain);
	free_secret(monitor->key, monitor->key_size);
	monitor->chain = chain;
	monitor->chain_size = chain_size;
	monitor->key = key;
	monitor->key_size = key_size;
	load_ca(monitor, ca_path);
	return 0;

fail:
	free(chain);
	free_secret(key, key_size);
	return error;
}

/* The CPU as far as a snapshot depends on it: vendor, family, model, stepping, microcode aside, and its features. */
static void identify_cpu(struct store_identity *identity)
{
	static const char *const fields[] = { "vendor_id", "cpu family", "model\t", "stepping",
		"flags" };
	XXH3_state_t *state = XXH3_createState();
	char *text = NULL;
	size_t size = 0;
	char *line;
	char *rest;

	(void)snprintf(identity->cpu, sizeof(identity->cpu), "unknown");
	if (state == NULL || read_path("/proc/cpuinfo", CPUINFO_MAX * 4, &text, &size) != 0) {
		goto out;
	}
	XXH3_64bits_reset(state);
	rest = text;
	while ((line = strsep(&rest, "\n")) != NULL && line[0] != '\0') { /* the first processor */
		for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
			if (strncmp(line, fields[i], strlen(fields[i])) == 0) {
				XXH3_64bits_update(state, line, strlen(line) + 1);
			}
		}
	}
	(void)snprintf(identity->cpu, sizeof(identity->cpu), "x86-64:%016llx",
	    (unsigned long long)XXH3_64bits_digest(state));
out:
	free(text);
	XXH3_freeState(state);
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int monitor_setup(struct monitor *monitor)
{
	char message[STORE_TEXT_MAX] = "";
	int error;

	monitor->started_us = clock_realtime_us();
	if (gethostname(monitor->host, sizeof(monitor->host) - 1) < 0) {
		(void)snprintf(monitor->host, sizeof(monitor->host), "localhost");
	}
	if (getrandom(monitor->name_key, sizeof(monitor->name_key), 0) !=
	    (ssize_t)sizeof(monitor->name_key)) {
		log_error("no random numbers: %s", strerror(errno));
		return -EIO;
	}
	identify_cpu(&monitor->identity);
	(void)snprintf(monitor->identity.disk, sizeof(monitor->identity.disk), "none");
	(void)snprintf(
	    monitor->identity.version, sizeof(monitor->identity.version), "%s", TANMATSU_VERSION);
	raise_descriptor_limit();

	error = make_folders(monitor->config->host.state, 0700);
	if (error) {
		log_error("state = %s: %s: the daemon's user must be able to write here; set "
			  "[host] state",
		    monitor->config->host.state, strerror(-error));
		return error;
	}
	error = store_open(monitor->config->host.state, NULL, NULL, &monitor->store, message);
	if (error) {
		log_error("state = %s: %s", monitor->config->host.state,
		    message[0] != '\0' ? message : strerror(-error));
		return error;
	}
	error = open_runtime(monitor);
	if (error == 0) {
		error = monitor_load_certificate(monitor);
	}
	if (error == 0) {
		error = monitor_listen(monitor);
	}
	return error;
}

void monitor_teardown(struct monitor *monitor)
{
	while (monitor->viewers != NULL) {
		monitor->viewers->gone_said = true;
		monitor_viewer_destroy(monitor->viewers);
	}
	while (monitor->desktops != NULL) {
		monitor_desktop_destroy(monitor->desktops);
	}
	ipc_channel_destroy(monitor->broker_channel);
	process_destroy(monitor->broker);
	for (size_t i = 0; i < monitor->listener_count; i++) {
		if (monitor->stopping && i >= monitor->activated_count &&
		    monitor->listeners[i].kind != PROTOCOL_LISTENER_TCP) {
			(void)unlink(monitor->listeners[i].address);
		}
		fd_close(&monitor->listener_fds[i]);
	}
	sd_event_source_disable_unref(monitor->broker_restart);
	sd_event_source_disable_unref(monitor->inventory_timer);
	free(monitor->chain);
	free_secret(monitor->key, monitor->key_size);
	free(monitor->ca_pem);
	store_close(monitor->store);
	fd_close(&monitor->display_fd);
	fd_close(&monitor->vmm_fd);
	fd_close(&monitor->runtime_fd);
	config_destroy(monitor->config);
	explicit_bzero(monitor->name_key, sizeof(monitor->name_key));
}
