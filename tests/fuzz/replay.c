/*
 * Replays a corpus through a fuzz target without libFuzzer, so that every build runs what fuzzing
 * found. Arguments: options (ignored), files and folders. At least one input must have been run.
 */
#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data;
	size_t size;

	if (!file) {
		fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	data = malloc(1 << 20);
	if (!data) {
		exit(1);
	}
	size = fread(data, 1, 1 << 20, file);
	fclose(file);
	/* An exact allocation lets AddressSanitizer see a read past the input. */
	data = realloc(data, size ? size : 1);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 1;
}

static size_t replay_path(const char *path)
{
	struct stat st;
	struct dirent *entry;
	size_t count = 0;
	DIR *dir;

	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode)) {
		return replay_file(path);
	}
	dir = opendir(path);
	if (!dir) {
		fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	while ((entry = readdir(dir))) {
		char name[4096];

		if (entry->d_name[0] == '.') {
			continue;
		}
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		count += replay_path(name);
	}
	closedir(dir);
	return count;
}

int main(int argc, char **argv)
{
	size_t count = 0;
	uint8_t none = 0;

	LLVMFuzzerTestOneInput(&none, 0);
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] != '-') {
			count += replay_path(argv[i]);
		}
	}
	printf("replayed %zu inputs\n", count);
	return count ? 0 : 1;
}
