/*
 * strata resolve: what name servers say about a name. Records go to standard
 * output in the form of zone files, how they came to standard error.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/json.h"
#include "cli/name.h"

static const struct option_info options[] = {
	{ .name = "tcp", .text = "ask over TCP from the start" },
	{ .name = "short", .letter = 's', .text = "print only the data: one record a line" },
	{ .name = "json", .text = "print one JSON object, with every try at every server" },
	{ .name = NULL },
};

static const struct option_group own = { "Questions", options };
static const struct option_group *const groups[] = { &own, &option_group_link, &option_group_lab,
	&option_group_general, NULL };

static const struct example examples[] = {
	{ "strata resolve www.example.test", "its IPv6 and IPv4 addresses, on lab:home" },
	{ "strata resolve example.test MX", "who takes its mail" },
	{ "strata resolve --link tap:tap0 --address 192.0.2.2/24 --dns 192.0.2.1 www.example.com",
		"by a real name server" },
	{ NULL, NULL },
};

#define QUESTIONS_MAX 2

struct resolving {
	const struct arguments *arguments;
	struct session session;
	struct dns_name name;
	unsigned questions;
	uint16_t type[QUESTIONS_MAX];
	struct lookup *lookup[QUESTIONS_MAX];
};

static struct span words(const char *s)
{
	return span_of(s, strlen(s));
}

/* An address stands for the name under which it is looked up backwards. */
static bool read_question(struct resolving *r)
{
	const struct arguments *a = r->arguments;
	struct addr address;
	bool backwards = addr_parse(words(a->operand[0]), &address);
	if (backwards) {
		dns_name_reverse(&address, &r->name);
	} else if (!dns_name_parse(words(a->operand[0]), &r->name)) {
		complain(a->command, VERDICT_USAGE,
			"'%s': no domain name: labels of 1 to 63 bytes with dots between",
			a->operand[0]);
		return false;
	}
	r->questions = 1;
	if (a->operands > 1) {
		if (dns_type_parse(words(a->operand[1]), &r->type[0]))
			return true;
		complain(a->command, VERDICT_USAGE,
			"'%s': no record type: write it like A, AAAA, MX, TXT or TYPE65",
			a->operand[1]);
		return false;
	}
	r->type[0] = backwards ? DNS_TYPE_PTR : DNS_TYPE_AAAA;
	if (!backwards)
		r->type[r->questions++] = DNS_TYPE_A;
	return true;
}

static bool ended(void *user)
{
	const struct resolving *r = user;
	for (unsigned i = 0; i < r->questions; i++)
		if (r->lookup[i]->status == RESOLVER_PENDING)
			return false;
	return true;
}

static bool ask(struct resolving *r, enum verdict *v)
{
	struct resolver *resolver = session_resolver(&r->session);
	unsigned flags = LOOKUP_NO_CACHE | (given(r->arguments, "tcp") ? LOOKUP_TCP : 0);
	enum error e = ERR_OK;
	site_use(r->session.site);
	for (unsigned i = 0; i < r->questions; i++) {
		r->lookup[i] = resolver_query(resolver, &r->name, r->type[i], flags, &e);
		if (!r->lookup[i]) {
			*v = complain(r->arguments->command, VERDICT_USAGE, "%s: %s",
				r->arguments->operand[0], error_text(e));
			return false;
		}
	}
	site_add_app(r->session.site, resolver_app(resolver));
	site_flush(r->session.site);
	*v = VERDICT_ENVIRONMENT;
	return ended(r) || session_run(&r->session, NANOTIME_NEVER, ended, r);
}

/* ---- what came ---- */

static const struct resolver_answer *answer_of(const struct lookup *l)
{
	return l->answers ? l->answer[0] : NULL;
}

static void put_record(struct json *j, const struct dns_record *record)
{
	char name[DNS_NAME_TEXT_MAX], type[DNS_TYPE_TEXT_MAX], data[4096];
	dns_name_format(&record->owner, name, sizeof name);
	dns_type_format(record->type, type);
	dns_rdata_format(record, data, sizeof data);
	json_object(j, NULL);
	json_string(j, "name", name);
	json_string(j, "type", type);
	json_unsigned(j, "ttl", dns_ttl(record));
	json_string(j, "data", data);
	json_close(j);
}

static void print_record(const struct resolving *r, const struct dns_record *record)
{
	char text[8192];
	if (given(r->arguments, "short"))
		dns_rdata_format(record, text, sizeof text);
	else
		dns_record_format(record, text, sizeof text);
	puts(text);
}

static void each_record(const struct resolving *r, const struct resolver_answer *a, struct json *j)
{
	struct dns_reader reader;
	struct dns_header h;
	struct dns_record record;
	if (dns_reader_begin(&reader, a->message, &h) != DROP_NONE)
		return;
	while (dns_record_next(&reader, &record) && record.section == DNS_ANSWER) {
		/* Asked in odd capitals, so that nobody can forge the answer; told as it was
		 * given. */
		if (dns_name_equal(&record.owner, &r->name))
			record.owner = r->name;
		if (j)
			put_record(j, &record);
		else
			print_record(r, &record);
	}
}

