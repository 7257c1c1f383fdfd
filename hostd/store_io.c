/*
 * Files and folders of the store: what changes the disk goes through struct store_io, what reads it is bounded and
 * follows no link.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "hostd/store_internal.h"

/* --- the real system calls ---------------------------------------------------------------------------------------- */

static int system_openat(void *context, int folder, const char *name, int flags, mode_t mode)
{
	int fd = openat(folder, name, flags, mode);

	(void)context;
	return fd < 0 ? -errno : fd;
}

static ssize_t system_write(void *context, int fd, const void *data, size_t size)
{
	ssize_t written = write(fd, data, size);

	(void)context;
	return written < 0 ? -errno : written;
}

static int system_fsync(void *context, int fd)
{
	(void)context;
	return fsync(fd) ? -errno : 0;
}

static int system_fallocate(void *context, int fd, int mode, off_t offset, off_t length)
{
	(void)context;
	return fallocate(fd, mode, offset, length) ? -errno : 0;
}

static int system_renameat(
    void *context, int from_folder, const char *from, int to_folder, const char *to)
{
	(void)context;
	return renameat(from_folder, from, to_folder, to) ? -errno : 0;
}

static int system_mkdirat(void *context, int folder, const char *name, mode_t mode)
{
	(void)context;
	return mkdirat(folder, name, mode) ? -errno : 0;
}

static int system_unlinkat(void *context, int folder, const char *name, int flags)
{
	(void)context;
	return unlinkat(folder, name, flags) ? -errno : 0;
}

const struct store_io store_io_system = {
	.openat = system_openat,
	.write = system_write,
	.fsync = system_fsync,
	.fallocate = system_fallocate,
	.renameat = system_renameat,
	.mkdirat = system_mkdirat,
	.unlinkat = system_unlinkat,
};

/* --- helpers ------------------------------------------------------------------------------------------------------ */

void store_say(char *message, const char *format, ...)
{
	va_list arguments;

	if (message) {
		va_start(arguments, format);
		vsnprintf(message, STORE_TEXT_MAX, format, arguments);
		va_end(arguments);
	}
}

int store_write_all(struct store *store, int fd, const void *data, size_t size)
{
	const char *bytes = data;

	while (size) {
		ssize_t written = store->io->write(store->context, fd, bytes, size);

		if (written == -EINTR) {
			continue;
		}
		if (written <= 0) {
			return written ? (int)written : -EIO;
		}
		bytes += written;
		size -= (size_t)written;
	}
	return 0;
}

int store_fsync(struct store *store, int fd)
{
	return store->io->fsync(store->context, fd);
}

int store_rename(struct store *store, int folder, const char *from, const char *to)
{
	return store->io->renameat(store->context, folder, from, folder, to);
}

int store_unlink(struct store *store, int folder, const char *name, int flags)
{
	return store->io->unlinkat(store->context, folder, name, flags);
}

int store_write_new(
    struct store *store, int folder, const char *name, const void *data, size_t size)
{
	int fd = store->io->openat(store->context, folder, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int error;

	if (fd < 0) {
		return fd;
	}
	error = store_write_all(store, fd, data, size);
	if (!error) {
		error = store_fsync(store, fd);
	}
	close(fd);
	return error;
}

int store_replace(struct store *store, int folder, const char *name, const void *data, size_t size)
{
	char fresh[64];
	int error;

	snprintf(fresh, sizeof(fresh), "%s.new", name);
	error = store_unlink(store, folder, fresh, 0);
	if (error && error != -ENOENT) {
		return error;
	}
	error = store_write_new(store, folder, fresh, data, size);
	if (!error) {
		error = store_rename(store, folder, fresh, name);
	}
	if (error) {
		/* What is left of it does no harm, and is deleted by the next attempt. */
		(void)!store_unlink(store, folder, fresh, 0);
		return error;
	}
	return store_fsync(store, folder);
}

int store_make_folder(struct store *store, int folder, const char *name)
{
	int made = store->io->mkdirat(store->context, folder, name, 0700);
	int error;

	if (made && made != -EEXIST) {
		return made;
	}
	/* Also when it is there: whoever made it may not have come to this. */
	error = store_fsync(store, folder);
	if (error && !made) {
		/* The next attempt begins from the beginning, since an fsync that failed proves nothing later. */
		(void)!store_unlink(store, folder, name, AT_REMOVEDIR);
	}
	return error;
}

int store_open_folder(int folder, const char *name, int *fd)
{
	*fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *fd < 0 ? -errno : 0;
}

int store_open_file(int folder, const char *name, int *fd, struct stat *status)
{
	int error;

	*fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (*fd < 0) {
		/* A link is not one of our files. */
		return errno == ELOOP ? -EBADMSG : -errno;
	}
	error = fstat(*fd, status) ? -errno : S_ISREG(status->st_mode) ? 0 : -EBADMSG;
	if (error) {
		close(*fd);
		*fd = -1;
	}
	return error;
}

bool store_exists(int folder, const char *name)
{
	struct stat status;

	return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

int store_remove_folder(struct store *store, int folder, const char *name)
{
	int fd, error = store_open_folder(folder, name, &fd);
	struct dirent *entry;
	DIR *listing;

	if (error) {
		return error == -ENOENT ? 0 : error;
	}
	listing = fdopendir(fd);
	if (!listing) {
		error = -errno;
		close(fd);
		return error;
	}
	while (!error && (entry = readdir(listing))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			error = store_unlink(store, fd, entry->d_name, 0);
			/* A folder in there is nothing of ours. */
			error = error == -EISDIR ? -ENOTEMPTY : error;
		}
	}
	closedir(listing);
	return error ? error : store_unlink(store, folder, name, AT_REMOVEDIR);
}

int store_hash_file(int fd, uint64_t hash[2])
{
	enum {
		CHUNK = 256 * 1024,
	};
	XXH3_state_t *state = XXH3_createState();
	unsigned char *chunk = malloc(CHUNK);
	off_t offset = 0;
	ssize_t got = 0;
	int error = state && chunk ? 0 : -ENOMEM;

	if (!error) {
		XXH3_128bits_reset(state);
		while ((got = pread(fd, chunk, CHUNK, offset)) > 0 || (got < 0 && errno == EINTR)) {
			if (got > 0) {
				XXH3_128bits_update(state, chunk, (size_t)got);
				offset += got;
			}
		}
		error = got < 0 ? -errno : 0;
	}
	if (!error) {
		XXH128_hash_t digest = XXH3_128bits_digest(state);

		hash[0] = digest.low64;
		hash[1] = digest.high64;
	}
	free(chunk);
	XXH3_freeState(state);
	return error;
}
