/*
 * The cookie is SipHash-2-4 of the client's address and ours, as Linux makes it, so
 * that servers of both kinds behind one address can share a key (RFC 7413 4.1.2
 * leaves the making to the server).
 */
#include "transport/tcp/fast_open.h"

#define WAYS 4

static uint64_t load64_little(const uint8_t *at)
{
	uint64_t v = 0;
	for (unsigned i = 8; i-- > 0;)
		v = v << 8 | at[i];
	return v;
}

void fast_open_add_key(struct fast_open_keys *keys, const uint8_t key[16])
{
	struct hash_key newest = { { load64_little(key), load64_little(key + 8) } };
	if (keys->count && memcmp(&newest, &keys->key[0], sizeof newest) == 0)
		return; /* said again: the one before stays good */
	for (unsigned i = FAST_OPEN_KEYS - 1; i > 0; i--)
		keys->key[i] = keys->key[i - 1];
	keys->key[0] = newest;
	if (keys->count < FAST_OPEN_KEYS)
		keys->count++;
}

void fast_open_cookie(const struct hash_key *key, const struct addr *local,
		      const struct addr *remote, uint8_t out[FAST_OPEN_COOKIE])
{
	size_t skip = addr_is4(remote) ? 12 : 0, len = 16 - skip;
	uint8_t both[32];
	memcpy(both, remote->b + skip, len);
	memcpy(both + len, local->b + skip, len);
	uint64_t hash = siphash24(key, span_of(both, 2 * len));
	for (unsigned i = 0; i < FAST_OPEN_COOKIE; i++)
		out[i] = (uint8_t)(hash >> 8 * i);
}

int fast_open_check(const struct fast_open_keys *keys, const struct addr *local,
		    const struct addr *remote, const uint8_t *cookie, size_t len)
{
	if (len != FAST_OPEN_COOKIE)
		return -1;
	for (unsigned i = 0; i < keys->count; i++) {
		uint8_t right[FAST_OPEN_COOKIE], differ = 0;
		fast_open_cookie(&keys->key[i], local, remote, right);
		for (unsigned k = 0; k < FAST_OPEN_COOKIE; k++) /* all, however early it fails */
			differ |= (uint8_t)(right[k] ^ cookie[k]);
		if (!differ)
			return (int)i;
	}
	return -1;
}

bool fast_open_cache_init(struct fast_open_cache *c, struct arena *a, uint32_t entries,
			  const struct hash_key *key)
{
	uint32_t sets = 1;
	while (sets * WAYS < entries)
		sets *= 2;
	c->sets = sets;
	c->key = *key;
	c->entry = arena_take(a, (size_t)sets * WAYS * sizeof *c->entry, 8);
	if (!c->entry)
		return false;
	memset(c->entry, 0, (size_t)sets * WAYS * sizeof *c->entry);
	return true;
}

void fast_open_forget(struct fast_open_cache *c)
{
	memset(c->entry, 0, (size_t)c->sets * WAYS * sizeof *c->entry);
}

static struct fast_open_entry *set_of(const struct fast_open_cache *c, const struct addr *remote)
{
	uint64_t hash = hash_words(&c->key, remote->w, 2);
	return c->entry + (size_t)((uint32_t)hash & (c->sets - 1)) * WAYS;
}

struct fast_open_entry *fast_open_find(const struct fast_open_cache *c, const struct addr *remote)
{
	struct fast_open_entry *set = set_of(c, remote);
	for (unsigned i = 0; i < WAYS; i++)
		if (addr_equal(&set[i].remote, remote))
			return &set[i];
	return NULL;
}

struct fast_open_entry *fast_open_place(struct fast_open_cache *c, const struct addr *remote,
					nanotime now)
{
	struct fast_open_entry *e = fast_open_find(c, remote);
	if (!e) {
		struct fast_open_entry *set = set_of(c, remote);
		e = set;
		for (unsigned i = 1; i < WAYS; i++)
			if (set[i].used < e->used) /* 0: never */
				e = &set[i];
		memset(e, 0, sizeof *e);
		e->remote = *remote;
	}
	e->used = now;
	return e;
}

void fast_open_lost(struct fast_open_entry *e, nanodiff pause, nanotime now)
{
	if (e->losses < 10)
		e->losses++;
	if (e->losses > 1)
		e->paused_until = now + pause * (1 << (e->losses - 1));
}
