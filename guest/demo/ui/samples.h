/* The files that a fresh desktop comes with. */
#pragma once

#include "lib/fs.h"

/* Writes the sample files, greeting `user` (may be ""). What does not fit is left out. */
void samples_install(struct fs *fs, const char *user);
