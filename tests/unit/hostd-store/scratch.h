/* A folder of a test's own, with everything in it gone afterwards. Test only: failures end the test. */
#pragma once

#include <stddef.h>

/* Makes the folder, 0700, and returns its path, which stays good until scratch_remove(). */
const char *scratch_make(void);
void scratch_remove(void);
/* "FOLDER/NAME", in one of a few buffers that are used in turn. */
const char *scratch_path(const char *format, ...) __attribute__((format(printf, 1, 2)));
void scratch_write(const char *path, const char *text);
/* The file's text, malloc'ed. */
char *scratch_read(const char *path);
/* Deletes a folder with everything below it. */
void scratch_delete(const char *path);
