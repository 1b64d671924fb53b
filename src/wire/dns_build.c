/*
 * DNS messages, built. Names are compressed against what was written before
 * (RFC 1035 4.1.4): the builder remembers where each suffix of a name stands
 * and points there when the same bytes come again. The comparison minds case,
 * so that every name reads back exactly as it was given. A record is written
 * whole or not at all: what does not fit is rolled back and TC set, unless it
 * only was additional (RFC 2181 9).
 */
#include "wire/dns.h"

#define POINTER_MAX 0x3fff
#define OPT_FIXED   11

void dns_build_begin(struct dns_builder *b, uint8_t *out, size_t cap,
	const struct dns_header *header, const struct dns_edns *edns)
{
	size_t reserve = edns ? OPT_FIXED + edns->options.len : 0;

	if (cap > UINT16_MAX)
		cap = UINT16_MAX;
	*b = (struct dns_builder){ .header = *header, .has_edns = edns != NULL };
	memset(b->header.count, 0, sizeof b->header.count);
	if (edns)
		b->edns = *edns;
	b->w = writer_of(out, cap > reserve ? cap - reserve : 0);
	write_room(&b->w, DNS_HEADER);
}

/* Does the name written at `at` read as the labels at `label`? Walks our own output only. */
static bool written_here(const struct writer *w, size_t at, const uint8_t *label)
{
	for (;;) {
		while (w->start[at] >= 0xc0)
			at = load16(w->start + at) & POINTER_MAX;
		if (w->start[at] != label[0] || memcmp(w->start + at, label, 1u + label[0]) != 0)
			return false;
		if (label[0] == 0)
			return true;
		at += 1u + label[0];
		label += 1u + label[0];
	}
}

static void write_name(struct dns_builder *b, const struct dns_name *name, bool compress)
{
	unsigned known = b->names; /* a name is not compressed against itself */

	if (b->w.failed)
		return; /* the names remembered may end in one that was cut */
	for (const uint8_t *label = name->b; label[0]; label += 1u + label[0]) {
		for (unsigned i = 0; compress && i < known; i++) {
			if (written_here(&b->w, b->name_at[i], label)) {
				write16(&b->w, (uint16_t)(0xc000 | b->name_at[i]));
				return;
			}
		}
		if (b->w.len <= POINTER_MAX && b->names < DNS_COMPRESSION_SLOTS)
			b->name_at[b->names++] = (uint16_t)b->w.len;
		write_bytes(&b->w, span_of(label, 1u + label[0]));
	}
	write8(&b->w, 0);
}

static void write_string(struct writer *w, struct span s)
{
	if (s.len > UINT8_MAX) {
		w->failed = true;
		return;
	}
	write8(w, (uint8_t)s.len);
	write_bytes(w, s);
}

static void write_soa(struct dns_builder *b, const struct dns_record *r)
{
	write_name(b, &r->soa.primary, true);
	write_name(b, &r->soa.mailbox, true);
	write32(&b->w, r->soa.serial);
	write32(&b->w, r->soa.refresh);
	write32(&b->w, r->soa.retry);
	write32(&b->w, r->soa.expire);
	write32(&b->w, r->soa.minimum);
}

static void write_naptr(struct dns_builder *b, const struct dns_record *r)
{
	write16(&b->w, r->naptr.order);
	write16(&b->w, r->naptr.preference);
	write_string(&b->w, r->naptr.flags);
	write_string(&b->w, r->naptr.services);
	write_string(&b->w, r->naptr.regexp);
	write_name(b, &r->naptr.replacement, false);
}

