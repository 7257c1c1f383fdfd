/*
 * The state folder and the sessions in it; hostd/store.h draws them.
 */
#include "hostd/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "hostd/store_internal.h"
#include "hostd/users.h"

/* --- the state folder --------------------------------------------------------------------------------------------- */

/* Makes `path` and what is missing above it. */
static int make_path(struct store *store, const char *path)
{
	char *copy = strdup(path);
	int error = copy ? 0 : -ENOMEM;

	for (char *slash = copy; !error && slash;) {
		slash = strchr(slash + 1, '/');
		if (slash) {
			*slash = '\0';
		}
		if (copy[0]) {
			error = store->io->mkdirat(
			    store->context, AT_FDCWD, copy, slash ? 0755 : 0700);
			error = error == -EEXIST ? 0 : error;
		}
		if (slash) {
			*slash = '/';
		}
	}
	free(copy);
	return error;
}

static int check_folder(int folder, const char *path, char *message)
{
	struct stat status;

	if (fstat(folder, &status)) {
		return -errno;
	}
	if (status.st_uid != geteuid() || status.st_mode & (S_IWGRP | S_IWOTH)) {
		store_say(message,
		    "%s: others may write there: it must belong to the daemon's user and be "
		    "writable by no one else "
		    "(chown, chmod go-w)",
		    path);
		return -EPERM;
	}
	return 0;
}

