/* The files below a folder whose names end in a given way, in the order of their names. */
#ifndef STRATA_HOST_FILE_TREE_H
#define STRATA_HOST_FILE_TREE_H

#include <stdbool.h>
#include <stddef.h>

#define FILE_TREE_DEPTH 32 /* folders within folders; links to folders are not followed */

/*
 * Calls `each` with the path of every such file; `path` itself is one, whatever its name, where it
 * is no folder. False: `each` said so, or a folder can't be read, and errno says why.
 */
bool file_tree_walk(const char *path, const char *ending, void *context,
	bool (*each)(void *context, const char *path));
/* A file's bytes, to be freed, with a NUL behind; NULL and errno where it can't be read or is
 * longer than `most`. */
char *file_tree_read(const char *path, size_t most, size_t *len);

#endif
