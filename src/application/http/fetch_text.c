/*
 * A failure in one line: what was being done with whom, what happened, and what
 * to do about it. Written when the fetch fails, while all that is known is at
 * hand.
 */
#include "application/http/fetch_hop.h"
#include "base/text.h"

static const struct {
	const char *name, *text;
} problems[] = {
#define FETCH_PROBLEM_ROW(name, text) { #name, text },
	FETCH_PROBLEMS(FETCH_PROBLEM_ROW)
#undef FETCH_PROBLEM_ROW
};

const char *fetch_problem_text(enum fetch_problem problem)
{
	return problems[problem].text;
}

const char *fetch_problem_name(enum fetch_problem problem)
{
	return problems[problem].name;
}

const char *fetch_state_text(enum fetch_state state)
{
	switch (state) {
	case FETCH_IDLE: return "idle";
	case FETCH_RESOLVING: return "looking the name up";
	case FETCH_CONNECTING: return "connecting";
	case FETCH_SENDING: return "sending the request";
	case FETCH_WAITING: return "waiting for the response";
	case FETCH_BODY: return "reading the response";
	case FETCH_DONE: return "done";
	case FETCH_FAILED: break;
	}
	return "failed";
}

static void text_seconds(struct text *t, nanodiff d)
{
	text_decimal(t, (uint64_t)(d / NANO_S));
	text_char(t, '.');
	text_padded(t, (uint64_t)(d / NANO_MS % 1000) / 10, 2);
	text_string(t, " s");
}

/* A host that somebody typed, or a URL that somebody sent: printable, and not endless. */
static void text_cut(struct text *t, struct span s, size_t max)
{
	for (size_t i = 0; i < s.len && i < max; i++)
		text_char(t, s.at[i] > ' ' && s.at[i] < 0x7f ? (char)s.at[i] : '?');
	if (s.len > max)
		text_string(t, "...");
}

/* The attempt that the error is about: the last that ended with it. */
static const struct dial_attempt *attempt_of(const struct fetch *f)
{
	const struct dial *d = &f->exchange->dial;
	const struct dial_attempt *best = NULL;

	for (unsigned i = 0; i < d->started; i++)
		if (!best || d->attempt[i].error == f->info.error)
			best = &d->attempt[i];
	return best;
}

/* "www.example.test (192.0.2.80) port 80", as far as it is known */
static void text_peer(struct text *t, const struct fetch *f)
{
	const struct http_exchange *x = f->exchange;
	const struct dial_attempt *a = x ? attempt_of(f) : NULL;
	const struct addr *address = NULL;
	char name[ADDR_TEXT_MAX];

	if (x && x->remote.port)
		address = &x->remote.address;
	else if (a)
		address = &a->address;
	text_cut(t, f->info.url.host, 100);
	if (address && !f->info.url.has_addr) {
		addr_format(address, name);
		text_string(t, " (");
		text_string(t, name);
		text_char(t, ')');
	}
	text_string(t, " port ");
	text_decimal(t, f->info.url.port);
}

static void text_url(struct text *t, const struct fetch *f)
{
	const struct fetch_info *i = &f->info;

	text_string(t, "bad URL '");
	text_cut(t, i->url_text, 100);
	text_string(t, "': ");
	text_string(t, url_error_text(i->url_error));
	if (i->url_at > 0 && i->url_at < i->url_text.len) {
		text_string(t, " (at byte ");
		text_decimal(t, i->url_at + 1);
		text_char(t, ')');
	}
	text_string(t, "; a URL looks like http://www.example.test/path");
}

static void text_redirect(struct text *t, const struct fetch *f)
{
	const struct fetch_info *i = &f->info;
	size_t len = 0;

	if (i->error == ERR_LIMIT) {
		text_decimal(t, i->redirects);
		text_string(t,
			" redirects were followed, and there are more; allow more, or ask for "
			"the page itself");
		return;
	}
	while (f->next[len])
		len++;
	text_cut(t, i->url.host, 100);
	text_string(t, " redirects to '");
	text_cut(t, span_of(f->next, len), 100);
	text_string(t, "', which can't be followed: ");
	text_string(t, url_error_text(i->url_error));
	text_string(t, "; tell the owner of the server");
}

static void text_name(struct text *t, const struct fetch *f)
{
	char why[FETCH_TEXT_MAX / 2];

	text_cut(t, f->info.url.host, 100);
	text_string(t, ": ");
	if (f->lookup) {
		if (f->lookup->status == RESOLVER_NO_DATA) {
			text_string(t, "the name exists, but has no address; check its spelling");
			return;
		}
		lookup_explain(f->lookup, why, sizeof why);
		text_string(t, why);
	} else if (f->config.resolver) {
		text_string(t, "this is no host name; check its spelling");
	} else {
		text_string(t, resolver_status_text(RESOLVER_NO_SERVER));
		text_string(t, "; ");
		text_string(t, resolver_status_advice(RESOLVER_NO_SERVER));
	}
}

static void text_family(struct text *t, const struct fetch *f)
{
	bool four = f->probing ? addr_is4(&f->lookup->address[0].address)
			       : addr_is4(&f->exchange->dial.attempt[0].address);

	text_cut(t, f->info.url.host, 100);
	text_string(t, " has only ");
	text_string(t,
		four ? "IPv4 addresses, and this machine has no IPv4 address"
		     : "IPv6 addresses, and this machine has no IPv6 address");
	text_string(t, "; give it one, and a gateway of that family");
}