static int take_lock(struct store *store, const char *path, char *message)
{
	char pid[24];
	ssize_t length;

	store->lock = store->io->openat(store->context, store->folder, "lock",
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	if (store->lock < 0) {
		store_say(message, "%s/lock: %s", path, strerror(-store->lock));
		return store->lock;
	}
	if (flock(store->lock, LOCK_EX | LOCK_NB)) {
		int error = errno == EWOULDBLOCK ? -EBUSY : -errno;

		length = pread(store->lock, pid, sizeof(pid) - 1, 0);
		pid[length > 0 ? length : 0] = '\0';
		pid[strspn(pid, "0123456789")] = '\0';
		store_say(message,
		    error == -EBUSY ? "%s: another daemon (pid %s) uses this state folder: stop it "
				      "first, or give this one a "
				      "folder of its own"
				    : "%s/lock (held by pid %s): cannot be locked",
		    path, pid[0] ? pid : "unknown");
		return error;
	}
	/* For the message above. As long as the longest pid, so that nothing of an old one is left behind it. */
	snprintf(pid, sizeof(pid), "%-20d\n", (int)getpid());
	return store_write_all(store, store->lock, pid, strlen(pid));
}

int store_open(
    const char *path, const struct store_io *io, void *context, struct store **store, char *message)
{
	struct store *opening = calloc(1, sizeof(*opening));
	int error;

	store_say(message, "%s", "");
	if (!opening) {
		return -ENOMEM;
	}
	*opening = (struct store){ -1, -1, -1, io ? io : &store_io_system, context };
	error = make_path(opening, path);
	if (!error) {
		opening->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		error = opening->folder < 0 ? -errno : 0;
	}
	if (error) {
		store_say(
		    message, "%s: the state folder cannot be used: %s", path, strerror(-error));
		goto fail;
	}
	error = check_folder(opening->folder, path, message);
	if (!error) {
		error = take_lock(opening, path, message);
	}
	if (error) {
		goto fail;
	}
	error = store_make_folder(opening, opening->folder, "sessions");
	if (!error) {
		error = store_open_folder(opening->folder, "sessions", &opening->sessions);
	}
	if (error) {
		store_say(message, "%s/sessions: %s", path, strerror(-error));
		goto fail;
	}
	*store = opening;
	return 0;
fail:
	store_close(opening);
	return error;
}

void store_close(struct store *store)
{
	if (store) {
		fd_close(&store->sessions);
		fd_close(&store->folder);
		fd_close(&store->lock);
		free(store);
	}
}

int store_folder(const struct store *store)
{
	return store->folder;
}

/* A listing of a folder whose descriptor stays open. */
static DIR *list_folder(int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = fd < 0 ? NULL : fdopendir(fd);

	if (!listing && fd >= 0) {
		close(fd);
	}
	return listing;
}

static int by_name(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

int store_list_users(struct store *store, char ***users, size_t *count)
{
	DIR *listing = list_folder(store->sessions);
	struct dirent *entry;
	char **names = NULL;
	size_t used = 0;

	if (!listing) {
		return -errno;
	}
	while ((entry = readdir(listing))) {
		char **grown;

		if (!users_name_valid(entry->d_name)) {
			continue;
		}
		grown = realloc(names, (used + 1) * sizeof(*names));
		if (grown) {
			names = grown;
			names[used] = strdup(entry->d_name);
		}
		if (!grown || !names[used]) {
			store_free_users(names, used);
			closedir(listing);
			return -ENOMEM;
		}
		used++;
	}
	closedir(listing);
	if (used) {
		qsort(names, used, sizeof(*names), by_name);
	}
	*users = names;
	*count = used;
	return 0;
}

void store_free_users(char **users, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(users[i]);
	}
	free(users);
}

/* --- a session ---------------------------------------------------------------------------------------------------- */

static void fresh_info(struct store_session *session, const char *user)
{
	memset(&session->info, 0, sizeof(session->info));
	snprintf(session->info.user, sizeof(session->info.user), "%s", user);
	session->info.created_us = clock_realtime_us();
}

static int read_info(struct store_session *session, const char *user, char *message)
{
	char why[STORE_TEXT_MAX] = "";
	struct stat status;
	char *text = NULL;
	size_t size = 0;
	int fd, error = store_open_file(session->folder, STORE_MANIFEST, &fd, &status);

	if (error == -ENOENT) {
		fresh_info(session, user);
		return 0;
	}
	if (!error) {
		error = fd_read_file(fd, STORE_MANIFEST_MAX, &text, &size);
		close(fd);
		error = error == -EFBIG ? -EBADMSG : error;
	}
	if (!error) {
		error = store_parse_session(text, size, &session->info, why);
		free(text);
	}
	if (!error && strcmp(session->info.user, user) != 0) {
		store_say(why, "it is of another user");
		error = -EBADMSG;
	}
	if (error == -EXDEV) {
		store_say(message,
		    "session %s: %s: %.300s; use that version, or move the folder away", user,
		    STORE_MANIFEST, why);
	} else if (error == -EBADMSG) {
		store_say(message,
		    "session %s: %s is damaged (%.300s): set aside as %s.damaged and begun anew",
		    user, STORE_MANIFEST, why, STORE_MANIFEST);
		error = store_rename(
		    session->store, session->folder, STORE_MANIFEST, STORE_MANIFEST ".damaged");
		fresh_info(session, user);
	}
	return error;
}

static int add_folder(struct store_session *session, const char *name)
{
	struct catalogue_generation entry = { 0 };
	struct store_generation manifest;
	struct stat status;
	char consumed[CATALOGUE_NAME_MAX + sizeof(STORE_CONSUMED)];
	int error;

	entry.kind = catalogue_parse_name(name, &entry.number);
	if (entry.kind == CATALOGUE_OTHER ||
	    fstatat(session->folder, name, &status, AT_SYMLINK_NOFOLLOW) ||
	    !S_ISDIR(status.st_mode)) {
		return 0;
	}
	if (entry.kind == CATALOGUE_COMMITTED) {
		error = store_read_manifest(session, name, entry.number, &manifest, NULL);
		if (error == -ENOMEM || error == -EMFILE || error == -ENFILE) {
			return error;
		}
		entry.readable = !error;
		if (!error) {
			entry.layer_count = manifest.layer_count;
			memcpy(entry.layers, manifest.layers, sizeof(entry.layers));
		}
		snprintf(consumed, sizeof(consumed), "%s/%s", name, STORE_CONSUMED);
		entry.consumed = store_exists(session->folder, consumed);
	}
	error = catalogue_add(&session->catalogue, &entry);
	/* There may be any number of damaged ones; only the numbers of the first are remembered. */
	return error == -ENOSPC && entry.kind == CATALOGUE_DAMAGED ? 0 : error;
}

static int scan(struct store_session *session, char *message)
{
	DIR *listing = list_folder(session->folder);
	struct dirent *entry;
	int error = listing ? 0 : -errno;

	catalogue_init(&session->catalogue);
	while (!error && (entry = readdir(listing))) {
		error = add_folder(session, entry->d_name);
	}
	if (listing) {
		closedir(listing);
	}
	if (error) {
		store_say(message, "session %s: its snapshots cannot be listed: %s",
		    session->info.user, strerror(-error));
	}
	return error;
}

int store_session_open(struct store *store, const char *user, bool create,
    struct store_session **session, char *message)
{
	struct store_session *opening;
	int error;

	store_say(message, "%s", "");
	if (!users_name_valid(user)) {
		store_say(message, "not a user's name");
		return -EINVAL;
	}
	opening = calloc(1, sizeof(*opening));
	if (!opening) {
		return -ENOMEM;
	}
	opening->store = store;
	opening->folder = -1;
	error = create ? store_make_folder(store, store->sessions, user) : 0;
	if (!error) {
		error = store_open_folder(store->sessions, user, &opening->folder);
	}
	if (error) {
		store_say(message, "session %s: its folder: %s", user, strerror(-error));
	} else {
		error = read_info(opening, user, message);
	}
	if (!error) {
		error = scan(opening, message);
	}
	if (error) {
		store_session_close(opening);
		return error;
	}
	*session = opening;
	return 0;
}

void store_session_close(struct store_session *session)
{
	if (session) {
		fd_close(&session->folder);
		free(session);
	}
}

int store_session_folder(const struct store_session *session)
{
	return session->folder;
}

const struct catalogue *store_session_catalogue(const struct store_session *session)
{
	return &session->catalogue;
}

const struct store_session_info *store_session_info(const struct store_session *session)
{
	return &session->info;
}

/* The disk is about to move on from every snapshot that there is. */
static int consume_all(struct store_session *session)
{
	for (size_t i = 0; i < session->catalogue.count; i++) {
		const struct catalogue_generation *entry = &session->catalogue.generations[i];

		if (entry->kind == CATALOGUE_COMMITTED && !entry->consumed) {
			int error = store_generation_consume(session, entry->number);

			if (error) {
				return error;
			}
		}
	}
	return 0;
}

int store_session_update(struct store_session *session, bool running, uint64_t resumes)
{
	struct store_session_info info = session->info;
	int error = running ? consume_all(session) : 0;
	char *text;

	if (error) {
		return error;
	}
	info.running = running;
	info.resumes = resumes;
	text = store_format_session(&info);
	if (!text) {
		return -ENOMEM;
	}
	error = store_replace(session->store, session->folder, STORE_MANIFEST, text, strlen(text));
	free(text);
	if (!error) {
		session->info = info;
	}
	return error;
}

int store_session_log(struct store_session *session, enum store_log log, bool append, int *fd)
{
	const char *name = log == STORE_LOG_CONSOLE ? "console.log" : "events.log";
	struct stat status;

	if (!append) {
		return store_open_file(session->folder, name, fd, &status);
	}
	*fd = session->store->io->openat(session->store->context, session->folder, name,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	return *fd < 0 ? *fd : 0;
}
