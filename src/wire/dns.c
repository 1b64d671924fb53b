/*
 * DNS messages, read: the header, the walk over questions and records, and the
 * check of a whole message. Each step of the walk takes at least the bytes of a
 * root name and its fixed fields, so a message of 64 KiB holds no more than
 * some thousand steps whatever its counts say.
 */
#include "wire/dns.h"

enum dns_bits {
	DNS_QR = 0x8000,
	DNS_AA = 0x0400,
	DNS_TC = 0x0200,
	DNS_RD = 0x0100,
	DNS_RA = 0x0080,
	DNS_Z = 0x0040,
	DNS_AD = 0x0020,
	DNS_CD = 0x0010,
};

enum drop dns_header_parse(struct span message, struct dns_header *h)
{
	if (message.len < DNS_HEADER)
		return DROP_DNS_SHORT;
	unsigned bits = load16(message.at + 2);
	*h = (struct dns_header){
		.id = load16(message.at),
		.response = bits & DNS_QR,
		.opcode = bits >> 11 & 15,
		.authoritative = bits & DNS_AA,
		.truncated = bits & DNS_TC,
		.recursion_desired = bits & DNS_RD,
		.recursion_available = bits & DNS_RA,
		.zero = bits & DNS_Z,
		.authentic = bits & DNS_AD,
		.checking_disabled = bits & DNS_CD,
		.rcode = bits & 15,
	};
	for (unsigned s = 0; s < DNS_SECTIONS; s++)
		h->count[s] = load16(message.at + 4 + 2 * s);
	return DROP_NONE;
}

size_t dns_header_emit(const struct dns_header *h, uint8_t *out, size_t cap)
{
	if (cap < DNS_HEADER)
		return 0;
	unsigned bits = (h->response ? DNS_QR : 0u) | (h->opcode & 15u) << 11 |
		(h->authoritative ? DNS_AA : 0u) | (h->truncated ? DNS_TC : 0u) |
		(h->recursion_desired ? DNS_RD : 0u) | (h->recursion_available ? DNS_RA : 0u) |
		(h->zero ? DNS_Z : 0u) | (h->authentic ? DNS_AD : 0u) |
		(h->checking_disabled ? DNS_CD : 0u) | (h->rcode & 15u);
	store16(out, h->id);
	store16(out + 2, (uint16_t)bits);
	for (unsigned s = 0; s < DNS_SECTIONS; s++)
		store16(out + 4 + 2 * s, h->count[s]);
	return DNS_HEADER;
}

enum drop dns_reader_begin(struct dns_reader *r, struct span message, struct dns_header *h)
{
	*r = (struct dns_reader){ .message = message, .at = DNS_HEADER };
	r->fault = dns_header_parse(message, h);
	if (!r->fault)
		memcpy(r->left, h->count, sizeof r->left);
	return r->fault;
}

static bool fail(struct dns_reader *r, enum drop fault)
{
	r->fault = fault;
	return false;
}

/* Reads a name and takes `fixed` more bytes behind it: NULL, and the fault set, if not there. */
static const uint8_t *read_owner(struct dns_reader *r, struct dns_name *name, size_t fixed)
{
	if (r->at >= r->message.len) {
		fail(r, DROP_DNS_COUNT);
		return NULL;
	}
	enum drop fault = dns_name_read(r->message, &r->at, true, name);
	if (!fault && r->message.len - r->at < fixed)
		fault = DROP_DNS_COUNT;
	if (fault) {
		fail(r, fault);
		return NULL;
	}
	const uint8_t *p = r->message.at + r->at;
	r->at += fixed;
	return p;
}

bool dns_question_next(struct dns_reader *r, struct dns_question *q)
{
	if (r->fault || r->left[DNS_QUESTION] == 0)
		return false;
	const uint8_t *p = read_owner(r, &q->name, 4);
	if (!p)
		return false;
	r->left[DNS_QUESTION]--;
	q->type = load16(p);
	q->class = load16(p + 2);
	return true;
}

bool dns_record_next(struct dns_reader *r, struct dns_record *record)
{
	struct dns_question passed;
	unsigned section = DNS_ANSWER;

	while (dns_question_next(r, &passed))
		;
	while (section < DNS_SECTIONS && r->left[section] == 0)
		section++;
	if (r->fault || section == DNS_SECTIONS)
		return false;

	const uint8_t *p = read_owner(r, &record->owner, 10);
	if (!p)
		return false;
	record->section = (uint8_t)section;
	record->type = load16(p);
	record->class = load16(p + 2);
	record->ttl = load32(p + 4);
	size_t len = load16(p + 8);
	if (len > r->message.len - r->at)
		return fail(r, DROP_DNS_RDLENGTH);
	record->rdata = span_of(r->message.at + r->at, len);
	enum drop fault = dns_rdata_parse(r->message, r->at, record);
	if (fault)
		return fail(r, fault);
	r->at += len;
	r->left[section]--;
	return true;
}

/* The OPT record: owned by the root, in the additional section, once (RFC 6891 6.1.1). */
static enum drop take_edns(const struct dns_record *record, struct dns_message *m)
{
	if (m->has_edns || record->section != DNS_ADDITIONAL || record->owner.len != 1)
		return DROP_DNS_OPT;
	m->has_edns = true;
	m->edns = (struct dns_edns){
		.udp_size = record->class,
		.rcode_high = (uint8_t)(record->ttl >> 24),
		.version = (uint8_t)(record->ttl >> 16),
		.dnssec_ok = record->ttl & 0x8000,
		.flags = record->ttl & 0x7fff,
		.options = record->options,
	};
	m->rcode = (uint16_t)(m->edns.rcode_high << 4 | m->header.rcode);
	return DROP_NONE;
}

