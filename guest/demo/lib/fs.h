/*
 * The little file system in memory that the terminal and the editor share: a flat list of named
 * files. It is gone at power off and survives a suspend, which is exactly what it is there to show.
 */
#pragma once

#include "lib/heap.h"

#include <stdbool.h>
#include <stddef.h>

#define FS_MAX_FILES 48
#define FS_NAME_SIZE 40
#define FS_MAX_BYTES (1u << 20) /* of one file */

struct fs_file {
	char name[FS_NAME_SIZE]; /* empty: this slot is free */
	char *data;              /* not terminated; NULL when empty */
	size_t size;
};

struct fs {
	struct heap *heap;
	struct fs_file files[FS_MAX_FILES];
};

/* Starts empty; memory for contents comes from `heap`. */
void fs_init(struct fs *fs, struct heap *heap);

/* The file of that name, or NULL; valid until it is removed. */
struct fs_file *fs_find(struct fs *fs, const char *name);

/* Replaces (or creates) a file. Returns 0, or -errno: EINVAL a bad name, EFBIG, ENOSPC. Nothing
 * changed on failure. */
int fs_write(struct fs *fs, const char *name, const char *data, size_t size)
    __attribute__((warn_unused_result));

/* Removes a file; false if there is none of that name. */
bool fs_remove(struct fs *fs, const char *name);

/* True for 1..39 characters, printable, without '/' and spaces. */
bool fs_name_valid(const char *name);
