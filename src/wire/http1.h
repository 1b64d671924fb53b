/*
 * HTTP/1.1 heads and body framing (RFC 9110, RFC 9112), strictly: two programs
 * that read one byte string differently are how requests get smuggled, so what
 * the grammar does not allow is refused with a status code and a reason, never
 * repaired. No obs-fold, no bare CR or LF, no space before a colon, one Host,
 * one length, no length beside a transfer coding.
 *
 * A head is fed in pieces of any size. It is kept in storage that the caller
 * brings (the parsed spans point into it), so memory is bounded by the caller's
 * limits and none is held before a first byte comes.
 *
 * Bodies: http1_request_body and http1_response_body decide how a body ends;
 * http1_chunked (wire/http1_chunked.h) undoes the one transfer coding there is.
 */
#ifndef STRATA_WIRE_HTTP1_H
#define STRATA_WIRE_HTTP1_H

#include "base/span.h"

/*       name                status  text, clause */
#define HTTP1_ERRORS(X) \
	X(NONE, 0, "no error", "") \
	X(BARE_LF, 400, "line feed without a carriage return", "RFC 9112 2.2") \
	X(BARE_CR, 400, "carriage return without a line feed", "RFC 9112 2.2") \
	X(REQUEST_LINE, 400, "request line is not 'METHOD TARGET HTTP/1.1'", "RFC 9112 3") \
	X(METHOD, 400, "method is not a token", "RFC 9110 9.1") \
	X(METHOD_LONG, 501, "method is longer than any we know", "RFC 9112 3") \
	X(TARGET, 400, "request target has a byte that no URI has", "RFC 9112 3.2") \
	X(TARGET_FORM, 400, "request target has none of the four forms", "RFC 9112 3.2") \
	X(TARGET_LONG, 414, "request target is too long", "RFC 9112 3") \
	X(VERSION, 400, "version is not HTTP/d.d", "RFC 9112 2.3") \
	X(VERSION_UNSUPPORTED, 505, "HTTP version is not 1.0 or 1.1", "RFC 9110 15.6.6") \
	X(STATUS_LINE, 400, "status line is not 'HTTP/1.1 ddd reason'", "RFC 9112 4") \
	X(STATUS, 400, "status code is not 100 to 599", "RFC 9110 15") \
	X(FOLD, 400, "folded header line", "RFC 9112 5.2") \
	X(FIELD_NAME, 400, "field name is not a token", "RFC 9110 5.1") \
	X(FIELD_COLON, 400, "field line without a colon, or space before it", "RFC 9112 5.1") \
	X(FIELD_VALUE, 400, "field value has a control character", "RFC 9110 5.5") \
	X(LINE_LONG, 431, "header line is too long", "RFC 6585 5") \
	X(FIELDS_MANY, 431, "too many header fields", "RFC 6585 5") \
	X(HEAD_LONG, 431, "head is too long", "RFC 6585 5") \
	X(HOST_MISSING, 400, "no Host field", "RFC 9112 3.2") \
	X(HOST_MANY, 400, "more than one Host field", "RFC 9112 3.2") \
	X(HOST, 400, "Host is not host[:port]", "RFC 9112 3.2") \
	X(LENGTH, 400, "Content-Length is not a number", "RFC 9110 8.6") \
	X(LENGTH_MANY, 400, "Content-Length values disagree", "RFC 9112 6.3") \
	X(LENGTH_HUGE, 413, "Content-Length is larger than any body", "RFC 9110 8.6") \
	X(LENGTH_AND_CODING, 400, "both Content-Length and Transfer-Encoding", "RFC 9112 6.3") \
	X(CODING, 501, "transfer coding other than chunked", "RFC 9112 6.1") \
	X(CODING_ORDER, 400, "chunked is not the last coding, or comes twice", "RFC 9112 6.1") \
	X(CODING_VERSION, 400, "Transfer-Encoding in HTTP/1.0", "RFC 9112 6.1") \
	X(CHUNK_SIZE, 400, "chunk size is not a hexadecimal number", "RFC 9112 7.1") \
	X(CHUNK_HUGE, 413, "chunk is larger than any body", "RFC 9112 7.1") \
	X(CHUNK_EXTENSION, 400, "chunk extensions are malformed or too long", "RFC 9112 7.1.1") \
	X(CHUNK_END, 400, "chunk data does not end in CRLF", "RFC 9112 7.1") \
	X(TRAILERS_MANY, 431, "too many trailer fields", "RFC 9110 6.5")

