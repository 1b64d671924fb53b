/*
 * The HTTP client before a server that answers with the input: the exchange ends
 * in time, and where it ends well, the body is as long as the framing says.
 *
 * The first byte is the size of the pieces (0: as large as they go), the second:
 * bit 0 FIN at the end, else RST; bit 1 HEAD; bit 2 silence instead of an end.
 */
#include "small_duo.h"

#include "application/http/http_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct server {
	struct app app;
	struct sock_queue queue;
	sock_id listener, sock;
	struct span out;
	size_t piece;
	uint8_t end;
	bool ended;
};

static void server_run(struct app *a, struct stack *s, nanotime now)
{
	struct server *v = list_entry(a, struct server, app);
	struct sock_event e;
	uint8_t bytes[2000];
	int64_t n = 0;

	(void)now;
	while (sock_next(s, &v->queue, &e))
		;
	if (!v->sock && !v->ended)
		sock_accept(s, v->listener, &v->queue, NULL, &v->sock, NULL);
	if (!v->sock)
		return;
	while (sock_read(s, v->sock, bytes, sizeof bytes) > 0)
		;
	size_t want = v->piece && v->out.len > v->piece ? v->piece : v->out.len;
	if (want && (n = sock_write(s, v->sock, v->out.at, want)) > 0)
		v->out = span_after(v->out, (size_t)n);
	bool over = v->out.len == 0 || (n < 0 && n != -ERR_AGAIN);
	if (!over || (v->end & 4 && v->out.len == 0))
		return;
	(v->end & 1 ? sock_close : sock_abort)(s, v->sock);
	v->sock = 0;
	v->ended = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct server server = { .app = { .run = server_run }, .piece = input_byte(&in) };
	struct http_client_config c;
	struct duo d;
	const char *why;
	enum error error;
	uint8_t body[1000];
	uint64_t total = 0;
	int64_t n = -ERR_AGAIN;

	server.end = input_byte(&in);
	server.out = in;
	small_duo_open(&d);
	struct sock_options o = { .queue = &server.queue, .local_port = 80 };
	sock_queue_init(&server.queue);
	assert_int_equal(sock_listen(duo_use(&d.host[1]), &o, &server.listener), 0);
	duo_add(&d.host[1], &server.app);
	http_client_config_default(&c);
	c.exchanges = c.idle = 1;
	struct http_client *h = http_client_create(&c, duo_use(&d.host[0]), &d.host[0].arena, &why);
	assert_non_null(h);
	duo_add(&d.host[0], http_client_app(h));

	struct http_request r = { .authority = span_of("h", 1),
		.host = span_of("h", 1),
		.port = 80,
		.target = span_of("/", 1),
		.method = span_of("HEAD", server.end & 2 ? 4 : 0) };
	struct addr to = address("192.0.2.2");
	struct http_exchange *x = http_exchange_start(h, &r, &error);
	assert_non_null(x);
	http_exchange_addresses(h, x, &to, 1, false);
	for (unsigned i = 0; i < 5000 && n == -ERR_AGAIN; i++) {
		duo_pass(&d, i < 1000 ? 3 * NANO_MS : 50 * NANO_MS);
		duo_use(&d.host[0]);
		while ((n = http_exchange_read(h, x, body, sizeof body)) > 0)
			total += (uint64_t)n;
	}
	assert_true(n != -ERR_AGAIN && total == x->body_bytes && total <= size);
	assert_true((n == 0) == (x->step == HTTP_DONE && !x->problem));
	if (n == 0) {
		assert_true(x->head && x->head->status >= 200);
		if (x->framing.framing == HTTP1_BODY_LENGTH)
			assert_true(total == x->framing.length);
		if (x->framing.framing == HTTP1_BODY_NONE)
			assert_true(total == 0);
	}
	http_exchange_release(h, x);
	http_client_forget(h);
	assert_true(http_client_app(h)->deadline(http_client_app(h)) == NANOTIME_NEVER);
	duo_close(&d);
	return 0;
}
