/*
 * Reads lines as a shell would: words, quotes, continued lines, comments, ";"
 * and "&&". What a command means is told by its first word.
 */
#include "drill/drill_shell.h"

#include <stdio.h>
#include <stdlib.h>

#define WORDS_MAX 32

struct words {
	unsigned count;
	char word[WORDS_MAX][DRILL_WORD_MAX];
};

void drill_shell_profile(const struct drill_shell *s)
{
	static const struct {
		const char *name, *value;
	} common[] = {
		{ "net.ipv4.tcp_rmem", "4096 540000 15728640" },
		{ "net.ipv4.tcp_wmem", "4096 262144 4194304" },
		{ "net.ipv4.tcp_timestamps", "1" },
		{ "net.ipv4.tcp_syn_retries", "5" },
		{ "net.ipv4.tcp_synack_retries", "5" },
		{ "net.ipv4.tcp_frto", "2" },
		{ "net.ipv4.tcp_sack", "1" },
		{ "net.ipv4.tcp_dsack", "1" },
		{ "net.ipv4.tcp_fack", "0" },
		{ "net.ipv4.tcp_reordering", "3" },
		{ "net.ipv4.tcp_congestion_control", "cubic" },
		{ "net.ipv4.tcp_slow_start_after_idle", "0" },
		{ "net.ipv4.tcp_early_retrans", "3" },
		{ "net.ipv4.tcp_recovery", "1" },
		{ "net.ipv4.tcp_ecn", "0" },
		{ "net.ipv4.tcp_ecn_option", "2" },
		{ "net.ipv4.tcp_notsent_lowat", "4294967295" },
		{ "net.ipv4.tcp_fastopen", "0x70403" },
		{ "net.ipv4.tcp_fastopen_key", "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4" },
		{ "net.ipv4.tcp_syncookies", "1" },
	};
	for (unsigned i = 0; i < sizeof common / sizeof common[0]; i++)
		s->set(s->context, common[i].name, common[i].value);
	if (s->profile_end)
		s->profile_end(s->context);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* "32*1024*1024 + 5": products and sums. Returns where it ends. */
static const char *arithmetic(const char *at, long long *value)
{
	long long sum = 0, product = 1;
	for (char *end;; at = end + 1) {
		product *= strtoll(at, &end, 0);
		if (end == at)
			break;
		end += strspn(end, " \t");
		if (*end == '*')
			continue;
		sum += product;
		product = *end == '-' ? -1 : 1;
		at = end;
		if (*end != '+' && *end != '-')
			break;
	}
	*value = sum;
	return at;
}

/* A value as a shell hands it on: $((...)) becomes a number. */
static void expand(const char *from, char to[DRILL_WORD_MAX])
{
	size_t len = 0;
	while (*from && len + 24 < DRILL_WORD_MAX) {
		long long value;
		const char *end = strncmp(from, "$((", 3) == 0 ? arithmetic(from + 3, &value)
							       : from;
		if (end != from && strncmp(end, "))", 2) == 0) {
			len += (size_t)snprintf(to + len, 24, "%lld", value);
			from = end + 2;
		} else {
			to[len++] = *from++;
		}
	}
	to[len] = '\0';
}

/* "net.ipv4.tcp_sack=1", or "/proc/sys/net/ipv4/tcp_sack=1" */
static bool assignment(const struct drill_shell *s, const char *word)
{
	char name[DRILL_WORD_MAX];
	const char *equals = strchr(word, '=');
	static const char place[] = "/proc/sys/";
	if (!equals || equals == word)
		return false;
	const char *from = word;
	bool path = strncmp(word, place, sizeof place - 1) == 0;
	if (path)
		from += sizeof place - 1;
	if (from >= equals)
		return false;
	snprintf(name, sizeof name, "%.*s", (int)(equals - from), from);
	for (char *at = name; path && *at; at++)
		if (*at == '/')
			*at = '.';
	char value[DRILL_WORD_MAX];
	expand(equals + 1, value);
	s->set(s->context, name, value);
	return true;
}

/* echo VALUE > /proc/sys/NAME */
static bool echo(const struct drill_shell *s, const struct words *w)
{
	char line[2 * DRILL_WORD_MAX + 2];
	if (w->count != 4 || strcmp(w->word[2], ">") != 0 ||
		strncmp(w->word[3], "/proc/sys/", 10) != 0)
		return false;
	snprintf(line, sizeof line, "%s=%s", w->word[3], w->word[1]);
	return assignment(s, line);
}

static bool meant(const struct drill_shell *s, const struct words *w)
{
	const char *command = base_name(w->word[0]);
	if (strcmp(command, "true") == 0 || strcmp(command, ":") == 0 ||
		strncmp(command, "sysctl_restore", 14) == 0)
		return true;
	if (strcmp(command, "defaults.sh") == 0) {
		drill_shell_profile(s);
		return true;
	}
	if (strcmp(command, "sysctl") == 0 || strcmp(command, "set_sysctls.py") == 0) {
		bool all = true;
		for (unsigned i = 1; i < w->count; i++)
			all &= w->word[i][0] == '-' || assignment(s, w->word[i]);
		return all;
	}
	if (strcmp(command, "ip") == 0 && w->count > 2 && strcmp(w->word[1], "tcp_metrics") == 0 &&
		strcmp(w->word[2], "flush") == 0) {
		s->set(s->context, "net.ipv4.tcp_metrics_flush", "1");
		return true;
	}
	return strcmp(command, "echo") == 0 && echo(s, w);
}

static void run(const struct drill_shell *s, const struct words *w)
{
	char line[512];
	size_t len = 0;
	if (w->count == 0 || meant(s, w) || !s->ignored)
		return;
	for (unsigned i = 0; i < w->count && len + 1 < sizeof line; i++) {
		int n = snprintf(line + len, sizeof line - len, "%s%s", i ? " " : "", w->word[i]);
		len += n > 0 ? (size_t)n : 0;
	}
	s->ignored(s->context, line);
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* One word from `at`; returns where it ends. Quotes are taken off. */
static size_t read_word(struct span text, size_t at, struct words *w)
{
	char quote = '\0', *to = w->count < WORDS_MAX ? w->word[w->count++] : NULL;
	size_t len = 0;
	for (; at < text.len; at++) {
		char c = (char)text.at[at];
		if (quote ? c == quote : c == '"' || c == '\'') {
			quote = quote ? '\0' : c;
			continue;
		}
		if (!quote && (blank(c) || c == '\n' || c == ';'))
			break;
		if (!quote && c == '\\' && at + 1 < text.len && text.at[at + 1] == '\n')
			break;
		if (to && len + 1 < DRILL_WORD_MAX)
			to[len++] = c;
	}
	if (to)
		to[len] = '\0';
	return at;
}

void drill_shell_read(const struct drill_shell *s, struct span text)
{
	struct words w = { .count = 0 };
	size_t at = 0;
	while (at < text.len) {
		char c = (char)text.at[at];
		if (blank(c)) {
			at++;
		} else if (c == '\\' && at + 1 < text.len && text.at[at + 1] == '\n') {
			at += 2;
		} else if (c == '\n' || c == ';' ||
			(c == '&' && at + 1 < text.len && text.at[at + 1] == '&')) {
			run(s, &w);
			w.count = 0;
			at += c == '&' ? 2 : 1;
		} else if (c == '#') {
			while (at < text.len && text.at[at] != '\n')
				at++;
		} else {
			at = read_word(text, at, &w);
		}
	}
	run(s, &w);
}
