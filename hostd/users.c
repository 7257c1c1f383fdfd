/*
 * Names and uids, by the reentrant calls of NSS.
 */
#include "hostd/users.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	BUFFER_FIRST = 4096,
	BUFFER_MOST = 1024 * 1024, /* of one entry of the database; a large group is large */
};

bool users_name_valid(const char *name)
{
	static const char first[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
	static const char further[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.@+-$";
	size_t length = strnlen(name, USERS_NAME_MAX);

	return length && length < USERS_NAME_MAX && strchr(first, name[0]) &&
	       strspn(name, further) == length;
}

/* One question to the database, with a buffer of that size. As getpwnam_r() returns. */
typedef int (*ask_function)(const void *question, char *buffer, size_t size, void *answer);

/* Asks with ever larger buffers. On 0 *buffer is the caller's to free and `answer` points into it. */
static int ask(ask_function function, const void *question, void *answer, char **buffer)
{
	for (size_t size = BUFFER_FIRST; size <= BUFFER_MOST; size *= 2) {
		int error;

		*buffer = malloc(size);
		if (!*buffer) {
			return -ENOMEM;
		}
		error = function(question, *buffer, size, answer);
		if (!error) {
			return 0;
		}
		free(*buffer);
		*buffer = NULL;
		if (error == EINTR) {
			size /= 2;
		} else if (error != ERANGE) {
			return -error;
		}
	}
	return -ERANGE;
}

struct passwd_answer {
	struct passwd entry, *found;
};

struct group_answer {
	struct group entry, *found;
};

static int ask_name(const void *question, char *buffer, size_t size, void *answer)
{
	struct passwd_answer *passwd = answer;

	return getpwnam_r(question, &passwd->entry, buffer, size, &passwd->found);
}

static int ask_uid(const void *question, char *buffer, size_t size, void *answer)
{
	struct passwd_answer *passwd = answer;

	return getpwuid_r(*(const uid_t *)question, &passwd->entry, buffer, size, &passwd->found);
}

static int ask_group(const void *question, char *buffer, size_t size, void *answer)
{
	struct group_answer *group = answer;

	return getgrnam_r(question, &group->entry, buffer, size, &group->found);
}

static int find(ask_function function, const void *question, struct users_entry *entry)
{
	struct passwd_answer answer = { .found = NULL };
	char *buffer;
	int error = ask(function, question, &answer, &buffer);

	if (error) {
		/* These mean "unknown" as well, see getpwnam_r(3). */
		return error == -ESRCH || error == -EBADF || error == -EPERM ? -ENOENT : error;
	}
	if (!answer.found) {
		error = -ENOENT;
	} else if (!users_name_valid(answer.found->pw_name)) {
		error = -EINVAL;
	} else {
		const char *home = answer.found->pw_dir ? answer.found->pw_dir : "";

		memset(entry, 0, sizeof(*entry));
		memcpy(entry->name, answer.found->pw_name, strlen(answer.found->pw_name));
		entry->uid = answer.found->pw_uid;
		entry->gid = answer.found->pw_gid;
		if (strlen(home) < sizeof(entry->home)) {
			memcpy(entry->home, home, strlen(home));
		}
	}
	free(buffer);
	return error;
}

int users_find_name(const char *name, struct users_entry *entry)
{
	return users_name_valid(name) ? find(ask_name, name, entry) : -EINVAL;
}

int users_find_uid(uid_t uid, struct users_entry *entry)
{
	return find(ask_uid, &uid, entry);
}

int users_in_group(const struct users_entry *entry, const char *group, bool *member)
{
	struct group_answer answer = { .found = NULL };
	char *buffer;
	int error;

	*member = false;
	error = ask(ask_group, group, &answer, &buffer);
	if (error) {
		return error == -ENOENT || error == -ESRCH || error == -EBADF || error == -EPERM
			   ? 0
			   : error;
	}
	if (answer.found) {
		*member = answer.found->gr_gid == entry->gid;
		for (char **name = answer.found->gr_mem; name && *name; name++) {
			*member |= strcmp(*name, entry->name) == 0;
		}
	}
	free(buffer);
	return 0;
}

int users_is_admin(uid_t uid, const char *admin_group, bool *admin)
{
	struct users_entry entry;
	int error;

	*admin = uid == 0;
	if (*admin || !admin_group || !admin_group[0]) {
		return 0;
	}
	error = users_find_uid(uid, &entry);
	if (error) {
		/* Who has no name is in no group. */
		return error == -ENOENT || error == -EINVAL ? 0 : error;
	}
	return users_in_group(&entry, admin_group, admin);
}

int users_normalise(const char *pam_user, char name[USERS_NAME_MAX])
{
	struct users_entry entry;
	int error = users_find_name(pam_user, &entry);

	if (!error) {
		memcpy(name, entry.name, USERS_NAME_MAX);
	}
	return error;
}
