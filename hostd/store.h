/*
 * The registry of desktops on disk, and the only code that writes there. Read and repaired with a
 * text editor; its folders are listed below.
 *
 * What must stay true, at every moment at which the power may go: a generation is valid by one
 * rename, after all in it and its folder are fsynced; `consumed` is durable before a vCPU runs; a
 * manifest is the old or the new one; what is deleted stops being valid first (rename to .tmp). An
 * fsync that failed is never repeated as a success. Files read back are hostile: bounded, checked,
 * and never followed through a symbolic link.
 *
 * Every call that changes the disk goes through struct store_io, so that tests can fail, count or
 * lose each of them. Monitor; blocks on the disk. One thread per store.
 */
/* clang-format off */
/*
 *   STATE/lock                              held (flock) by the one daemon that uses this folder; its pid
 *   STATE/tls/                              hostd/certificate.h
 *   STATE/sessions/USER/manifest.json       user, times resumed, whether it runs
 *   STATE/sessions/USER/console.log         the guest's serial port
 *   STATE/sessions/USER/events.log          what happened to the desktop
 *   STATE/sessions/USER/gen.N/              a snapshot: state, ram, frame, manifest.json, and `consumed` once it was run
 *   STATE/sessions/USER/gen.N.tmp/          being written, or being deleted
 *   STATE/sessions/USER/gen.N.damaged/      set aside for a person to look at
 */
/* clang-format on */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/must_check.h"
#include "session/catalogue.h"

enum {
	STORE_USER_MAX = 64,
	STORE_FINGERPRINT_MAX = 128,
	STORE_VERSION_MAX = 32,
	STORE_TEXT_MAX = 512,           /* bytes of a message with its NUL */
	STORE_MANIFEST_MAX = 64 * 1024, /* bytes of a manifest that are read */
	STORE_FORMAT = 1,               /* of both manifests */
};

/* The system calls that change the disk, each with the context first. Return as the system calls
 * do, but -errno. */
struct store_io {
	int (*openat)(void *context, int folder, const char *name, int flags, mode_t mode);
	ssize_t (*write)(void *context, int fd, const void *data, size_t size);
	int (*fsync)(void *context, int fd);
	int (*fallocate)(void *context, int fd, int mode, off_t offset, off_t length);
	int (*renameat)(
	    void *context, int from_folder, const char *from, int to_folder, const char *to);
	int (*mkdirat)(void *context, int folder, const char *name, mode_t mode);
	int (*unlinkat)(void *context, int folder, const char *name, int flags);
};

/* The real ones. */
extern const struct store_io store_io_system;

struct store;
struct store_session;

/*
 * Opens (and makes, 0700) the state folder and takes its lock. `message` (STORE_TEXT_MAX bytes)
 * says what failed and what to do. 0; -EBUSY when another daemon has it (its pid is in the
 * message); -EACCES, -ENOTDIR, ... `io` and `context` are kept; NULL for the system's.
 */
must_check int store_open(const char *path, const struct store_io *io, void *context,
    struct store **store, char *message);
/* Gives the lock back. Sessions must be closed before. NULL is fine. */
void store_close(struct store *store);
/* The state folder; stays the store's. */
int store_folder(const struct store *store);

/* The users with a folder here, sorted, as malloc'ed strings in a malloc'ed array
 * (store_free_users). 0 or -errno. */
must_check int store_list_users(struct store *store, char ***users, size_t *count);
void store_free_users(char **users, size_t count);

/*
 * Opens the folder of a user's desktop, made when missing and `create` is set, and reads it.
 * Remains of interrupted suspends are not touched yet (store_session_sweep). A damaged session
 * manifest is set aside as manifest.json.damaged and begun anew, with a note in `message`. 0;
 * -EINVAL: not a valid user name (users_name_valid()); -ENOENT; -errno.
 */
must_check int store_session_open(struct store *store, const char *user, bool create,
    struct store_session **session, char *message);
void store_session_close(struct store_session *session);
/* Its folder; stays the session's. */
int store_session_folder(const struct store_session *session);
/* What is there. Good until the next call that changes the session. */
const struct catalogue *store_session_catalogue(const struct store_session *session);

/* manifest.json of a session. A `message` of any call here may be NULL. */
struct store_session_info {
	char user[STORE_USER_MAX];
	uint64_t created_us; /* UTC */
	uint64_t resumes;    /* times resumed */
	bool running; /* a VM was started and has neither ended in order nor been suspended since */
};

const struct store_session_info *store_session_info(const struct store_session *session);
/*
 * Replaces the manifest durably. With `running`, which is to be said before the first vCPU runs,
 * first marks as consumed whatever generation is not yet: the disk is about to move on, so none may
 * ever be resumed. 0 or -errno: then the desktop must not be started, and the old manifest or the
 * new one holds.
 */
must_check int store_session_update(struct store_session *session, bool running, uint64_t resumes);

/* Deletes temporary folders. Only while no VMM writes a snapshot of this desktop. 0 or the first
 * -errno. */
