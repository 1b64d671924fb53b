/*
 * The chunked coding, byte by byte but for the data itself. The states follow
 * the grammar of RFC 9112 7.1, so a piece may end anywhere; each byte that has
 * no place where it stands ends the body with a reason, because a decoder that
 * forgives (a bare LF after a chunk, a blank in a size) reads other chunks than
 * the next one does.
 */
#include "base/ascii.h"
#include "wire/http1_chunked.h"

enum state {
	SIZE,       /* before or within the digits */
	SIZE_BLANK, /* blanks behind the digits: an extension must follow */
	EXTENSION,  /* behind ';' */
	SIZE_LF,    /* CR seen */
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER, /* at the start of a line */
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	END_LF, /* CR of the empty line seen */
	END,
};

void http1_chunked_begin(struct http1_chunked *c, uint8_t *storage, size_t storage_cap,
	struct http1_field *field, unsigned field_cap)
{
	*c = (struct http1_chunked){
		.state = SIZE,
		.storage = writer_of(storage, storage_cap),
		.field = field,
		.field_cap = field_cap,
	};
}

/* Fields that say how to read, route or trust a message belong in its head (RFC 9110 6.5.1). */
static bool may_be_trailer(struct span name)
{
	static const char *const forbidden[] = { "Age", "Authorization", "Cache-Control",
		"Connection", "Content-Encoding", "Content-Length", "Content-Range", "Content-Type",
		"Cookie", "Date", "Expect", "Expires", "Host", "If-Match", "If-Modified-Since",
		"If-None-Match", "If-Range", "If-Unmodified-Since", "Keep-Alive", "Location",
		"Max-Forwards", "Pragma", "Proxy-Authenticate", "Proxy-Authorization",
		"Proxy-Connection", "Range", "Retry-After", "Set-Cookie", "TE", "Trailer",
		"Transfer-Encoding", "Upgrade", "Vary", "WWW-Authenticate" };

	for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
		if (http1_name_is(name, forbidden[i]))
			return false;
	return true;
}

/* A trailer line is complete: keep it, or leave it out. Its form was checked on the way. */
static void end_trailer(struct http1_chunked *c)
{
	struct writer *w = &c->storage;
	struct http1_field field;

	if (!w->failed && c->field_count < c->field_cap &&
		!http1_field_parse(
			span_of(w->start + c->trailer_line, w->len - c->trailer_line), &field) &&
		may_be_trailer(field.name)) {
		c->field[c->field_count++] = field;
	} else {
		c->left_out++;
		w->len = c->trailer_line;
		w->failed = false;
	}
	c->trailer_line = w->len;
}

static enum http1_error take_size(struct http1_chunked *c, uint8_t byte)
{
	int digit = ascii_hex(byte);

	if (c->state == SIZE && digit >= 0) {
		if (c->digits++ == 16 || c->left > (uint64_t)INT64_MAX >> 4)
			return HTTP1_CHUNK_HUGE;
		c->left = c->left << 4 | (uint64_t)digit;
		return HTTP1_NONE;
	}
	if (c->digits == 0)
		return HTTP1_CHUNK_SIZE;
	if (byte == '\r' && c->state == SIZE)
		c->state = SIZE_LF;
	else if (byte == ';')
		c->state = EXTENSION;
	else if (ascii_is_blank(byte))
		c->state = SIZE_BLANK;
	else
		return byte == '\n' ? HTTP1_BARE_LF : HTTP1_CHUNK_SIZE;
	return HTTP1_NONE;
}

static enum http1_error take_extension(struct http1_chunked *c, uint8_t byte)
{
	if (byte == '\r') {
		c->state = SIZE_LF;
		return HTTP1_NONE;
	}
	if (byte == '\n')
		return HTTP1_BARE_LF;
	return ascii_is_control(byte) ? HTTP1_CHUNK_EXTENSION : HTTP1_NONE;
}

static enum http1_error count_extension(struct http1_chunked *c)
{
	bool fits = ++c->extension <= HTTP1_EXTENSIONS_MAX &&
		++c->extensions <= HTTP1_EXTENSIONS_TOTAL;
	return fits ? HTTP1_NONE : HTTP1_CHUNK_EXTENSION;
}

static void begin_chunk(struct http1_chunked *c)
{
	c->state = SIZE;
	c->digits = 0;
	c->left = 0;
	c->extension = 0;
}

