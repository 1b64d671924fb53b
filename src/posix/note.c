/*
 * The error queue: what MSG_ERRQUEUE reads. Sends with MSG_ZEROCOPY are told of when all
 * their bytes are acknowledged (we always copy, and say so); sends under
 * SO_TIMESTAMPING when their last byte is handed to the link, and when it is
 * acknowledged. Records of such sends wait in a short list; where it is full, the
 * send is not told of.
 */
#include "posix/posix_file.h"

#define STAMPS_TX \
	(LINUX_SOF_TIMESTAMPING_TX_SCHED | LINUX_SOF_TIMESTAMPING_TX_SOFTWARE | \
		LINUX_SOF_TIMESTAMPING_TX_ACK)

/* The newest message; where the queue is full the oldest goes. */
static struct note *note_new(struct posix *p, struct file *f)
{
	if (f->notes == POSIX_NOTES) {
		memmove(f->note, f->note + 1, sizeof f->note - sizeof *f->note);
		f->notes--;
	}
	struct note *n = &f->note[f->notes++];
	*n = (struct note){ .time = p->now };
	watched_wake(p, f);
	return n;
}

static void tell_zero_copy(struct posix *p, struct file *f, uint32_t id)
{
	struct note *last = f->notes ? &f->note[f->notes - 1] : NULL;
	if (last && !last->stamped && last->error.data + 1 == id) {
		last->error.data = id; /* ranges that follow each other are one message */
		watched_wake(p, f);
		return;
	}
	struct note *n = note_new(p, f);
	n->error = (struct linux_extended_err){
		.origin = LINUX_SO_EE_ORIGIN_ZEROCOPY,
		.code = LINUX_SO_EE_CODE_ZEROCOPY_COPIED,
		.info = id,
		.data = id,
	};
}

static void tell_stamp(struct posix *p, struct file *f, const struct record *r, uint32_t what)
{
	struct note *n = note_new(p, f);
	n->stamped = true;
	n->with_data = !(f->stamping & LINUX_SOF_TIMESTAMPING_OPT_TSONLY);
	n->error = (struct linux_extended_err){
		.error = LINUX_ENOMSG,
		.origin = LINUX_SO_EE_ORIGIN_TIMESTAMPING,
		.info = what,
		.data = f->stamping & LINUX_SOF_TIMESTAMPING_OPT_ID
			? (uint32_t)(r->end - 1 - f->stamp_base)
			: 0,
	};
}

void note_sent(struct posix *p, struct file *f, uint64_t from, int flags)
{
	(void)p;
	bool zero_copy = f->zero_copy && flags & LINUX_MSG_ZEROCOPY;
	uint32_t stamps = f->stamping & STAMPS_TX;
	uint32_t id = f->zero_copies;
	f->zero_copies += zero_copy;
	if (f->queue.written == from || (!zero_copy && !stamps) || f->records == POSIX_RECORDS)
		return;
	f->record[f->records++] = (struct record){
		.end = f->queue.written, .id = id, .stamps = stamps, .zero_copy = zero_copy
	};
}

static void record_progress(
	struct posix *p, struct file *f, struct record *r, uint64_t sent, uint64_t acked)
{
	if (sent >= r->end && r->stamps & LINUX_SOF_TIMESTAMPING_TX_SCHED)
		tell_stamp(p, f, r, LINUX_SCM_TSTAMP_SCHED);
	if (sent >= r->end && r->stamps & LINUX_SOF_TIMESTAMPING_TX_SOFTWARE)
		tell_stamp(p, f, r, LINUX_SCM_TSTAMP_SND);
	if (sent >= r->end)
		r->stamps &= LINUX_SOF_TIMESTAMPING_TX_ACK;
	if (acked < r->end)
		return;
	if (r->stamps)
		tell_stamp(p, f, r, LINUX_SCM_TSTAMP_ACK);
	r->stamps = 0;
	if (r->zero_copy)
		tell_zero_copy(p, f, r->id);
	r->zero_copy = false;
}

static void drop_finished(struct file *f)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < f->records; i++)
		if (f->record[i].stamps || f->record[i].zero_copy)
			f->record[kept++] = f->record[i];
	f->records = kept;
}

void note_progress(struct posix *p, struct file *f, const struct sock_tcp_info *i)
{
	if (!f->records)
		return;
	uint64_t sent = f->queue.written - i->unsent;
	uint64_t unacked = i->unacked - (i->fin_sent && i->unacked ? 1 : 0);
	for (unsigned k = 0; k < f->records; k++)
		record_progress(p, f, &f->record[k], sent, sent - unacked);
	drop_finished(f);
}

void note_all_done(struct posix *p, struct file *f)
{
	for (unsigned k = 0; k < f->records; k++)
		if (f->record[k].zero_copy)
			tell_zero_copy(p, f, f->record[k].id);
	f->records = 0;
}

static void put_cmsg(
	struct linux_msghdr *m, size_t *at, int level, int type, const void *data, size_t len)
{
	struct linux_cmsghdr h = { sizeof h + len, level, type };
	if (m->control_len < *at || m->control_len - *at < h.len) {
		m->flags |= LINUX_MSG_CTRUNC;
		return;
	}
	memcpy((uint8_t *)m->control + *at, &h, sizeof h);
	memcpy((uint8_t *)m->control + *at + sizeof h, data, len);
	size_t space = LINUX_CMSG_SPACE(len);
	*at += m->control_len - *at < space ? m->control_len - *at : space;
}

int64_t note_receive(struct file *f, struct linux_msghdr *m)
{
	if (!f->notes)
		return -LINUX_EAGAIN; /* the message stays as it was, as in Linux */
	m->flags = 0;
	struct note n = f->note[0];
	memmove(f->note, f->note + 1, sizeof f->note - sizeof *f->note);
	f->notes--;
	size_t at = 0;
	if (n.stamped) {
		int64_t times[6] = { n.time / NANO_S, n.time % NANO_S };
		put_cmsg(m, &at, LINUX_SOL_SOCKET, LINUX_SCM_TIMESTAMPING, times, sizeof times);
	}
	struct {
		struct linux_extended_err error;
		struct linux_sockaddr_in6 offender; /* nobody */
	} told = { .error = n.error };
	size_t len = sizeof n.error +
		(f->v6 ? sizeof(struct linux_sockaddr_in6) : sizeof(struct linux_sockaddr_in));
	put_cmsg(m, &at, f->v6 ? LINUX_SOL_IPV6 : LINUX_SOL_IP,
		f->v6 ? LINUX_IPV6_RECVERR : LINUX_IP_RECVERR, &told, len);
	m->control_len = at;
	m->name_len = 0;
	m->flags |= LINUX_MSG_ERRQUEUE | (n.with_data ? LINUX_MSG_TRUNC : 0);
	return 0; /* the packet itself is not kept: its end is all that is told */
}
