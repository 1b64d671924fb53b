/*
 * The grammar is small: KIND:NAME[?OPTION=VALUE[&OPTION=VALUE...]]. Values are
 * numbers, with the units that people write: 20ms, 10Mbit, 2%. Whatever is not
 * understood is refused with what would have been.
 */
#include "api/site_words.h"

#include <stdio.h>

static struct span words(const char *s)
{
	return span_of(s, s ? strlen(s) : 0);
}

static bool is(struct span s, const char *word)
{
	return span_equal(s, words(word));
}

/* Cuts off the part before `mark`, and leaves what follows it. */
static struct span cut(struct span *rest, char mark)
{
	const uint8_t *at = rest->len ? memchr(rest->at, mark, rest->len) : NULL;
	size_t len = at ? (size_t)(at - rest->at) : rest->len;
	struct span first = span_first(*rest, len);
	*rest = span_after(*rest, at ? len + 1 : len);
	return first;
}

/* "12.5ms" is 12.5 and "ms": the number in thousandths. False: no number. */
static bool number(struct span s, uint64_t *thousandths, struct span *unit)
{
	size_t i = 0;
	uint64_t v = 0;
	for (; i < s.len && s.at[i] >= '0' && s.at[i] <= '9'; i++) {
		if (v > UINT64_MAX / 20000)
			return false;
		v = v * 10 + (uint64_t)(s.at[i] - '0');
	}
	if (i == 0)
		return false;
	v *= 1000;
	if (i < s.len && s.at[i] == '.') {
		uint64_t part = 100;
		for (i++; i < s.len && s.at[i] >= '0' && s.at[i] <= '9'; i++, part /= 10)
			v += part * (uint64_t)(s.at[i] - '0');
	}
	*thousandths = v;
	*unit = span_after(s, i);
	return true;
}

struct unit {
	const char *name;
	uint64_t worth;
};

/* A number with one of the units; the first is meant where none is written. */
static bool measure(struct span s, const struct unit *units, uint64_t *out)
{
	uint64_t thousandths;
	struct span name;
	if (!number(s, &thousandths, &name))
		return false;
	for (const struct unit *u = units; u->name; u++) {
		if (!is(name, u->name) && (name.len || u != units))
			continue;
		if (thousandths > (uint64_t)INT64_MAX / u->worth)
			return false;
		*out = thousandths * u->worth / 1000;
		return true;
	}
	return false;
}

static const struct unit plain[] = { { "", 1 }, { NULL, 0 } };
static const struct unit times[] = { { "ms", 1000000 }, { "us", 1000 }, { "ns", 1 },
	{ "s", 1000000000 }, { NULL, 0 } };
static const struct unit rates[] = { { "bit", 1 }, { "kbit", 1000 }, { "Mbit", 1000000 },
	{ "Gbit", 1000000000 }, { "mbit", 1000000 }, { "gbit", 1000000000 }, { NULL, 0 } };
static const struct unit shares[] = { { "%", 10000 }, { "ppm", 1 }, { NULL, 0 } };
static const struct unit sizes[] = { { "", 1 }, { "k", 1024 }, { "M", 1048576 },
	{ "G", 1073741824 }, { NULL, 0 } };

bool site_words_time(struct span s, uint64_t *ns)
{
	return measure(s, times, ns);
}

bool site_words_rate(struct span s, uint64_t *bits)
{
	return measure(s, rates, bits);
}

bool site_words_share(struct span s, uint64_t *ppm)
{
	return measure(s, shares, ppm) && *ppm <= 1000000;
}

bool site_words_size(struct span s, uint64_t *bytes)
{
	return measure(s, sizes, bytes);
}

/* In lab_options 0 means "the lab's own", so that a zero asked for has a value of its own. */
static int64_t asked(uint64_t v)
{
	return v ? (int64_t)v : LAB_NONE;
}

/* True: understood. */
static bool lab_option(struct span key, struct span value, struct lab_options *o)
{
	uint64_t v;
	if (is(key, "seed") && measure(value, plain, &v))
		o->seed = v;
	else if (is(key, "delay") && site_words_time(value, &v))
		o->delay = asked(v);
	else if (is(key, "rate") && site_words_rate(value, &v))
		o->rate = asked(v);
	else if (is(key, "loss") && site_words_share(value, &v))
		o->loss = asked(v);
	else if (is(key, "big") && site_words_size(value, &v))
		o->big = v;
	else
		return false;
	return true;
}

