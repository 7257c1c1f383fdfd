/* A disk that fails; see fault_disk.h. */
#include "fault_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	NODES_MAX = 128,
	NAMES_MAX = 32,
	NAME_LENGTH = 64,
	CONTENTS_MAX = 1536,
};

struct name {
	char name[NAME_LENGTH];
	size_t node;
};

struct names {
	size_t count;
	struct name names[NAMES_MAX];
};

struct contents {
	size_t size;
	char data[CONTENTS_MAX];
};

/* A file or folder, now and as of its last fsync. */
struct node {
	bool folder;
	ino_t inode;
	struct names names, safe_names;
	struct contents contents, safe_contents;
};

struct fault_disk {
	enum fault_kind kind;
	uint64_t at, calls;
	int error;
	bool stopped;
	size_t node_count;
	struct node *nodes; /* the first is the root */
};

/* --- the model ---------------------------------------------------------------------------------------------------- */

/* By inode; the newest of that number, since numbers are used again. */
static struct node *find_inode(struct fault_disk *disk, ino_t inode)
{
	for (size_t i = disk->node_count; i-- > 0;) {
		if (disk->nodes[i].inode == inode) {
			return &disk->nodes[i];
		}
	}
	return NULL;
}

static struct node *node_of(struct fault_disk *disk, int fd)
{
	struct stat status;

	assert_int_equal(fstat(fd, &status), 0);
	return find_inode(disk, status.st_ino);
}

/* The folder that a name given to an *at() call lies in; the root's own path and what is above it are not modelled. */
static struct node *parent_of(struct fault_disk *disk, int folder)
{
	return folder == AT_FDCWD ? NULL : node_of(disk, folder);
}

static struct name *find_name(struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->names[i].name, name) == 0) {
			return &names->names[i];
		}
	}
	return NULL;
}

static void remove_name(struct names *names, const char *name)
{
	struct name *found = find_name(names, name);

	assert_non_null(found);
	*found = names->names[--names->count];
}

static void set_name(struct names *names, const char *name, size_t node)
{
	struct name *found = find_name(names, name);

	if (!found) {
		assert_true(names->count < NAMES_MAX);
		found = &names->names[names->count++];
		snprintf(found->name, sizeof(found->name), "%s", name);
	}
	found->node = node;
}

static void add_node(
    struct fault_disk *disk, struct node *parent, int folder, const char *name, bool is_folder)
{
	struct stat status;
	struct node *node = &disk->nodes[disk->node_count];

	assert_true(disk->node_count < NODES_MAX);
	assert_int_equal(fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW), 0);
	memset(node, 0, sizeof(*node));
	node->folder = is_folder;
	node->inode = status.st_ino;
	set_name(&parent->names, name, disk->node_count++);
}

struct fault_disk *fault_disk_create(const char *root)
{
	struct fault_disk *disk = calloc(1, sizeof(*disk));
	struct stat status;

	assert_non_null(disk);
	disk->nodes = calloc(NODES_MAX, sizeof(disk->nodes[0]));
	assert_non_null(disk->nodes);
	assert_int_equal(stat(root, &status), 0);
	disk->nodes[0].folder = true;
	disk->nodes[0].inode = status.st_ino;
	disk->node_count = 1;
	return disk;
}

void fault_disk_destroy(struct fault_disk *disk)
{
	free(disk->nodes);
	free(disk);
}

void fault_disk_plan(struct fault_disk *disk, enum fault_kind kind, uint64_t at, int error)
{
	disk->kind = kind;
	disk->at = at;
	disk->error = error;
}

uint64_t fault_disk_calls(const struct fault_disk *disk)
{
	return disk->calls;
}

bool fault_disk_stopped(const struct fault_disk *disk)
{
	return disk->stopped;
}

/* --- the calls ---------------------------------------------------------------------------------------------------- */

/* Counts a call. 0: it goes through; else what it returns. */
static int enter(struct fault_disk *disk)
{
	if (disk->stopped) {
		return -EIO;
	}
	disk->calls++;
	if (disk->calls != disk->at) {
		return 0;
	}
	switch (disk->kind) {
	case FAULT_NONE:
		return 0;
	case FAULT_ERROR:
	case FAULT_SHORT:
		return -disk->error;
	default:
		disk->stopped = true;
		return -EIO;
	}
}

static int fault_openat(void *context, int folder, const char *name, int flags, mode_t mode)
{
	struct fault_disk *disk = context;
	struct node *parent = parent_of(disk, folder);
	struct stat status;
	bool there = fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
	int error = enter(disk), fd;

	if (error) {
		return error;
	}
	fd = openat(folder, name, flags, mode);
	if (fd < 0) {
		return -errno;
	}
	if (!there) {
		add_node(disk, parent, folder, name, false);
	} else if (flags & O_TRUNC) {
		node_of(disk, fd)->contents.size = 0;
	}
	return fd;
}

