/*
 * DNS messages: what the builder writes, the reader reads back, record by
 * record and in every type; what was cut, changed or made up is refused with
 * the right reason and never read past its end.
 */
#include "unit/base/property.h"

#include "wire/dns.h"

#define TEXT(s) span_of(s, sizeof(s) - 1)

static struct dns_name name_of(const char *text)
{
	struct dns_name n;
	assert_true(dns_name_parse(span_of(text, strlen(text)), &n));
	return n;
}

/* ---- a random message and its model ---- */

#define RECORDS_MAX 24

struct model {
	struct dns_header header;
	struct dns_question question;
	bool has_edns;
	struct dns_edns edns;
	struct dns_record record[RECORDS_MAX];
	unsigned records;
	uint8_t bytes[RECORDS_MAX][300]; /* what the records' spans point at */
	uint8_t message[16384];
	size_t len;
	unsigned kept; /* records that fitted */
};

static const uint16_t every_type[] = { DNS_TYPE_A, DNS_TYPE_NS, DNS_TYPE_CNAME, DNS_TYPE_SOA,
	DNS_TYPE_PTR, DNS_TYPE_HINFO, DNS_TYPE_MX, DNS_TYPE_TXT, DNS_TYPE_AAAA, DNS_TYPE_SRV,
	DNS_TYPE_NAPTR, DNS_TYPE_DNAME, DNS_TYPE_SVCB, DNS_TYPE_HTTPS, DNS_TYPE_CAA, 99, 65280 };

