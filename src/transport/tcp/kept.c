/*
 * The record is found by the 24 bits that a connection's timer has to spare. Should there be none
 * left, the connection counts from zero again and begins with the initial window: there are as many
 * as connections, as far as those bits can count.
 */
#include "transport/tcp/kept.h"

static struct tcp_kept *find(const struct transport *t, const struct tcp_conn *c)
{
	return c->timer.note >= NOTE_RECORD ? pool_at(&t->kept_pool, c->timer.note - NOTE_RECORD)
					    : NULL;
}

const struct tcp_kept *conn_kept(const struct transport *t, const struct tcp_conn *c)
{
	return find(t, c);
}

void conn_keep(struct transport *t, struct tcp_conn *c)
{
	struct tcp_kept *k = pool_take(&t->kept_pool);
	c->timer.note = c->path.mtu_high ? NOTE_LOOK : 0; /* a larger MTU is looked for */
	if (!k)
		return;
	memcpy(k->totals, c->flight->totals, sizeof k->totals);
	k->window = conn_window_note(t, c);
	c->timer.note = (pool_index(&t->kept_pool, k) + NOTE_RECORD) & 0xffffff;
}

void conn_recall(struct transport *t, struct tcp_conn *c)
{
	struct tcp_kept *k = find(t, c);
	if (c->timer.note == NOTE_SYN_LOST)
		c->flight->cc.cwnd = c->flight->cc.mss;
	c->timer.note = 0;
	if (k) {
		memcpy(c->flight->totals, k->totals, sizeof k->totals);
		conn_recall_window(t, c, k->window);
		pool_give(&t->kept_pool, k);
	}
	conn_search_resume(t, c);
}

void conn_forget_kept(struct transport *t, struct tcp_conn *c)
{
	struct tcp_kept *k = find(t, c);
	if (k)
		pool_give(&t->kept_pool, k);
	c->timer.note = 0;
}
