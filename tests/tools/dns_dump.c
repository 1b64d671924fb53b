/*
 * What our DNS codec makes of messages, for scripts that ask others about the
 * same ones: reads messages from standard input, each behind its length in two
 * bytes, and writes one JSON object a line: the verdict, the fields under
 * tshark's names in the order they come, and each record's data as text.
 */
#include <stdio.h>
#include <stdlib.h>

#include "wire/dns.h"

/* Values are collected for each field; a message has few enough of them. */
#define FIELDS_MAX 96

struct values {
	const char *field;
	char text[1 << 18];
	size_t len;
};

static struct values collected[FIELDS_MAX];
static unsigned fields;

static void add(const char *field, const char *value)
{
	unsigned i = 0;

	while (i < fields && strcmp(collected[i].field, field) != 0)
		i++;
	struct values *v = &collected[i];
	if (i == fields) {
		if (++fields > FIELDS_MAX)
			abort();
		v->field = field;
		v->len = 0;
	}
	v->len += (size_t)snprintf(
		v->text + v->len, sizeof v->text - v->len, "%s\"", v->len ? ", " : "");
	for (; *value && v->len + 8 < sizeof v->text; value++) {
		if (*value == '"' || *value == '\\')
			v->text[v->len++] = '\\';
		v->text[v->len++] = *value;
	}
	v->text[v->len++] = '"';
	v->text[v->len] = '\0';
}

static void add_number(const char *field, uint64_t value)
{
	char text[24];
	snprintf(text, sizeof text, "%llu", (unsigned long long)value);
	add(field, text);
}

static void add_name(const char *field, const struct dns_name *name)
{
	char text[DNS_NAME_TEXT_MAX];
	dns_name_format(name, text, sizeof text);
	add(field, text);
}

/* Bytes as hexadecimal: scripts compare them as bytes. */
static void add_bytes(const char *field, struct span s)
{
	static char text[1 << 18];
	for (size_t i = 0; i < s.len; i++)
		snprintf(text + 2 * i, 3, "%02x", s.at[i]);
	text[2 * s.len] = '\0';
	add(field, text);
}

static void add_addr(const char *field, struct addr a)
{
	add_bytes(field, addr_is4(&a) ? span_of(a.b + 12, 4) : span_of(a.b, 16));
}

static void add_strings(const struct dns_record *r)
{
	static const char *const hinfo[] = { "dns.hinfo.cpu", "dns.hinfo.os" };
	struct span s;
	size_t at = 0;

	for (unsigned i = 0; dns_string_next(r->strings, &at, &s); i++)
		add_bytes(r->type == DNS_TYPE_TXT ? "dns.txt" : hinfo[i], s);
}

static void add_svcb(const struct dns_record *r)
{
	struct dns_svc_parameter p;
	struct span id;
	size_t at = 0;

	add_number("dns.svcb.svcpriority", r->svcb.priority);
	add_name("dns.svcb.targetname", &r->svcb.target);
	while (dns_svc_parameter_next(r->svcb.parameters, &at, &p)) {
		add_number("dns.svcb.svcparam.key", p.key);
		add_number("dns.svcb.svcparam.value.length", p.value.len);
		if (r->svcb.priority == 0)
			continue;
		if (p.key == DNS_SVC_PORT)
			add_number("dns.svcb.svcparam.port", load16(p.value.at));
		if (p.key == DNS_SVC_ALPN)
			for (size_t i = 0; dns_string_next(p.value, &i, &id);)
				add_bytes("dns.svcb.svcparam.alpn", id);
		if (p.key == DNS_SVC_IPV4HINT)
			for (size_t i = 0; i < p.value.len; i += 4)
				add_bytes("dns.svcb.svcparam.ipv4hint.ip",
					span_of(p.value.at + i, 4));
		if (p.key == DNS_SVC_IPV6HINT)
			for (size_t i = 0; i < p.value.len; i += 16)
				add_bytes("dns.svcb.svcparam.ipv6hint.ip",
					span_of(p.value.at + i, 16));
	}
}

static void add_opt(const struct dns_record *r)
{
	struct dns_option o;
	size_t at = 0;

	add_number("dns.rr.udp_payload_size", r->class);
	add_number("dns.resp.ext_rcode", r->ttl >> 24);
	add_number("dns.resp.edns0_version", r->ttl >> 16 & 0xff);
	add_number("dns.resp.z", r->ttl & 0xffff);
	while (dns_option_next(r->options, &at, &o)) {
		add_number("dns.opt.code", o.code);
		add_number("dns.opt.len", o.data.len);
	}
}