/* A byte of a trailer line; the states hold it to token ":" value. */
static enum http1_error take_trailer(struct http1_chunked *c, uint8_t byte)
{
	if (byte == '\n')
		return HTTP1_BARE_LF;
	if (byte == '\r') {
		if (c->state == TRAILER_NAME)
			return HTTP1_FIELD_COLON;
		c->state = c->state == TRAILER ? END_LF : TRAILER_LF;
		return HTTP1_NONE;
	}
	if (c->state == TRAILER) {
		if (ascii_is_blank(byte))
			return HTTP1_FOLD;
		if (++c->trailers > HTTP1_TRAILERS_MAX)
			return HTTP1_TRAILERS_MANY;
	}
	if (++c->trailer_bytes > HTTP1_TRAILER_BYTES_MAX)
		return HTTP1_TRAILERS_MANY;
	if (c->state == TRAILER_VALUE) {
		if (ascii_is_control(byte))
			return HTTP1_FIELD_VALUE;
	} else if (byte == ':' && c->state == TRAILER_NAME) {
		c->state = TRAILER_VALUE;
	} else if (http1_is_token(span_of(&byte, 1))) {
		c->state = TRAILER_NAME;
	} else {
		return ascii_is_blank(byte) ? HTTP1_FIELD_COLON : HTTP1_FIELD_NAME;
	}
	write8(&c->storage, byte);
	return HTTP1_NONE;
}

static enum http1_error take_byte(struct http1_chunked *c, uint8_t byte)
{
	enum http1_error e;

	switch (c->state) {
	case SIZE:
	case SIZE_BLANK:
		e = take_size(c, byte);
		return e || c->state != SIZE_BLANK ? e : count_extension(c);
	case EXTENSION: e = take_extension(c, byte); return e ? e : count_extension(c);
	case SIZE_LF:
		c->state = c->left ? DATA : TRAILER;
		return byte == '\n' ? HTTP1_NONE : HTTP1_BARE_CR;
	case DATA_CR: c->state = DATA_LF; return byte == '\r' ? HTTP1_NONE : HTTP1_CHUNK_END;
	case DATA_LF: begin_chunk(c); return byte == '\n' ? HTTP1_NONE : HTTP1_CHUNK_END;
	case TRAILER:
	case TRAILER_NAME:
	case TRAILER_VALUE: return take_trailer(c, byte);
	case TRAILER_LF:
		end_trailer(c);
		c->state = TRAILER;
		return byte == '\n' ? HTTP1_NONE : HTTP1_BARE_CR;
	default: /* END_LF */ c->state = END; return byte == '\n' ? HTTP1_NONE : HTTP1_BARE_CR;
	}
}

enum http1_progress http1_chunked_feed(
	struct http1_chunked *c, struct span in, size_t *used, struct span *body)
{
	size_t i = 0;

	*body = span_of(in.at, 0);
	while (i < in.len && !c->error && c->state != END) {
		if (c->state != DATA) {
			c->error = take_byte(c, in.at[i++]);
			continue;
		}
		size_t n = in.len - i < c->left ? in.len - i : (size_t)c->left;
		*body = span_of(in.at + i, n);
		i += n;
		c->left -= n;
		c->total += n;
		if (c->left == 0)
			c->state = DATA_CR;
		break;
	}
	*used = i;
	if (c->error)
		return HTTP1_FAULT;
	return c->state == END ? HTTP1_DONE : HTTP1_MORE;
}

size_t http1_chunk_head(uint64_t size, uint8_t *out, size_t cap)
{
	struct writer w = writer_of(out, cap);
	unsigned shift = 60;

	while (shift && size >> shift == 0)
		shift -= 4;
	for (; shift; shift -= 4)
		write8(&w, (uint8_t) "0123456789abcdef"[size >> shift & 15]);
	write8(&w, (uint8_t) "0123456789abcdef"[size & 15]);
	write_bytes(&w, span_of("\r\n", 2));
	return w.failed ? 0 : w.len;
}

size_t http1_chunk_emit(struct span data, uint8_t *out, size_t cap)
{
	struct writer w = writer_of(out, cap);

	w.len = http1_chunk_head(data.len, out, cap);
	w.failed = w.len == 0;
	write_bytes(&w, data);
	write_bytes(&w, span_of("\r\n", 2));
	return w.failed ? 0 : w.len;
}
