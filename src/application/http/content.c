/*
 * Pages in memory: a short array searched by path, which a laboratory's web
 * server asks for some pages. Tags are a hash of what is served, so that they
 * change when it does. Generated pages have their length and no memory: any byte
 * of them can be computed, by the server and by who checks what arrived.
 */
#include "application/http/content.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"

static const struct hash_key tag_key = { { UINT64_C(0x7061676520746167), 1 } };

void http_pages_init(struct http_pages *p, struct http_page *page, unsigned count)
{
	*p = (struct http_pages){ .page = page, .count = count };
	for (unsigned i = 0; i < count; i++) {
		struct text t = text_of(page[i].etag, sizeof page[i].etag);
		uint64_t tag = page[i].body.at ? siphash24(&tag_key, page[i].body) : 0;
		text_char(&t, '"');
		text_hex(&t, page[i].body.len, 8);
		text_char(&t, '-');
		text_hex(&t, tag, 16);
		text_char(&t, '"');
	}
}

static bool is_path(const struct http_page *page, struct span path)
{
	size_t i = 0;
	while (i < path.len && page->path[i] == (char)path.at[i] && page->path[i])
		i++;
	return i == path.len && page->path[i] == '\0';
}

/* Is there a page below this path, so that the path names a folder? */
static bool is_folder(const struct http_page *page, struct span path)
{
	size_t i = 0;
	while (i < path.len && page->path[i] == (char)path.at[i] && page->path[i])
		i++;
	return i == path.len && page->path[i] == '/';
}

static int pages_open(void *user, struct span path, struct http_entity *out)
{
	struct http_pages *p = user;

	for (unsigned i = 0; i < p->count; i++) {
		struct http_page *page = &p->page[i];
		if (!is_path(page, path))
			continue;
		out->length = page->body.len;
		out->bytes = page->body.at;
		out->modified = page->modified;
		out->type = page->type;
		memcpy(out->etag, page->etag, sizeof out->etag);
		return 0;
	}
	for (unsigned i = 0; i < p->count; i++) {
		if (is_folder(&p->page[i], path)) {
			out->directory = true;
			return 0;
		}
	}
	return -ERR_NOT_FOUND;
}

uint8_t http_pattern(uint64_t at)
{
	uint64_t block = at / 8 + 1;
	return (uint8_t)((block * UINT64_C(0x9e3779b97f4a7c15)) >> (8 * (at % 8)));
}

static int64_t pages_read(void *user, struct http_entity *e, uint64_t at, uint8_t *to, size_t cap)
{
	(void)user;
	size_t n = at >= e->length ? 0 : e->length - at < cap ? (size_t)(e->length - at) : cap;
	for (size_t i = 0; i < n; i++)
		to[i] = http_pattern(at + i);
	return (int64_t)n;
}

static void pages_close(void *user, struct http_entity *e)
{
	(void)user;
	(void)e;
}

const struct http_content http_pages_content = {
	.open = pages_open,
	.read = pages_read,
	.close = pages_close,
};
