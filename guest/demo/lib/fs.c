/* Files in memory; see fs.h. What must stay true: a failed write leaves the old contents. */
#include "lib/fs.h"

#include "lib/text.h"

#include <errno.h>
#include <string.h>

void fs_init(struct fs *fs, struct heap *heap)
{
	*fs = (struct fs){ .heap = heap };
}

bool fs_name_valid(const char *name)
{
	size_t length = text_length(name);

	for (size_t i = 0; i < length; i++) {
		if (name[i] == '/' || (unsigned char)name[i] <= ' ' || name[i] == 0x7f) {
			return false;
		}
	}
	return length > 0 && length < FS_NAME_SIZE;
}

struct fs_file *fs_find(struct fs *fs, const char *name)
{
	for (size_t i = 0; i < FS_MAX_FILES; i++) {
		if (fs->files[i].name[0] && text_equal(fs->files[i].name, name)) {
			return &fs->files[i];
		}
	}
	return NULL;
}

static struct fs_file *find_free(struct fs *fs)
{
	for (size_t i = 0; i < FS_MAX_FILES; i++) {
		if (!fs->files[i].name[0]) {
			return &fs->files[i];
		}
	}
	return NULL;
}

int fs_write(struct fs *fs, const char *name, const char *data, size_t size)
{
	struct fs_file *file = fs_find(fs, name);
	char *copy = NULL;

	if (!fs_name_valid(name)) {
		return -EINVAL;
	}
	if (size > FS_MAX_BYTES) {
		return -EFBIG;
	}
	file = file ? file : find_free(fs);
	if (!file) {
		return -ENOSPC;
	}
	if (size > 0) {
		copy = heap_alloc(fs->heap, size);
		if (!copy) {
			return -ENOSPC;
		}
		memcpy(copy, data, size);
	}
	heap_free(fs->heap, file->data);
	text_copy(file->name, sizeof(file->name), name);
	file->data = copy;
	file->size = size;
	return 0;
}

bool fs_remove(struct fs *fs, const char *name)
{
	struct fs_file *file = fs_find(fs, name);

	if (!file) {
		return false;
	}
	heap_free(fs->heap, file->data);
	*file = (struct fs_file){ .name = "" };
	return true;
}