enum http1_error {
#define HTTP1_ERROR_ENUM(name, status, text, clause) HTTP1_##name,
	HTTP1_ERRORS(HTTP1_ERROR_ENUM)
#undef HTTP1_ERROR_ENUM
		HTTP1_ERROR_COUNT
};

struct http1_error_info {
	const char *name; /* "BARE_LF" */
	unsigned status;  /* what a server answers; a client treats all as malformed */
	const char *text;
	const char *clause;
};
const struct http1_error_info *http1_error_info(enum http1_error e);

struct http1_limits {
	size_t head;     /* all bytes to the end of the empty line; the storage holds as many */
	size_t line;     /* a field line without its CRLF */
	size_t target;   /* a request target */
	size_t method;   /* a method */
	unsigned fields; /* field lines; the field array holds as many */
};

#define HTTP1_HEAD_MAX   16384
#define HTTP1_FIELDS_MAX 100
#define HTTP1_METHOD_MAX 32

/* 16 KiB, 8 KiB a line, 8000 a target (RFC 9112 3: at least), 32 a method, 100 fields. */
extern const struct http1_limits http1_limits_default;

struct http1_field {
	struct span name; /* as received; compare with http1_name_is */
	/* Without surrounding blanks; of bytes 0x21..0x7e, blank, tab and 0x80..0xff. */
	struct span value;
};

struct http1_head {
	bool response;
	uint8_t minor;      /* HTTP/1.minor: 0 or 1 (a higher minor counts as 1) */
	struct span method; /* requests: a token, case-sensitive */
	struct span target; /* requests: see http1_target */
	unsigned status;    /* responses: 100 .. 599 */
	struct span reason; /* responses: may be empty */
	const struct http1_field *field;
	unsigned field_count;
};

enum http1_progress {
	HTTP1_MORE,  /* all bytes taken, the end not reached */
	HTTP1_DONE,  /* complete; what is behind it was not taken */
	HTTP1_FAULT, /* refused: see .error; nothing more is taken */
};

/* The parser of one head. Begin, then feed until it is not HTTP1_MORE. */
struct http1_parser {
	struct http1_head head; /* complete at HTTP1_DONE */
	enum http1_error error;
	struct http1_limits limits;
	uint8_t *storage;
	struct http1_field *field;
	size_t len;             /* bytes stored */
	size_t line;            /* where the line being read starts */
	unsigned skipped;       /* empty lines before a request line */
	bool response, started; /* reading a response; the start line is done */
	bool carriage;          /* the last byte was CR */
	enum http1_progress progress;
};

/*
 * `storage` holds limits->head bytes and `field` limits->fields entries; both
 * stay the caller's and must outlive the parsed head. `limits` is copied.
 */
void http1_parser_begin(struct http1_parser *p, bool response, const struct http1_limits *limits,
	uint8_t *storage, struct http1_field *field);
/* Takes bytes of `in`, `*used` many (at HTTP1_DONE the rest is body or the next head). */
enum http1_progress http1_parser_feed(struct http1_parser *p, struct span in, size_t *used);
/* Has anything but leading empty lines come? (Does a connection that ends here lose a message?) */
bool http1_parser_begun(const struct http1_parser *p);

/* One field line without its CRLF, not empty (trailers have the same form). */
enum http1_error http1_field_parse(struct span line, struct http1_field *out);
/* Host, target and framing of a whole head, as the parser checks them at its end. */
enum http1_error http1_head_check(const struct http1_head *h);