must_check int store_session_sweep(struct store_session *session);

/* The identity of a snapshot, recorded when it is committed and compared before it is loaded. */
struct store_identity {
	char cpu[STORE_FINGERPRINT_MAX];  /* of the CPU as the guest sees it; made by the monitor */
	char disk[STORE_FINGERPRINT_MAX]; /* of the disks; "none" for the demo */
	char version[STORE_VERSION_MAX];  /* of tanmatsu */
	uint32_t memory_mib;
	uint32_t vcpus;
};

/* manifest.json of a generation. */
struct store_generation {
	uint64_t number;
	uint64_t base;       /* loaded from, 0: booted */
	uint64_t created_us; /* UTC */
	struct store_identity identity;
	uint64_t state_bytes, ram_bytes, frame_bytes; /* file sizes */
	uint64_t state_hash[2],
	    frame_hash[2]; /* XXH3-128, low and high half; ram carries its own checksums */
	size_t layer_count;
	uint64_t layers[CATALOGUE_LAYERS_MAX];
};

/* The files of a generation being written, in the order of VMM_SUSPEND's descriptors. The caller
 * closes them. */
struct store_files {
	int state, ram, frame;
};

/*
 * Begins generation `number`: proves that `reserve_bytes` are free (0: not asked), makes gen.N.tmp
 * with its three empty files. 0; -ENOSPC or -EDQUOT; -EEXIST; other -errno: then nothing is left
 * behind.
 */
must_check int store_generation_create(struct store_session *session, uint64_t number,
    uint64_t reserve_bytes, struct store_files *files);
/*
 * Makes it valid. The VMM has written and fsynced the files. `complete`: the RAM layer needs no
 * older one. 0, after which it survives a power cut; or -errno, after which it is a temporary
 * folder again, for store_generation_discard(); -EUCLEAN when not even that could be made sure:
 * then the VM must not run on (it would leave the snapshot behind).
 */
must_check int store_generation_commit(struct store_session *session, uint64_t number,
    uint64_t base, bool complete, const struct store_identity *identity, uint64_t now_us);
/* Deletes gen.N.tmp. 0 (also when it is not there) or -errno. */
must_check int store_generation_discard(struct store_session *session, uint64_t number);
/* Marks it as consumed, durably. 0 (also when it was), or -errno: then no vCPU may run. */
must_check int store_generation_consume(struct store_session *session, uint64_t number);
/* Renames gen.N to gen.N.damaged (with .1, .2 ... appended when that is taken: never overwritten).
 * 0 or -errno. */
must_check int store_generation_set_aside(struct store_session *session, uint64_t number);
/* Deletes what catalogue_plan_prune() says. 0 or the first -errno, after which it may be tried
 * again. */
must_check int store_session_prune(struct store_session *session, size_t keep, uint64_t base);

/* The manifest of a committed generation. 0; -ENOENT; -EBADMSG with `message`; -EXDEV with `message` when a newer
 * version wrote it. */
must_check int store_generation_read(struct store_session *session, uint64_t number,
    struct store_generation *generation, char *message);
/*
 * Whether that generation may be loaded here: 0; -EXDEV with `message` when it was made on another
 * CPU, with other disks, or with another memory size or number of CPUs: then nothing is to be
 * deleted.
 */
must_check int store_generation_fits(
    const struct store_generation *generation, const struct store_identity *here, char *message);
/*
 * Opens a generation for loading, read-only: the state file, checked against its hash, and the RAM
 * layers, oldest first, checked for their sizes. The caller closes the descriptors. 0; -EBADMSG
 * with `message` when it is damaged; -errno.
 */
must_check int store_generation_open(struct store_session *session, uint64_t number,
    struct store_generation *generation, int *state, int layers[CATALOGUE_LAYERS_MAX],
    size_t *layer_count, char *message);
/* The last frame of the newest committed generation, consumed or not, for captions and screenshots.
 * 0, -ENOENT, -EBADMSG. */
must_check int store_frame_open(struct store_session *session, int *fd);
/* Bytes on disk (allocated blocks) of all generations. 0 or -errno. */
must_check int store_session_usage(struct store_session *session, uint64_t *bytes);

enum store_log {
	STORE_LOG_CONSOLE = 0, /* the guest's serial port: written by the VMM */
	STORE_LOG_EVENTS = 1,  /* what happened to the desktop: written by the daemon */
};

/* A log of the desktop, to append to (made when missing) or to read (-ENOENT). The caller closes
 * it. 0 or -errno. */
must_check int store_session_log(
    struct store_session *session, enum store_log log, bool append, int *fd);

/*
 * Parsers of the two manifests, for tests and fuzzing: `text` is hostile. 0, or -EBADMSG with
 * `message`.
 */
must_check int store_parse_session(
    const char *text, size_t size, struct store_session_info *info, char *message);
must_check int store_parse_generation(
    const char *text, size_t size, struct store_generation *generation, char *message);