static void text_timeout(struct text *t, const struct fetch *f, nanotime now)
{
	const struct fetch_info *i = &f->info;
	const struct http_times *times = f->exchange ? &f->exchange->times : NULL;
	bool total = f->give_up != NANOTIME_NEVER && now >= f->give_up;
	nanotime since = i->times.started;

	if (i->failed_at == FETCH_RESOLVING) {
		text_cut(t, i->url.host, 100);
	} else {
		text_peer(t, f);
		if (!total && i->failed_at == FETCH_CONNECTING && times &&
			times->connect_started != NANOTIME_NEVER)
			since = times->connect_started;
	}
	text_string(t, ": timed out after ");
	text_seconds(t, now - since);
	text_string(t, ", ");
	text_string(t, fetch_state_text(i->failed_at));
	switch (i->failed_at) {
	case FETCH_RESOLVING: text_string(t, "; check the way to the DNS server"); break;
	case FETCH_CONNECTING:
		text_string(t,
			"; the machine may be down, or a firewall drops what we send: "
			"try ping");
		break;
	default: text_string(t, "; the server is too slow: try again, or allow more time");
	}
}

static void text_unreachable(struct text *t, const struct fetch *f)
{
	enum error e = f->info.error;
	const struct dial_attempt *a = f->exchange ? attempt_of(f) : NULL;

	text_peer(t, f);
	text_string(t, ": ");
	if (a &&
		(addr_is_loopback(&a->address) ||
			internet_is_ours(stack_internet(f->stack), &a->address))) {
		text_string(t,
			"this is our own address, and there is no loopback; ask another machine");
		return;
	}
	text_string(t, error_text(e));
	if (e == ERR_NO_ROUTE)
		text_string(t, "; name a gateway that leads there");
	else if (e == ERR_NO_ADDRESS || e == ERR_FAMILY)
		text_string(t, "; give this machine an address of that family");
	else
		text_string(t, "; check the address, and the way there with ping");
}

static void text_truncated(struct text *t, const struct fetch *f)
{
	const struct http_exchange *x = f->exchange;

	text_peer(t, f);
	text_string(t, ": response cut short after ");
	text_decimal(t, x->body_bytes);
	if (x->head && x->framing.framing == HTTP1_BODY_LENGTH) {
		text_string(t, " of ");
		text_decimal(t, x->framing.length);
	}
	text_string(t, " bytes");
	if (f->info.error != ERR_OK) {
		text_string(t, " (");
		text_string(t, error_text(f->info.error));
		text_char(t, ')');
	}
	text_string(t, "; try again");
}

static void text_response(struct text *t, const struct fetch *f)
{
	const struct http_exchange *x = f->exchange;

	text_peer(t, f);
	text_string(t, ": ");
	text_string(t, http_problem_text(x->problem));
	if (x->problem == HTTP_PROBLEM_SYNTAX) {
		const struct http1_error_info *info = http1_error_info(x->syntax);
		text_string(t, ": ");
		text_string(t, info->text);
		text_string(t, " (");
		text_string(t, info->clause);
		text_char(t, ')');
	}
	text_string(t, "; is it an HTTP server, and is this its port?");
}

static void text_other(struct text *t, const struct fetch *f)
{
	const struct fetch_info *i = &f->info;

	switch (i->problem) {
	case FETCH_PROBLEM_TLS:
		text_cut(t, i->url_text, 100);
		text_string(t, ": https is not supported; try http:// where the server offers it");
		break;
	case FETCH_PROBLEM_REFUSED:
		text_peer(t, f);
		text_string(t,
			": connection refused; the machine is there, but nothing listens "
			"on that port: check it, or start the server");
		break;
	case FETCH_PROBLEM_RESET:
		text_peer(t, f);
		text_string(t, ": connection reset while ");
		text_string(t, fetch_state_text(i->failed_at));
		text_string(t, "; the server or something on the way broke it off: try again");
		break;
	case FETCH_PROBLEM_REQUEST:
		text_string(t, "the request can't be written as HTTP: ");
		text_string(t,
			i->error == ERR_LIMIT ? "too many fields"
					      : "a method or field breaks its grammar, or "
						"it is too long");
		text_string(t, "; check method and header fields");
		break;
	case FETCH_PROBLEM_LIMIT:
		text_peer(t, f);
		text_string(t, ": the response is larger than allowed; allow more");
		break;
	case FETCH_PROBLEM_SINK:
		text_string(t, "could not store the response: ");
		text_string(t, error_text(i->error));
		break;
	case FETCH_PROBLEM_LOCAL:
		if (i->error == ERR_ARGUMENT) {
			text_cut(t, i->url.host, 100);
			text_string(t, ": no address of one machine; name a single one");
			break;
		}
		/* fallthrough */
	default: /* LOCAL, CANCELLED */
		text_string(t, fetch_problem_text(i->problem));
		if (i->problem == FETCH_PROBLEM_LOCAL) {
			text_string(t, ": ");
			text_string(t, error_text(i->error));
		}
	}
}

void fetch_explain(struct fetch *f, nanotime now)
{
	struct text t = text_of(f->info.text, sizeof f->info.text);

	switch (f->info.problem) {
	case FETCH_PROBLEM_URL: text_url(&t, f); break;
	case FETCH_PROBLEM_NAME:
	case FETCH_PROBLEM_DNS: text_name(&t, f); break;
	case FETCH_PROBLEM_FAMILY: text_family(&t, f); break;
	case FETCH_PROBLEM_UNREACHABLE: text_unreachable(&t, f); break;
	case FETCH_PROBLEM_TIMEOUT: text_timeout(&t, f, now); break;
	case FETCH_PROBLEM_TRUNCATED: text_truncated(&t, f); break;
	case FETCH_PROBLEM_RESPONSE: text_response(&t, f); break;
	case FETCH_PROBLEM_REDIRECT: text_redirect(&t, f); break;
	default: text_other(&t, f);
	}
}
