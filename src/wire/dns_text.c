/*
 * DNS numbers and record data as text, in the form of zone files (RFC 1035 5.1)
 * and so of dig. What a peer sent is never printed raw: bytes outside printable
 * ASCII, quotes and backslashes come out escaped (attack DNS-21).
 */
#include "base/ascii.h"
#include "base/text.h"
#include "wire/dns.h"

static const struct {
	uint16_t number;
	const char *name;
} types[] = {
	{ DNS_TYPE_A, "A" },
	{ DNS_TYPE_NS, "NS" },
	{ DNS_TYPE_CNAME, "CNAME" },
	{ DNS_TYPE_SOA, "SOA" },
	{ DNS_TYPE_PTR, "PTR" },
	{ DNS_TYPE_HINFO, "HINFO" },
	{ DNS_TYPE_MX, "MX" },
	{ DNS_TYPE_TXT, "TXT" },
	{ DNS_TYPE_AAAA, "AAAA" },
	{ DNS_TYPE_SRV, "SRV" },
	{ DNS_TYPE_NAPTR, "NAPTR" },
	{ DNS_TYPE_DNAME, "DNAME" },
	{ DNS_TYPE_OPT, "OPT" },
	{ 43, "DS" },
	{ 44, "SSHFP" },
	{ 46, "RRSIG" },
	{ 47, "NSEC" },
	{ 48, "DNSKEY" },
	{ 50, "NSEC3" },
	{ 51, "NSEC3PARAM" },
	{ 52, "TLSA" },
	{ DNS_TYPE_SVCB, "SVCB" },
	{ DNS_TYPE_HTTPS, "HTTPS" },
	{ 250, "TSIG" },
	{ 251, "IXFR" },
	{ 252, "AXFR" },
	{ DNS_TYPE_ANY, "ANY" },
	{ DNS_TYPE_CAA, "CAA" },
};

const char *dns_type_name(uint64_t type)
{
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (types[i].number == type)
			return types[i].name;
	return NULL;
}

const char *dns_class_name(uint64_t class)
{
	switch (class) {
	case DNS_CLASS_IN: return "IN";
	case DNS_CLASS_CH: return "CH";
	case DNS_CLASS_HS: return "HS";
	case DNS_CLASS_NONE: return "NONE";
	case DNS_CLASS_ANY: return "ANY";
	default: return NULL;
	}
}

/* The name, or "TYPE" and the number (RFC 3597 5). */
static void put_number(struct text *t, const char *name, const char *prefix, uint16_t number)
{
	text_string(t, name ? name : prefix);
	if (!name)
		text_decimal(t, number);
}

size_t dns_type_format(uint16_t type, char out[DNS_TYPE_TEXT_MAX])
{
	struct text t = text_of(out, DNS_TYPE_TEXT_MAX);
	put_number(&t, dns_type_name(type), "TYPE", type);
	return t.len;
}

size_t dns_class_format(uint16_t class, char out[DNS_CLASS_TEXT_MAX])
{
	struct text t = text_of(out, DNS_CLASS_TEXT_MAX);
	put_number(&t, dns_class_name(class), "CLASS", class);
	return t.len;
}

bool dns_type_parse(struct span text, uint16_t *type)
{
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		if (text.len > 0 && ascii_begins(text, types[i].name) == text.len) {
			*type = types[i].number;
			return true;
		}
	}
	struct span digits = span_after(text, ascii_begins(text, "TYPE"));
	uint32_t value = 0;
	if (digits.len == text.len || digits.len < 1 || digits.len > 5)
		return false;
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.at[i] < '0' || digits.at[i] > '9')
			return false;
		value = value * 10 + (uint32_t)(digits.at[i] - '0');
	}
	*type = (uint16_t)value;
	return value <= UINT16_MAX;
}

static void put_name(struct text *t, const struct dns_name *name)
{
	char text[DNS_NAME_TEXT_MAX];
	dns_name_format(name, text, sizeof text);
	text_string(t, text);
}

static void put_quoted(struct text *t, struct span s)
{
	text_char(t, '"');
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.at[i];
		if (c < ' ' || c >= 0x7f) {
			text_char(t, '\\');
			text_padded(t, c, 3);
			continue;
		}
		if (c == '"' || c == '\\')
			text_char(t, '\\');
		text_char(t, (char)c);
	}
	text_char(t, '"');
}