/* ";; A from 192.0.2.53 in 40.0 ms over UDP, 103 bytes: NOERROR" */
static void print_how(const struct resolver_answer *a)
{
	char type[DNS_TYPE_TEXT_MAX], server[ADDR_TEXT_MAX];
	const char *rcode = dns_rcode_name(a->rcode);
	if (!a->tries)
		return;
	const struct resolver_try *t = &a->try[a->tries - 1];
	dns_type_format(a->type, type);
	addr_format(&t->server, server);
	fprintf(stderr, ";; %s from %s in %.3f ms over %s", type, server,
		(double)(a->ended - a->started) / 1e6, t->tcp ? "TCP" : "UDP");
	if (a->message.len)
		fprintf(stderr, ", %zu bytes: %s", a->message.len, rcode ? rcode : "unknown code");
	fprintf(stderr, a->tries > 1 ? ", after %u tries\n" : "\n", a->tries);
}

static void put_tries(struct json *j, const struct resolver_answer *a)
{
	json_array(j, "tries");
	for (unsigned i = 0; i < a->tries; i++) {
		const struct resolver_try *t = &a->try[i];
		json_object(j, NULL);
		json_addr(j, "server", &t->server);
		json_string(j, "over", t->tcp ? "tcp" : "udp");
		json_string(j, "end", resolver_try_text((enum resolver_try_end)t->end));
		json_signed(j, "duration_ns", t->ended - t->sent);
		json_unsigned(j, "ignored", t->ignored);
		json_close(j);
	}
	json_close(j);
}

static void put_answer(struct json *j, const struct resolving *r, const struct lookup *l)
{
	const struct resolver_answer *a = answer_of(l);
	char type[DNS_TYPE_TEXT_MAX];
	dns_type_format(a->type, type);
	json_object(j, NULL);
	json_string(j, "type", type);
	json_string(j, "status", resolver_status_name(a->status));
	json_string(j, "rcode", a->message.len ? dns_rcode_name(a->rcode) : NULL);
	json_signed(j, "duration_ns", a->ended - a->started);
	json_unsigned(j, "bytes", a->message.len);
	json_array(j, "records");
	each_record(r, a, j);
	json_close(j);
	put_tries(j, a);
	json_close(j);
}

static void put_object(struct resolving *r, enum verdict v)
{
	struct json j;
	char name[DNS_NAME_TEXT_MAX];
	dns_name_format(&r->name, name, sizeof name);
	json_begin(&j, stdout, "strata.resolve/1");
	json_string(&j, "name", name);
	json_string(&j, "link", r->session.link);
	json_array(&j, "answers");
	for (unsigned i = 0; i < r->questions; i++)
		if (answer_of(r->lookup[i]))
			put_answer(&j, r, r->lookup[i]);
	json_close(&j);
	json_unsigned(&j, "exit_code", v);
	json_finish(&j);
}

/* Fine where any question was answered with records; else what the first one says. */
static const struct lookup *best(const struct resolving *r)
{
	for (unsigned i = 0; i < r->questions; i++)
		if (r->lookup[i]->status == RESOLVER_FOUND)
			return r->lookup[i];
	return r->lookup[0];
}

static enum verdict tell(struct resolving *r)
{
	const struct lookup *l = best(r);
	enum verdict v = verdict_of_lookup(l->status);
	char why[320];
	if (given(r->arguments, "json")) {
		put_object(r, v);
	} else {
		for (unsigned i = 0; i < r->questions; i++)
			if (answer_of(r->lookup[i]))
				each_record(r, answer_of(r->lookup[i]), NULL);
		fflush(stdout);
		for (unsigned i = 0; i < r->questions; i++)
			if (v == VERDICT_FINE && answer_of(r->lookup[i]) &&
				!given(r->arguments, "short"))
				print_how(answer_of(r->lookup[i]));
	}
	if (v == VERDICT_FINE)
		return v;
	lookup_explain(l, why, sizeof why);
	return complain(r->arguments->command, v, "%s: %s", r->arguments->operand[0], why);
}

static enum verdict run(const struct arguments *a)
{
	struct resolving r = { .arguments = a };
	enum verdict v = VERDICT_USAGE;
	if (!read_question(&r) || !session_open(&r.session, a, &(struct session_wants){ 0 }, &v))
		return v;
	if (ask(&r, &v)) {
		session_linger(&r.session, NANO_S);
		v = tell(&r);
	}
	return session_close(&r.session, v);
}

extern const struct command command_resolve;
const struct command command_resolve = {
	.name = "resolve",
	.line = "ask name servers about a name",
	.operands = "NAME [TYPE]",
	.about =
		"Without TYPE both kinds of address are asked for (AAAA and A); an address instead "
		"of a name is looked up backwards (PTR).",
	.exits =
		"0: there are records. 1: the name does not exist, or has none of that type. 3: no "
		"name server gave a usable answer.",
	.purpose = PURPOSE_TALK,
	.operands_min = 1,
	.operands_max = 2,
	.groups = groups,
	.examples = examples,
	.run = run,
};
