/*
 * Addresses as text, and the URLs that name an end of a connection:
 * "tcp://192.0.2.1:80", "udp://[::]:53", "tcp://:0", "tcp://www.example.test:80".
 */
#include <string.h>

#include "api/api_net.h"
#include "base/text.h"

static struct span words(const char *s)
{
	return span_of(s, s ? strlen(s) : 0);
}

static bool port_number(struct span s, uint16_t *out)
{
	uint32_t v = 0;
	if (s.len == 0 || s.len > 5)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
		v = v * 10 + (uint32_t)(s.at[i] - '0');
	}
	*out = (uint16_t)v;
	return v <= 65535;
}

/* "HOST:PORT", "[V6]:PORT", ":PORT". */
static bool split(struct span s, struct span *host, struct span *port)
{
	size_t colon = s.len;
	while (colon > 0 && s.at[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return false;
	*port = span_after(s, colon);
	*host = span_first(s, colon - 1);
	if (host->len >= 2 && host->at[0] == '[' && host->at[host->len - 1] == ']') {
		*host = span_of(host->at + 1, host->len - 2);
		return memchr(host->at, ':', host->len) != NULL;
	}
	return host->len == 0 || memchr(host->at, ':', host->len) == NULL;
}

bool endpoint_words(const char *text, const char *scheme, struct endpoint_words *out)
{
	struct span s = words(text), want = words(scheme), port;
	*out = (struct endpoint_words){ .addr = ADDR_ANY };
	bool good = s.len > want.len + 3 && span_equal(span_first(s, want.len), want) &&
		memcmp(s.at + want.len, "://", 3) == 0;
	good = good && split(span_after(s, want.len + 3), &out->host, &port) &&
		port_number(port, &out->port) && out->host.len <= 255;
	if (!good) {
		api_fail(ERR_ARGUMENT, "'%s': write %s://HOST:PORT, %s://[IPV6]:PORT or %s://:PORT",
			text ? text : "", scheme, scheme, scheme);
		return false;
	}
	out->has_addr = out->host.len == 0 || addr_parse(out->host, &out->addr);
	if (out->host.len && out->has_addr && addr_is_any(&out->addr)) {
		/* The family was written, so the other one is not meant. */
		out->v4_only = addr_is4(&out->addr);
		out->v6_only = !out->v4_only;
		out->addr = ADDR_ANY;
	}
	return true;
}

struct strata_address address_out(const struct addr *a, uint16_t port)
{
	struct strata_address out = { .port = port };
	memcpy(out.ip, a->b, sizeof out.ip);
	return out;
}

struct addr address_in(const struct strata_address *a)
{
	return addr_from6(a->ip);
}

bool strata_address_is_ip4(const struct strata_address *address)
{
	struct addr a = address_in(address);
	return addr_is4(&a);
}

bool strata_address_parse(const char *text, struct strata_address *out)
{
	struct span s = words(text), host, port;
	struct addr a = ADDR_ANY;
	*out = (struct strata_address){ .port = 0 };
	if (addr_parse(s, &a)) {
		*out = address_out(&a, 0);
		return true;
	}
	uint16_t number;
	if (!split(s, &host, &port) || !port_number(port, &number) ||
		(host.len && !addr_parse(host, &a)))
		return false;
	*out = address_out(&a, number);
	return true;
}

size_t strata_address_format(const struct strata_address *address, char out[STRATA_ADDRESS_TEXT])
{
	struct text t = text_of(out, STRATA_ADDRESS_TEXT);
	char ip[ADDR_TEXT_MAX];
	struct addr a = address_in(address);
	addr_format(&a, ip);
	bool brackets = address->port && !addr_is4(&a);
	if (brackets)
		text_char(&t, '[');
	text_string(&t, ip);
	if (brackets)
		text_char(&t, ']');
	if (address->port) {
		text_char(&t, ':');
		text_decimal(&t, address->port);
	}
	return t.len;
}
