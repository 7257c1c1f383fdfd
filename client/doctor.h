/*
 * What `tanmatsu doctor` looks at. Each check is a function that looks at one thing of the host and says what it found
 * and how to mend it; none changes anything. Paths stand in the context so that tests can lead a check to a host that
 * is broken in the way they want.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"
#include "client/answer.h"

struct client;

enum doctor_level {
	DOCTOR_OK = 0,
	DOCTOR_WARNING = 1, /* works, but not as well as it could, or not for long */
	DOCTOR_BAD = 2,
};

enum {
	DOCTOR_DETAIL_MAX = 768,
	DOCTOR_LISTEN_MAX = 16,
};

struct doctor_result {
	char name[ANSWER_NAME_MAX];
	enum doctor_level level;
	char detail[DOCTOR_DETAIL_MAX];
	char mend[DOCTOR_DETAIL_MAX]; /* empty when there is nothing to mend */
};

/* The settings that the checks need; from the daemon's own reading of its configuration, or its defaults. */
struct doctor_settings {
	bool known; /* false: the daemon's program was not found, these are the defaults */
	struct answer_listen listen[DOCTOR_LISTEN_MAX];
	size_t listen_count;
	char state[ANSWER_PATH_MAX];
	char certificate[ANSWER_PATH_MAX]; /* "": made by the daemon, in STATE/tls */
	char ca[ANSWER_PATH_MAX];
	char pam_service[ANSWER_NAME_MAX];
	char pam_confdir[ANSWER_PATH_MAX]; /* "": /etc/pam.d */
	char admin_group[ANSWER_NAME_MAX];
};

struct doctor {
	struct client *client;
	const char *config;     /* --config or NULL */
	const char *kvm_path;   /* /dev/kvm */
	const char *pam_folder; /* /etc/pam.d */
	uint64_t now_s;         /* of the wall clock */
	struct doctor_settings settings;
	bool configuration_bad; /* then settings are the defaults */
	char configuration_report[DOCTOR_DETAIL_MAX];
	bool reachable;    /* the daemon answers, and info is its answer */
	int control_error; /* why not: -errno */
	struct answer_info info;
};

typedef void (*doctor_check)(const struct doctor *doctor, struct doctor_result *result);

/* Fills in `result`; the format is the detail's. `mend` may be NULL. */
void doctor_say(struct doctor_result *result, enum doctor_level level, const char *mend,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* doctor_settings.c: runs the daemon's program with --check-config and reads what it prints. */
void doctor_read_settings(struct doctor *doctor);
/* Parses such a printout: 0 or -EPROTO. */
must_check int doctor_parse_settings(const char *text, struct doctor_settings *settings);
void doctor_default_settings(struct doctor_settings *settings);

/* doctor_host.c */
void doctor_check_daemon(const struct doctor *doctor, struct doctor_result *result);
void doctor_check_configuration(const struct doctor *doctor, struct doctor_result *result);
void doctor_check_kvm(const struct doctor *doctor, struct doctor_result *result);
void doctor_check_pam(const struct doctor *doctor, struct doctor_result *result);
void doctor_check_port(const struct doctor *doctor, struct doctor_result *result);
void doctor_check_disk(const struct doctor *doctor, struct doctor_result *result);
void doctor_check_group(const struct doctor *doctor, struct doctor_result *result);
void doctor_check_clock(const struct doctor *doctor, struct doctor_result *result);
void doctor_check_entropy(const struct doctor *doctor, struct doctor_result *result);
void doctor_check_viewer(const struct doctor *doctor, struct doctor_result *result);
/* doctor_certificate.c */
void doctor_check_certificate(const struct doctor *doctor, struct doctor_result *result);
