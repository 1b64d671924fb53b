/*
 * Room for sending as Linux counts it. Its queue is made of pieces that grow to
 * several segments; a new piece is begun only while what is queued, bookkeeping
 * included, is below the buffer's size, and a piece that was begun may be filled: so a
 * write may go beyond the buffer by nearly a piece. Who was refused hears of room only
 * when a third of the buffer is free. Programs see both, in how much a write takes and
 * when a descriptor becomes writable; the stack beneath has a bound of its own.
 */
#include "posix/posix_file.h"

#define PIECE_OVERHEAD 1280u /* what Linux counts for each piece beside its bytes */
#define PIECE_MAX      65215u

static uint64_t queue_sent(const struct file *f, const struct sock_tcp_info *i)
{
	return f->queue.written > i->unsent ? f->queue.written - i->unsent : 0;
}

/* Bytes that are not acknowledged; SYN and FIN are no bytes. */
static uint64_t queue_bytes(const struct file *f, const struct sock_tcp_info *i)
{
	uint64_t unacked = i->unacked - (i->fin_sent && i->unacked ? 1 : 0);
	uint64_t bytes = unacked + i->unsent;
	return bytes < f->queue.written ? bytes : f->queue.written;
}

/* A piece is as large as half of the largest window that the peer ever offered, whole segments. */
static uint32_t piece_size(const struct sock_tcp_info *i)
{
	uint32_t most = PIECE_MAX;
	uint32_t half = i->snd_wnd_max > 536 ? i->snd_wnd_max / 2 : i->snd_wnd_max;
	if (half && most > half)
		most = half > 68 ? half : 68;
	uint32_t mss = i->mss ? i->mss : 536;
	return most < mss ? mss : most - most % mss;
}

static uint64_t queue_memory(const struct file *f, const struct sock_tcp_info *i)
{
	uint64_t bytes = queue_bytes(f, i);
	uint32_t piece = piece_size(i);
	return bytes + PIECE_OVERHEAD * ((bytes + piece - 1) / piece);
}

uint64_t send_memory(const struct file *f, const struct sock_tcp_info *i)
{
	return queue_memory(f, i);
}

static uint64_t unsent_low(const struct posix *p, const struct file *f)
{
	return f->unsent_low ? f->unsent_low : (uint64_t)p->sysctl.unsent_low;
}

/* `wake`: for telling of room, half of the mark must be free. */
static bool below_mark(
	const struct posix *p, const struct file *f, const struct sock_tcp_info *i, bool wake)
{
	return (uint64_t)i->unsent << wake < unsent_low(p, f);
}

bool send_has_room(struct posix *p, const struct file *f, bool wake)
{
	struct sock_tcp_info i;
	return sock_tcp_info(p->stack, f->id, &i) == 0 && !i.records_full &&
		queue_memory(f, &i) < f->send_buffer &&
		below_mark(p, f, &i, wake);
}

bool send_is_writable(struct posix *p, const struct file *f)
{
	struct sock_tcp_info i;
	if (sock_tcp_info(p->stack, f->id, &i) != 0)
		return true;
	uint64_t used = queue_memory(f, &i);
	return !i.records_full && used < f->send_buffer && f->send_buffer - used >= used / 2 &&
		below_mark(p, f, &i, true);
}

/* The send buffer grows with the congestion window, to twice of it. */
static void grow_buffer(const struct posix *p, struct file *f, const struct sock_tcp_info *i)
{
	if (f->send_locked || !i->cwnd || !i->mss)
		return;
	uint32_t each = i->mss + 640u, rounded = 1024;
	while (rounded < each)
		rounded *= 2;
	uint64_t want = 2 * (uint64_t)(i->cwnd / i->mss) * (rounded + 256);
	if (want > (uint64_t)p->sysctl.wmem[2])
		want = (uint64_t)p->sysctl.wmem[2];
	if (want > f->send_buffer)
		f->send_buffer = (uint32_t)want;
}

void send_progress(struct posix *p, struct file *f, const struct sock_tcp_info *i)
{
	if (f->queue.no_space && i->in_flight < i->cwnd)
		grow_buffer(p, f, i);
	uint64_t sent = queue_sent(f, i);
	if (sent > f->queue.tail) { /* of a piece that was cut in two, the rest is the last */
		f->queue.tail = sent;
		if (sent == f->queue.written)
			f->queue.tail_closed = false;
	}
}

/* Bytes that the last piece still takes, beginning a new one where that is allowed. */
static uint32_t piece_room(struct posix *p, struct file *f, const struct sock_tcp_info *i)
{
	struct send_queue *q = &f->queue;
	uint32_t piece = piece_size(i);
	uint64_t filled = q->written - q->tail;
	if (i->records_full)
		return 0;
	if (filled && filled < piece && !q->tail_closed)
		return piece - (uint32_t)filled;
	if (queue_memory(f, i) >= f->send_buffer || !below_mark(p, f, i, false))
		return 0;
	q->tail = q->written;
	q->tail_closed = false;
	return piece;
}

int64_t send_take(struct posix *p, struct file *f, const uint8_t *from, size_t len, int flags)
{
	struct send_queue *q = &f->queue;
	size_t done = 0;
	while (done < len) {
		struct sock_tcp_info i;
		if (sock_tcp_info(p->stack, f->id, &i) != 0)
			break;
		grow_buffer(p, f, &i);
		uint32_t room = piece_room(p, f, &i);
		size_t take = len - done < room ? len - done : room;
		bool last = flags & LINUX_MSG_OOB && done + take == len;
		int64_t took = !take ? -(int64_t)ERR_AGAIN
			: last       ? sock_write_urgent(p->stack, f->id, from + done, take)
				     : sock_write(p->stack, f->id, from + done, take);
		if (took < 0 && took != -(int64_t)ERR_AGAIN && took != -(int64_t)ERR_MEMORY)
			return done ? (int64_t)done : -posix_errno((enum error) - took);
		if (took <= 0) {
			q->no_space = true;
			break;
		}
		done += (size_t)took;
		q->written += (uint64_t)took;
		bool full = (size_t)took == room;
		bool alone = q->tail <= queue_sent(f, &i); /* nothing unsent stands before it */
		bool forced = q->written - q->pushed > i.snd_wnd_max / 2;
		if (full && (forced || alone)) {
			q->pushed = q->written;
			posix_flush(p);
		}
	}
	if (len && done == len && flags & LINUX_MSG_EOR) {
		q->tail_closed = true;
		sock_end_record(p->stack, f->id);
	}
	return (int64_t)done;
}
