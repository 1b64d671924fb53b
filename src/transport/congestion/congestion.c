/*
 * What the algorithms have in common: their names, the window from before a
 * reduction, which comes back when the reduction was for nothing, and the decay of
 * a window that nobody used.
 */
#include "transport/congestion/congestion.h"

#include "base/ascii.h"

static const struct cc_ops *const cc_table[CC_KINDS] = {
	[CC_DEFAULT] = &cc_cubic,
	[CC_RENO] = &cc_reno,
	[CC_CUBIC] = &cc_cubic,
	[CC_BBR] = &cc_bbr,
};

/* RFC 9293 MAY-18 */
const struct cc_ops *cc_of(uint8_t kind)
{
	return cc_table[kind < CC_KINDS ? kind : CC_DEFAULT];
}

enum cc_kind cc_find(struct span name)
{
	for (unsigned i = CC_DEFAULT + 1; i < CC_KINDS; i++)
		if (ascii_equal(name, cc_table[i]->name))
			return (enum cc_kind)i;
	return CC_KINDS;
}

void cc_save(struct cc *c)
{
	if (c->phase != CC_OPEN)
		return;
	c->prior_cwnd = c->cwnd;
	c->prior_ssthresh = c->ssthresh;
}

bool cc_restore(struct cc *c)
{
	c->phase = CC_OPEN;
	if (!c->prior_cwnd)
		return false;
	if (c->cwnd < c->prior_cwnd)
		c->cwnd = c->prior_cwnd;
	c->ssthresh = c->prior_ssthresh;
	c->prior_cwnd = 0;
	c->counted = 0;
	return true;
}

uint32_t cc_reduced(const struct cc *c, const struct cc_loss *l, uint32_t part)
{
	if (l->reduced)
		return c->ssthresh;
	/* An ECN mark comes with an ACK that has made the window grow already. */
	bool window = c->abrupt_start && l->lost && c->cwnd > l->flight;
	uint32_t flight = window ? c->cwnd : l->flight;
	if (c->phase == CC_OPEN && flight > c->cwnd)
		flight = c->cwnd; /* without what limited transmit added: RFC 5681 3.2 step 2 */
	uint64_t less = (uint64_t)flight * part >> 10;
	return less > 2 * c->mss ? (uint32_t)less : 2 * c->mss;
}

void cc_recovered(struct cc *c, nanotime now)
{
	(void)now;
	if (c->phase == CC_RECOVERY)
		c->cwnd = c->ssthresh; /* RFC 9937 6: at the end */
	c->phase = CC_OPEN;
	c->counted = 0;
}

/*
 * A halving for each RTO, not below the restart window, and a threshold of three quarters of what
 * was, so that slow start finds the way back: RFC 2861. RFC 7661 asks for the same step, but once
 * in five minutes: its caller says that one RTO has passed.
 */
void cc_idle(struct cc *c, nanodiff idle, nanodiff rto, nanotime now)
{
	(void)now;
	uint32_t kept = c->cwnd - c->cwnd / 4;
	if (c->ssthresh < kept)
		c->ssthresh = kept;
	for (; idle >= rto && c->cwnd > c->initial; idle -= rto) {
		c->cwnd /= 2;
		if (c->cwnd < c->initial)
			c->cwnd = c->initial;
	}
	c->prior_cwnd = 0;
	c->counted = 0;
}
