/*
 * The life of a generation on disk: made as a temporary folder, committed by one rename, marked as consumed, set aside,
 * deleted. The order of the calls is what keeps a desktop from being lost, see hostd/store.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "hostd/store_internal.h"

#define RESERVE "reserve.tmp"

/* --- the catalogue in memory -------------------------------------------------------------------------------------- */

void store_forget(struct store_session *session, enum catalogue_kind kind, uint64_t number)
{
	struct catalogue *catalogue = &session->catalogue;

	for (size_t i = 0; i < catalogue->count; i++) {
		if (catalogue->generations[i].kind == kind &&
		    catalogue->generations[i].number == number) {
			catalogue->count--;
			memmove(&catalogue->generations[i], &catalogue->generations[i + 1],
			    (catalogue->count - i) * sizeof(catalogue->generations[0]));
			return;
		}
	}
}

static bool is_there(const struct store_session *session, enum catalogue_kind kind, uint64_t number)
{
	for (size_t i = 0; i < session->catalogue.count; i++) {
		const struct catalogue_generation *entry = &session->catalogue.generations[i];

		if (entry->kind == kind && entry->number == number) {
			return true;
		}
	}
	return false;
}

static int remember(struct store_session *session, enum catalogue_kind kind, uint64_t number)
{
	struct catalogue_generation entry = { .kind = kind, .number = number };

	return is_there(session, kind, number) ? 0 : catalogue_add(&session->catalogue, &entry);
}

/* --- create ------------------------------------------------------------------------------------------------------- */

/* Room for so many bytes, quotas included. Nothing is kept of it: others may still take it. */
static int prove_room(struct store_session *session, uint64_t bytes)
{
	struct store *store = session->store;
	struct statvfs room;
	int fd, error;

	if (bytes > INT64_MAX) {
		return -ENOSPC;
	}
	fd = store->io->openat(store->context, session->folder, RESERVE,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		return fd;
	}
	error = store->io->fallocate(store->context, fd, 0, 0, (off_t)bytes);
	if (error == -EOPNOTSUPP) {
		error = fstatvfs(fd, &room)                                           ? -errno
			: room.f_bavail < bytes / (room.f_frsize ? room.f_frsize : 1) ? -ENOSPC
										      : 0;
	}
	close(fd);
	if (error) {
		(void)!store_unlink(store, session->folder, RESERVE, 0);
		return error;
	}
	return store_unlink(store, session->folder, RESERVE, 0);
}

