/*
 * Record data, decoded: see dns_rdata.h. A cursor walks a view of the message
 * that is cut at the end of the data, so nothing can be read past RDLENGTH;
 * names lead backwards only and so stay inside the view. After the type's
 * fields the cursor must stand exactly at the end.
 */
#include "wire/dns_rdata.h"

#include "base/ascii.h"

struct cursor {
	struct span view; /* the message up to the data's end */
	size_t at;
	enum drop fault; /* the first one stays */
};

static struct span take(struct cursor *c, size_t n)
{
	if (n > c->view.len - c->at) {
		if (!c->fault)
			c->fault = DROP_DNS_RDLENGTH;
		c->at = c->view.len;
		return span_of(c->view.at + c->at, 0);
	}
	struct span s = span_of(c->view.at + c->at, n);
	c->at += n;
	return s;
}

static uint8_t take8(struct cursor *c)
{
	struct span s = take(c, 1);
	return s.len ? s.at[0] : 0;
}

static uint16_t take16(struct cursor *c)
{
	struct span s = take(c, 2);
	return s.len ? load16(s.at) : 0;
}

static uint32_t take32(struct cursor *c)
{
	struct span s = take(c, 4);
	return s.len ? load32(s.at) : 0;
}

static struct span take_rest(struct cursor *c)
{
	return take(c, c->view.len - c->at);
}

static struct span take_string(struct cursor *c)
{
	return take(c, take8(c));
}

static void take_name(struct cursor *c, bool compressed, struct dns_name *out)
{
	enum drop fault = c->fault ? c->fault : dns_name_read(c->view, &c->at, compressed, out);

	if (fault == DROP_DNS_NAME_SHORT)
		fault = DROP_DNS_RDLENGTH; /* past the data's end, if not past the message's */
	if (fault)
		*out = DNS_ROOT;
	c->fault = fault;
}

static void refuse(struct cursor *c, enum drop fault)
{
	if (!c->fault)
		c->fault = fault;
}

static void parse_soa(struct cursor *c, struct dns_record *r)
{
	take_name(c, true, &r->soa.primary);
	take_name(c, true, &r->soa.mailbox);
	r->soa.serial = take32(c);
	r->soa.refresh = take32(c);
	r->soa.retry = take32(c);
	r->soa.expire = take32(c);
	r->soa.minimum = take32(c);
}

/* One or more character-strings (RFC 1035 3.3.14); HINFO has exactly two (3.3.2). */
static void parse_strings(struct cursor *c, struct dns_record *r)
{
	size_t start = c->at;
	unsigned count = 0;

	while (!c->fault && c->at < c->view.len) {
		take_string(c);
		count++;
	}
	if (r->type == DNS_TYPE_HINFO ? count != 2 : count == 0)
		refuse(c, DROP_DNS_RDLENGTH);
	r->strings = span_of(c->view.at + start, c->at - start);
}

static void parse_srv(struct cursor *c, struct dns_record *r)
{
	r->srv.priority = take16(c);
	r->srv.weight = take16(c);
	r->srv.port = take16(c);
	take_name(c, true, &r->srv.target);
}

static void parse_naptr(struct cursor *c, struct dns_record *r)
{
	r->naptr.order = take16(c);
	r->naptr.preference = take16(c);
	r->naptr.flags = take_string(c);
	r->naptr.services = take_string(c);
	r->naptr.regexp = take_string(c);
	take_name(c, true, &r->naptr.replacement);
}

/* The value of a parameter whose form we know (RFC 9460 7). */
static bool svc_value_fits(uint16_t key, struct span value)
{
	size_t at = 0;

	switch (key) {
	case DNS_SVC_MANDATORY: return value.len > 0 && value.len % 2 == 0;
	case DNS_SVC_ALPN:
		while (at < value.len && value.at[at] > 0)
			at += 1u + value.at[at];
		return value.len > 0 && at == value.len;
	case DNS_SVC_NO_DEFAULT_ALPN: return value.len == 0;
	case DNS_SVC_PORT: return value.len == 2;
	case DNS_SVC_IPV4HINT: return value.len > 0 && value.len % 4 == 0;
	case DNS_SVC_IPV6HINT: return value.len > 0 && value.len % 16 == 0;
	default: return true;
	}
}

/*
 * The keys in `mandatory` rise, are present, and are not "mandatory" itself (RFC
 * 9460 8). List and parameters are both in order, so one pass over both will do.
 */
static bool mandatory_is_there(struct span mandatory, struct span parameters)
{
	struct dns_svc_parameter p;
	size_t next = 0;

	for (size_t at = 0; next < mandatory.len && dns_svc_parameter_next(parameters, &at, &p);)
		if (p.key == load16(mandatory.at + next) && p.key != DNS_SVC_MANDATORY)
			next += 2;
	return next == mandatory.len;
}

/* Is the set of parameters one that a client may act on (RFC 9460 2.4.3)? */
static bool svc_is_consistent(struct span parameters)
{
	struct dns_svc_parameter p;
	bool mandatory_fits = true, alpn = false, no_default = false;

	for (size_t at = 0; dns_svc_parameter_next(parameters, &at, &p);) {
		alpn |= p.key == DNS_SVC_ALPN;
		no_default |= p.key == DNS_SVC_NO_DEFAULT_ALPN;
		if (p.key == DNS_SVC_MANDATORY)
			mandatory_fits = mandatory_is_there(p.value, parameters);
	}
	return mandatory_fits && (alpn || !no_default);
}

