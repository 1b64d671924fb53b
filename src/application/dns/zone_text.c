/*
 * Zone records from text (RFC 1035 5.1), one on each line. A line is words
 * between blanks; a word in quotes may have blanks in it; ';' begins a comment.
 * Nothing of the form is left to guess: what is not understood is refused, with
 * the reason.
 */
#include "application/dns/zone.h"

#define STRINGS_MAX 4096 /* of one TXT record */

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of the line; its quotes stay. False: there is none. */
static bool next_word(struct span *line, struct span *word)
{
	size_t i = 0, start;
	bool quoted = false;

	while (i < line->len && is_blank(line->at[i]))
		i++;
	start = i;
	for (; i < line->len; i++) {
		uint8_t c = line->at[i];
		if (c == '\\' && i + 1 < line->len)
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (is_blank(c) || c == ';'))
			break;
	}
	*word = span_of(line->at + start, i - start);
	*line = i < line->len && line->at[i] == ';' ? span_of(line->at + i, 0)
						    : span_after(*line, i);
	return word->len > 0;
}

static bool parse_number(struct span word, uint32_t max, uint32_t *out)
{
	uint64_t v = 0;
	if (word.len == 0 || word.len > 10)
		return false;
	for (size_t i = 0; i < word.len; i++) {
		if (word.at[i] < '0' || word.at[i] > '9')
			return false;
		v = v * 10 + (word.at[i] - '0');
	}
	*out = (uint32_t)v;
	return v <= max;
}

/* "@", an absolute name, or one below the origin. */
static bool parse_name(const struct zone *z, struct span word, struct dns_name *out)
{
	if (word.len == 1 && word.at[0] == '@') {
		*out = z->origin;
		return true;
	}
	if (!dns_name_parse(word, out))
		return false;
	bool absolute = word.at[word.len - 1] == '.' &&
		!(word.len > 1 && word.at[word.len - 2] == '\\');
	if (absolute)
		return true;
	if (out->len - 1u + z->origin.len > DNS_NAME_MAX)
		return false;
	memcpy(out->b + out->len - 1, z->origin.b, z->origin.len);
	out->len = (uint8_t)(out->len - 1 + z->origin.len);
	return true;
}

static bool word_name(const struct zone *z, struct span *line, struct dns_name *out)
{
	struct span word;
	return next_word(line, &word) && parse_name(z, word, out);
}

static bool word_number(struct span *line, uint32_t max, uint32_t *out)
{
	struct span word;
	return next_word(line, &word) && parse_number(word, max, out);
}

static bool word_short(struct span *line, uint16_t *out)
{
	uint32_t v;
	if (!word_number(line, UINT16_MAX, &v))
		return false;
	*out = (uint16_t)v;
	return true;
}

/* One character-string: its length byte, then its bytes with \X and \DDD undone. */
static bool write_string(struct writer *w, struct span word)
{
	uint8_t *length = write_room(w, 1);
	size_t count = 0;

	for (size_t i = 0; i < word.len && length; i++, count++) {
		uint8_t c = word.at[i];
		uint32_t value;
		if (c == '"') {
			count--;
			continue;
		}
		if (c == '\\') {
			struct span digits = span_first(span_after(word, i + 1), 3);
			bool number = digits.len == 3 && parse_number(digits, 255, &value);
			if (digits.len == 0 ||
				(digits.at[0] >= '0' && digits.at[0] <= '9' && !number))
				return false;
			c = number ? (uint8_t)value : digits.at[0];
			i += number ? 3 : 1;
		}
		write8(w, c);
	}
	if (w->failed || count > UINT8_MAX)
		return false;
	*length = (uint8_t)count;
	return true;
}