static int make_file(struct store *store, int folder, const char *name, int *fd)
{
	*fd = store->io->openat(
	    store->context, folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	return *fd < 0 ? *fd : 0;
}

int store_generation_create(struct store_session *session, uint64_t number, uint64_t reserve_bytes,
    struct store_files *files)
{
	struct store *store = session->store;
	char name[CATALOGUE_NAME_MAX];
	int folder = -1, error;

	*files = (struct store_files){ -1, -1, -1 };
	if (number < catalogue_next(&session->catalogue)) {
		return -EEXIST;
	}
	error = reserve_bytes ? prove_room(session, reserve_bytes) : 0;
	if (!error) {
		error = remember(session, CATALOGUE_TEMPORARY, number);
	}
	if (error) {
		return error;
	}
	catalogue_format_name(CATALOGUE_TEMPORARY, number, name);
	error = store->io->mkdirat(store->context, session->folder, name, 0700);
	if (!error) {
		error = store_open_folder(session->folder, name, &folder);
	}
	if (!error) {
		error = make_file(store, folder, STORE_STATE, &files->state);
	}
	if (!error) {
		error = make_file(store, folder, STORE_RAM, &files->ram);
	}
	if (!error) {
		error = make_file(store, folder, STORE_FRAME, &files->frame);
	}
	fd_close(&folder);
	if (error) {
		fd_close(&files->state);
		fd_close(&files->ram);
		fd_close(&files->frame);
		(void)!store_generation_discard(session, number);
	}
	return error;
}

int store_generation_discard(struct store_session *session, uint64_t number)
{
	char name[CATALOGUE_NAME_MAX];
	int error;

	catalogue_format_name(CATALOGUE_TEMPORARY, number, name);
	error = store_remove_folder(session->store, session->folder, name);
	if (!error) {
		store_forget(session, CATALOGUE_TEMPORARY, number);
	}
	return error;
}

/* --- commit ------------------------------------------------------------------------------------------------------- */

/* Size, contents on disk for sure, and the checksum where one is wanted. */
static int seal_file(
    struct store *store, int folder, const char *name, uint64_t *bytes, uint64_t *hash)
{
	struct stat status;
	int fd, error = store_open_file(folder, name, &fd, &status);

	if (error) {
		return error;
	}
	*bytes = (uint64_t)status.st_size;
	/* The VMM did so as well, and said so; it is also the process that a guest may have taken over. */
	error = store_fsync(store, fd);
	if (!error && hash) {
		error = store_hash_file(fd, hash);
	}
	close(fd);
	return error;
}

static int write_manifest(struct store *store, int folder, struct store_generation *manifest)
{
	int error = seal_file(
	    store, folder, STORE_STATE, &manifest->state_bytes, manifest->state_hash);
	char *text;

	if (!error) {
		error = seal_file(store, folder, STORE_RAM, &manifest->ram_bytes, NULL);
	}
	if (!error) {
		error = seal_file(
		    store, folder, STORE_FRAME, &manifest->frame_bytes, manifest->frame_hash);
	}
	if (error) {
		return error;
	}
	text = store_format_generation(manifest);
	if (!text) {
		return -ENOMEM;
	}
	error = store_write_new(store, folder, STORE_MANIFEST, text, strlen(text));
	free(text);
	return error ? error : store_fsync(store, folder);
}

int store_generation_commit(struct store_session *session, uint64_t number, uint64_t base,
    bool complete, const struct store_identity *identity, uint64_t now_us)
{
	struct store *store = session->store;
	struct store_generation manifest = {
		.number = number, .base = base, .created_us = now_us, .identity = *identity
	};
	struct catalogue_generation entry = {
		.number = number, .kind = CATALOGUE_COMMITTED, .readable = true
	};
	char temporary[CATALOGUE_NAME_MAX], final[CATALOGUE_NAME_MAX];
	int folder, error;

	if (!is_there(session, CATALOGUE_TEMPORARY, number)) {
		return -ENOENT;
	}
	error = catalogue_plan_layers(
	    &session->catalogue, base, number, complete, manifest.layers, &manifest.layer_count);
	if (error) {
		return error;
	}
	catalogue_format_name(CATALOGUE_TEMPORARY, number, temporary);
	catalogue_format_name(CATALOGUE_COMMITTED, number, final);
	error = store_open_folder(session->folder, temporary, &folder);
	if (error) {
		return error;
	}
	error = write_manifest(store, folder, &manifest);
	close(folder);
	if (!error) {
		error = store_rename(store, session->folder, temporary, final);
	}
	if (error) {
		return error;
	}
	error = store_fsync(store, session->folder);
	entry.layer_count = manifest.layer_count;
	memcpy(entry.layers, manifest.layers, sizeof(entry.layers));
	store_forget(session, CATALOGUE_TEMPORARY, number);
	/* There is room: one was forgotten just now; and its numbers make sense: they were planned. */
	(void)!catalogue_add(&session->catalogue, &entry);
	/* After an fsync that failed nobody knows what a power cut would leave, whatever is done or undone now. */
	return error ? -EUCLEAN : 0;
}

/* --- consume, set aside, delete ----------------------------------------------------------------------------------- */

int store_generation_consume(struct store_session *session, uint64_t number)
{
	struct store *store = session->store;
	char name[CATALOGUE_NAME_MAX];
	int folder, error;
	bool marked;

	catalogue_format_name(CATALOGUE_COMMITTED, number, name);
	error = store_open_folder(session->folder, name, &folder);
	if (error) {
		return error;
	}
	marked = store_exists(folder, STORE_CONSUMED);
	error = marked ? 0 : store_write_new(store, folder, STORE_CONSUMED, "", 0);
	if (!error) {
		error = store_fsync(store, folder);
	}
	if (error && !marked) {
		/* It must not run, so it should be resumable once the disk is mended. */
		(void)!store_unlink(store, folder, STORE_CONSUMED, 0);
	}
	close(folder);
	for (size_t i = 0; !error && i < session->catalogue.count; i++) {
		struct catalogue_generation *entry = &session->catalogue.generations[i];

		if (entry->kind == CATALOGUE_COMMITTED && entry->number == number) {
			entry->consumed = true;
		}
	}
	return error;
}

int store_generation_set_aside(struct store_session *session, uint64_t number)
{
	char name[CATALOGUE_NAME_MAX], aside[CATALOGUE_NAME_MAX + 16];
	int error;

	catalogue_format_name(CATALOGUE_COMMITTED, number, name);
	catalogue_format_name(CATALOGUE_DAMAGED, number, aside);
	for (unsigned int i = 1; store_exists(session->folder, aside); i++) {
		catalogue_format_name(CATALOGUE_DAMAGED, number, aside);
		snprintf(aside + strlen(aside), 16, ".%u", i);
	}
	error = store_rename(session->store, session->folder, name, aside);
	if (!error) {
		store_forget(session, CATALOGUE_COMMITTED, number);
		(void)!remember(session, CATALOGUE_DAMAGED, number);
		error = store_fsync(session->store, session->folder);
	}
	return error;
}

int store_delete_planned(struct store_session *session, const struct catalogue_plan *plan)
{
	struct store *store = session->store;

	for (size_t i = 0; i < plan->count; i++) {
		uint64_t number = plan->items[i].number;
		char name[CATALOGUE_NAME_MAX], temporary[CATALOGUE_NAME_MAX];
		int error = 0;

		catalogue_format_name(plan->items[i].kind, number, name);
		catalogue_format_name(CATALOGUE_TEMPORARY, number, temporary);
		if (plan->items[i].kind == CATALOGUE_COMMITTED) {
			/* It stops being valid as a whole, and for sure, before anything in it goes. */
			error = store_rename(store, session->folder, name, temporary);
			if (!error) {
				store_forget(session, CATALOGUE_COMMITTED, number);
				error = remember(session, CATALOGUE_TEMPORARY, number);
			}
			if (!error) {
				error = store_fsync(store, session->folder);
			}
		}
		if (!error) {
			error = store_generation_discard(session, number);
		}
		if (error) {
			return error;
		}
	}
	return 0;
}

int store_session_prune(struct store_session *session, size_t keep, uint64_t base)
{
	struct catalogue_plan plan;

	catalogue_plan_prune(&session->catalogue, keep, base, &plan);
	return store_delete_planned(session, &plan);
}

int store_session_sweep(struct store_session *session)
{
	struct catalogue_plan plan;
	int error = store_unlink(session->store, session->folder, RESERVE, 0);

	catalogue_plan_sweep(&session->catalogue, &plan);
	return error && error != -ENOENT ? error : store_delete_planned(session, &plan);
}
