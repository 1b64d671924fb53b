/*
 * Urgent data as Linux shows it. The stack's mark names the first byte after the urgent ones; of
 * those Linux takes the last for "the" urgent byte, which MSG_OOB reads apart from the stream, so
 * that an ordinary read leaves it out. Reads stop in front of it, which is how a program finds the
 * place (SIOCATMARK). With SO_OOBINLINE it stays where it is.
 */
#include "posix/posix_file.h"

/* The byte `at` bytes ahead in what can be read. */
static uint8_t byte_ahead(struct posix *p, const struct file *f, size_t at)
{
	struct span spans[64];
	int n = sock_peek(p->stack, f->id, spans, 64);
	for (int i = 0; i < n; i++) {
		if (at < spans[i].len)
			return spans[i].at[at];
		at -= spans[i].len;
	}
	return 0;
}

/* Bytes up to the mark, 0: there is none. A mark that is new brings a byte that nobody has read. */
static uint32_t look(struct posix *p, struct file *f)
{
	int64_t ahead = f->stage == STAGE_STREAM ? sock_urgent(p->stack, f->id) : 0;
	if (ahead <= 0) {
		f->oob.mark = 0;
		return 0;
	}
	uint64_t mark = f->consumed + (uint64_t)ahead;
	if (mark != f->oob.mark)
		f->oob = (struct oob){ .mark = mark };
	if (!f->oob.come && sock_readable(p->stack, f->id) >= (size_t)ahead) {
		f->oob.come = true;
		f->oob.byte = byte_ahead(p, f, (size_t)ahead - 1);
	}
	return (uint32_t)ahead;
}

size_t oob_room(struct posix *p, struct file *f, bool something_read)
{
	uint32_t ahead = look(p, f);
	if (!ahead)
		return SIZE_MAX;
	if (ahead > 1)
		return ahead - 1;
	if (something_read)
		return 0;
	if (!f->oob_inline && f->oob.come) {
		sock_consume(p->stack, f->id, 1);
		f->consumed++;
	}
	return SIZE_MAX;
}

uint32_t oob_before(struct posix *p, struct file *f, uint32_t unread)
{
	uint32_t ahead = f->oob_inline ? 0 : look(p, f);
	return ahead && ahead <= unread ? ahead - 1 : unread;
}

bool oob_at_mark(struct posix *p, struct file *f)
{
	return look(p, f) == 1;
}

bool oob_waits(struct posix *p, struct file *f)
{
	return look(p, f) && f->oob.come && !f->oob.read;
}

bool oob_alone(struct posix *p, struct file *f)
{
	return !f->oob_inline && look(p, f) == 1 && sock_readable(p->stack, f->id) == 1;
}

int64_t oob_read(struct posix *p, struct file *f, uint8_t *to, size_t room, int flags)
{
	if (f->oob_inline || !look(p, f) || f->oob.read)
		return -LINUX_EINVAL;
	if (!f->oob.come)
		return -LINUX_EAGAIN;
	if (!(flags & LINUX_MSG_PEEK))
		f->oob.read = true;
	if (!room || flags & LINUX_MSG_TRUNC)
		return room > 0;
	*to = f->oob.byte;
	return 1;
}
