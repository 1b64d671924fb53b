/*
 * What a lab's servers serve: the zone example.test, made of the lab's table of
 * names, and a handful of pages. Both servers take their memory from the lab's
 * arena and run as applications of their machines.
 */
#include <stdio.h>

#include "application/dns/dns_server.h"
#include "application/http/http_server.h"
#include "sim/lab_build.h"

#define ORIGIN  "example.test"
#define TTL     300
#define BIG     (UINT64_C(1) << 20)
#define BIG_MAX (UINT64_C(1) << 40)

/* Fits in one segment. */
static const char own_page[] =
	"<!DOCTYPE html>\n"
	"<html lang=\"en\">\n"
	"<meta charset=\"utf-8\">\n"
	"<title>It works</title>\n"
	"<style>\n"
	"body { font: 1.1rem/1.6 Georgia, serif; max-width: 34em; margin: 3em auto; color: #223 }\n"
	"h1 { font-weight: normal; border-bottom: 1px solid #99a }\n"
	"dt { float: left; width: 9em; color: #668 }\n"
	"</style>\n"
	"<h1>It works.</h1>\n"
	"<p>You asked for this page, and it came through four layers twice:\n"
	"down through yours, up through mine, and all the way back.</p>\n"
	"<dl>\n"
	"<dt>Application<dd>You said GET, I said 200 OK. First you had asked for my name's\n"
	"address.\n"
	"<dt>Transport<dd>TCP shook hands in three segments, numbered every byte of this\n"
	"text, and asked again for those that were lost.\n"
	"<dt>Internet<dd>Each packet carried your address and mine. Each router looked at the\n"
	"second one, counted its lifetime down by one, and passed it on.\n"
	"<dt>Network access<dd>Each hop had a frame of its own, addressed to the next\n"
	"machine only. To learn whose hands those are, somebody had to ask the whole cable.\n"
	"</dl>\n"
	"<p>No layer looked into what the one above had written. That is why the same page\n"
	"could have come over radio, glass or pigeons.</p>\n"
	"</html>\n";

static const char hello[] = "Hello.\n";

static struct span text(const char *s)
{
	return span_of(s, strlen(s));
}

/* Names */

static const char *add_line(struct lab *l, const char *line)
{
	return zone_add_text(&l->zone, text(line));
}

static const char *add_host(struct lab *l, const struct lab_host *h)
{
	char line[160];
	bool v6 = strchr(h->address, ':') != NULL;
	snprintf(line, sizeof line, "%s. %d IN %s %s", h->name, TTL, v6 ? "AAAA" : "A", h->address);
	return add_line(l, line);
}

static const char *make_zone(struct lab *l)
{
	struct dns_name origin;
	unsigned row;
	if (!dns_name_parse(text(ORIGIN), &origin))
		return "the zone's name is no name";
	zone_init(&l->zone, &origin, &l->arena);
	const char *broken = add_line(
		l, "@ 3600 IN SOA ns hostmaster 2026010100 7200 900 1209600 300");
	if (!broken)
		broken = add_line(l, "@ 3600 IN NS ns");
	for (const struct lab_host *h = l->kind->host; h->name && !broken; h++)
		broken = add_host(l, h);
	if (!broken)
		broken = zone_add_lines(&l->zone, text(l->kind->zone_lines), &row);
	return broken;
}

static const char *serve_names(struct lab *l)
{
	struct node *n = world_node(l->world, l->kind->dns);
	struct dns_server_config c;
	const char *broken = make_zone(l), *why;
	if (broken)
		return broken;
	l->zones[0] = &l->zone;
	dns_server_config_default(&c);
	c.zone = l->zones;
	c.zones = 1;
	c.recursion_available = true;
	struct dns_server *d = dns_server_create(&c, node_use(n), &l->arena, &why);
	if (!d)
		return why;
	node_add_app(n, dns_server_app(d));
	return NULL;
}

/* Pages */

struct span lab_own_page(void)
{
	return text(own_page);
}

static void make_pages(struct lab *l)
{
	const struct lab_options *o = &l->options;
	const int64_t written = LAB_EPOCH / NANO_S;
	const struct http_page page[LAB_PAGES] = {
		{ .path = "/", .type = "text/html; charset=utf-8", .modified = written },
		{ .path = "/index.html", .modified = written },
		{ .path = "/hello.txt", .body = text(hello), .modified = written },
		{ .path = "/empty.txt", .body = text(""), .modified = written },
		{ .path = "/big", .type = "application/octet-stream", .modified = written },
	};
	memcpy(l->page, page, sizeof page);
	l->page[0].body = l->page[1].body = o->page.at ? o->page : lab_own_page();
	l->page[4].body = span_of(NULL, o->big ? (size_t)o->big : BIG);
	http_pages_init(&l->pages, l->page, LAB_PAGES);
}

static const char *serve_pages(struct lab *l)
{
	struct node *n = world_node(l->world, l->kind->web);
	struct http_server_config c;
	struct rng secret;
	const char *why;
	if (l->options.big > BIG_MAX)
		return "/big is larger than 1 TiB";
	make_pages(l);
	http_server_config_default(&c);
	c.content = &http_pages_content;
	c.content_user = &l->pages;
	c.name = "Strata";
	c.wall_offset = LAB_EPOCH;
	c.connections = 512;
	c.per_host = 512;
	c.heads = 64;
	c.fast_open = 64; /* its pages may be fetched twice */
	world_rng(l->world, n->name, "web secret", &secret);
	rng_fill(&secret, c.secret, sizeof c.secret);
	struct http_server *h = http_server_create(&c, node_use(n), &l->arena, &why);
	if (!h)
		return why;
	node_add_app(n, http_server_app(h));
	return NULL;
}

const char *lab_serve(struct lab *l)
{
	const char *broken = serve_names(l);
	return broken ? broken : serve_pages(l);
}
