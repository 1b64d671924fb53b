/*
 * The eight sizes are those that paths have: what is between two of them loses a
 * little, never gains. The period is hashed whole, its parity alone travels: of the
 * two periods in which a cookie may come back exactly one has it, so that one hash
 * decides.
 */
#include "transport/tcp/cookie.h"

#include "transport/demux.h"

#define SIZES      8
#define LOW_BITS   4 /* three for the size, one for the period's parity */
#define LOW_MASK   ((1u << LOW_BITS) - 1)
#define STAMP_MASK 63u /* four bits for the scale, one for SACK, one for ECN */
#define STAMP_SACK 16u
#define STAMP_ECN  32u

/* Rising; the first is what any peer can take. */
static const uint16_t sizes4[SIZES] = { 64, 536, 966, 1220, 1360, 1440, 1460, 8960 };
static const uint16_t sizes6[SIZES] = { 64, 536, 1220, 1300, 1380, 1420, 1440, 8940 };

static const uint16_t *sizes_of(const struct tcp_tuple *tuple)
{
	return addr_is4(&tuple->remote) ? sizes4 : sizes6;
}

struct hash_key cookie_key(const struct hash_key *secret)
{
	struct hash_key key;
	for (unsigned i = 0; i < 2; i++) {
		/* no other use of the secret hashes this */
		uint64_t word[] = { UINT64_C(0x53594e20636f6f6b), i };
		key.k[i] = hash_secret(secret, word, 2);
	}
	return key;
}

static uint32_t period_of(nanotime now)
{
	return (uint32_t)(now / COOKIE_PERIOD);
}

static uint32_t cookie_hash(const struct hash_key *key, const struct tcp_tuple *tuple, uint32_t irs,
			    uint32_t period, uint32_t size)
{
	uint64_t word[7];
	unsigned count = tuple_words(tuple, word);
	word[count] = (uint64_t)irs << 32 | period;
	word[count + 1] = size;
	return (uint32_t)hash_secret(key, word, count + 2);
}

static uint32_t cookie_of(const struct hash_key *key, const struct tcp_tuple *tuple, uint32_t irs,
			  uint32_t salt, uint32_t period, uint32_t size)
{
	uint32_t low = (size << 1 | (period & 1)) ^ (salt & LOW_MASK);
	return (cookie_hash(key, tuple, irs, period, size) & ~LOW_MASK) | low;
}

uint32_t cookie_make(const struct hash_key *key, const struct tcp_tuple *tuple, uint32_t irs,
		     uint32_t salt, uint16_t mss, nanotime now)
{
	if (mss == 0) /* MUST-15 */
		mss = addr_is4(&tuple->remote) ? 536 : 1220;
	const uint16_t *sizes = sizes_of(tuple);
	uint32_t size = SIZES - 1;
	while (size > 0 && sizes[size] > mss)
		size--;
	return cookie_of(key, tuple, irs, salt, period_of(now), size);
}

bool cookie_open(const struct hash_key *key, const struct tcp_tuple *tuple, uint32_t irs,
		 uint32_t salt, uint32_t cookie, nanotime now, uint16_t *mss)
{
	uint32_t low = (cookie ^ salt) & LOW_MASK;
	uint32_t period = period_of(now), size = low >> 1;
	if ((low ^ period) & 1)
		period--;
	*mss = sizes_of(tuple)[size];
	return cookie == cookie_of(key, tuple, irs, salt, period, size);
}

uint32_t cookie_stamp(uint32_t now_ms, const struct cookie_terms *terms)
{
	uint32_t low = terms->wscale | (terms->sack ? STAMP_SACK : 0) |
		       (terms->ecn ? STAMP_ECN : 0);
	uint32_t stamp = (now_ms & ~STAMP_MASK) | low;
	/* Never of the future, or the next segment would seem older than this (RFC 7323 5.3). */
	return seq_gt(stamp, now_ms) ? stamp - (STAMP_MASK + 1) : stamp;
}

void cookie_unstamp(uint32_t stamp, struct cookie_terms *terms)
{
	terms->wscale = stamp & 15;
	terms->sack = stamp & STAMP_SACK;
	terms->ecn = stamp & STAMP_ECN;
}
