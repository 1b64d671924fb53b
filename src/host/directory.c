/*
 * openat2(2) with RESOLVE_BENEATH lets the kernel keep the walk inside, against
 * links that change while it walks, too. Where a kernel or its filter has no
 * openat2, components are opened one after the other, never through a link.
 *
 * Files are opened without blocking, so that a FIFO in the folder can't hold the
 * server, and only regular files are served.
 */
#define _GNU_SOURCE
#include "host/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OPEN_FILE (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

static enum error from_errno(int number)
{
	switch (number) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG: return ERR_NOT_FOUND;
	case EACCES:
	case EPERM:
	case EXDEV: /* leads outside */
	case ELOOP: return ERR_PERMISSION;
	case EMFILE:
	case ENFILE:
	case ENOMEM: return ERR_TOO_MANY;
	default: return ERR_SYSTEM;
	}
}

static int open_beneath(int folder, const char *path)
{
	const struct open_how how = {
		.flags = OPEN_FILE,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	return (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
}

/* The same by hand: each component but the last is a folder, none is a link or "..". */
static int walk_beneath(int folder, char *path)
{
	int at = dup(folder);
	for (char *part = path, *slash; at >= 0; part = slash + 1) {
		slash = strchr(part, '/');
		if (slash)
			*slash = '\0';
		if (strcmp(part, "..") == 0 || part[0] == '\0') {
			close(at);
			errno = EXDEV;
			return -1;
		}
		int next = openat(at, part, OPEN_FILE | O_NOFOLLOW | (slash ? O_DIRECTORY : 0));
		int number = errno;
		close(at);
		errno = number;
		at = next;
		if (!slash)
			break;
	}
	return at;
}

enum error directory_open(struct directory *d, const char *path, char *why, size_t cap)
{
	*d = (struct directory){ .fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	if (d->fd < 0) {
		int number = errno;
		snprintf(why, cap, "%s: %s: name a folder that you may read", path,
			number == ENOTDIR ? "is no folder" : strerror(number));
		return number == ENOTDIR ? ERR_NOT_FOUND : from_errno(number);
	}
	int probe = open_beneath(d->fd, ".");
	d->walks = probe < 0 && (errno == ENOSYS || errno == EPERM || errno == EINVAL);
	if (probe >= 0)
		close(probe);
	return ERR_OK;
}

void directory_close(struct directory *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

static enum error examine(struct directory_file *f)
{
	struct stat st;
	if (fstat(f->fd, &st))
		return from_errno(errno);
	f->folder = S_ISDIR(st.st_mode);
	if (!f->folder && !S_ISREG(st.st_mode))
		return ERR_NOT_FOUND;
	f->length = (uint64_t)st.st_size;
	f->modified = st.st_mtim.tv_sec;
	f->identity = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
	f->identity ^= (uint64_t)st.st_ino << 32;
	return ERR_OK;
}

enum error directory_find(const struct directory *d, struct span path, struct directory_file *out)
{
	char text[4096];
	*out = (struct directory_file){ .fd = -1 };
	if (path.len >= sizeof text)
		return ERR_NOT_FOUND;
	memcpy(text, path.len ? (const void *)path.at : ".", path.len ? path.len : 1);
	text[path.len ? path.len : 1] = '\0';
	if (memchr(text, '\0', path.len))
		return ERR_NOT_FOUND; /* a name with NUL is none of ours */
	out->fd = d->walks ? walk_beneath(d->fd, text) : open_beneath(d->fd, text);
	if (out->fd < 0)
		return from_errno(errno);
	enum error e = examine(out);
	if (e || out->folder)
		directory_file_close(out);
	return e;
}

int64_t directory_read(int fd, uint64_t at, void *to, size_t cap)
{
	for (;;) {
		ssize_t n = pread(fd, to, cap, (off_t)at);
		if (n >= 0)
			return n;
		if (errno != EINTR)
			return -(int64_t)from_errno(errno);
	}
}

void directory_file_close(struct directory_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}
