/*
 * A walk over folders, depth first, sorted by name, so that two runs see the same
 * order. Links to folders are passed by: a walk always ends.
 */
#define _GNU_SOURCE
#include "host/file_tree.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct walk {
	const char *ending;
	void *context;
	bool (*each)(void *context, const char *path);
};

static bool ends(const char *name, const char *ending)
{
	size_t len = strlen(name), last = strlen(ending);
	return len > last && strcmp(name + len - last, ending) == 0;
}

static bool walk_folder(const struct walk *w, const char *path, unsigned depth);

static bool walk_entry(const struct walk *w, const char *folder, const char *name, unsigned depth)
{
	struct stat s;
	char *path = NULL;
	bool fine = true;
	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return false;
	if (lstat(path, &s) == 0) {
		if (S_ISDIR(s.st_mode))
			fine = depth >= FILE_TREE_DEPTH || walk_folder(w, path, depth + 1);
		else if (ends(name, w->ending))
			fine = w->each(w->context, path);
	}
	free(path);
	return fine;
}

static bool walk_folder(const struct walk *w, const char *path, unsigned depth)
{
	struct dirent **entries;
	bool fine = true;
	int count = scandir(path, &entries, NULL, alphasort);
	if (count < 0)
		return false;
	for (int i = 0; i < count; i++) {
		if (fine && entries[i]->d_name[0] != '.')
			fine = walk_entry(w, path, entries[i]->d_name, depth);
		free(entries[i]);
	}
	free(entries);
	return fine;
}

bool file_tree_walk(const char *path, const char *ending, void *context,
	bool (*each)(void *context, const char *path))
{
	struct stat s;
	struct walk w = { ending, context, each };
	if (stat(path, &s) < 0)
		return false;
	if (!S_ISDIR(s.st_mode))
		return each(context, path);
	size_t len = strlen(path);
	while (len > 1 && path[len - 1] == '/')
		len--;
	char *plain = strndup(path, len);
	bool fine = plain && walk_folder(&w, plain, 0);
	free(plain);
	return fine;
}

char *file_tree_read(const char *path, size_t most, size_t *len)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		return NULL;
	char *bytes = malloc(most + 2);
	*len = bytes ? fread(bytes, 1, most + 1, f) : 0;
	bool failed = !bytes || ferror(f);
	fclose(f);
	if (failed || *len > most) {
		free(bytes);
		errno = failed ? errno : EFBIG;
		return NULL;
	}
	bytes[*len] = '\0';
	return bytes;
}
