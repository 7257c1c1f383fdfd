/*
 * User names and uids: the daemon's one view of the system's user database (NSS). May block on LDAP
 * and the like, so it belongs into the monitor and the auth helper, not on a loop that viewers wait
 * for. Any thread; reentrant.
 *
 * What must stay true: a name that passes users_name_valid() can be a path component, a log field
 * and a JSON string without quoting; everything else in the daemon sees valid names only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/must_check.h"

enum {
	USERS_NAME_MAX = 64, /* bytes with the NUL; equals GRANT_NAME_MAX */
	USERS_PATH_MAX = 256,
};

struct users_entry {
	char name[USERS_NAME_MAX]; /* as the database writes it, whatever was typed */
	uid_t uid;
	gid_t gid;
	char home[USERS_PATH_MAX]; /* "" when longer */
};

/*
 * 1 to 63 bytes of A-Z a-z 0-9 . _ @ + - $, beginning with a letter, a digit or _; so neither "..",
 * nor an option, nor a hidden file, nor a path.
 */
bool users_name_valid(const char *name);
/* The entry of a name, in the database's own spelling: 0; -ENOENT when unknown; -EINVAL when the
 * name or the database's spelling of it is not valid; -errno of the database. */
must_check int users_find_name(const char *name, struct users_entry *entry);
/* The entry of a uid. The same errors. */
must_check int users_find_uid(uid_t uid, struct users_entry *entry);
/* Whether the user is in the group, by the group's member list or as primary group. A group that
 * does not exist has no members. 0 or -errno. */
must_check int users_in_group(const struct users_entry *entry, const char *group, bool *member);
/* Root, or a member of `admin_group` (NULL or "": nobody is by group). 0 or -errno, then `admin` is
 * false. */
must_check int users_is_admin(uid_t uid, const char *admin_group, bool *admin);
/*
 * The name under which a login counts, from what PAM says it is (PAM_USER after authentication,
 * which modules may have changed): the database's spelling, so that "Alice" and "alice" never get
 * two desktops where they are one account. Errors as users_find_name().
 */
must_check int users_normalise(const char *pam_user, char name[USERS_NAME_MAX]);
