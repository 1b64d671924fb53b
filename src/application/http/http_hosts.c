/* See http_hosts.h; an entry is there exactly while its host has a connection. */
#include "application/http/http_hosts.h"

bool http_hosts_init(
	struct http_hosts *t, struct arena *arena, uint32_t connections, const struct hash_key *key)
{
	uint32_t buckets = 1;

	while (buckets < connections && buckets < UINT32_C(1) << 30)
		buckets <<= 1;
	*t = (struct http_hosts){ .key = *key, .mask = buckets - 1 };
	t->bucket = arena_take(arena, buckets * sizeof(void *), _Alignof(void *));
	if (!pool_init(&t->pool, arena, sizeof(struct http_host), _Alignof(struct http_host),
		    connections) ||
		!t->bucket)
		return false;
	for (uint32_t i = 0; i < buckets; i++)
		t->bucket[i] = NULL;
	return true;
}

static struct addr net_of(const struct addr *a)
{
	struct addr net = *a;
	if (!addr_is4(a))
		net.w[1] = 0;
	return net;
}

static struct http_host **bucket_of(struct http_hosts *t, const struct addr *net)
{
	return &t->bucket[hash_words(&t->key, net->w, 2) & t->mask];
}

struct http_host *http_hosts_take(struct http_hosts *t, const struct addr *a)
{
	struct addr net = net_of(a);
	struct http_host **bucket = bucket_of(t, &net), *host = *bucket;

	while (host && !addr_equal(&host->net, &net))
		host = host->next;
	if (!host) {
		host = pool_take(&t->pool);
		assert(host);
		*host = (struct http_host){ .next = *bucket, .net = net };
		*bucket = host;
	}
	host->connections++;
	return host;
}

void http_hosts_give(struct http_hosts *t, struct http_host *host)
{
	struct http_host **at = bucket_of(t, &host->net);

	if (--host->connections > 0)
		return;
	while (*at != host)
		at = &(*at)->next;
	*at = host->next;
	pool_give(&t->pool, host);
}
