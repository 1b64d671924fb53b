/*
 * The draws. A fault that is on draws exactly once for each frame; one that is
 * off, or outside its window, draws nothing (the window is part of the world's
 * description, so the draws stay the same for the same description).
 */
#include "sim/faults.h"

#include "base/span.h"

#define CORRUPT_FROM 14 /* behind the Ethernet header */

const char *fault_use_name(enum fault_use use)
{
	static const char *const name[FAULT_USES] = { "loss", "burst", "duplicate", "corrupt",
		"bits", "reorder", "jitter" };
	return (unsigned)use < FAULT_USES ? name[use] : "";
}

const char *fault_config_check(const struct fault_config *c)
{
	const uint32_t probability[] = { c->loss, c->burst_enter, c->burst_leave, c->burst_loss,
		c->burst_good_loss, c->duplicate, c->corrupt, c->reorder };
	for (size_t i = 0; i < sizeof probability / sizeof *probability; i++)
		if (probability[i] > PPM)
			return "a probability is above 1,000,000 parts per million";
	if (c->jitter < 0 || c->duplicate_delay < 0 || c->reorder_delay < 0)
		return "a delay is negative";
	if (c->until && c->until < c->from)
		return "faults end before they begin";
	for (unsigned i = 0; i < FAULT_USES; i++)
		if (c->on[i].until && c->on[i].until < c->on[i].from)
			return "a fault ends before it begins";
	return NULL;
}

static bool on(const struct faults *f, enum fault_use use, nanotime now)
{
	const struct fault_span *s = &f->config.on[use];
	return now >= s->from && (!s->until || now < s->until);
}

static bool draw(struct faults *f, enum fault_use use, uint32_t ppm, nanotime now)
{
	return ppm && on(f, use, now) && rng_below(&f->rng[use], PPM) < ppm;
}

/* Gilbert and Elliott: first the state may change, then the state's loss is drawn. */
static bool draw_burst(struct faults *f)
{
	const struct fault_config *c = &f->config;
	uint32_t change = rng_below(&f->rng[FAULT_BURST], PPM);
	uint32_t loss = rng_below(&f->rng[FAULT_BURST], PPM);
	if (change < (f->bad ? c->burst_leave : c->burst_enter))
		f->bad = !f->bad;
	return loss < (f->bad ? c->burst_loss : c->burst_good_loss);
}

/* A number in [0, max]. */
static uint64_t draw_upto(struct rng *r, uint64_t max)
{
	return max < UINT32_MAX ? rng_below(r, (uint32_t)max + 1) : rng_next(r) % (max + 1);
}

static nanodiff draw_jitter(struct faults *f)
{
	struct rng *r = &f->rng[FAULT_JITTER];
	uint64_t most = (uint64_t)f->config.jitter, sum = 0;
	switch (f->config.jitter_kind) {
	case JITTER_UNIFORM: return (nanodiff)draw_upto(r, most);
	case JITTER_NORMAL: /* the mean of eight uniform numbers */
		for (int i = 0; i < 8; i++)
			sum += draw_upto(r, most);
		return (nanodiff)(sum / 8);
	case JITTER_SPIKES: return rng_below(r, 100) == 0 ? f->config.jitter : 0;
	}
	return 0;
}

struct fault_verdict faults_next(struct faults *f, nanotime now)
{
	const struct fault_config *c = &f->config;
	struct fault_verdict v = { .lost_nth = ++f->frames == c->lose_nth };
	if (now < c->from || (c->until && now >= c->until))
		return v;
	v.lost_loss = draw(f, FAULT_LOSS, c->loss, now);
	if ((c->burst_enter || c->burst_good_loss) && on(f, FAULT_BURST, now))
		v.lost_burst = draw_burst(f);
	v.duplicate = draw(f, FAULT_DUPLICATE, c->duplicate, now);
	v.corrupt = draw(f, FAULT_CORRUPT, c->corrupt, now);
	v.reorder = draw(f, FAULT_REORDER, c->reorder, now);
	if (c->jitter && on(f, FAULT_JITTER, now))
		v.jitter = draw_jitter(f);
	return v;
}

bool faults_corrupt(struct faults *f, uint8_t *frame, size_t len)
{
	uint16_t type = len > CORRUPT_FROM ? load16(frame + 12) : 0;
	if (type != 0x0800 && type != 0x86dd)
		return false;
	uint32_t bits = (uint32_t)(len - CORRUPT_FROM) * 8;
	uint32_t flips = f->config.corrupt_bits ? f->config.corrupt_bits : 1;
	for (uint32_t i = 0; i < flips; i++) {
		uint32_t bit = rng_below(&f->rng[FAULT_BITS], bits);
		frame[CORRUPT_FROM + bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	return true;
}