static bool tap_option(struct span key, struct span value, struct site_link *out)
{
	uint64_t v;
	if (is(key, "mtu") && measure(value, plain, &v) && v >= 576 && v <= 65535)
		out->mtu = (uint16_t)v;
	else if (is(key, "offload") && measure(value, plain, &v) && v <= 1)
		out->offload = v;
	else
		return false;
	return true;
}

static enum error link_options(struct span rest, struct site_link *out, char *why, size_t cap)
{
	while (rest.len) {
		struct span value = cut(&rest, '&');
		struct span key = cut(&value, '=');
		bool known = out->simulated ? lab_option(key, value, &out->lab)
					    : tap_option(key, value, out);
		if (known)
			continue;
		snprintf(why, cap, "link option '%.*s=%.*s': %s", (int)key.len,
			(const char *)key.at, (int)value.len, (const char *)value.at,
			out->simulated
				? "a lab has seed=N, delay=20ms, rate=10Mbit, loss=2%, big=4M"
				: "a TAP device has mtu=576..65535 and offload=0|1");
		return ERR_ARGUMENT;
	}
	return ERR_OK;
}

enum error site_words_link(
	const struct site_options *o, struct site_link *out, char *why, size_t cap)
{
	*out = (struct site_link){ .lab = o->lab };
	if (o->beside) {
		out->simulated = o->beside->simulated;
		return ERR_OK;
	}
	struct span rest = words(o->link);
	struct span kind = cut(&rest, ':'), name = cut(&rest, '?');
	out->simulated = is(kind, "lab");
	if ((!out->simulated && !is(kind, "tap")) || !name.len || name.len >= SITE_NAME_MAX) {
		snprintf(why, cap,
			"link '%s': write tap:NAME for a network device, or lab:NAME for "
			"a simulated network",
			o->link ? o->link : "");
		return ERR_ARGUMENT;
	}
	memcpy(out->name, name.at, name.len);
	return link_options(rest, out, why, cap);
}

static enum error complain(
	const char *what, const char *text, const char *like, char *why, size_t cap)
{
	snprintf(why, cap, "%s '%s' is none: write it like %s", what, text, like);
	return ERR_ARGUMENT;
}

enum error site_words_addresses(
	const struct site_options *o, struct machine_options *out, char *why, size_t cap)
{
	for (unsigned i = 0; i < MACHINE_ADDRESSES; i++) {
		struct machine_address *a = &out->address[out->addresses];
		unsigned prefix;
		if (o->address[i]) {
			struct span text = words(o->address[i]);
			if (!memchr(text.at, '/', text.len) ||
				!addr_parse_prefix(text, &a->address, &prefix))
				return complain("address", o->address[i],
					"192.0.2.2/24 or 2001:db8::2/64", why, cap);
			a->prefix = (uint8_t)prefix;
			out->addresses++;
		}
		if (o->gateway[i] &&
			!addr_parse(words(o->gateway[i]), &out->gateway[out->gateways++]))
			return complain(
				"gateway", o->gateway[i], "192.0.2.1 or 2001:db8::1", why, cap);
	}
	out->has_mac = o->mac != NULL;
	if (o->mac && (!mac_parse(words(o->mac), &out->mac) || (out->mac.b[0] & 1)))
		return complain("link address", o->mac, "02:00:00:00:00:01", why, cap);
	return ERR_OK;
}

enum error site_words_dns(const char *list, struct site *out, char *why, size_t cap)
{
	for (struct span rest = words(list); rest.len;) {
		struct span one = cut(&rest, ',');
		if (out->dns_count < SITE_DNS_MAX && addr_parse(one, &out->dns[out->dns_count])) {
			out->dns_count++;
			continue;
		}
		if (out->dns_count == SITE_DNS_MAX) {
			snprintf(why, cap, "name servers: %u at most", SITE_DNS_MAX);
			return ERR_ARGUMENT;
		}
		return complain(
			"name server", list, "192.0.2.53 or 192.0.2.53,2001:db8::53", why, cap);
	}
	return ERR_OK;
}