static void random_name(struct rng *r, struct dns_name *out)
{
	static const char *const pool[] = { ".", "test", "example.test", "Example.test",
		"www.example.test", "mail.example.test", "a.b.c.d.example.test", "\\000\\200.x",
		"other.invalid",
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.y" };
	*out = name_of(pool[rng_below(r, sizeof pool / sizeof pool[0])]);
}

/* `count` length-prefixed strings of random bytes. */
static struct span random_strings(struct rng *r, uint8_t *at, unsigned count)
{
	size_t len = 0;
	for (unsigned i = 0; i < count; i++) {
		size_t n = rng_below(r, 60);
		at[len] = (uint8_t)n;
		rng_fill(r, at + len + 1, n);
		len += 1 + n;
	}
	return span_of(at, len);
}

static struct span random_bytes(struct rng *r, uint8_t *at, uint32_t max)
{
	size_t n = rng_below(r, max);
	rng_fill(r, at, n);
	return span_of(at, n);
}

static struct span random_parameters(struct rng *r, uint8_t *at)
{
	struct writer w = writer_of(at, 300);
	if (rng_below(r, 2)) {
		write_bytes(&w, TEXT("\0\1\0\6\2h2\2h3"));
		write_bytes(&w, TEXT("\0\3\0\2\1\273"));
	}
	if (rng_below(r, 2))
		write_bytes(&w, TEXT("\0\4\0\10\300\0\2\1\300\0\2\2"));
	if (rng_below(r, 2))
		write_bytes(&w, TEXT("\0\5\0\4\1\2\3\4\1\0\0\0"));
	return span_of(at, w.len);
}

static void random_record(struct rng *r, struct dns_record *record, uint8_t *bytes)
{
	*record = (struct dns_record){
		.type = every_type[rng_below(r, sizeof every_type / sizeof every_type[0])],
		.class = DNS_CLASS_IN,
		.ttl = (uint32_t)rng_next(r),
		.decoded = true,
	};
	random_name(r, &record->owner);
	switch (record->type) {
	case DNS_TYPE_A: rng_fill(r, bytes, 4), record->address = addr_from4(bytes); break;
	case DNS_TYPE_AAAA: rng_fill(r, bytes, 16), record->address = addr_from6(bytes); break;
	case DNS_TYPE_NS:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_PTR:
	case DNS_TYPE_DNAME: random_name(r, &record->name); break;
	case DNS_TYPE_SOA:
		random_name(r, &record->soa.primary);
		random_name(r, &record->soa.mailbox);
		record->soa.serial = (uint32_t)rng_next(r);
		record->soa.refresh = (uint32_t)rng_next(r);
		record->soa.retry = (uint32_t)rng_next(r);
		record->soa.expire = (uint32_t)rng_next(r);
		record->soa.minimum = (uint32_t)rng_next(r);
		break;
	case DNS_TYPE_MX:
		record->mx.preference = (uint16_t)rng_next(r);
		random_name(r, &record->mx.exchange);
		break;
	case DNS_TYPE_HINFO: record->strings = random_strings(r, bytes, 2); break;
	case DNS_TYPE_TXT: record->strings = random_strings(r, bytes, 1 + rng_below(r, 4)); break;
	case DNS_TYPE_SRV:
		record->srv.priority = (uint16_t)rng_next(r);
		record->srv.weight = (uint16_t)rng_next(r);
		record->srv.port = (uint16_t)rng_next(r);
		random_name(r, &record->srv.target);
		break;
	case DNS_TYPE_NAPTR:
		record->naptr.order = (uint16_t)rng_next(r);
		record->naptr.preference = (uint16_t)rng_next(r);
		record->naptr.flags = TEXT("U");
		record->naptr.services = TEXT("E2U+sip");
		record->naptr.regexp = random_bytes(r, bytes, 256);
		random_name(r, &record->naptr.replacement);
		break;
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS:
		record->svcb.priority = (uint16_t)rng_next(r);
		random_name(r, &record->svcb.target);
		record->svcb.parameters = random_parameters(r, bytes);
		break;
	case DNS_TYPE_CAA:
		record->caa.flags = (uint8_t)rng_next(r);
		record->caa.tag = TEXT("issuewild");
		record->caa.value = random_bytes(r, bytes, 200);
		break;
	default: record->decoded = false; record->rdata = random_bytes(r, bytes, 300);
	}
}

static void random_message(struct rng *r, struct model *m, size_t cap)
{
	struct dns_builder b;

	m->header = (struct dns_header){ .id = (uint16_t)rng_next(r),
		.response = rng_below(r, 2),
		.authoritative = rng_below(r, 2),
		.recursion_desired = rng_below(r, 2),
		.recursion_available = rng_below(r, 2),
		.authentic = rng_below(r, 2),
		.checking_disabled = rng_below(r, 2),
		.opcode = (uint8_t)rng_below(r, 16),
		.rcode = (uint8_t)rng_below(r, 16) };
	random_name(r, &m->question.name);
	m->question.type = (uint16_t)rng_next(r);
	m->question.class = (uint16_t)rng_next(r);
	m->has_edns = rng_below(r, 2);
	m->edns = (struct dns_edns){ .udp_size = (uint16_t)rng_next(r),
		.rcode_high = (uint8_t)rng_next(r),
		.version = (uint8_t)rng_next(r),
		.dnssec_ok = rng_below(r, 2),
		.flags = (uint16_t)(rng_next(r) & 0x7fff),
		.options = rng_below(r, 2) ? TEXT("\0\12\0\10cookie..\0\14\0\0")
					   : span_of(NULL, 0) };
	m->records = rng_below(r, RECORDS_MAX);

	uint8_t *exact = malloc(cap ? cap : 1); /* a sanitizer sees the first byte beyond */
	dns_build_begin(&b, exact, cap, &m->header, m->has_edns ? &m->edns : NULL);
	bool fits = dns_build_question(&b, &m->question);
	unsigned section = DNS_ANSWER;
	m->kept = 0;
	m->header.truncated = false;
	for (unsigned i = 0; i < m->records && fits; i++) {
		section += rng_below(r, 8) == 0 && section < DNS_ADDITIONAL;
		random_record(r, &m->record[m->kept], m->bytes[m->kept]);
		m->record[m->kept].section = (uint8_t)section;
		if (dns_build_record(&b, section, &m->record[m->kept]))
			m->kept++;
		else
			m->header.truncated |= section != DNS_ADDITIONAL;
	}
	m->len = fits ? dns_build_end(&b) : 0;
	memcpy(m->message, exact, m->len);
	free(exact);
}

static void same_rdata(const struct dns_record *a, const struct dns_record *b)
{
	switch (a->type) {
	case DNS_TYPE_A:
	case DNS_TYPE_AAAA: check(addr_equal(&a->address, &b->address)); break;
	case DNS_TYPE_NS:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_PTR:
	case DNS_TYPE_DNAME: check(dns_name_identical(&a->name, &b->name)); break;
	case DNS_TYPE_SOA:
		check(dns_name_identical(&a->soa.primary, &b->soa.primary));
		check(dns_name_identical(&a->soa.mailbox, &b->soa.mailbox));
		check(a->soa.serial == b->soa.serial && a->soa.refresh == b->soa.refresh);
		check(a->soa.retry == b->soa.retry && a->soa.expire == b->soa.expire);
		check(a->soa.minimum == b->soa.minimum);
		break;
	case DNS_TYPE_MX:
		check(a->mx.preference == b->mx.preference);
		check(dns_name_identical(&a->mx.exchange, &b->mx.exchange));
		break;
	case DNS_TYPE_HINFO:
	case DNS_TYPE_TXT: check(span_equal(a->strings, b->strings)); break;
	case DNS_TYPE_SRV:
		check(a->srv.priority == b->srv.priority && a->srv.weight == b->srv.weight);
		check(a->srv.port == b->srv.port);
		check(dns_name_identical(&a->srv.target, &b->srv.target));
		break;
	case DNS_TYPE_NAPTR:
		check(a->naptr.order == b->naptr.order);
		check(a->naptr.preference == b->naptr.preference);
		check(span_equal(a->naptr.flags, b->naptr.flags));
		check(span_equal(a->naptr.services, b->naptr.services));
		check(span_equal(a->naptr.regexp, b->naptr.regexp));
		check(dns_name_identical(&a->naptr.replacement, &b->naptr.replacement));
		break;
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS:
		check(a->svcb.priority == b->svcb.priority);
		check(dns_name_identical(&a->svcb.target, &b->svcb.target));
		check(span_equal(a->svcb.parameters, b->svcb.parameters));
		break;
	case DNS_TYPE_CAA:
		check(a->caa.flags == b->caa.flags && span_equal(a->caa.tag, b->caa.tag));
		check(span_equal(a->caa.value, b->caa.value));
		break;
	default: check(span_equal(a->rdata, b->rdata));
	}
}

static void same_records(const struct model *m, struct dns_reader *r)
{
	struct dns_record got;

	for (unsigned i = 0; i < m->kept; i++) {
		const struct dns_record *want = &m->record[i];
		check(dns_record_next(r, &got));
		check(got.section == want->section && got.type == want->type);
		check(got.class == want->class && got.ttl == want->ttl);
		check(got.decoded == want->decoded);
		check(dns_name_identical(&got.owner, &want->owner));
		same_rdata(want, &got);
	}
	if (m->has_edns)
		check(dns_record_next(r, &got) && got.type == DNS_TYPE_OPT);
	check(!dns_record_next(r, &got));
	check(r->fault == DROP_NONE && r->at == m->len);
}

static void same_message(const struct model *m)
{
	struct span bytes = span_of(m->message, m->len);
	struct dns_message parsed;
	struct dns_header header;
	struct dns_reader r;

	check(dns_message_parse(bytes, &parsed) == DROP_NONE);
	check(parsed.trailing == 0);
	check(dns_name_identical(&parsed.question.name, &m->question.name));
	check(parsed.question.type == m->question.type);
	check(parsed.question.class == m->question.class);
	check(parsed.header.truncated == m->header.truncated);
	check(parsed.header.id == m->header.id && parsed.header.opcode == m->header.opcode);
	check(parsed.has_edns == m->has_edns);
	unsigned high = m->has_edns ? m->edns.rcode_high : 0;
	check(parsed.rcode == (high << 4 | m->header.rcode));
	if (m->has_edns) {
		check(parsed.edns.udp_size == m->edns.udp_size);
		check(parsed.edns.version == m->edns.version);
		check(parsed.edns.dnssec_ok == m->edns.dnssec_ok);
		check(parsed.edns.flags == m->edns.flags);
		check(span_equal(parsed.edns.options, m->edns.options));
	}
	check(dns_reader_begin(&r, bytes, &header) == DROP_NONE);
	same_records(m, &r);
}

static struct model model;

static void built_reads_back(struct rng *r)
{
	random_message(r, &model, sizeof model.message);
	check(model.len > 0 && model.kept == model.records && !model.header.truncated);
	same_message(&model);
}

/* Any limit: what fits is whole, what does not is left out and said to be. */
static void limit_holds(struct rng *r)
{
	size_t cap = rng_below(r, 700);

	random_message(r, &model, cap);
	check(model.len <= cap);
	if (model.len > 0)
		same_message(&model);
}

static void test_built_reads_back(void **state)
{
	(void)state;
	property_each(2000, built_reads_back);
}

static void test_limits(void **state)
{
	(void)state;
	property_each(3000, limit_holds);
}

/* ---- garbage ---- */

/* Reads a message in every way there is, on a copy of exactly its size. */
static enum drop read_everything(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	memcpy(copy, bytes, len);
	struct dns_message m;
	enum drop fault = dns_message_parse(span_of(copy, len), &m);
	struct dns_header header;
	struct dns_record record;
	struct dns_reader r;
	char text[2000];
	unsigned records = 0;

	if (dns_reader_begin(&r, span_of(copy, len), &header) == DROP_NONE) {
		while (dns_record_next(&r, &record)) {
			size_t n = dns_record_format(&record, text, sizeof text);
			check(n < sizeof text && text[n] == '\0');
			for (size_t i = 0; i < n; i++)
				check(text[i] == '\t' || (text[i] >= ' ' && text[i] <= '~'));
			records++;
		}
		unsigned counted = 0u + header.count[1] + header.count[2] + header.count[3];
		check(records <= len / 11);
		check(r.fault || records == counted);
		check(fault == r.fault || (fault == DROP_DNS_OPT && !r.fault) ||
			fault == DROP_DNS_OPT);
	}
	check(fault == DROP_NONE || drop_info(fault)->layer == LAYER_APPLICATION);
	free(copy);
	return fault;
}

static void garbage_is_survived(struct rng *r)
{
	random_message(r, &model, sizeof model.message);
	for (unsigned i = 1 + rng_below(r, 6); i; i--) {
		size_t at = rng_below(r, (uint32_t)model.len);
		switch (rng_below(r, 4)) {
		case 0: model.message[at] = (uint8_t)rng_next(r); break;
		case 1: model.message[at] = 0xc0; break;
		case 2: model.message[at] ^= (uint8_t)(1u << rng_below(r, 8)); break;
		case 3: model.message[at] = (uint8_t)rng_below(r, 80); break;
		}
	}
	read_everything(model.message, model.len - rng_below(r, 3));
}

static void cut_is_refused(struct rng *r)
{
	random_message(r, &model, sizeof model.message);
	size_t cut = rng_below(r, (uint32_t)model.len);
	check(read_everything(model.message, cut) != DROP_NONE);
}

static void test_garbage(void **state)
{
	(void)state;
	property_each(20000, garbage_is_survived);
	property_each(2000, cut_is_refused);
}

/* ---- single records that lie ---- */

/* A response with one record of the given type and data, behind the name "a." at offset 12. */
static enum drop with_record(uint16_t type, uint16_t class, struct span rdata, int claimed)
{
	uint8_t bytes[700] = { 0, 1, 0x81, 0x80, 0, 1, 0, 1 };
	struct writer w = writer_of(bytes, sizeof bytes);
	struct dns_message m;

	write_room(&w, DNS_HEADER);
	write_bytes(&w, TEXT("\1a\0\0\1\0\1"));
	write16(&w, 0xc00c);
	write16(&w, type);
	write16(&w, class);
	write32(&w, 300);
	write16(&w, (uint16_t)(claimed < 0 ? (int)rdata.len : claimed));
	write_bytes(&w, rdata);
	return dns_message_parse(span_of(bytes, w.len), &m);
}

static void test_rdlength(void **state)
{
	(void)state;
	static const struct {
		uint16_t type;
		const char *rdata;
		size_t len;
		int claimed;
		enum drop want;
	} cases[] = {
#define CASE(type, bytes, claimed, want) \
	{ DNS_TYPE_##type, bytes, sizeof(bytes) - 1, claimed, DROP_##want }
		CASE(A, "\300\0\2\1", -1, NONE), CASE(A, "\300\0\2", -1, DNS_RDLENGTH),
		CASE(A, "\300\0\2\1\0", -1, DNS_RDLENGTH), CASE(A, "", -1, DNS_RDLENGTH),
		CASE(A, "\300\0\2\1", 5, DNS_RDLENGTH), CASE(A, "\300\0\2\1", 65535, DNS_RDLENGTH),
		CASE(AAAA, "0123456789abcdef", -1, NONE),
		CASE(AAAA, "0123456789abcde", -1, DNS_RDLENGTH),
		CASE(AAAA, "0123456789abcdef0", -1, DNS_RDLENGTH),
		CASE(CNAME, "\1b\300\14", -1, NONE), CASE(CNAME, "\1b\300\14x", -1, DNS_RDLENGTH),
		CASE(CNAME, "\1b\300\14", 3, DNS_RDLENGTH), /* shorter than the name: Ripple20 */
		CASE(CNAME, "\1b\300\14", 2, DNS_RDLENGTH),
		CASE(CNAME, "\1b\300\14", 0, DNS_RDLENGTH),
		CASE(CNAME, "\300\37", -1, DNS_POINTER), /* to itself */
		CASE(CNAME, "\100b", -1, DNS_LABEL), CASE(MX, "\0\12\300\14", -1, NONE),
		CASE(MX, "\0\12", -1, DNS_RDLENGTH), CASE(MX, "\0", -1, DNS_RDLENGTH),
		CASE(SOA, "\300\14\300\14\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5", -1, NONE),
		CASE(SOA, "\300\14\300\14\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0", -1, DNS_RDLENGTH),
		CASE(TXT, "\3abc", -1, NONE), CASE(TXT, "\3abc\0", -1, NONE),
		CASE(TXT, "\4abc", -1, DNS_RDLENGTH), CASE(TXT, "", -1, DNS_RDLENGTH),
		CASE(HINFO, "\1a\1b", -1, NONE), CASE(HINFO, "\1a", -1, DNS_RDLENGTH),
		CASE(HINFO, "\1a\1b\1c", -1, DNS_RDLENGTH),
		CASE(SRV, "\0\1\0\2\0\120\300\14", -1, NONE),
		CASE(SRV, "\0\1\0\2\0\120", -1, DNS_RDLENGTH),
		CASE(NAPTR, "\0\1\0\2\1U\1a\1b\0", -1, NONE),
		CASE(NAPTR, "\0\1\0\2\1U\1a\5b\0", -1, DNS_RDLENGTH),
		CASE(CAA, "\0\5issueca.test", -1, NONE), CASE(CAA, "\0\0issue", -1, DNS_RDATA),
		CASE(CAA, "\0\5iss\nea", -1, DNS_RDATA), CASE(CAA, "\0\377a", -1, DNS_RDLENGTH),
		CASE(HTTPS, "\0\1\0", -1, NONE),
		CASE(HTTPS, "\0\1\0\0\1\0\3\2h2\0\3\0\2\1\273", -1, NONE),
		CASE(HTTPS, "\0\1\300\14", -1, DNS_POINTER), /* never compressed */
		CASE(HTTPS, "\0\1\0\0\3\0\2\1\273\0\1\0\3\2h2", -1, DNS_RDATA),   /* keys fall */
		CASE(HTTPS, "\0\1\0\0\3\0\2\1\273\0\3\0\2\1\273", -1, DNS_RDATA), /* twice */
		CASE(HTTPS, "\0\1\0\0\3\0\1\1", -1, DNS_RDATA),     /* a port of one byte */
		CASE(HTTPS, "\0\1\0\0\4\0\3\1\2\3", -1, DNS_RDATA), /* a hint of three bytes */
		CASE(HTTPS, "\0\1\0\0\1\0\3\4h2", -1, DNS_RDATA),   /* a list past its value */
		CASE(HTTPS, "\0\0\0\0\3\0\1\1", -1, NONE),          /* an alias: ignored */
		CASE(HTTPS, "\0\0\0\0\3\0\3\1", -1, DNS_RDLENGTH),  /* but it must fit */
		CASE(HTTPS, "\0\1\0\0\0\0\2\0\3\0\3\0\2\1\273", -1, NONE),      /* mandatory=port */
		CASE(HTTPS, "\0\1\0\0\0\0\2\0\4\0\3\0\2\1\273", -1, DNS_RDATA), /* missing */
		CASE(HTTPS, "\0\1\0\0\0\0\2\0\0\0\3\0\2\1\273", -1, DNS_RDATA), /* itself */
		CASE(HTTPS, "\0\1\0\0\0\0\4\0\3\0\3\0\3\0\2\1\273", -1, DNS_RDATA), /* twice */
		CASE(HTTPS, "\0\1\0\0\2\0\0", -1, DNS_RDATA), /* no-default-alpn without alpn */
		CASE(HTTPS, "\0\1\0\0\1\0\11\2h2", -1, DNS_RDLENGTH),
		CASE(OPT, "", -1, DNS_OPT), /* as an answer */
#undef CASE
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct span rdata = span_of(cases[i].rdata, cases[i].len);
		enum drop got = with_record(cases[i].type, DNS_CLASS_IN, rdata, cases[i].claimed);
		if (got != cases[i].want)
			fail_msg("case %zu, type %u: %s, not %s", i, cases[i].type,
				drop_info(got)->name, drop_info(cases[i].want)->name);
	}
	/* Address types belong to the Internet; an update may leave the data out (RFC 2136 2.4). */
	assert_int_equal(with_record(DNS_TYPE_A, DNS_CLASS_CH, TEXT("\1b\0\0\7"), -1), DROP_NONE);
	assert_int_equal(with_record(DNS_TYPE_A, DNS_CLASS_ANY, TEXT(""), -1), DROP_NONE);
	assert_int_equal(with_record(DNS_TYPE_NS, DNS_CLASS_NONE, TEXT(""), -1), DROP_NONE);
	assert_int_equal(with_record(DNS_TYPE_NS, DNS_CLASS_CH, TEXT(""), -1), DROP_DNS_RDLENGTH);
}

static void test_edns_out_of_place(void **state)
{
	(void)state;
	struct dns_message m;
	static const char one[] = "\0\1\0\0\0\0\0\0\0\0\0\1\0\0\51\4\320\1\0\200\0\0\4\0\12\0\0";
	static const char two[] =
		"\0\1\0\0\0\0\0\0\0\0\0\2\0\0\51\4\320\0\0\0\0\0\0\0\0\51\4\320\0\0\0\0\0\0";
	static const char named[] = "\0\1\0\0\0\0\0\0\0\0\0\1\1a\0\0\51\4\320\0\0\0\0\0\0";
	static const char answer[] = "\0\1\0\0\0\0\0\1\0\0\0\0\0\0\51\4\320\0\0\0\0\0\0";
	static const char cut[] = "\0\1\0\0\0\0\0\0\0\0\0\1\0\0\51\4\320\0\0\0\0\0\4\0\12\0\1";

	assert_int_equal(dns_message_parse(TEXT(one), &m), DROP_NONE);
	assert_true(m.has_edns && m.edns.dnssec_ok);
	assert_int_equal(m.edns.udp_size, 1232);
	assert_int_equal(m.rcode, 16);
	size_t at = 0;
	struct dns_option o;
	assert_true(dns_option_next(m.edns.options, &at, &o));
	assert_int_equal(o.code, 10);
	assert_false(dns_option_next(m.edns.options, &at, &o));
	assert_int_equal(dns_message_parse(TEXT(two), &m), DROP_DNS_OPT);
	assert_int_equal(dns_message_parse(TEXT(named), &m), DROP_DNS_OPT);
	assert_int_equal(dns_message_parse(TEXT(answer), &m), DROP_DNS_OPT);
	assert_int_equal(dns_message_parse(TEXT(cut), &m), DROP_DNS_OPT);
}

static void test_counts(void **state)
{
	(void)state;
	struct dns_message m;
	uint8_t header[DNS_HEADER] = { 0 };

	for (size_t len = 0; len < DNS_HEADER; len++)
		assert_int_equal(dns_message_parse(span_of(header, len), &m), DROP_DNS_SHORT);
	assert_int_equal(dns_message_parse(span_of(header, DNS_HEADER), &m), DROP_NONE);
	for (unsigned s = 0; s < DNS_SECTIONS; s++) {
		memset(header + 4, 0, 8);
		header[4 + 2 * s] = 0xff;
		assert_int_equal(
			dns_message_parse(span_of(header, DNS_HEADER), &m), DROP_DNS_COUNT);
	}
	assert_int_equal(
		dns_message_parse(TEXT("\0\1\0\0\0\1\0\0\0\0\0\0\1a\0\0\1\0"), &m), DROP_DNS_COUNT);
	assert_int_equal(
		dns_message_parse(TEXT("\0\1\0\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1zz"), &m), DROP_NONE);
	assert_int_equal(m.trailing, 2);
}

static void test_query(void **state)
{
	(void)state;
	struct dns_question q = { name_of("www.example.test"), DNS_TYPE_AAAA, DNS_CLASS_IN };
	uint8_t out[100];
	static const char want[] = "\276\357\1\0\0\1\0\0\0\0\0\1\3www\7example\4test\0\0\34\0\1"
				   "\0\0\51\4\320\0\0\0\0\0\0";

	size_t len = dns_query_emit(0xbeef, &q, DNS_EDNS_UDP_SIZE, out, sizeof out);
	assert_int_equal(len, sizeof want - 1);
	assert_memory_equal(out, want, len);
	assert_int_equal(dns_query_emit(1, &q, 0, out, sizeof out), len - 11);
	assert_int_equal(dns_query_emit(1, &q, 0, out, len - 12), 0);
	assert_int_equal(dns_query_emit(1, &q, 1232, out, len - 1), 0);
	assert_int_equal(dns_query_emit(1, &q, 1232, out, 5), 0);
}

static void test_names_are_compressed(void **state)
{
	(void)state;
	uint8_t out[512];
	struct dns_header header = { .id = 1, .response = true };
	struct dns_question q = { name_of("www.example.test"), DNS_TYPE_MX, DNS_CLASS_IN };
	struct dns_record record = {
		.owner = q.name, .type = DNS_TYPE_MX, .class = 1, .decoded = true
	};
	struct dns_builder b;

	record.mx.exchange = name_of("mail.example.test");
	dns_build_begin(&b, out, sizeof out, &header, NULL);
	assert_true(dns_build_question(&b, &q));
	assert_true(dns_build_record(&b, DNS_ANSWER, &record));
	size_t before = b.w.len;
	record.owner = name_of("WWW.example.test"); /* another case is another name to a pointer */
	assert_true(dns_build_record(&b, DNS_ANSWER, &record));
	/* "www" again in capitals and a pointer, the fixed part, preference and a pointer. */
	assert_int_equal(b.w.len - before, 4 + 2 + 10 + 2 + 2);
	size_t len = dns_build_end(&b);
	assert_memory_equal(out + 34, "\300\14\0\17\0\1\0\0\0\0\0\11\0\0\4mail\300\20", 21);
	assert_int_equal(len, 34 + 21 + 20);
}

static void test_header_and_field_table(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits <= 0xffff; bits++) {
		uint8_t bytes[DNS_HEADER] = { 0x12, 0x34, (uint8_t)(bits >> 8), (uint8_t)bits, 0, 1,
			2, 3, 4, 5, 6, 7 };
		uint8_t again[DNS_HEADER];
		struct span s = span_of(bytes, sizeof bytes);
		struct dns_header h;
		assert_int_equal(dns_header_parse(s, &h), DROP_NONE);
		assert_int_equal(dns_header_emit(&h, again, sizeof again), DNS_HEADER);
		assert_memory_equal(bytes, again, sizeof bytes);
		uint64_t want[] = { h.id, h.response, h.opcode, h.authoritative, h.truncated,
			h.recursion_desired, h.recursion_available, h.zero, h.authentic,
			h.checking_disabled, h.rcode, h.count[0], h.count[1], h.count[2],
			h.count[3] };
		assert_int_equal(dns_info.count, sizeof want / sizeof want[0]);
		for (unsigned i = 0; i < dns_info.count; i++)
			assert_int_equal(field_value(&dns_info.field[i], s), want[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_built_reads_back),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_rdlength),
		cmocka_unit_test(test_edns_out_of_place),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_names_are_compressed),
		cmocka_unit_test(test_header_and_field_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
