/*
 * Who may see or steer what. Every question is one function here, and monitor and broker both ask
 * it: the broker so that it can refuse politely, the monitor because it does not trust the broker.
 * Pure; any thread.
 *
 * What must stay true: nothing is allowed that is not written here; an empty name owns nothing and
 * equals nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	GRANT_NAME_MAX = 64,    /* bytes of a user's name with its NUL */
	GRANT_HELPERS_MAX = 16, /* helpers of one desktop */
};

/* What a helper may do; the configuration says "helpers = bob, carol:steer". */
enum grant_help {
	GRANT_HELP_VIEW = 1,
	GRANT_HELP_STEER = 2, /* view and type */
};

struct grant_helper {
	char user[GRANT_NAME_MAX];
	enum grant_help help;
};

/* Who asks. Filled from SO_PEERCRED, or from what tanmatsu-auth vouched for. */
struct grant_subject {
	char user[GRANT_NAME_MAX]; /* "" when the uid has no name */
	bool admin; /* root, member of the admin group, or in single-user mode the user who runs the
		       daemon. Never for a login over the network: a password makes nobody an
		       administrator */
};

/* What is asked about: one desktop. */
struct grant_object {
	char owner[GRANT_NAME_MAX];
	struct grant_helper helpers[GRANT_HELPERS_MAX];
	size_t helper_count;
};

/* What the subject is to the desktop, the strongest that applies. */
enum grant_role {
	GRANT_ROLE_NONE = 0,
	GRANT_ROLE_VIEWER = 1, /* helper with view */
	GRANT_ROLE_HELPER = 2, /* helper with steer */
	GRANT_ROLE_ADMIN = 3,
	GRANT_ROLE_OWNER = 4,
};

enum grant_role grant_role(const struct grant_subject *subject, const struct grant_object *object);
const char *grant_role_name(enum grant_role role);

/* May know that the desktop exists and in which state it is (List, Status). Others get NotFound,
 * not Denied. */
bool grant_may_list(const struct grant_subject *subject, const struct grant_object *object);
/* May see the picture: a viewer attached, Attach, Picture. */
bool grant_may_see(const struct grant_subject *subject, const struct grant_object *object);
/* May send input: a viewer that types, Input. */
bool grant_may_steer(const struct grant_subject *subject, const struct grant_object *object);
/* May start, suspend, resume, stop, kill, hold. */
bool grant_may_manage(const struct grant_subject *subject, const struct grant_object *object);
/* May read the event log and the console log. */
bool grant_may_read_logs(const struct grant_subject *subject, const struct grant_object *object);
/* May be shown the host itself: Doctor, Info in full. */
bool grant_may_see_host(const struct grant_subject *subject);
/* A login under `user`'s own name takes this desktop over (the old viewer is closed). */
bool grant_takes_over(const struct grant_subject *subject, const struct grant_object *object);