/* Field look-up; names without regard to case. */
bool http1_name_is(struct span name, const char *literal);
unsigned http1_field_count(const struct http1_head *h, const char *name);
/* The first field of that name, or NULL. */
const struct http1_field *http1_field_find(const struct http1_head *h, const char *name);
/*
 * Walks the members of all comma lists under `name` (RFC 9110 5.6.1), blanks
 * stripped, empty members left out. Start with a zeroed cursor.
 */
struct http1_list {
	unsigned field;
	size_t at;
};
bool http1_list_next(const struct http1_head *h, const char *name, struct http1_list *cursor,
	struct span *member);
/* Is `token` a member (without regard to case), e.g. of Connection? */
bool http1_list_has(const struct http1_head *h, const char *name, const char *token);
/* May the connection carry another message (RFC 9112 9.3)? */
bool http1_keep_alive(const struct http1_head *h);

/* ---- request targets (RFC 9112 3.2) ---- */

enum http1_form { HTTP1_ORIGIN, HTTP1_ABSOLUTE, HTTP1_AUTHORITY, HTTP1_ASTERISK };

struct http1_target {
	enum http1_form form;
	struct span
		authority; /* host[:port]: the target's in absolute form (it wins), else Host's */
	struct span path;  /* "/..." ; empty for authority and asterisk form */
	struct span query; /* without the '?'; see has_query */
	bool has_query;
};
/* Takes a complete request head apart; also checks Host (the parser has done it once already). */
enum http1_error http1_target(const struct http1_head *h, struct http1_target *out);

/* ---- how a body ends (RFC 9112 6.3) ---- */

enum http1_framing {
	HTTP1_BODY_NONE,
	HTTP1_BODY_LENGTH,  /* .length bytes */
	HTTP1_BODY_CHUNKED, /* http1_chunked */
	HTTP1_BODY_CLOSE,   /* until the connection ends; responses only */
	HTTP1_BODY_TUNNEL,  /* 2xx to CONNECT, 101: no longer HTTP */
};

struct http1_body {
	enum http1_framing framing;
	uint64_t length;
};

enum http1_error http1_request_body(const struct http1_head *h, struct http1_body *out);
/* `method` is that of the request that this answers. 1xx, 204 and 304 have no body. */
enum http1_error http1_response_body(
	const struct http1_head *h, struct span method, struct http1_body *out);
/* 1*DIGIT, nothing else, without overflow of 63 bits. */
enum http1_error http1_length_parse(struct span text, uint64_t *out);

/* ---- building ---- */

/*
 * Writes heads. Anything that could end a line early, or a name that is no
 * token, is refused: the writer fails and http1_build_end returns 0.
 */
struct http1_builder {
	struct writer w;
};

void http1_build_request(
	struct http1_builder *b, uint8_t *out, size_t cap, struct span method, struct span target);
/* `reason` may be empty: the registered phrase is written. */
void http1_build_response(
	struct http1_builder *b, uint8_t *out, size_t cap, unsigned status, struct span reason);
void http1_build_field(struct http1_builder *b, const char *name, struct span value);
void http1_build_string(struct http1_builder *b, const char *name, const char *value);
void http1_build_number(struct http1_builder *b, const char *name, uint64_t value);
/* The empty line. Returns the head's length, or 0 where something was refused or did not fit. */
size_t http1_build_end(struct http1_builder *b);

const char *http1_reason(
	unsigned status); /* "Not Found"; "" for those without a registered phrase */
/* The grammar's classes (RFC 9110 5.6.2, 5.5), for others that handle names and values. */
bool http1_is_token(struct span s);
bool http1_is_value(struct span s);
/* Bytes that a request target can have: printable ASCII without blank, '"', '#', '<', '>', '\\'. */
bool http1_is_target(struct span s);

#endif