static ssize_t fault_write(void *context, int fd, const void *data, size_t size)
{
	struct fault_disk *disk = context;
	struct contents *contents = &node_of(disk, fd)->contents;
	int error = enter(disk);
	ssize_t written;

	if (error) {
		bool torn = disk->calls == disk->at && size > 1 &&
			    (disk->kind == FAULT_SHORT ||
				(disk->kind == FAULT_STOP_TORN && disk->stopped));

		if (!torn) {
			return error;
		}
		disk->at = 0; /* once */
		size /= 2;
	}
	written = write(fd, data, size);
	assert_int_equal(written, size);
	assert_true(contents->size + size <= CONTENTS_MAX);
	memcpy(contents->data + contents->size, data, size);
	contents->size += size;
	return disk->stopped ? error : written;
}

static int fault_fsync(void *context, int fd)
{
	struct fault_disk *disk = context;
	struct node *node = node_of(disk, fd);
	int error = enter(disk);

	if (error) {
		return error;
	}
	/* A scratch folder's own fsync would only cost time. */
	node->safe_names = node->names;
	node->safe_contents = node->contents;
	return 0;
}

static int fault_fallocate(void *context, int fd, int mode, off_t offset, off_t length)
{
	(void)fd;
	(void)mode;
	(void)offset;
	(void)length;
	return enter(context);
}

static int fault_renameat(
    void *context, int from_folder, const char *from, int to_folder, const char *to)
{
	struct fault_disk *disk = context;
	struct node *parent = parent_of(disk, from_folder);
	int error = enter(disk);
	size_t node;

	if (error) {
		return error;
	}
	assert_int_equal(from_folder, to_folder);
	if (renameat(from_folder, from, to_folder, to)) {
		return -errno;
	}
	node = find_name(&parent->names, from)->node;
	remove_name(&parent->names, from);
	set_name(&parent->names, to, node);
	return 0;
}

static int fault_mkdirat(void *context, int folder, const char *name, mode_t mode)
{
	struct fault_disk *disk = context;
	struct node *parent = parent_of(disk, folder);
	int error;

	/* The state folder itself, and what is above it, is there already. */
	if (!parent) {
		return -EEXIST;
	}
	error = enter(disk);
	if (error) {
		return error;
	}
	if (mkdirat(folder, name, mode)) {
		return -errno;
	}
	add_node(disk, parent, folder, name, true);
	return 0;
}

static int fault_unlinkat(void *context, int folder, const char *name, int flags)
{
	struct fault_disk *disk = context;
	struct node *parent = parent_of(disk, folder);
	int error = enter(disk);

	if (error) {
		return error;
	}
	if (unlinkat(folder, name, flags)) {
		return -errno;
	}
	remove_name(&parent->names, name);
	return 0;
}

const struct store_io fault_disk_io = {
	.openat = fault_openat,
	.write = fault_write,
	.fsync = fault_fsync,
	.fallocate = fault_fallocate,
	.renameat = fault_renameat,
	.mkdirat = fault_mkdirat,
	.unlinkat = fault_unlinkat,
};

/* --- after the restart -------------------------------------------------------------------------------------------- */

static bool draw(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return *seed >> 63;
}

static void make_file(
    const struct node *node, enum fault_survival survival, uint64_t *seed, const char *path)
{
	bool current = survival == FAULT_ALL || (survival == FAULT_MIXTURE && draw(seed));
	const struct contents *contents = current ? &node->contents : &node->safe_contents;
	bool cut = survival == FAULT_MIXTURE && current &&
		   contents->size > node->safe_contents.size && draw(seed);
	size_t size = cut ? (contents->size + node->safe_contents.size) / 2 : contents->size;
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(contents->data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void make_folder(const struct fault_disk *disk, const struct node *node,
    enum fault_survival survival, uint64_t *seed, const char *path)
{
	bool current = survival == FAULT_ALL || survival == FAULT_NAMES ||
		       (survival == FAULT_MIXTURE && draw(seed));
	const struct names *names = current ? &node->names : &node->safe_names;

	assert_int_equal(mkdir(path, 0700), 0);
	for (size_t i = 0; i < names->count; i++) {
		const struct node *child = &disk->nodes[names->names[i].node];
		char below[512];

		snprintf(below, sizeof(below), "%s/%s", path, names->names[i].name);
		if (child->folder) {
			make_folder(disk, child, survival, seed, below);
		} else {
			make_file(child, survival, seed, below);
		}
	}
}

void fault_disk_restart(
    const struct fault_disk *disk, enum fault_survival survival, uint64_t seed, const char *path)
{
	make_folder(disk, &disk->nodes[0], survival, &seed, path);
}
