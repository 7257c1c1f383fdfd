/*
 * Reading a generation back. Everything in its folder is hostile: it may be cut, changed, or not ours.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "hostd/store_internal.h"

int store_read_manifest(struct store_session *session, const char *name, uint64_t number,
    struct store_generation *generation, char *message)
{
	int folder, fd = -1, error = store_open_folder(session->folder, name, &folder);
	struct stat status;
	char *text = NULL;
	size_t size = 0;

	store_say(message, "%s", "");
	if (error) {
		store_say(message, "%s: %s", name, strerror(-error));
		return error == -ENOTDIR || error == -ELOOP ? -EBADMSG : error;
	}
	error = store_open_file(folder, STORE_MANIFEST, &fd, &status);
	if (!error) {
		error = fd_read_file(fd, STORE_MANIFEST_MAX, &text, &size);
	}
	if (error) {
		store_say(message, "%s/%s: %s", name, STORE_MANIFEST,
		    error == -EBADMSG ? "not a file" : strerror(-error));
		/* A committed generation without a manifest is a damaged one. */
		error = error == -ENOENT || error == -EFBIG ? -EBADMSG : error;
		goto out;
	}
	error = store_parse_generation(text, size, generation, message);
	if (!error && generation->number != number) {
		store_say(message, "%s/%s: it is generation %" PRIu64 "'s", name, STORE_MANIFEST,
		    generation->number);
		error = -EBADMSG;
	}
out:
	free(text);
	fd_close(&fd);
	close(folder);
	return error;
}

int store_generation_read(struct store_session *session, uint64_t number,
    struct store_generation *generation, char *message)
{
	char name[CATALOGUE_NAME_MAX];

	catalogue_format_name(CATALOGUE_COMMITTED, number, name);
	return store_read_manifest(session, name, number, generation, message);
}

int store_generation_fits(
    const struct store_generation *generation, const struct store_identity *here, char *message)
{
	const struct store_identity *made = &generation->identity;

	store_say(message, "%s", "");
	if (strcmp(made->cpu, here->cpu) != 0) {
		store_say(message, "it was saved on another CPU (\"%s\", this host has \"%s\")",
		    made->cpu, here->cpu);
		return -EXDEV;
	}
	if (strcmp(made->disk, here->disk) != 0) {
		store_say(message, "it was saved with other disks (\"%s\", now \"%s\")", made->disk,
		    here->disk);
		return -EXDEV;
	}
	if (made->memory_mib != here->memory_mib || made->vcpus != here->vcpus) {
		store_say(message,
		    "it was saved with %" PRIu32 " MiB and %" PRIu32
		    " CPUs, the configuration says %" PRIu32 " MiB and %" PRIu32,
		    made->memory_mib, made->vcpus, here->memory_mib, here->vcpus);
		return -EXDEV;
	}
	return 0;
}

/* A file of a generation, of the size that its manifest says. */
static int open_sized(struct store_session *session, uint64_t number, const char *file,
    uint64_t bytes, int *fd, char *message)
{
	char name[CATALOGUE_NAME_MAX];
	struct stat status;
	int folder, error;

	*fd = -1;
	catalogue_format_name(CATALOGUE_COMMITTED, number, name);
	error = store_open_folder(session->folder, name, &folder);
	if (!error) {
		error = store_open_file(folder, file, fd, &status);
		close(folder);
	}
	if (error) {
		store_say(message, "%s/%s: %s", name, file,
		    error == -EBADMSG ? "not a file" : strerror(-error));
		return error == -ENOENT || error == -ELOOP || error == -ENOTDIR ? -EBADMSG : error;
	}
	if ((uint64_t)status.st_size != bytes) {
		store_say(message, "%s/%s: %" PRIu64 " bytes instead of %" PRIu64, name, file,
		    (uint64_t)status.st_size, bytes);
		fd_close(fd);
		return -EBADMSG;
	}
	return 0;
}

/* The same, with its checksum. */
static int open_checked(struct store_session *session, uint64_t number, const char *file,
    uint64_t bytes, const uint64_t expected[2], int *fd, char *message)
{
	uint64_t hash[2];
	int error = open_sized(session, number, file, bytes, fd, message);

	if (error) {
		return error;
	}
	error = store_hash_file(*fd, hash);
	if (!error && (hash[0] != expected[0] || hash[1] != expected[1])) {
		error = -EBADMSG;
	}
	if (error) {
		store_say(message, "gen.%" PRIu64 "/%s: %s", number, file,
		    error == -EBADMSG ? "its checksum is wrong" : strerror(-error));
		fd_close(fd);
	}
	return error;
}

static int open_layer(struct store_session *session, uint64_t number, int *fd, char *message)
{
	struct store_generation below;
	int error = store_generation_read(session, number, &below, message);

	if (error) {
		return error == -ENOENT ? -EBADMSG : error;
	}
	return open_sized(session, number, STORE_RAM, below.ram_bytes, fd, message);
}

int store_generation_open(struct store_session *session, uint64_t number,
    struct store_generation *generation, int *state, int layers[CATALOGUE_LAYERS_MAX],
    size_t *layer_count, char *message)
{
	int error = store_generation_read(session, number, generation, message);

	*state = -1;
	*layer_count = 0;
	if (!error) {
		error = open_checked(session, number, STORE_STATE, generation->state_bytes,
		    generation->state_hash, state, message);
	}
	while (!error && *layer_count < generation->layer_count) {
		error = open_layer(
		    session, generation->layers[*layer_count], &layers[*layer_count], message);
		*layer_count += !error;
	}
	if (error) {
		fd_close(state);
		while (*layer_count) {
			fd_close(&layers[--*layer_count]);
		}
	}
	return error;
}

int store_frame_open(struct store_session *session, int *fd)
{
	const struct catalogue_generation *newest = catalogue_newest(&session->catalogue);
	struct store_generation generation;
	int error;

	*fd = -1;
	if (!newest) {
		return -ENOENT;
	}
	error = store_generation_read(session, newest->number, &generation, NULL);
	if (error) {
		return error == -EXDEV ? -EBADMSG : error;
	}
	return open_checked(session, newest->number, STORE_FRAME, generation.frame_bytes,
	    generation.frame_hash, fd, NULL);
}

int store_session_usage(struct store_session *session, uint64_t *bytes)
{
	static const char *const files[] = { STORE_STATE, STORE_RAM, STORE_FRAME, STORE_MANIFEST };

	*bytes = 0;
	for (size_t i = 0; i < session->catalogue.count; i++) {
		const struct catalogue_generation *entry = &session->catalogue.generations[i];
		char name[CATALOGUE_NAME_MAX], path[CATALOGUE_NAME_MAX + 16];

		catalogue_format_name(entry->kind, entry->number, name);
		for (size_t file = 0; file < sizeof(files) / sizeof(files[0]); file++) {
			struct stat status;

			snprintf(path, sizeof(path), "%s/%s", name, files[file]);
			if (fstatat(session->folder, path, &status, AT_SYMLINK_NOFOLLOW) == 0) {
				*bytes += (uint64_t)status.st_blocks * 512;
			} else if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP) {
				return -errno;
			}
		}
	}
	return 0;
}
