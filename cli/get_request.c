/*
 * Fields as curl takes them: "Name: value" sets or replaces, "Name:" takes one
 * of ours out, "Name;" sends it empty.
 */
#include "cli/get_request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX ((size_t)1 << 30)

const struct option_info get_request_options[] = {
	{ .name = "head", .letter = 'I', .text = "ask with HEAD, and print the response's head" },
	{ .name = "header",
		.letter = 'H',
		.kind = OPTION_WORD,
		.argument = "FIELD",
		.text = "add a field to the request: 'Name: value'; 'Name:' leaves one of ours out",
		.many = true },
	{ .name = "data",
		.letter = 'd',
		.kind = OPTION_WORD,
		.argument = "DATA",
		.text = "send DATA with POST; @FILE sends a file, @- standard input; several are "
			"joined by '&'",
		.many = true },
	{ .name = "request",
		.letter = 'X',
		.kind = OPTION_WORD,
		.argument = "METHOD",
		.text = "use this method instead of GET, HEAD or POST" },
	{ .name = "location", .letter = 'L', .text = "follow redirects, at most 10" },
	{ .name = "ipv4", .letter = '4', .text = "use IPv4 only" },
	{ .name = "ipv6", .letter = '6', .text = "use IPv6 only" },
	{ .name = "max-time",
		.letter = 'm',
		.kind = OPTION_WORD,
		.argument = "TIME",
		.text = "give up when everything together takes longer (default: 60s)" },
	{ .name = NULL },
};

static struct span words(const char *s)
{
	return span_of(s, strlen(s));
}

uint8_t *read_whole_file(const struct command *c, const char *path, size_t *len)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *f = standard ? stdin : fopen(path, "rb");
	uint8_t *data = NULL;
	size_t size = 0, cap = 0;
	while (f) {
		if (size == cap) {
			cap = cap ? cap * 2 : 65536;
			uint8_t *more = cap <= FILE_MAX ? realloc(data, cap) : NULL;
			errno = more ? 0 : EFBIG;
			if (!more)
				break;
			data = more;
		}
		size_t n = fread(data + size, 1, cap - size, f);
		size += n;
		if (n == 0)
			break;
	}
	bool good = f && !ferror(f) && size < cap;
	if (!good) {
		complain(c, VERDICT_ENVIRONMENT, "%s: cannot read: %s: name another file", path,
			strerror(errno));
		free(data);
		data = NULL;
	}
	if (f && !standard)
		fclose(f);
	*len = size;
	return data;
}

static bool add_field(struct get_request *r, struct span name, struct span value)
{
	if (r->fetch.fields == GET_FIELDS_MAX)
		return false;
	r->field[r->fetch.fields++] = (struct http1_field){ name, value };
	return true;
}

static struct span trim(struct span s)
{
	while (s.len && (s.at[0] == ' ' || s.at[0] == '\t'))
		s = span_after(s, 1);
	while (s.len && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
		s.len--;
	return s;
}

static bool read_field(struct get_request *r, const struct arguments *a, const char *text)
{
	size_t name = strcspn(text, ":;");
	struct span value = text[name] ? trim(words(text + name + 1)) : span_of(NULL, 0);
	bool shape = text[name] == ':' || (text[name] == ';' && !value.len);
	if (text[name] == ':' && !value.len)
		value = span_of(NULL, 0); /* left out */
	if (!shape || !http1_is_token(span_of(text, name)) || !http1_is_value(value)) {
		complain(a->command, VERDICT_USAGE,
			"-H '%s': no header field: write it like 'Accept: text/html'", text);
		return false;
	}
	if (add_field(r, span_of(text, name), value))
		return true;
	complain(a->command, VERDICT_USAGE, "-H: more than %d fields", GET_FIELDS_MAX - 1);
	return false;
}

static bool append(struct get_request *r, const uint8_t *bytes, size_t len)
{
	bool joint = r->data != NULL;
	uint8_t *more = realloc(r->data, r->data_len + len + 1);
	if (!more)
		return false;
	if (joint)
		more[r->data_len++] = '&';
	if (len)
		memcpy(more + r->data_len, bytes, len);
	r->data = more;
	r->data_len += len;
	return true;
}

static bool read_data(struct get_request *r, const struct arguments *a, const char *text)
{
	bool good;
	if (*text == '@') {
		size_t len;
		uint8_t *file = read_whole_file(a->command, text + 1, &len);
		if (!file) {
			r->verdict = VERDICT_ENVIRONMENT;
			return false;
		}
		good = append(r, file, len);
		free(file);
	} else {
		good = append(r, (const uint8_t *)text, strlen(text));
	}
	if (!good)
		complain(a->command, VERDICT_ENVIRONMENT, "-d: out of memory");
	return good;
}

static bool has_field(const struct get_request *r, const char *name)
{
	for (unsigned i = 0; i < r->fetch.fields; i++)
		if (http1_name_is(r->field[i].name, name))
			return true;
	return false;
}

static bool read_body(struct get_request *r, const struct arguments *a)
{
	static const char type[] = "application/x-www-form-urlencoded";
	const char *text;
	for (unsigned i = 0; (text = given_each(a, "data", i)); i++)
		if (!read_data(r, a, text))
			return false;
	if (r->data && !has_field(r, "Content-Type"))
		add_field(r, words("Content-Type"), words(type));
	r->fetch.body = span_of(r->data, r->data_len);
	r->fetch.has_body = r->data != NULL;
	return true;
}

bool get_request_read(struct get_request *r, const struct arguments *a)
{
	const char *text;
	*r = (struct get_request){ .verdict = VERDICT_USAGE,
		.fetch = {
			.url = words(a->operand[0]), .field = r->field, .timeout = 60 * NANO_S } };
	for (unsigned i = 0; (text = given_each(a, "header", i)); i++)
		if (!read_field(r, a, text))
			return false;
	if (!read_body(r, a) || !given_time(a, "max-time", &r->fetch.timeout))
		return false;
	if (given(a, "ipv4"))
		r->fetch.families |= LOOKUP_A;
	if (given(a, "ipv6"))
		r->fetch.families |= LOOKUP_AAAA;
	if (given(a, "head"))
		r->fetch.method = words("HEAD");
	if (given(a, "request"))
		r->fetch.method = words(given_value(a, "request", ""));
	r->fetch.follow = given(a, "location");
	if (given(a, "head") && r->data) {
		complain(a->command, VERDICT_USAGE,
			"-I and -d: HEAD sends nothing: leave one of them out");
		return false;
	}
	if (!http1_is_token(r->fetch.method) && r->fetch.method.at) {
		complain(a->command, VERDICT_USAGE, "-X '%s': no method: write it like PUT",
			given_value(a, "request", ""));
		return false;
	}
	return true;
}

void get_request_free(struct get_request *r)
{
	free(r->data);
	r->data = NULL;
}