/*
 * Keys must increase strictly (RFC 9460 2.2) and the target is never compressed.
 * In AliasMode (priority 0) what the parameters say is ignored (2.4.2).
 */
static void parse_svcb(struct cursor *c, struct dns_record *r)
{
	int last = -1;

	r->svcb.priority = take16(c);
	take_name(c, false, &r->svcb.target);
	size_t start = c->at;
	while (!c->fault && c->at < c->view.len) {
		uint16_t key = take16(c);
		struct span value = take(c, take16(c));
		bool fits = r->svcb.priority == 0 || svc_value_fits(key, value);
		if (key <= last || !fits)
			refuse(c, DROP_DNS_RDATA);
		last = key;
	}
	r->svcb.parameters = span_of(c->view.at + start, c->at - start);
	if (!c->fault && r->svcb.priority != 0 && !svc_is_consistent(r->svcb.parameters))
		refuse(c, DROP_DNS_RDATA);
}

/* A tag of at least one letter or digit (RFC 8659 4.1). */
static void parse_caa(struct cursor *c, struct dns_record *r)
{
	r->caa.flags = take8(c);
	r->caa.tag = take_string(c);
	r->caa.value = take_rest(c);
	if (r->caa.tag.len == 0)
		refuse(c, DROP_DNS_RDATA);
	for (size_t i = 0; i < r->caa.tag.len; i++) {
		uint8_t b = r->caa.tag.at[i];
		if (!ascii_is_letter(b) && !ascii_is_digit(b))
			refuse(c, DROP_DNS_RDATA);
	}
}

static void parse_opt(struct cursor *c, struct dns_record *r)
{
	size_t start = c->at;

	while (!c->fault && c->at < c->view.len) {
		take16(c);
		take(c, take16(c));
	}
	if (c->fault)
		c->fault = DROP_DNS_OPT;
	r->options = span_of(c->view.at + start, c->at - start);
}

static void parse_address(struct cursor *c, struct dns_record *r)
{
	struct span s = take(c, r->type == DNS_TYPE_A ? 4 : 16);

	if (s.len)
		r->address = r->type == DNS_TYPE_A ? addr_from4(s.at) : addr_from6(s.at);
}

/*
 * Does the type's format hold in this class? Address-like types are defined for
 * the Internet only; in UPDATE's classes NONE and ANY the data may be missing
 * altogether (RFC 2136 2.4), and OPT keeps other things in its class.
 */
static bool type_has_format(uint16_t type, uint16_t class)
{
	switch (type) {
	case DNS_TYPE_OPT: return true;
	case DNS_TYPE_A:
	case DNS_TYPE_AAAA:
	case DNS_TYPE_SRV:
	case DNS_TYPE_NAPTR:
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS: return class == DNS_CLASS_IN;
	case DNS_TYPE_NS:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_SOA:
	case DNS_TYPE_PTR:
	case DNS_TYPE_HINFO:
	case DNS_TYPE_MX:
	case DNS_TYPE_TXT:
	case DNS_TYPE_DNAME:
	case DNS_TYPE_CAA: return class != DNS_CLASS_NONE && class != DNS_CLASS_ANY;
	default: return false;
	}
}

enum drop dns_rdata_parse(struct span message, size_t at, struct dns_record *r)
{
	r->decoded = type_has_format(r->type, r->class);
	if (!r->decoded)
		return DROP_NONE;

	struct cursor c = { .view = span_first(message, at + r->rdata.len), .at = at };
	switch (r->type) {
	case DNS_TYPE_A:
	case DNS_TYPE_AAAA: parse_address(&c, r); break;
	case DNS_TYPE_NS:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_PTR:
	case DNS_TYPE_DNAME: take_name(&c, true, &r->name); break;
	case DNS_TYPE_SOA: parse_soa(&c, r); break;
	case DNS_TYPE_MX:
		r->mx.preference = take16(&c);
		take_name(&c, true, &r->mx.exchange);
		break;
	case DNS_TYPE_HINFO:
	case DNS_TYPE_TXT: parse_strings(&c, r); break;
	case DNS_TYPE_SRV: parse_srv(&c, r); break;
	case DNS_TYPE_NAPTR: parse_naptr(&c, r); break;
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS: parse_svcb(&c, r); break;
	case DNS_TYPE_CAA: parse_caa(&c, r); break;
	case DNS_TYPE_OPT: parse_opt(&c, r); break;
	}
	if (!c.fault && c.at != c.view.len)
		c.fault = DROP_DNS_RDLENGTH;
	return c.fault;
}

bool dns_string_next(struct span strings, size_t *offset, struct span *out)
{
	if (*offset >= strings.len)
		return false;
	struct reader r = reader_of(span_after(strings, *offset));
	*out = read_span(&r, read8(&r));
	*offset += reader_offset(&r);
	return !r.failed;
}

bool dns_option_next(struct span options, size_t *offset, struct dns_option *out)
{
	if (*offset >= options.len)
		return false;
	struct reader r = reader_of(span_after(options, *offset));
	out->code = read16(&r);
	out->data = read_span(&r, read16(&r));
	*offset += reader_offset(&r);
	return !r.failed;
}

bool dns_svc_parameter_next(struct span parameters, size_t *offset, struct dns_svc_parameter *out)
{
	struct dns_option o;

	/* The same form: a number, a length, the bytes. */
	if (!dns_option_next(parameters, offset, &o))
		return false;
	*out = (struct dns_svc_parameter){ .key = o.code, .value = o.data };
	return true;
}
