/*
 * DNS messages: a message that is accepted walks as far as its counts say, each
 * record has a text, each name survives its text, and the message built again
 * from the records reads back as the same records.
 */
#include <stdlib.h>

#include "explain.h"
#include "wire/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_name(const struct dns_name *name)
{
	char text[DNS_NAME_TEXT_MAX];
	struct dns_name again;
	size_t len = dns_name_format(name, text, sizeof text);

	assert(name->len >= 1 && name->b[name->len - 1] == 0 && len < sizeof text);
	assert(dns_name_parse(span_of(text, len), &again) && dns_name_identical(name, &again));
	assert(dns_name_within(name, name) && dns_name_within(name, &DNS_ROOT));
	assert(dns_name_labels(name) <= 127);
}

static void try_record(const struct dns_record *r, char *text, size_t cap)
{
	char small[40];
	size_t len = dns_record_format(r, text, cap);

	assert(len < cap);
	for (size_t i = 0; i < len; i++)
		assert(text[i] == '\t' || (text[i] >= ' ' && text[i] <= '~'));
	size_t cut = dns_record_format(r, small, sizeof small);
	assert(memcmp(text, small, cut) == 0 && small[cut] == '\0');
	try_name(&r->owner);
}

/* Builds the message again; `*whole`: did all of it fit (its names may take more room)? */
static size_t rebuild(struct span message, uint8_t *out, size_t cap, bool *whole)
{
	struct dns_header header;
	struct dns_question question;
	struct dns_record record;
	struct dns_reader r;
	struct dns_builder b;

	*whole = true;
	dns_reader_begin(&r, message, &header);
	dns_build_begin(&b, out, cap, &header, NULL);
	while (dns_question_next(&r, &question))
		*whole &= dns_build_question(&b, &question);
	while (dns_record_next(&r, &record))
		*whole &= dns_build_record(&b, record.section, &record);
	assert(r.fault == DROP_NONE);
	return dns_build_end(&b);
}

/* In a buffer that is too small at a place which the message itself decides: cut, but sound. */
static void rebuild_in_little(struct span message)
{
	size_t cap = message.len * message.at[0] / 256;
	uint8_t *exact = malloc(cap ? cap : 1);
	struct dns_message m;
	bool whole;

	size_t len = rebuild(message, exact, cap, &whole);
	assert(len <= cap && (len > 0 || cap < DNS_HEADER));
	if (len > 0)
		assert(dns_message_parse(span_of(exact, len), &m) == DROP_NONE);
	free(exact);
}

/* Walks two messages side by side: the same records, as their texts tell. */
static void must_agree(struct span a, struct span b)
{
	static char text[2][200000];
	struct dns_header header[2];
	struct dns_record record[2];
	struct dns_reader r[2];

	assert(dns_reader_begin(&r[0], a, &header[0]) == DROP_NONE);
	assert(dns_reader_begin(&r[1], b, &header[1]) == DROP_NONE);
	assert(memcmp(header[0].count, header[1].count, sizeof header[0].count) == 0);
	assert(header[0].id == header[1].id && header[0].rcode == header[1].rcode);
	while (dns_record_next(&r[0], &record[0])) {
		assert(dns_record_next(&r[1], &record[1]));
		try_record(&record[0], text[0], sizeof text[0]);
		try_record(&record[1], text[1], sizeof text[1]);
		assert(strcmp(text[0], text[1]) == 0);
		assert(record[0].section == record[1].section);
	}
	assert(!dns_record_next(&r[1], &record[1]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t out[65535];
	struct span message = span_of(data, size);
	struct dns_message m, again;

	explain(&dns_info, message);
	enum drop fault = dns_message_parse(message, &m);
	if (fault) {
		assert(fault < DROP_COUNT && drop_info(fault)->layer == LAYER_APPLICATION);
		return 0;
	}
	assert(m.trailing <= size - DNS_HEADER);
	try_name(&m.question.name);
	rebuild_in_little(message);
	bool whole;
	size_t len = rebuild(message, out, sizeof out, &whole);
	if (!whole)
		return 0;
	assert(dns_message_parse(span_of(out, len), &again) == DROP_NONE);
	assert(again.rcode == m.rcode && again.has_edns == m.has_edns && again.trailing == 0);
	must_agree(message, span_of(out, len));
	return 0;
}
