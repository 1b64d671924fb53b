/*
 * Pipes, so that splice has somewhere to move bytes: two descriptors and a ring of
 * bytes, of which there are a few.
 */
#include "posix/posix_file.h"

int64_t posix_pipe(struct posix *p, int fd[2])
{
	unsigned slot = 0;
	while (slot < POSIX_PIPES && p->pipe_used[slot])
		slot++;
	if (slot == POSIX_PIPES)
		return -LINUX_EMFILE;
	struct file *r = file_new(p, FILE_PIPE_READ);
	struct file *w = r ? file_new(p, FILE_PIPE_WRITE) : NULL;
	if (!w) {
		if (r)
			r->kind = FILE_FREE;
		return -LINUX_EMFILE;
	}
	p->pipe_used[slot] = true;
	r->pipe = w->pipe = (uint8_t)slot;
	r->flags = LINUX_O_RDONLY;
	w->flags = LINUX_O_WRONLY;
	r->other = w->number;
	w->other = r->number;
	fd[0] = r->number;
	fd[1] = w->number;
	return 0;
}

static uint8_t *bytes_of(const struct posix *p, const struct file *f)
{
	return p->pipe_bytes + (size_t)f->pipe * POSIX_PIPE;
}

int64_t pipe_read(struct posix *p, struct file *f, void *to, size_t len)
{
	if (len > f->pipe_filled)
		len = f->pipe_filled;
	if (!len)
		return f->other ? -LINUX_EAGAIN : 0; /* nobody writes any more: the end */
	size_t first = POSIX_PIPE - f->pipe_head < len ? POSIX_PIPE - f->pipe_head : len;
	memcpy(to, bytes_of(p, f) + f->pipe_head, first);
	memcpy((uint8_t *)to + first, bytes_of(p, f), len - first);
	f->pipe_head = (uint32_t)((f->pipe_head + len) % POSIX_PIPE);
	f->pipe_filled -= (uint32_t)len;
	return (int64_t)len;
}

int64_t pipe_write(struct posix *p, struct file *f, const void *from, size_t len)
{
	struct file *r = file_find(p, f->other);
	if (!r)
		return -LINUX_EPIPE;
	size_t room = POSIX_PIPE - r->pipe_filled;
	if (len > room)
		len = room;
	if (!len)
		return -LINUX_EAGAIN;
	size_t at = (r->pipe_head + r->pipe_filled) % POSIX_PIPE;
	size_t first = POSIX_PIPE - at < len ? POSIX_PIPE - at : len;
	memcpy(bytes_of(p, r) + at, from, first);
	memcpy(bytes_of(p, r), (const uint8_t *)from + first, len - first);
	r->pipe_filled += (uint32_t)len;
	return (int64_t)len;
}

/* A socket's bytes into a pipe. */
static int64_t splice_in(struct posix *p, struct file *s, struct file *w, size_t len)
{
	size_t total = 0;
	while (total < len) {
		struct file *r = file_find(p, w->other);
		uint8_t some[2048];
		size_t room = r ? POSIX_PIPE - r->pipe_filled : 0;
		size_t want = len - total < sizeof some ? len - total : sizeof some;
		if (!r)
			return -LINUX_EPIPE;
		if (want > room)
			want = room;
		int64_t n = want ? posix_recv(p, NULL, s->number, some, want, LINUX_MSG_DONTWAIT)
				 : -LINUX_EAGAIN;
		if (n <= 0)
			return total ? (int64_t)total : n;
		pipe_write(p, w, some, (size_t)n);
		total += (size_t)n;
	}
	return (int64_t)total;
}

/* A pipe's bytes to a socket. */
static int64_t splice_out(struct posix *p, struct file *r, struct file *s, size_t len)
{
	size_t total = 0;
	while (total < len) {
		size_t want = POSIX_PIPE - r->pipe_head; /* what stands in one piece */
		if (want > r->pipe_filled)
			want = r->pipe_filled;
		if (want > len - total)
			want = len - total;
		if (!want)
			return total ? (int64_t)total : r->other ? -LINUX_EAGAIN : 0;
		int64_t n = posix_send(p, NULL, s->number, bytes_of(p, r) + r->pipe_head, want,
			LINUX_MSG_DONTWAIT);
		if (n <= 0)
			return total ? (int64_t)total : n;
		r->pipe_head = (uint32_t)((r->pipe_head + (size_t)n) % POSIX_PIPE);
		r->pipe_filled -= (uint32_t)n;
		total += (size_t)n;
	}
	return (int64_t)total;
}

int64_t posix_splice(struct posix *p, int in, int64_t *in_offset, int out, int64_t *out_offset,
	size_t len, unsigned flags)
{
	(void)flags; /* hints, and "do not wait", which it never does */
	struct file *from = file_find(p, in), *to = file_find(p, out);
	if (!from || !to)
		return -LINUX_EBADF;
	if (in_offset || out_offset)
		return -LINUX_ESPIPE;
	if (from->kind == FILE_SOCKET && to->kind == FILE_PIPE_WRITE)
		return splice_in(p, from, to, len);
	if (from->kind == FILE_PIPE_READ && to->kind == FILE_SOCKET)
		return splice_out(p, from, to, len);
	return -LINUX_EINVAL;
}