/* Only the types of RFC 1035 have their names compressed (RFC 3597 4). */
static void write_rdata(struct dns_builder *b, const struct dns_record *r)
{
	struct writer *w = &b->w;

	if (!r->decoded) {
		write_bytes(w, r->rdata);
		return;
	}
	switch (r->type) {
	case DNS_TYPE_A:
		assert(addr_is4(&r->address));
		write_bytes(w, span_of(r->address.b + 12, 4));
		break;
	case DNS_TYPE_AAAA: write_bytes(w, span_of(r->address.b, 16)); break;
	case DNS_TYPE_NS:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_PTR: write_name(b, &r->name, true); break;
	case DNS_TYPE_DNAME: write_name(b, &r->name, false); break;
	case DNS_TYPE_SOA: write_soa(b, r); break;
	case DNS_TYPE_MX:
		write16(w, r->mx.preference);
		write_name(b, &r->mx.exchange, true);
		break;
	case DNS_TYPE_HINFO:
	case DNS_TYPE_TXT: write_bytes(w, r->strings); break;
	case DNS_TYPE_SRV:
		write16(w, r->srv.priority);
		write16(w, r->srv.weight);
		write16(w, r->srv.port);
		write_name(b, &r->srv.target, false);
		break;
	case DNS_TYPE_NAPTR: write_naptr(b, r); break;
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS:
		write16(w, r->svcb.priority);
		write_name(b, &r->svcb.target, false);
		write_bytes(w, r->svcb.parameters);
		break;
	case DNS_TYPE_CAA:
		write8(w, r->caa.flags);
		write_string(w, r->caa.tag);
		write_bytes(w, r->caa.value);
		break;
	case DNS_TYPE_OPT: write_bytes(w, r->options); break;
	default: w->failed = true; /* decoded, but of a type that has no format */
	}
}

/* Where the builder stood before a question or record that may not fit. */
struct mark {
	size_t len;
	unsigned names;
};

static struct mark begin(const struct dns_builder *b, enum dns_section section)
{
	assert(section >= b->section && section < DNS_SECTIONS);
	return (struct mark){ .len = b->w.len, .names = b->names };
}

/* Keeps what was written since `mark` where all of it fit. */
static bool keep(struct dns_builder *b, struct mark mark, enum dns_section section)
{
	if (b->w.failed || b->header.count[section] == UINT16_MAX) {
		b->w.len = mark.len;
		b->w.failed = mark.len == 0; /* not even the header fitted */
		b->names = mark.names;
		if (section != DNS_ADDITIONAL)
			b->header.truncated = true;
		return false;
	}
	b->section = section;
	b->header.count[section]++;
	return true;
}

bool dns_build_question(struct dns_builder *b, const struct dns_question *q)
{
	struct mark mark = begin(b, DNS_QUESTION);

	write_name(b, &q->name, true);
	write16(&b->w, q->type);
	write16(&b->w, q->class);
	return keep(b, mark, DNS_QUESTION);
}

bool dns_build_record(struct dns_builder *b, enum dns_section section, const struct dns_record *r)
{
	struct mark mark = begin(b, section);

	write_name(b, &r->owner, true);
	write16(&b->w, r->type);
	write16(&b->w, r->class);
	write32(&b->w, r->ttl);
	uint8_t *length = write_room(&b->w, 2);
	size_t start = b->w.len;
	if (length) {
		write_rdata(b, r);
		store16(length, (uint16_t)(b->w.len - start));
	}
	return keep(b, mark, section);
}

size_t dns_build_end(struct dns_builder *b)
{
	if (b->has_edns && !b->w.failed) {
		b->w.cap += OPT_FIXED + b->edns.options.len;
		write8(&b->w, 0);
		write16(&b->w, DNS_TYPE_OPT);
		write16(&b->w, b->edns.udp_size);
		write32(&b->w,
			(uint32_t)b->edns.rcode_high << 24 | (uint32_t)b->edns.version << 16 |
				(b->edns.dnssec_ok ? 0x8000u : 0u) | (b->edns.flags & 0x7fffu));
		write16(&b->w, (uint16_t)b->edns.options.len);
		write_bytes(&b->w, b->edns.options);
		b->header.count[DNS_ADDITIONAL]++;
	}
	if (b->w.failed)
		return 0;
	dns_header_emit(&b->header, b->w.start, DNS_HEADER);
	return b->w.len;
}

size_t dns_query_emit(
	uint16_t id, const struct dns_question *q, uint16_t udp_size, uint8_t *out, size_t cap)
{
	struct dns_header header = { .id = id, .recursion_desired = true };
	struct dns_edns edns = { .udp_size = udp_size };
	struct dns_builder b;

	dns_build_begin(&b, out, cap, &header, udp_size ? &edns : NULL);
	if (!dns_build_question(&b, q))
		return 0;
	return dns_build_end(&b);
}
