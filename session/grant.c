/*
 * Who may see or steer what. Each question is answered from the role, and the role from the names alone.
 */
#include "session/grant.h"

#include <string.h>

enum grant_role grant_role(const struct grant_subject *subject, const struct grant_object *object)
{
	bool named = subject->user[0] && object->owner[0];

	if (named && strcmp(subject->user, object->owner) == 0) {
		return GRANT_ROLE_OWNER;
	}
	if (subject->admin) {
		return GRANT_ROLE_ADMIN;
	}
	for (size_t i = 0; named && i < object->helper_count && i < GRANT_HELPERS_MAX; i++) {
		const struct grant_helper *helper = &object->helpers[i];

		if (strcmp(subject->user, helper->user) == 0) {
			return helper->help == GRANT_HELP_STEER ? GRANT_ROLE_HELPER
								: GRANT_ROLE_VIEWER;
		}
	}
	return GRANT_ROLE_NONE;
}

const char *grant_role_name(enum grant_role role)
{
	static const char *const names[] = {
		[GRANT_ROLE_NONE] = "nobody",
		[GRANT_ROLE_VIEWER] = "viewer",
		[GRANT_ROLE_HELPER] = "helper",
		[GRANT_ROLE_ADMIN] = "administrator",
		[GRANT_ROLE_OWNER] = "owner",
	};

	return (unsigned int)role < sizeof(names) / sizeof(names[0]) ? names[role] : "?";
}

bool grant_may_list(const struct grant_subject *subject, const struct grant_object *object)
{
	return grant_role(subject, object) >= GRANT_ROLE_VIEWER;
}

bool grant_may_see(const struct grant_subject *subject, const struct grant_object *object)
{
	return grant_role(subject, object) >= GRANT_ROLE_VIEWER;
}

bool grant_may_steer(const struct grant_subject *subject, const struct grant_object *object)
{
	return grant_role(subject, object) >= GRANT_ROLE_HELPER;
}

bool grant_may_manage(const struct grant_subject *subject, const struct grant_object *object)
{
	return grant_role(subject, object) >= GRANT_ROLE_ADMIN;
}

bool grant_may_read_logs(const struct grant_subject *subject, const struct grant_object *object)
{
	return grant_role(subject, object) >= GRANT_ROLE_ADMIN;
}

bool grant_may_see_host(const struct grant_subject *subject)
{
	return subject->admin;
}

bool grant_takes_over(const struct grant_subject *subject, const struct grant_object *object)
{
	return grant_role(subject, object) == GRANT_ROLE_OWNER;
}
