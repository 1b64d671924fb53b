/*
 * SipHash-2-4 and the generator built on it. The generator's n-th number is
 * SipHash-2-4 of n under its key: a pseudo-random function in counter mode, so
 * that who sees any number of outputs can't tell the next, and who has the seed
 * can repeat them all. It has no backtracking resistance: state that leaks tells
 * the past too, which is why long-term secrets are drawn once, at start.
 */
#include "base/hash.h"

static uint64_t load_little(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline struct sip sip_start(const struct hash_key *key)
{
	return (struct sip){
		key->k[0] ^ UINT64_C(0x736f6d6570736575),
		key->k[1] ^ UINT64_C(0x646f72616e646f6d),
		key->k[0] ^ UINT64_C(0x6c7967656e657261),
		key->k[1] ^ UINT64_C(0x7465646279746573),
	};
}

static inline void sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	SIP_ROUND(s->v0, s->v1, s->v2, s->v3);
	SIP_ROUND(s->v0, s->v1, s->v2, s->v3);
	s->v0 ^= word;
}

static inline uint64_t sip_end(struct sip *s)
{
	s->v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		SIP_ROUND(s->v0, s->v1, s->v2, s->v3);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t siphash24(const struct hash_key *key, struct span data)
{
	struct sip s = sip_start(key);
	uint64_t last = (uint64_t)data.len << 56;

	for (; data.len >= 8; data = span_after(data, 8))
		sip_word(&s, load_little(data.at));
	for (size_t i = 0; i < data.len; i++)
		last |= (uint64_t)data.at[i] << (8 * i);
	sip_word(&s, last);
	return sip_end(&s);
}

/*
 * The seed's first 16 bytes key the hash of the whole seed, once for each half
 * of the generator's key: with 16 secret bytes or more, both are pseudo-random.
 */
void rng_seed(struct rng *r, struct span seed)
{
	uint8_t start[16] = { 0 };
	struct span first = span_first(seed, sizeof start);
	if (first.len)
		memcpy(start, first.at, first.len);
	struct hash_key key = { { load_little(start), load_little(start + 8) } };
	struct hash_key other = { { ~key.k[0], key.k[1] } };

	r->key.k[0] = siphash24(&key, seed);
	r->key.k[1] = siphash24(&other, seed);
	r->counter = 0;
}

uint64_t rng_next(struct rng *r)
{
	struct sip s = sip_start(&r->key);
	sip_word(&s, r->counter++);
	sip_word(&s, UINT64_C(8) << 56);
	return sip_end(&s);
}

/* Lemire 2019: multiply, and reject the few products that would favour some results. */
uint32_t rng_below(struct rng *r, uint32_t bound)
{
	assert(bound > 0);
	uint64_t product = (rng_next(r) >> 32) * bound;
	if ((uint32_t)product < bound) {
		uint32_t unfair = -bound % bound;
		while ((uint32_t)product < unfair)
			product = (rng_next(r) >> 32) * bound;
	}
	return (uint32_t)(product >> 32);
}

void rng_fill(struct rng *r, uint8_t *at, size_t len)
{
	while (len > 0) {
		uint64_t v = rng_next(r);
		for (unsigned i = 0; i < 8 && len > 0; i++, len--)
			*at++ = (uint8_t)(v >> (8 * i));
	}
}
