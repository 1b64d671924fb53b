/*
 * A folder of this host, opened so that nothing outside of it can be reached:
 * files are opened by the kernel relative to the folder, and neither "..", nor
 * an absolute path, nor a symbolic link leads out.
 */
#ifndef STRATA_HOST_DIRECTORY_H
#define STRATA_HOST_DIRECTORY_H

#include "base/error.h"
#include "base/span.h"

struct directory {
	int fd;
	bool walks; /* the kernel has no openat2: components are opened one by one */
};

struct directory_file {
	int fd; /* -1 for a folder */
	bool folder;
	uint64_t length;
	int64_t modified;  /* seconds since 1970 */
	uint64_t identity; /* changes with the file's content, as far as the system knows */
};

/* ERR_NOT_FOUND, ERR_PERMISSION, ERR_SYSTEM, and in `why` one line. */
enum error directory_open(struct directory *d, const char *path, char *why, size_t cap);
void directory_close(struct directory *d);
/*
 * Opens a file below the folder for reading; `path` is relative, "a/b.html", or empty: the folder
 * itself. What is neither file nor folder is not found. ERR_NOT_FOUND, ERR_PERMISSION (also: leads
 * outside), ERR_TOO_MANY, ERR_SYSTEM.
 */
enum error directory_find(const struct directory *d, struct span path, struct directory_file *out);
/* Bytes read, 0 at the end, -(enum error). */
int64_t directory_read(int fd, uint64_t at, void *to, size_t cap);
void directory_file_close(struct directory_file *f);

#endif
