/*
 * Between the parts of the store: store.c has the state folder and the sessions, store_generation.c the life of a
 * generation, store_load.c reading one back, store_manifest.c the manifests, store_io.c files and folders. Nobody else
 * includes this.
 */
#pragma once

#include <sys/stat.h>

#include "hostd/store.h"

#define STORE_MANIFEST "manifest.json"
#define STORE_CONSUMED "consumed"
#define STORE_STATE    "state"
#define STORE_RAM      "ram"
#define STORE_FRAME    "frame"

struct store {
	int folder, sessions, lock; /* STATE, STATE/sessions, STATE/lock */
	const struct store_io *io;
	void *context;
};

struct store_session {
	struct store *store;
	int folder;
	struct store_session_info info;
	struct catalogue catalogue;
};

/* --- store_io.c --------------------------------------------------------------------------------------------------- */

/* Writes a message, cut to STORE_TEXT_MAX; `message` may be NULL. */
void store_say(char *message, const char *format, ...) __attribute__((format(printf, 2, 3)));

must_check int store_write_all(struct store *store, int fd, const void *data, size_t size);
must_check int store_fsync(struct store *store, int fd);
must_check int store_rename(struct store *store, int folder, const char *from, const char *to);
must_check int store_unlink(struct store *store, int folder, const char *name, int flags);
/* Makes a file that is not there yet, 0600, and writes it durably; its folder is not fsynced. */
must_check int store_write_new(
    struct store *store, int folder, const char *name, const void *data, size_t size);
/* Replaces a file as a whole: the old one or the new one, at every moment. */
must_check int store_replace(
    struct store *store, int folder, const char *name, const void *data, size_t size);
/* Deletes a folder with the files in it; 0 when it is not there. Folders in it are not followed: -ENOTEMPTY. */
must_check int store_remove_folder(struct store *store, int folder, const char *name);
/* Makes a folder, 0700, durably; 0 as well when it is there. */
must_check int store_make_folder(struct store *store, int folder, const char *name);
/* Opens without following a link, for reading: a folder, or a regular file whose status goes to `status`. */
must_check int store_open_folder(int folder, const char *name, int *fd);
must_check int store_open_file(int folder, const char *name, int *fd, struct stat *status);
/* XXH3-128 of a whole file: low and high half. */
must_check int store_hash_file(int fd, uint64_t hash[2]);
/* Whether a name stands in the folder, whatever it is. */
bool store_exists(int folder, const char *name);

/* --- store_manifest.c --------------------------------------------------------------------------------------------- */

/* The texts of the manifests, malloc'ed; NULL when memory is short. */
char *store_format_session(const struct store_session_info *info);
char *store_format_generation(const struct store_generation *generation);

/* --- store_load.c ------------------------------------------------------------------------------------------------- */

/* Reads manifest.json of the generation in the folder `name`, which must bear `number`. Errors as
 * store_generation_read(). */
must_check int store_read_manifest(struct store_session *session, const char *name, uint64_t number,
    struct store_generation *generation, char *message);

/* --- store_generation.c ------------------------------------------------------------------------------------------- */

must_check int store_delete_planned(
    struct store_session *session, const struct catalogue_plan *plan);
/* Takes an entry out of the session's catalogue, or adds one. */
void store_forget(struct store_session *session, enum catalogue_kind kind, uint64_t number);
