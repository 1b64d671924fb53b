/*
 * Entries hang in hash buckets (keyed, because whoever owns a name chooses what
 * we look up: attack SYS-06) and in one list by last use. Expired entries are
 * found and freed when they are asked for, or pushed out.
 */
#include "application/dns/dns_cache.h"

struct dns_cache_entry {
	struct list bucket, lru;
	nanotime stored, expires;
	struct dns_name name;
	uint16_t type;
	uint16_t len;
	uint8_t message[];
};

bool dns_cache_init(struct dns_cache *c, struct arena *arena, uint32_t entries,
	uint32_t message_max, const struct hash_key *key)
{
	*c = (struct dns_cache){ .key = *key, .message_max = message_max };
	list_init(&c->lru);
	if (entries == 0)
		return true;

	uint32_t buckets = 1;
	while (buckets < entries && buckets < UINT32_C(1) << 30)
		buckets <<= 1;
	c->mask = buckets - 1;
	c->bucket = arena_take(arena, buckets * sizeof *c->bucket, _Alignof(struct list));
	bool fits = pool_init(&c->pool, arena, sizeof(struct dns_cache_entry) + message_max,
		_Alignof(struct dns_cache_entry), entries);
	if (!c->bucket || !fits)
		return false;
	for (uint32_t i = 0; i < buckets; i++)
		list_init(&c->bucket[i]);
	return true;
}

/* Names compare without case, so they are hashed in lower case. */
static struct list *bucket_of(struct dns_cache *c, const struct dns_name *name, uint16_t type)
{
	uint64_t word[(DNS_NAME_MAX + 7) / 8 + 1] = { type };
	uint8_t *folded = (uint8_t *)(word + 1);

	for (unsigned i = 0; i < name->len; i++) {
		uint8_t b = name->b[i];
		folded[i] = b >= 'A' && b <= 'Z' ? (uint8_t)(b | 0x20) : b;
	}
	return &c->bucket[hash_words(&c->key, word, 1 + (name->len + 7u) / 8) & c->mask];
}

static void drop(struct dns_cache *c, struct dns_cache_entry *e)
{
	list_remove(&e->bucket);
	list_remove(&e->lru);
	pool_give(&c->pool, e);
}

static struct dns_cache_entry *find(
	struct dns_cache *c, const struct dns_name *name, uint16_t type, nanotime now)
{
	if (c->pool.count == 0)
		return NULL;
	struct list *bucket = bucket_of(c, name, type);
	list_each_safe(pos, bucket)
	{
		struct dns_cache_entry *e = list_entry(pos, struct dns_cache_entry, bucket);
		if (e->type != type || !dns_name_equal(&e->name, name))
			continue;
		if (now < e->expires)
			return e;
		drop(c, e);
		return NULL;
	}
	return NULL;
}

/* Takes `seconds` from every TTL of a message; the OPT record's is none (RFC 6891 6.1.3). */
static void age(uint8_t *bytes, size_t len, uint32_t seconds)
{
	struct dns_reader r;
	struct dns_header h;
	struct dns_record record;
	struct span message = span_of(bytes, len);

	dns_reader_begin(&r, message, &h);
	while (dns_record_next(&r, &record)) {
		/* The TTL stands before the length and the data. */
		size_t at = (size_t)(record.rdata.at - message.at) - 6;
		uint32_t ttl = dns_ttl(&record);
		if (record.type != DNS_TYPE_OPT)
			store32(bytes + at, ttl > seconds ? ttl - seconds : 0);
	}
}

size_t dns_cache_find(struct dns_cache *c, const struct dns_name *name, uint16_t type, nanotime now,
	uint8_t *out, size_t cap)
{
	struct dns_cache_entry *e = find(c, name, type, now);
	if (!e || e->len > cap)
		return 0;
	memcpy(out, e->message, e->len);
	age(out, e->len, (uint32_t)((now - e->stored) / NANO_S));
	list_remove(&e->lru);
	list_push_back(&c->lru, &e->lru);
	return e->len;
}

void dns_cache_keep(struct dns_cache *c, const struct dns_name *name, uint16_t type,
	struct span message, uint32_t ttl, nanotime now)
{
	if (c->pool.count == 0 || ttl == 0 || message.len > c->message_max)
		return;
	struct dns_cache_entry *e = find(c, name, type, now);
	if (e)
		drop(c, e);
	else if (c->pool.used == c->pool.count)
		drop(c, list_entry(c->lru.next, struct dns_cache_entry, lru));

	e = pool_take(&c->pool);
	e->name = *name;
	e->type = type;
	e->stored = now;
	e->expires = now + ttl * NANO_S;
	e->len = (uint16_t)message.len;
	memcpy(e->message, message.at, message.len);
	list_push_back(bucket_of(c, name, type), &e->bucket);
	list_push_back(&c->lru, &e->lru);
}

void dns_cache_flush(struct dns_cache *c)
{
	while (!list_empty(&c->lru))
		drop(c, list_entry(c->lru.next, struct dns_cache_entry, lru));
}