enum drop dns_message_parse(struct span message, struct dns_message *m)
{
	struct dns_reader r;
	struct dns_record record;

	m->has_edns = false;
	m->trailing = 0;
	m->question = (struct dns_question){ .name = DNS_ROOT };
	if (dns_reader_begin(&r, message, &m->header) != DROP_NONE)
		return r.fault;
	m->rcode = m->header.rcode;
	dns_question_next(&r, &m->question);
	while (dns_record_next(&r, &record)) {
		enum drop fault = record.type == DNS_TYPE_OPT ? take_edns(&record, m) : DROP_NONE;
		if (fault)
			return fault;
	}
	m->trailing = message.len - r.at;
	return r.fault;
}

const char *dns_opcode_name(uint64_t opcode)
{
	switch (opcode) {
	case DNS_OPCODE_QUERY: return "QUERY";
	case DNS_OPCODE_IQUERY: return "IQUERY";
	case DNS_OPCODE_STATUS: return "STATUS";
	case DNS_OPCODE_NOTIFY: return "NOTIFY";
	case DNS_OPCODE_UPDATE: return "UPDATE";
	case DNS_OPCODE_DSO: return "DSO";
	default: return NULL;
	}
}

const char *dns_rcode_name(uint64_t rcode)
{
	switch (rcode) {
	case DNS_RCODE_NOERROR: return "NOERROR";
	case DNS_RCODE_FORMERR: return "FORMERR";
	case DNS_RCODE_SERVFAIL: return "SERVFAIL";
	case DNS_RCODE_NXDOMAIN: return "NXDOMAIN";
	case DNS_RCODE_NOTIMP: return "NOTIMP";
	case DNS_RCODE_REFUSED: return "REFUSED";
	case DNS_RCODE_YXDOMAIN: return "YXDOMAIN";
	case DNS_RCODE_YXRRSET: return "YXRRSET";
	case DNS_RCODE_NXRRSET: return "NXRRSET";
	case DNS_RCODE_NOTAUTH: return "NOTAUTH";
	case DNS_RCODE_NOTZONE: return "NOTZONE";
	case DNS_RCODE_BADVERS: return "BADVERS";
	case DNS_RCODE_BADCOOKIE: return "BADCOOKIE";
	default: return NULL;
	}
}

const char *dns_section_name(enum dns_section section)
{
	static const char *const name[DNS_SECTIONS] = { "QUESTION", "ANSWER", "AUTHORITY",
		"ADDITIONAL" };
	return name[section];
}

static const char *kind_name(uint64_t response)
{
	return response ? "response" : "query";
}

#define FIELD(at, width, what, label, id, shark, text, words) \
	{ \
		.name = label, .key = id, .tshark = shark, .bit = at, .bits = width, .kind = what, \
		.meaning = text, .word = words \
	}

static const struct field dns_fields[] = {
	FIELD(0, 16, FIELD_HEX, "Transaction ID", "id", "dns.id",
		"A random number that the answer repeats, so that the asker knows it.", NULL),
	FIELD(16, 1, FIELD_UINT, "Response", "response", "dns.flags.response",
		"Whether this asks or answers.", kind_name),
	FIELD(17, 4, FIELD_UINT, "Opcode", "opcode", "dns.flags.opcode",
		"What kind of question this is; nearly always a plain query.", dns_opcode_name),
	FIELD(21, 1, FIELD_UINT, "Authoritative", "authoritative", "dns.flags.authoritative",
		"The answer comes from a server that is in charge of the name, not from a cache.",
		NULL),
	FIELD(22, 1, FIELD_UINT, "Truncated", "truncated", "dns.flags.truncated",
		"The answer did not fit into the datagram; the asker should ask again over TCP.",
		NULL),
	FIELD(23, 1, FIELD_UINT, "Recursion desired", "recursion_desired", "dns.flags.recdesired",
		"The asker wants the server to find the answer elsewhere if it must.", NULL),
	FIELD(24, 1, FIELD_UINT, "Recursion available", "recursion_available", "dns.flags.recavail",
		"The server does look elsewhere when asked to.", NULL),
	FIELD(25, 1, FIELD_UINT, "Reserved", "zero", "dns.flags.z", "Must be zero.", NULL),
	FIELD(26, 1, FIELD_UINT, "Authentic data", "authentic", "dns.flags.authenticated",
		"The server says that it checked DNSSEC signatures; only as good as the way to it.",
		NULL),
	FIELD(27, 1, FIELD_UINT, "Checking disabled", "checking_disabled", "dns.flags.checkdisable",
		"The asker wants no DNSSEC checks done for it.", NULL),
	FIELD(28, 4, FIELD_UINT, "Response code", "rcode", "dns.flags.rcode",
		"How the question fared.", dns_rcode_name),
	FIELD(32, 16, FIELD_UINT, "Questions", "questions", "dns.count.queries",
		"How many questions follow; in practice one.", NULL),
	FIELD(48, 16, FIELD_UINT, "Answers", "answers", "dns.count.answers",
		"How many records answer the question.", NULL),
	FIELD(64, 16, FIELD_UINT, "Authority records", "authority", "dns.count.auth_rr",
		"How many records say who is in charge of the name.", NULL),
	FIELD(80, 16, FIELD_UINT, "Additional records", "additional", "dns.count.add_rr",
		"How many further records may be useful.", NULL),
};

const struct header_info dns_info = {
	.name = "DNS",
	.key = "dns",
	.layer = LAYER_APPLICATION,
	.clause = "RFC 1035 4.1.1",
	.field = dns_fields,
	.count = sizeof dns_fields / sizeof dns_fields[0],
};