static void put_hex(struct text *t, struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		text_hex(t, s.at[i], 2);
}

static void put_base64(struct text *t, struct span s)
{
	static const char digit[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < s.len; i += 3) {
		size_t n = s.len - i < 3 ? s.len - i : 3;
		uint32_t v = (uint32_t)s.at[i] << 16;
		if (n > 1)
			v |= (uint32_t)s.at[i + 1] << 8;
		if (n > 2)
			v |= s.at[i + 2];
		for (unsigned k = 0; k < 4; k++)
			text_char(t, k <= n ? digit[v >> (18 - 6 * k) & 63] : '=');
	}
}

static void put_address(struct text *t, const struct addr *a, bool six)
{
	char text[ADDR_TEXT_MAX];

	addr_format(a, text);
	if (six && addr_is4(a)) /* an AAAA record may hold the mapped form (RFC 4291 2.5.5.2) */
		text_string(t, "::ffff:");
	text_string(t, text);
}

static void put_numbers(struct text *t, const uint32_t *number, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (i)
			text_char(t, ' ');
		text_decimal(t, number[i]);
	}
}

static void put_svc_key(struct text *t, uint16_t key)
{
	static const char *const name[] = { "mandatory", "alpn", "no-default-alpn", "port",
		"ipv4hint", "ech", "ipv6hint" };
	put_number(t, key < sizeof name / sizeof name[0] ? name[key] : NULL, "key", key);
}

/* A parameter's value in the form of RFC 9460 2.1 and 7; its length was checked. */
static void put_svc_value(struct text *t, uint16_t key, struct span value)
{
	size_t at = 0;

	switch (key) {
	case DNS_SVC_MANDATORY:
		for (; at < value.len; at += 2) {
			if (at)
				text_char(t, ',');
			put_svc_key(t, load16(value.at + at));
		}
		break;
	case DNS_SVC_PORT: text_decimal(t, load16(value.at)); break;
	case DNS_SVC_IPV4HINT:
	case DNS_SVC_IPV6HINT:
		for (size_t step = key == DNS_SVC_IPV4HINT ? 4 : 16; at < value.len; at += step) {
			struct addr a = step == 4 ? addr_from4(value.at + at)
						  : addr_from6(value.at + at);
			if (at)
				text_char(t, ',');
			put_address(t, &a, step == 16);
		}
		break;
	case DNS_SVC_ECH: put_base64(t, value); break;
	default: put_quoted(t, value);
	}
}

static bool is_printable(uint8_t c)
{
	return c >= ' ' && c < 0x7f;
}

/*
 * alpn="h2,h3": a list inside one pair of quotes. A comma or backslash within a
 * member is escaped once for the list and once for the string (RFC 9460 A.1).
 */
static void put_alpn(struct text *t, struct span value)
{
	struct span id;
	size_t at = 0;

	text_char(t, '"');
	while (dns_string_next(value, &at, &id)) {
		if (id.at != value.at + 1)
			text_char(t, ',');
		for (size_t i = 0; i < id.len; i++) {
			uint8_t c = id.at[i];
			if (c == ',' || c == '\\')
				text_string(t, c == ',' ? "\\\\" : "\\\\\\");
			else if (c == '"' || !is_printable(c))
				text_char(t, '\\');
			if (is_printable(c))
				text_char(t, (char)c);
			else
				text_padded(t, c, 3);
		}
	}
	text_char(t, '"');
}

static void put_svcb(struct text *t, const struct dns_record *r)
{
	struct dns_svc_parameter p;
	size_t at = 0;

	text_decimal(t, r->svcb.priority);
	text_char(t, ' ');
	put_name(t, &r->svcb.target);
	while (dns_svc_parameter_next(r->svcb.parameters, &at, &p)) {
		text_char(t, ' ');
		put_svc_key(t, p.key);
		if (p.value.len == 0)
			continue;
		text_char(t, '=');
		if (r->svcb.priority == 0) /* AliasMode: nobody checked what they say */
			put_quoted(t, p.value);
		else if (p.key == DNS_SVC_ALPN)
			put_alpn(t, p.value);
		else
			put_svc_value(t, p.key, p.value);
	}
}

static const char *option_name(uint16_t code)
{
	switch (code) {
	case 3: return "NSID";
	case 8: return "CLIENT-SUBNET";
	case 10: return "COOKIE";
	case 11: return "KEEPALIVE";
	case 12: return "PADDING";
	case 15: return "EDE";
	default: return NULL;
	}
}

