/*
 * Domain names: see dns_name.h for the rules. Reading keeps one invariant: the
 * piece of the name being read starts at `piece`, and a pointer must lead below
 * it. Each jump therefore goes further back than the one before, and the walk
 * ends without a table of visited places.
 */
#include "wire/dns_name.h"

#include "base/ascii.h"
#include "base/text.h"

#define DNS_FIRST_NAME 12 /* the message's first byte behind its header */

enum drop dns_name_read(struct span message, size_t *at, bool compressed, struct dns_name *out)
{
	size_t pos = *at, piece = *at, end = 0, len = 0;
	unsigned pointers = 0;

	for (;;) {
		if (pos >= message.len)
			return DROP_DNS_NAME_SHORT;
		size_t label = message.at[pos], left = message.len - pos - 1;
		if (label >= 0xc0) {
			if (left < 1)
				return DROP_DNS_NAME_SHORT;
			size_t target = load16(message.at + pos) & 0x3fff;
			if (!compressed || target < DNS_FIRST_NAME || target >= piece ||
				pointers++ == DNS_POINTERS_MAX)
				return DROP_DNS_POINTER;
			if (!end)
				end = pos + 2;
			pos = piece = target;
			continue;
		}
		if (label > DNS_LABEL_MAX)
			return DROP_DNS_LABEL;
		if (label > left)
			return DROP_DNS_NAME_SHORT;
		/* A label, its length, and the root's zero that must still follow. */
		if (len + 1 + label + (label ? 1 : 0) > DNS_NAME_MAX)
			return DROP_DNS_NAME_LONG;
		memcpy(out->b + len, message.at + pos, 1 + label);
		len += 1 + label;
		pos += 1 + label;
		if (!label)
			break;
	}
	out->len = (uint8_t)len;
	*at = end ? end : pos;
	return DROP_NONE;
}

/* Reads what follows a backslash: \DDD or \X. Returns how many bytes it took, 0 if malformed. */
static size_t read_escape(struct span text, uint8_t *value)
{
	if (text.len == 0)
		return 0;
	if (!ascii_is_digit(text.at[0])) {
		*value = text.at[0];
		return 1;
	}
	if (text.len < 3 || !ascii_is_digit(text.at[1]) || !ascii_is_digit(text.at[2]))
		return 0;
	int v = (text.at[0] - '0') * 100 + (text.at[1] - '0') * 10 + (text.at[2] - '0');
	*value = (uint8_t)v;
	return v <= 255 ? 3 : 0;
}

bool dns_name_parse(struct span text, struct dns_name *out)
{
	struct dns_name name = { .len = 1 }; /* name.b[label] counts the label being read */
	size_t label = 0;

	if (text.len == 1 && text.at[0] == '.') {
		*out = DNS_ROOT;
		return true;
	}
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.at[i];
		if (c == '.') {
			if (name.b[label] == 0)
				return false;
			if (i + 1 == text.len)
				break;
			if (name.len >= DNS_NAME_MAX - 1)
				return false;
			label = name.len++;
			continue;
		}
		if (c == '\\') {
			size_t taken = read_escape(span_after(text, i + 1), &c);
			if (taken == 0)
				return false;
			i += taken;
		}
		/* One byte stays free for the root. */
		if (name.b[label] == DNS_LABEL_MAX || name.len >= DNS_NAME_MAX - 1)
			return false;
		name.b[label]++;
		name.b[name.len++] = c;
	}
	if (name.b[label] == 0)
		return false;
	name.b[name.len++] = 0;
	*out = name;
	return true;
}

size_t dns_name_format(const struct dns_name *name, char *out, size_t cap)
{
	struct text t = text_of(out, cap);

	if (name->b[0] == 0)
		text_char(&t, '.');
	for (size_t at = 0; name->b[at]; at += 1u + name->b[at]) {
		for (size_t i = 1; i <= name->b[at]; i++) {
			uint8_t c = name->b[at + i];
			bool special = c == '.' || c == '\\' || c == '"' || c == ';' || c == '(' ||
				c == ')' || c == '@' || c == '$';
			if (c <= ' ' || c >= 0x7f) {
				text_char(&t, '\\');
				text_padded(&t, c, 3);
				continue;
			}
			if (special)
				text_char(&t, '\\');
			text_char(&t, (char)c);
		}
		text_char(&t, '.');
	}
	return t.len;
}

/* Length bytes are below 'A', so a name may be folded as one run of bytes. */
static bool equal_folded(const uint8_t *a, const uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (ascii_lower(a[i]) != ascii_lower(b[i]))
			return false;
	return true;
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
	return a->len == b->len && equal_folded(a->b, b->b, a->len);
}

bool dns_name_identical(const struct dns_name *a, const struct dns_name *b)
{
	return a->len == b->len && memcmp(a->b, b->b, a->len) == 0;
}

bool dns_name_within(const struct dns_name *name, const struct dns_name *zone)
{
	size_t at = 0;

	while (name->len - at > zone->len)
		at += 1u + name->b[at];
	return name->len - at == zone->len && equal_folded(name->b + at, zone->b, zone->len);
}

unsigned dns_name_labels(const struct dns_name *name)
{
	unsigned labels = 0;

	for (size_t at = 0; name->b[at]; at += 1u + name->b[at])
		labels++;
	return labels;
}

bool dns_name_is_hostname(const struct dns_name *name)
{
	if (name->b[0] == 0)
		return false;
	for (size_t at = 0; name->b[at]; at += 1u + name->b[at]) {
		for (size_t i = 1; i <= name->b[at]; i++) {
			uint8_t c = name->b[at + i];
			if (!ascii_is_letter(c) && !ascii_is_digit(c) && c != '-' && c != '_')
				return false;
		}
	}
	return true;
}

void dns_name_reverse(const struct addr *a, struct dns_name *out)
{
	char buffer[DNS_NAME_TEXT_MAX];
	struct text t = text_of(buffer, sizeof buffer);

	for (unsigned i = 16; i-- > (addr_is4(a) ? 12 : 0);) {
		if (addr_is4(a)) {
			text_decimal(&t, a->b[i]);
		} else {
			text_hex(&t, a->b[i] & 15, 1);
			text_char(&t, '.');
			text_hex(&t, a->b[i] >> 4, 1);
		}
		text_char(&t, '.');
	}
	text_string(&t, addr_is4(a) ? "in-addr.arpa." : "ip6.arpa.");
	bool fits = dns_name_parse(span_of(buffer, t.len), out);
	assert(fits);
}
