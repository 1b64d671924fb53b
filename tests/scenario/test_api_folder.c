/*
 * A folder of this host served on a simulated network: files, index pages,
 * folders, validators, and what lies outside of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/api_net.h"
#include "api/folder_content.h"
#include "application/http/http_server.h"
#include "strata/strata.h"

#define PORT 8080
#define BIG  3000000

static char folder[] = "/tmp/strata-folder-XXXXXX";

struct bed {
	struct strata *client, *server;
	struct directory directory;
	struct http_server *http;
	void *memory;
};

static void put(const char *path, const char *text, size_t len)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	fclose(f);
}

static void make_folder(void)
{
	static char big[BIG];
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(
		mkdir("served", 0755) | mkdir("served/sub", 0755) | mkdir("served/bare", 0755), 0);
	put("secret", "secret", 6);
	put("served/index.html", "<p>front", 8);
	put("served/sub/index.html", "<p>sub", 6);
	put("served/odd name.txt", "odd", 3);
	for (size_t i = 0; i < BIG; i++)
		big[i] = (char)(i * 7 + i / 1000);
	put("served/big", big, BIG);
	assert_int_equal(symlink("../secret", "served/link"), 0);
}

static int open_bed(void **state)
{
	static struct bed b;
	struct http_server_config c;
	const char *why = "";
	char text[200];
	make_folder();
	b.client = strata_open(&(struct strata_options){ .link = "lab:lan?delay=1ms" });
	b.server = strata_open(&(struct strata_options){ .beside = b.client, .machine = "server" });
	assert_non_null(b.server);
	assert_int_equal(directory_open(&b.directory, "served", text, sizeof text), ERR_OK);
	http_server_config_default(&c);
	c.port = PORT;
	c.content = &folder_content;
	c.content_user = &b.directory;
	struct arena arena = { .at = NULL };
	http_server_create(&c, b.server->site->stack, &arena, &why);
	b.memory = aligned_alloc(64, (arena.used + 63) & ~(size_t)63);
	arena = (struct arena){ .at = b.memory, .size = arena.used };
	b.http = http_server_create(&c, b.server->site->stack, &arena, &why);
	if (!b.http)
		fail_msg("%s", why);
	site_add_app(b.server->site, http_server_app(b.http));
	*state = &b;
	return 0;
}

static int close_bed(void **state)
{
	struct bed *b = *state;
	list_remove(&http_server_app(b->http)->link);
	strata_close(b->client);
	strata_close(b->server);
	directory_close(&b->directory);
	free(b->memory);
	static const char *const made[] = { "secret", "served/index.html", "served/sub/index.html",
		"served/odd name.txt", "served/big", "served/link" };
	for (unsigned i = 0; i < sizeof made / sizeof *made; i++)
		unlink(made[i]);
	rmdir("served/sub");
	rmdir("served/bare");
	rmdir("served");
	return chdir("/") | rmdir(folder);
}

static struct strata_http_response *get(
	struct bed *b, const char *path, const struct strata_http_options *o)
{
	char url[200];
	snprintf(url, sizeof url, "http://192.168.1.10:%u%s", PORT, path);
	struct strata_http_response *r = strata_http_get(b->client, url, o);
	if (!r)
		fail_msg("%s: %s", url, strata_error_message());
	return r;
}

static void test_pages(void **state)
{
	static const struct {
		const char *path;
		unsigned status;
		const char *content;
	} page[] = {
		{ "/", 200, "<p>front" },
		{ "/index.html", 200, "<p>front" },
		{ "/sub/", 200, "<p>sub" },
		{ "/odd%20name.txt", 200, "odd" },
		{ "/sub", 301, NULL },
		{ "/bare/", 404, NULL },
		{ "/nothing", 404, NULL },
		{ "/index.html/", 404, NULL },
		{ "/link", 403, NULL },
		{ "/../secret", 400, NULL },
		{ "/%2e%2e/secret", 400, NULL },
		{ "/sub/..%2f..%2fsecret", 400, NULL },
	};
	struct bed *b = *state;
	for (unsigned i = 0; i < sizeof page / sizeof *page; i++) {
		struct strata_http_response *r = get(b, page[i].path, NULL);
		if (r->status != page[i].status)
			fail_msg("%s: %u", page[i].path, r->status);
		if (page[i].content)
			assert_string_equal(r->content, page[i].content);
		assert_null(strstr((const char *)r->content, "secret"));
		strata_http_free(r);
	}
	const struct strata_http_options follow = { .redirects = 5 };
	struct strata_http_response *r = get(b, "/sub", &follow);
	assert_int_equal(r->status, 200);
	assert_int_equal(r->redirects, 1);
	assert_string_equal(r->content, "<p>sub");
	strata_http_free(r);
}

static void test_big(void **state)
{
	struct strata_http_response *r = get(*state, "/big", NULL);
	assert_int_equal(r->content_len, BIG);
	for (size_t i = 0; i < BIG; i++)
		assert_int_equal(r->content[i], (uint8_t)(i * 7 + i / 1000));
	strata_http_free(r);
}

/* What was not changed is not sent again. */
static void test_validators(void **state)
{
	struct bed *b = *state;
	struct strata_http_response *r = get(b, "/index.html", NULL);
	const char *etag = strata_http_field(r, "etag");
	assert_non_null(etag);
	assert_non_null(strata_http_field(r, "last-modified"));
	const struct strata_http_field field = { "If-None-Match", etag };
	const struct strata_http_options o = { .field = &field, .fields = 1 };
	struct strata_http_response *again = get(b, "/index.html", &o);
	assert_int_equal(again->status, 304);
	assert_int_equal(again->content_len, 0);
	strata_http_free(again);
	put("served/index.html", "<p>new!!", 8); /* as long as before */
	again = get(b, "/index.html", &o);
	assert_int_equal(again->status, 200);
	assert_string_equal(again->content, "<p>new!!");
	strata_http_free(again);
	strata_http_free(r);
}

/* A file that shrinks while it is sent: the message must not look whole. */
static void test_shrinking_file(void **state)
{
	struct bed *b = *state;
	assert_int_equal(truncate("served/big", BIG), 0);
	struct strata_stream *s = strata_connect(
		b->client, "tcp://192.168.1.10:8080", STRATA_SECOND);
	static const char request[] = "GET /big HTTP/1.1\r\nHost: x\r\n\r\n";
	static uint8_t got[BIG + 1000];
	assert_int_equal(strata_write_all(s, request, sizeof request - 1), 0);
	assert_int_equal(strata_read_all(s, got, 1000), 1000);
	assert_int_equal(truncate("served/big", 1000), 0);
	strata_set_timeout(s, 60 * STRATA_SECOND);
	assert_int_equal(strata_read_all(s, got, sizeof got), -STRATA_E_RESET);
	strata_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_big),
		cmocka_unit_test(test_validators),
		cmocka_unit_test(test_shrinking_file),
	};
	return cmocka_run_group_tests(tests, open_bed, close_bed);
}