static void add_naptr(const struct dns_record *r)
{
	add_number("dns.naptr.order", r->naptr.order);
	add_number("dns.naptr.preference", r->naptr.preference);
	add_bytes("dns.naptr.flags", r->naptr.flags);
	add_bytes("dns.naptr.service", r->naptr.services);
	add_bytes("dns.naptr.regex", r->naptr.regexp);
	add_name("dns.naptr.replacement", &r->naptr.replacement);
}

static void add_soa(const struct dns_record *r)
{
	add_name("dns.soa.mname", &r->soa.primary);
	add_name("dns.soa.rname", &r->soa.mailbox);
	add_number("dns.soa.serial_number", r->soa.serial);
	add_number("dns.soa.refresh_interval", r->soa.refresh);
	add_number("dns.soa.retry_interval", r->soa.retry);
	add_number("dns.soa.expire_limit", r->soa.expire);
	add_number("dns.soa.minimum_ttl", r->soa.minimum);
}

static void add_rdata(const struct dns_record *r)
{
	if (!r->decoded) {
		add_bytes("dns.data", r->rdata);
		return;
	}
	switch (r->type) {
	case DNS_TYPE_A: add_addr("dns.a", r->address); break;
	case DNS_TYPE_AAAA: add_bytes("dns.aaaa", span_of(r->address.b, 16)); break;
	case DNS_TYPE_NS: add_name("dns.ns", &r->name); break;
	case DNS_TYPE_CNAME: add_name("dns.cname", &r->name); break;
	case DNS_TYPE_PTR: add_name("dns.ptr.domain_name", &r->name); break;
	case DNS_TYPE_DNAME: add_name("dns.dname", &r->name); break;
	case DNS_TYPE_SOA: add_soa(r); break;
	case DNS_TYPE_MX:
		add_number("dns.mx.preference", r->mx.preference);
		add_name("dns.mx.mail_exchange", &r->mx.exchange);
		break;
	case DNS_TYPE_HINFO:
	case DNS_TYPE_TXT: add_strings(r); break;
	case DNS_TYPE_SRV:
		add_number("dns.srv.priority", r->srv.priority);
		add_number("dns.srv.weight", r->srv.weight);
		add_number("dns.srv.port", r->srv.port);
		add_name("dns.srv.target", &r->srv.target);
		break;
	case DNS_TYPE_NAPTR: add_naptr(r); break;
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS: add_svcb(r); break;
	case DNS_TYPE_CAA:
		add_number("dns.caa.flags", r->caa.flags);
		add_bytes("dns.caa.tag", r->caa.tag);
		add_bytes("value", r->caa.value);
		break;
	case DNS_TYPE_OPT: add_opt(r); break;
	}
}

static void add_record(const struct dns_record *r)
{
	static char text[1 << 18];

	add_name("dns.resp.name", &r->owner);
	add_number("dns.resp.type", r->type);
	add_number("dns.resp.len", r->rdata.len);
	add_number("section", r->section);
	if (r->type != DNS_TYPE_OPT) {
		add_number("dns.resp.class", r->class);
		add_number("dns.resp.ttl", r->ttl);
		dns_rdata_format(r, text, sizeof text);
		add("text", text);
	}
	add_rdata(r);
}

static void dump(struct span message)
{
	struct dns_question question;
	struct dns_record record;
	struct dns_message m;
	struct dns_header h;
	struct dns_reader r;

	fields = 0;
	for (unsigned i = 0; i < dns_info.count; i++)
		add_number(dns_info.field[i].tshark, field_value(&dns_info.field[i], message));
	enum drop fault = dns_message_parse(message, &m);
	if (!fault) {
		dns_reader_begin(&r, message, &h);
		while (dns_question_next(&r, &question)) {
			add_name("dns.qry.name", &question.name);
			add_number("dns.qry.type", question.type);
			add_number("dns.qry.class", question.class);
		}
		while (dns_record_next(&r, &record))
			add_record(&record);
		add_number("trailing", m.trailing);
		add_number("rcode", m.rcode);
	}
	printf("{\"fault\": \"%s\"", drop_info(fault)->name);
	for (unsigned i = 0; i < fields; i++)
		printf(", \"%s\": [%s]", collected[i].field, collected[i].text);
	printf("}\n");
}

int main(void)
{
	uint8_t length[2];

	while (fread(length, 1, 2, stdin) == 2) {
		size_t len = load16(length);
		uint8_t *message = malloc(len ? len : 1);
		if (!message || fread(message, 1, len, stdin) != len) {
			fprintf(stderr, "dns_dump: a message is cut short\n");
			return 1;
		}
		dump(span_of(message, len));
		free(message);
	}
	return 0;
}
