/*
 * How many ICMP errors we send (RFC 4443 2.4f, RFC 1812 4.3.2.8): token buckets,
 * one for each destination (of a keyed hash; an IPv6 destination is its /64) and
 * one for all.
 *
 * A limit that everybody can observe is a side channel: who fills it with spoofed
 * packets and then looks whether an own one is answered learns which ports are
 * open (SAD DNS, CVE-2020-25705). So each error has a random price, one on the
 * average, and each bucket fills up to a random size: how many errors fit is
 * noise. A price stands until it is paid: a new one for each try would favour who
 * tries often.
 */
#include "internet/internet_private.h"

#define ONE        1024     /* tokens for an error on the average */
#define ALL        10       /* how many times one destination's limit everybody may have */
#define REFILL_MAX 10000000 /* us: a bucket is full by then, or the config forbids more */

void error_limit_init(struct internet *in, nanotime now)
{
	struct internet_private *p = in->private;
	uint64_t full = (uint64_t)in->config.error_burst * ONE;
	p->limit_all = (struct limit_bucket){ .at = now, .tokens = full * ALL, .price = ONE };
	for (unsigned i = 0; i < LIMIT_BUCKETS; i++)
		p->limit[i] = (struct limit_bucket){ .at = now, .tokens = full, .price = ONE };
}

static struct limit_bucket *bucket_for(struct internet *in, const struct addr *a)
{
	uint64_t word[2] = { a->w[0], addr_is4(a) ? a->w[1] : 0 };
	return &in->private->limit[hash_words(&in->core->key, word, 2) % LIMIT_BUCKETS];
}

static void refill(struct internet *in, struct limit_bucket *b, uint64_t scale, nanotime now)
{
	uint64_t us = (uint64_t)(now - b->at) / 1000;
	uint64_t gained = (us < REFILL_MAX ? us : REFILL_MAX) * in->config.error_rate * scale *
		ONE / 1000000;
	if (gained == 0)
		return;
	/* Three quarters to all of the burst. */
	uint64_t burst = (uint64_t)in->config.error_burst * scale * ONE;
	uint64_t full = burst - burst / 4096 * rng_below(in->core->rng, 1024);
	b->at = now;
	b->tokens += gained;
	if (b->tokens > full)
		b->tokens = full;
}

static void pay(struct internet *in, struct limit_bucket *b)
{
	b->tokens -= b->price;
	b->price = ONE / 2 + rng_below(in->core->rng, ONE + 1);
}

bool error_limit_allows(struct internet *in, const struct addr *destination, nanotime now)
{
	struct limit_bucket *all = &in->private->limit_all;
	struct limit_bucket *one = bucket_for(in, destination);
	refill(in, all, ALL, now);
	refill(in, one, 1, now);
	if (one->tokens < one->price || all->tokens < all->price) {
		in->core->counters->tx_drop[DROP_ICMP_RATE]++;
		return false;
	}
	pay(in, one);
	pay(in, all);
	return true;
}
