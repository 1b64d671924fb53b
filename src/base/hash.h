/*
 * Keyed hashing and seeded randomness. Every table whose keys a peer can choose
 * is hashed with SipHash-1-3 and a secret key (attack SYS-06), and everything
 * that must not be guessed (ISN, ports, identifiers) comes from SipHash-2-4 or
 * from the generator below, which is SipHash-2-4 of a counter under a secret
 * key. The secrets come from the config: the core has no entropy of its own.
 */
#ifndef STRATA_BASE_HASH_H
#define STRATA_BASE_HASH_H

#include "base/span.h"

struct hash_key {
	uint64_t k[2];
};

/* SipHash-1-3 over 64-bit words, for tables. Inline: it stands on the path of every segment. */
#define SIP_ROTL(x, b) (uint64_t)(((x) << (b)) | ((x) >> (64 - (b))))
#define SIP_ROUND(v0, v1, v2, v3)                                                                  \
	do {                                                                                       \
		v0 += v1, v1 = SIP_ROTL(v1, 13), v1 ^= v0, v0 = SIP_ROTL(v0, 32);                  \
		v2 += v3, v3 = SIP_ROTL(v3, 16), v3 ^= v2;                                         \
		v0 += v3, v3 = SIP_ROTL(v3, 21), v3 ^= v0;                                         \
		v2 += v1, v1 = SIP_ROTL(v1, 17), v1 ^= v2, v2 = SIP_ROTL(v2, 32);                  \
	} while (0)

static inline uint64_t sip_words(const struct hash_key *key, const uint64_t *word, unsigned count,
				 unsigned rounds, unsigned final_rounds)
{
	uint64_t v0 = key->k[0] ^ UINT64_C(0x736f6d6570736575);
	uint64_t v1 = key->k[1] ^ UINT64_C(0x646f72616e646f6d);
	uint64_t v2 = key->k[0] ^ UINT64_C(0x6c7967656e657261);
	uint64_t v3 = key->k[1] ^ UINT64_C(0x7465646279746573);
	for (unsigned i = 0; i < count; i++) {
		v3 ^= word[i];
		for (unsigned r = 0; r < rounds; r++)
			SIP_ROUND(v0, v1, v2, v3);
		v0 ^= word[i];
	}
	v2 ^= 0xff ^ count; /* the count stands in for the length block: no two counts collide */
	for (unsigned r = 0; r < final_rounds; r++)
		SIP_ROUND(v0, v1, v2, v3);
	return v0 ^ v1 ^ v2 ^ v3;
}

static inline uint64_t hash_words(const struct hash_key *key, const uint64_t *word, unsigned count)
{
	return sip_words(key, word, count, 1, 3);
}

/* The same with SipHash-2-4's rounds, for numbers that must not be guessed. */
static inline uint64_t hash_secret(const struct hash_key *key, const uint64_t *word, unsigned count)
{
	return sip_words(key, word, count, 2, 4);
}

/* SipHash-2-4 exactly as published (Aumasson, Bernstein 2012), for secrets and MACs. */
uint64_t siphash24(const struct hash_key *key, struct span data);

/* A generator: unpredictable to who does not know the key, repeatable to who does. */
struct rng {
	struct hash_key key;
	uint64_t counter;
};

void rng_seed(struct rng *r, struct span seed); /* any length, at least 16 for secrecy */
uint64_t rng_next(struct rng *r);
/* Uniform in [0, bound), bound > 0, without bias. */
uint32_t rng_below(struct rng *r, uint32_t bound);
void rng_fill(struct rng *r, uint8_t *at, size_t len);

#endif
