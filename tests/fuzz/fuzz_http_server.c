/*
 * The HTTP server before a client that sends the input and goes: whatever it is,
 * what comes back begins like a response, no path that leads upwards reaches the
 * content, and when time has passed no connection, buffer or open page is left.
 *
 * The first byte is the size of the pieces (0: as large as they go), the second
 * how the client ends (bit 0: half-close, else reset; bit 1: it does not read).
 */
#include "small_duo.h"

#include "application/http/http_conn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int open_page(void *user, struct span path, struct http_entity *out)
{
	unsigned *open = user;

	assert_true(path.len > 0 && path.at[0] == '/');
	for (size_t i = 0; i + 1 < path.len; i++) {
		struct span rest = span_after(path, i);
		assert_true(path.at[i] >= ' ' && path.at[i] != '\\');
		assert_true(rest.len < 2 || memcmp(rest.at, "//", 2) != 0);
		assert_true(rest.len < 4 || memcmp(rest.at, "/../", 4) != 0);
	}
	if (path.len > 1 && path.at[1] == 'n')
		return -ERR_NOT_FOUND;
	if (path.len > 1 && path.at[1] == 'd' && path.at[path.len - 1] != '/') {
		out->directory = true;
		return 0;
	}
	out->length = path.len > 1 && path.at[1] == 's' ? HTTP_LENGTH_UNKNOWN : 5000;
	out->modified = 784111777;
	memcpy(out->etag, "\"x\"", 4);
	++*open;
	return 0;
}

static int64_t read_page(void *user, struct http_entity *e, uint64_t at, uint8_t *to, size_t cap)
{
	(void)user;
	(void)e;
	size_t n = at >= 5000 ? 0 : 5000 - at < cap ? (size_t)(5000 - at) : cap;
	memset(to, 'x', n);
	return (int64_t)n;
}

static void close_page(void *user, struct http_entity *e)
{
	(void)e;
	--*(unsigned *)user;
}

static const struct http_content content = { open_page, read_page, close_page };

struct client {
	struct app app;
	struct sock_queue queue;
	sock_id sock;
	struct span out;
	size_t piece;
	bool deaf;
	uint8_t in[9]; /* the beginning of what came */
	size_t in_len;
};

static void client_run(struct app *a, struct stack *s, nanotime now)
{
	struct client *c = list_entry(a, struct client, app);
	struct sock_event e;
	uint8_t bytes[2000];
	int64_t n;

	(void)now;
	while (sock_next(s, &c->queue, &e))
		;
	size_t want = c->piece && c->out.len > c->piece ? c->piece : c->out.len;
	if (want && (n = sock_write(s, c->sock, c->out.at, want)) > 0)
		c->out = span_after(c->out, (size_t)n);
	while (!c->deaf && (n = sock_read(s, c->sock, bytes, sizeof bytes)) > 0)
		for (int64_t i = 0; i < n && c->in_len < sizeof c->in; i++)
			c->in[c->in_len++] = bytes[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct client client = { .app = { .run = client_run }, .piece = input_byte(&in) };
	uint8_t end = input_byte(&in);
	struct http_server_config c;
	struct duo d;
	const char *why;
	unsigned open = 0;

	client.out = in;
	client.deaf = end & 2;
	small_duo_open(&d);
	http_server_config_default(&c);
	c.content = &content;
	c.content_user = &open;
	c.connections = 4;
	c.heads = 2;
	struct http_server *h = http_server_create(&c, duo_use(&d.host[1]), &d.host[1].arena, &why);
	assert_non_null(h);
	duo_add(&d.host[1], http_server_app(h));

	struct addr to = address("192.0.2.2");
	struct sock_options o = { .queue = &client.queue, .nodelay = true };
	sock_queue_init(&client.queue);
	assert_int_equal(sock_connect(duo_use(&d.host[0]), &o, &to, 80, &client.sock), 0);
	duo_add(&d.host[0], &client.app);
	for (unsigned i = 0; i < 400 && client.out.len; i++)
		duo_pass(&d, 3 * NANO_MS);
	duo_pass(&d, 20 * NANO_MS);
	if (end & 1) {
		sock_shutdown(duo_use(&d.host[0]), client.sock);
		duo_pass(&d, NANO_S);
	}
	list_remove(&client.app.link);
	sock_abort(duo_use(&d.host[0]), client.sock);
	duo_pass(&d, 200 * NANO_S);

	if (client.in_len)
		assert_true(client.in_len == 9 && memcmp(client.in, "HTTP/1.1 ", 9) == 0);
	assert_int_equal(open, 0);
	assert_int_equal(h->counters.connections, 0);
	assert_true(h->pool.used == 0 && h->heads.used == 0 && h->hosts.pool.used == 0);
	assert_true(http_server_app(h)->deadline(http_server_app(h)) == NANOTIME_NEVER);
	duo_close(&d);
	return 0;
}
