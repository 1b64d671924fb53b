/*
 * A main for fuzz targets outside of libFuzzer: every file named on the command line, and every
 * file in a folder named there, is given to the target once, in the order of the names. A corpus
 * is so a regression test in any build, with any compiler.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int complain(const char *path)
{
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return -1;
}

/* Reads a whole file and runs the target on a copy of exactly its size, so that a sanitizer sees
 * the first byte read past it. */
static int replay_file(const char *path, size_t size)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		return complain(path);

	uint8_t *bytes = malloc(size ? size : 1);
	if (!bytes || fread(bytes, 1, size, file) != size) {
		complain(path);
		free(bytes);
		fclose(file);
		return -1;
	}
	fclose(file);
	LLVMFuzzerTestOneInput(bytes, size);
	free(bytes);
	return 1;
}

static int replay_path(const char *path);

static int is_entry(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int replay_folder(const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_entry, alphasort);
	if (count < 0)
		return complain(folder);

	int replayed = 0;
	for (int i = 0; i < count; i++) {
		char path[4096];
		int len = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
		free(entries[i]);
		bool fits = len > 0 && (size_t)len < sizeof path;
		int result = replayed < 0 ? 0 : fits ? replay_path(path) : complain(folder);
		replayed = result < 0 ? -1 : replayed + result;
	}
	free(entries);
	return replayed;
}

/* The number of inputs run, or -1. */
static int replay_path(const char *path)
{
	struct stat info;
	if (stat(path, &info) < 0)
		return complain(path);
	if (S_ISDIR(info.st_mode))
		return replay_folder(path);
	return replay_file(path, (size_t)info.st_size);
}

int main(int argc, char **argv)
{
	int replayed = 0;
	for (int i = 1; i < argc; i++) {
		int result = replay_path(argv[i]);
		if (result < 0)
			return 1;
		replayed += result;
	}
	printf("%d inputs replayed\n", replayed);
	return replayed > 0 ? 0 : 1;
}
