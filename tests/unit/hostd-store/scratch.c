/* A folder of a test's own; see scratch.h. */
#include "scratch.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

const char *scratch_make(void)
{
	/* In memory where that can be done: the tests make and delete some ten thousand folders. */
	snprintf(folder, sizeof(folder), "%s/tanmatsu-test-XXXXXX",
	    access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	assert_non_null(mkdtemp(folder));
	return folder;
}

static int delete_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

void scratch_delete(const char *path)
{
	assert_int_equal(nftw(path, delete_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void scratch_remove(void)
{
	scratch_delete(folder);
}

const char *scratch_path(const char *format, ...)
{
	static char paths[8][1024];
	static unsigned int next;
	char *path = paths[next++ % 8];
	va_list arguments;
	int length = snprintf(path, sizeof(paths[0]), "%s/", folder);

	va_start(arguments, format);
	vsnprintf(path + length, sizeof(paths[0]) - (size_t)length, format, arguments);
	va_end(arguments);
	return path;
}

void scratch_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
}

char *scratch_read(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = calloc(1, 1 << 20);
	size_t size;

	assert_non_null(file);
	assert_non_null(text);
	size = fread(text, 1, (1 << 20) - 1, file);
	text[size] = '\0';
	fclose(file);
	return text;
}
