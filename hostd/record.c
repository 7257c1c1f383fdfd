/* The monitor's memory of running processes: see record.h. */
#include "hostd/record.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

enum {
	RECORD_MAX = 4096,
	NAME_MAX_BYTES = 128,
};

int record_write(int folder_fd, const char *name, const struct record *record)
{
	char path[NAME_MAX_BYTES];
	char temporary[NAME_MAX_BYTES];
	char *text = NULL;
	json_t *json;
	int fd = -1;
	int error = 0;

	(void)snprintf(path, sizeof(path), "%s.json", name);
	(void)snprintf(temporary, sizeof(temporary), "%s.new", name);
	json = json_pack("{s:i,s:I,s:I,s:I,s:i,s:i,s:i,s:i,s:b,s:b,s:b,s:s,s:s,s:s}", "pid",
	    (int)record->pid, "start", (json_int_t)record->start, "viewer",
	    (json_int_t)record->viewer, "base", (json_int_t)record->base, "slot", (int)record->slot,
	    "memory_mib", (int)record->memory_mib, "vcpus", (int)record->vcpus, "rights",
	    (int)record->rights, "ran", (int)record->ran, "attached", (int)record->attached,
	    "granted", (int)record->granted, "user", record->user, "session", record->session,
	    "peer", record->peer);
	if (json != NULL) {
		text = json_dumps(json, JSON_INDENT(1));
	}
	if (text == NULL) {
		error = -ENOMEM;
		goto out;
	}
	fd = openat(
	    folder_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		error = -errno;
		goto out;
	}
	error = fd_write_all(fd, text, strlen(text));
	if (error == 0 && renameat(folder_fd, temporary, folder_fd, path) < 0) {
		error = -errno;
	}
	if (error) {
		(void)unlinkat(folder_fd, temporary, 0);
	}
out:
	fd_close(&fd);
	free(text);
	json_decref(json);
	return error;
}

static bool take_string(const json_t *json, const char *key, char *text, size_t size)
{
	const json_t *value = json_object_get(json, key);

	if (!json_is_string(value) || json_string_length(value) >= size) {
		return false;
	}
	(void)snprintf(text, size, "%s", json_string_value(value));
	return true;
}

static bool take_number(const json_t *json, const char *key, uint64_t limit, uint64_t *number)
{
	const json_t *value = json_object_get(json, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    (uint64_t)json_integer_value(value) > limit) {
		return false;
	}
	*number = (uint64_t)json_integer_value(value);
	return true;
}

static bool take_all(const json_t *json, struct record *record)
{
	uint64_t pid = 0;
	uint64_t slot = 0;
	uint64_t memory_mib = 0;
	uint64_t vcpus = 0;
	uint64_t rights = 0;

	if (!take_number(json, "pid", INT32_MAX, &pid) ||
	    !take_number(json, "start", INT64_MAX, &record->start) ||
	    !take_number(json, "viewer", INT64_MAX, &record->viewer) ||
	    !take_number(json, "base", INT64_MAX, &record->base) ||
	    !take_number(json, "slot", INT32_MAX, &slot) ||
	    !take_number(json, "memory_mib", INT32_MAX, &memory_mib) ||
	    !take_number(json, "vcpus", INT32_MAX, &vcpus) ||
	    !take_number(json, "rights", INT32_MAX, &rights) ||
	    !take_string(json, "user", record->user, sizeof(record->user)) ||
	    !take_string(json, "session", record->session, sizeof(record->session)) ||
	    !take_string(json, "peer", record->peer, sizeof(record->peer))) {
		return false;
	}
	record->pid = (int32_t)pid;
	record->slot = (uint32_t)slot;
	record->memory_mib = (uint32_t)memory_mib;
	record->vcpus = (uint32_t)vcpus;
	record->rights = (uint32_t)rights;
	record->ran = json_is_true(json_object_get(json, "ran"));
	record->attached = json_is_true(json_object_get(json, "attached"));
	record->granted = json_is_true(json_object_get(json, "granted"));
	return true;
}

int record_read(int folder_fd, const char *name, struct record *record)
{
	char path[NAME_MAX_BYTES];
	char *text = NULL;
	size_t size = 0;
	json_t *json = NULL;
	int error;
	int fd;

	memset(record, 0, sizeof(*record));
	(void)snprintf(path, sizeof(path), "%s.json", name);
	fd = openat(folder_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		return -errno;
	}
	error = fd_read_file(fd, RECORD_MAX, &text, &size);
	if (error == 0) {
		json = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
		error = json != NULL && take_all(json, record) ? 0 : -EBADMSG;
	}
	json_decref(json);
	free(text);
	fd_close(&fd);
	return error;
}

void record_remove(int folder_fd, const char *name)
{
	char path[NAME_MAX_BYTES];

	(void)snprintf(path, sizeof(path), "%s.json", name);
	(void)unlinkat(folder_fd, path, 0);
}
