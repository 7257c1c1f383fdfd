/*
 * The daemon's settings, as the daemon itself understands them: `tanmatsu-hostd --check-config` prints what holds, in
 * the format of the file, and complains about what is wrong; so there is one reader of the configuration.
 */
#include <errno.h>
#include <ini.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "client/client.h"
#include "client/doctor.h"
#include "client/viewer.h"
#include "version.h"

enum {
	PRINTOUT_MAX = 256 * 1024,
	PROGRAM_MAX = 4096,
};

void doctor_default_settings(struct doctor_settings *settings)
{
	*settings = (struct doctor_settings){
		.listen = { { .address = "*", .port = 5900 } },
		.listen_count = 1,
		.state = TANMATSU_LOCALSTATEDIR "/lib/tanmatsu",
		.pam_service = "tanmatsu",
		.admin_group = "tanmatsu",
	};
}

/* "ADDRESS:PORT", an IPv6 address in brackets; several, divided by blanks or commas; "none". */
static int parse_listen(struct doctor_settings *settings, const char *value)
{
	char *copy = strdup(value);
	char *rest;

	if (!copy) {
		return -ENOMEM;
	}
	settings->listen_count = 0;
	for (char *word = strtok_r(copy, ", \t", &rest);
	     word && settings->listen_count < DOCTOR_LISTEN_MAX;
	     word = strtok_r(NULL, ", \t", &rest)) {
		struct answer_listen *listen = &settings->listen[settings->listen_count];
		char *colon = strrchr(word, ':');
		size_t length;

		if (strcmp(word, "none") == 0) {
			continue;
		}
		if (!colon || colon == word) {
			free(copy);
			return -EPROTO;
		}
		listen->port = strtoul(colon + 1, NULL, 10);
		*colon = 0;
		length = strlen(word);
		if (word[0] == '[' && word[length - 1] == ']') {
			word[length - 1] = 0;
			word++;
		}
		if (listen->port > 65535 || strlen(word) >= sizeof(listen->address)) {
			free(copy);
			return -EPROTO;
		}
		strcpy(listen->address, word);
		settings->listen_count++;
	}
	free(copy);
	return 0;
}

static int on_setting(void *context, const char *section, const char *name, const char *value)
{
	struct doctor_settings *settings = context;
	const struct {
		const char *name;
		char *place;
		size_t size;
	} texts[] = {
		{ "state", settings->state, sizeof(settings->state) },
		{ "certificate", settings->certificate, sizeof(settings->certificate) },
		{ "ca", settings->ca, sizeof(settings->ca) },
		{ "pam_service", settings->pam_service, sizeof(settings->pam_service) },
		{ "pam_confdir", settings->pam_confdir, sizeof(settings->pam_confdir) },
		{ "admin_group", settings->admin_group, sizeof(settings->admin_group) },
	};

	if (strcmp(section, "host") != 0) {
		return 1;
	}
	if (strcmp(name, "listen") == 0) {
		return parse_listen(settings, value) == 0;
	}
	if (strcmp(value, "none") == 0) {
		value = ""; /* how the printout says that nothing is set */
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(name, texts[i].name) == 0) {
			return (size_t)snprintf(texts[i].place, texts[i].size, "%s", value) <
			       texts[i].size;
		}
	}
	return 1;
}

int doctor_parse_settings(const char *text, struct doctor_settings *settings)
{
	doctor_default_settings(settings);
	if (ini_parse_string(text, on_setting, settings) != 0) {
		doctor_default_settings(settings);
		return -EPROTO;
	}
	return 0;
}

/* The daemon's program: beside ours as installed, beside ours in a build tree, or in PATH. */
static int find_daemon_program(char *program)
{
	static const char *const beside[] = { "../sbin/tanmatsu-hostd", "../hostd/tanmatsu-hostd" };
	char own[PROGRAM_MAX];
	ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);
	char *slash;

	own[length > 0 ? length : 0] = 0;
	slash = strrchr(own, '/');
	for (size_t i = 0; slash && i < sizeof(beside) / sizeof(beside[0]); i++) {
		if (snprintf(program, PROGRAM_MAX, "%.*s/%s", (int)(slash - own), own, beside[i]) <
			PROGRAM_MAX &&
		    access(program, X_OK) == 0) {
			return 0;
		}
	}
	snprintf(program, PROGRAM_MAX, "/usr/sbin/tanmatsu-hostd");
	if (access(program, X_OK) == 0) {
		return 0;
	}
	snprintf(program, PROGRAM_MAX, "tanmatsu-hostd");
	return viewer_program_exists(program);
}

/* Runs argv with its output and its errors in files without names. The exit status, or -errno. */
static int run_captured(const char *const *argv, FILE *out, FILE *err)
{
	int status;
	pid_t pid = fork();

	if (pid < 0) {
		return -errno;
	}
	if (pid == 0) {
		if (dup2(fileno(out), STDOUT_FILENO) < 0 || dup2(fileno(err), STDERR_FILENO) < 0) {
			_exit(127);
		}
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR) {
			return -errno;
		}
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD;
}

static char *read_back(FILE *file)
{
	char *text = NULL;
	size_t size;

	if (lseek(fileno(file), 0, SEEK_SET) < 0 ||
	    fd_read_file(fileno(file), PRINTOUT_MAX, &text, &size)) {
		return NULL;
	}
	return text;
}

void doctor_read_settings(struct doctor *doctor)
{
	const char *argv[] = { NULL, "--check-config", doctor->config ? "--config" : NULL,
		doctor->config, NULL };
	char program[PROGRAM_MAX];
	FILE *out = tmpfile(), *err = tmpfile();
	char *printout = NULL, *report = NULL;
	int status;

	doctor_default_settings(&doctor->settings);
	if (!out || !err || find_daemon_program(program)) {
		goto done;
	}
	argv[0] = program;
	status = run_captured(argv, out, err);
	printout = read_back(out);
	report = read_back(err);
	if (status == 0 && printout && doctor_parse_settings(printout, &doctor->settings) == 0) {
		doctor->settings.known = true;
	} else if (status > 0 && status < 127) {
		doctor->configuration_bad = true;
	}
	snprintf(doctor->configuration_report, sizeof(doctor->configuration_report), "%s",
	    report ? report : "");
done:
	free(printout);
	free(report);
	if (out) {
		fclose(out);
	}
	if (err) {
		fclose(err);
	}
}