static bool parse_strings(struct span *line, struct writer *w, struct dns_record *r)
{
	struct span word;

	while (next_word(line, &word))
		if (!write_string(w, word))
			return false;
	r->strings = span_of(w->start, w->len);
	return w->len > 0;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "\# 4 c0000201": any type's data, as it stands on the wire (RFC 3597 5). */
static bool parse_opaque(struct span *line, struct writer *w, struct dns_record *r)
{
	struct span word;
	uint32_t len;
	unsigned high = 0, digits = 0;

	if (!next_word(line, &word) || !span_equal(word, span_of("\\#", 2)) ||
		!word_number(line, UINT16_MAX, &len))
		return false;
	while (next_word(line, &word)) {
		for (size_t i = 0; i < word.len; i++) {
			int v = hex_digit(word.at[i]);
			if (v < 0)
				return false;
			if (digits++ % 2)
				write8(w, (uint8_t)(high << 4 | (unsigned)v));
			else
				high = (unsigned)v;
		}
	}
	r->decoded = false;
	r->rdata = span_of(w->start, w->len);
	return !w->failed && digits % 2 == 0 && w->len == len;
}

static bool parse_soa(const struct zone *z, struct span *line, struct dns_record *r)
{
	return word_name(z, line, &r->soa.primary) && word_name(z, line, &r->soa.mailbox) &&
		word_number(line, UINT32_MAX, &r->soa.serial) &&
		word_number(line, INT32_MAX, &r->soa.refresh) &&
		word_number(line, INT32_MAX, &r->soa.retry) &&
		word_number(line, INT32_MAX, &r->soa.expire) &&
		word_number(line, INT32_MAX, &r->soa.minimum);
}

static bool parse_data(
	const struct zone *z, struct span *line, struct writer *w, struct dns_record *r)
{
	struct span word;

	r->decoded = true;
	switch (r->type) {
	case DNS_TYPE_A:
	case DNS_TYPE_AAAA:
		return next_word(line, &word) && addr_parse(word, &r->address) &&
			addr_is4(&r->address) == (r->type == DNS_TYPE_A);
	case DNS_TYPE_NS:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_PTR:
	case DNS_TYPE_DNAME: return word_name(z, line, &r->name);
	case DNS_TYPE_SOA: return parse_soa(z, line, r);
	case DNS_TYPE_MX:
		return word_short(line, &r->mx.preference) && word_name(z, line, &r->mx.exchange);
	case DNS_TYPE_TXT:
	case DNS_TYPE_HINFO: return parse_strings(line, w, r);
	case DNS_TYPE_SRV:
		return word_short(line, &r->srv.priority) && word_short(line, &r->srv.weight) &&
			word_short(line, &r->srv.port) && word_name(z, line, &r->srv.target);
	default: return parse_opaque(line, w, r);
	}
}

/* What stands between owner and data: TTL and class in any order, then the type. */
static const char *parse_middle(struct span *line, struct dns_record *r)
{
	struct span word;

	for (unsigned i = 0; i < 3; i++) {
		if (!next_word(line, &word))
			return "type is missing";
		if (span_equal(word, span_of("IN", 2)) || parse_number(word, INT32_MAX, &r->ttl))
			continue;
		return dns_type_parse(word, &r->type) ? NULL : "type is not known";
	}
	return "type is missing";
}

const char *zone_add_text(struct zone *z, struct span line)
{
	struct dns_record r = { .class = DNS_CLASS_IN, .ttl = z->ttl, .owner = z->last };
	uint8_t bytes[STRINGS_MAX];
	struct writer w = writer_of(bytes, sizeof bytes);
	struct span word;
	bool blank = line.len > 0 && is_blank(line.at[0]);

	if (!blank && (!next_word(&line, &word) || !parse_name(z, word, &r.owner)))
		return "name is malformed";
	const char *why = parse_middle(&line, &r);
	if (why)
		return why;
	if (!parse_data(z, &line, &w, &r))
		return "data does not fit the type";
	if (next_word(&line, &word))
		return "more data than the type takes";
	z->last = r.owner;
	return zone_add(z, &r);
}

const char *zone_add_lines(struct zone *z, struct span text, unsigned *line)
{
	unsigned number = 0;

	while (text.len > 0) {
		size_t end = 0;
		while (end < text.len && text.at[end] != '\n')
			end++;
		struct span one = span_first(text, end), rest = one, word;
		text = span_after(text, end + 1);
		number++;
		if (!next_word(&rest, &word))
			continue;
		const char *why = zone_add_text(z, one);
		if (why) {
			if (line)
				*line = number;
			return why;
		}
	}
	return NULL;
}