/* "version 0, udp 1232, flags do, COOKIE 0123456789abcdef" */
static void put_opt(struct text *t, const struct dns_record *r)
{
	struct dns_option o;
	size_t at = 0;

	text_string(t, "version ");
	text_decimal(t, r->ttl >> 16 & 0xff);
	text_string(t, ", udp ");
	text_decimal(t, r->class);
	if (r->ttl & 0x8000)
		text_string(t, ", flags do");
	while (dns_option_next(r->options, &at, &o)) {
		text_string(t, ", ");
		put_number(t, option_name(o.code), "OPT", o.code);
		if (o.data.len)
			text_char(t, ' ');
		put_hex(t, o.data);
	}
}

static void put_strings(struct text *t, struct span strings)
{
	struct span s;

	for (size_t at = 0; dns_string_next(strings, &at, &s);) {
		if (s.at != strings.at + 1)
			text_char(t, ' ');
		put_quoted(t, s);
	}
}

static void put_naptr(struct text *t, const struct dns_record *r)
{
	put_numbers(t, (uint32_t[]){ r->naptr.order, r->naptr.preference }, 2);
	text_char(t, ' ');
	put_quoted(t, r->naptr.flags);
	text_char(t, ' ');
	put_quoted(t, r->naptr.services);
	text_char(t, ' ');
	put_quoted(t, r->naptr.regexp);
	text_char(t, ' ');
	put_name(t, &r->naptr.replacement);
}

static void put_rdata(struct text *t, const struct dns_record *r)
{
	if (!r->decoded) {
		text_string(t, "\\# ");
		text_decimal(t, r->rdata.len);
		if (r->rdata.len)
			text_char(t, ' ');
		put_hex(t, r->rdata);
		return;
	}
	switch (r->type) {
	case DNS_TYPE_A:
	case DNS_TYPE_AAAA: put_address(t, &r->address, r->type == DNS_TYPE_AAAA); break;
	case DNS_TYPE_NS:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_PTR:
	case DNS_TYPE_DNAME: put_name(t, &r->name); break;
	case DNS_TYPE_SOA:
		put_name(t, &r->soa.primary);
		text_char(t, ' ');
		put_name(t, &r->soa.mailbox);
		text_char(t, ' ');
		put_numbers(t,
			(uint32_t[]){ r->soa.serial, r->soa.refresh, r->soa.retry, r->soa.expire,
				r->soa.minimum },
			5);
		break;
	case DNS_TYPE_MX:
		text_decimal(t, r->mx.preference);
		text_char(t, ' ');
		put_name(t, &r->mx.exchange);
		break;
	case DNS_TYPE_HINFO:
	case DNS_TYPE_TXT: put_strings(t, r->strings); break;
	case DNS_TYPE_SRV:
		put_numbers(t, (uint32_t[]){ r->srv.priority, r->srv.weight, r->srv.port }, 3);
		text_char(t, ' ');
		put_name(t, &r->srv.target);
		break;
	case DNS_TYPE_NAPTR: put_naptr(t, r); break;
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS: put_svcb(t, r); break;
	case DNS_TYPE_CAA:
		text_decimal(t, r->caa.flags);
		text_char(t, ' ');
		text_span(t, r->caa.tag);
		text_char(t, ' ');
		put_quoted(t, r->caa.value);
		break;
	case DNS_TYPE_OPT: put_opt(t, r); break;
	}
}

size_t dns_rdata_format(const struct dns_record *r, char *out, size_t cap)
{
	struct text t = text_of(out, cap);
	put_rdata(&t, r);
	return t.len;
}

size_t dns_record_format(const struct dns_record *r, char *out, size_t cap)
{
	struct text t = text_of(out, cap);

	put_name(&t, &r->owner);
	text_char(&t, '\t');
	if (r->type != DNS_TYPE_OPT) {
		text_decimal(&t, dns_ttl(r));
		text_char(&t, '\t');
		put_number(&t, dns_class_name(r->class), "CLASS", r->class);
		text_char(&t, '\t');
	}
	put_number(&t, dns_type_name(r->type), "TYPE", r->type);
	text_char(&t, '\t');
	put_rdata(&t, r);
	return t.len;
}
