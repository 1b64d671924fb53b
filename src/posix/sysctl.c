/*
 * Linux's sysctl names and what they mean here: most are a field of the stack's
 * config, which holds for what begins afterwards; a few are the calls' own. The
 * defaults are those of a machine on which packetdrill's scripts are written:
 * initial window 10, RTO 1 s and at least 200 ms, delayed ACKs of 40 ms, buffers of
 * 256 KiB and 540000 bytes that may grow to 4 and 15 MiB, five retries of a SYN.
 */
#include "posix/posix_file.h"

#include "transport/congestion/congestion.h"
#include "transport/transport.h"

#define RMEM_MAX (15 << 20)
#define WMEM_MAX (4 << 20)

enum setting_kind {
	SETTING_NOTHING, /* Linux has it; nothing here depends on it */
	SETTING_BOOL,
	SETTING_U8,
	SETTING_TIME,    /* nanodiff; `unit` nanoseconds each */
	SETTING_RETRIES, /* counted, but kept as a time: retries2 */
	SETTING_COOKIES,
	SETTING_TRIPLE,     /* three numbers of struct sysctls */
	SETTING_NUMBER,     /* one number of struct sysctls */
	SETTING_PROBE,      /* tail loss probes: from 3 on */
	SETTING_IDLE,       /* enum idle_window */
	SETTING_CONGESTION, /* a name */
	SETTING_BITS,       /* the low 16 */
	SETTING_FORGET,     /* what was learned of servers is forgotten */
	SETTING_KEY,        /* four groups of hexadecimal digits */
};

struct setting {
	const char *name; /* without net.ipv4. */
	uint8_t kind;
	uint16_t at;
	int64_t unit, least, most;
};

#define CONFIG(field) offsetof(struct transport_config, field)
#define OWN(field)    offsetof(struct sysctls, field)

static const struct setting settings[] = {
	{ "tcp_timestamps", SETTING_BOOL, CONFIG(timestamps), 0, 0, 2 },
	{ "tcp_sack", SETTING_BOOL, CONFIG(sack), 0, 0, 1 },
	{ "tcp_ecn", SETTING_U8, CONFIG(ecn), 0, 0, ECN_USES - 1 },
	{ "tcp_ecn_fallback", SETTING_BOOL, CONFIG(ecn_fallback), 0, 0, 255 },
	{ "tcp_ecn_option", SETTING_U8, CONFIG(accecn_option), 0, 0, ACCECN_OPTIONS - 1 },
	/* no sysctl of Linux, which marks everything where feedback is accurate */
	{ "tcp_ecn_everywhere", SETTING_BOOL, CONFIG(ecn_everywhere), 0, 0, 1 },
	{ "tcp_early_retrans", SETTING_PROBE, CONFIG(tail_loss_probe), 0, 0, 4 },
	{ "tcp_recovery", SETTING_U8, CONFIG(rack), 0, 0, 7 },
	{ "tcp_reordering", SETTING_U8, CONFIG(dup_thresh), 0, 1, 127 },
	{ "tcp_dsack", SETTING_BOOL, CONFIG(dsack), 0, 0, 1 },
	{ "tcp_comp_sack_delay_ns", SETTING_TIME, CONFIG(comp_sack_delay), 1, 0, 499999999 },
	{ "tcp_comp_sack_nr", SETTING_U8, CONFIG(comp_sack_nr), 0, 0, 255 },
	{ "tcp_comp_sack_rtt_percent", SETTING_U8, CONFIG(comp_sack_rtt_percent), 0, 1, 100 },
	{ "tcp_min_rtt_wlen", SETTING_TIME, CONFIG(min_rtt_window), NANO_S, 0, 86400 },
	{ "tcp_frto", SETTING_BOOL, CONFIG(f_rto), 0, 0, 2 },
	{ "tcp_slow_start_after_idle", SETTING_IDLE, CONFIG(idle_window), 0, 0, 1 },
	{ "tcp_congestion_control", SETTING_CONGESTION, CONFIG(congestion), 0, 0, 0 },
	{ "tcp_window_scaling", SETTING_BOOL, CONFIG(window_scaling), 0, 0, 1 },
	{ "tcp_syn_retries", SETTING_U8, CONFIG(syn_retries), 0, 1, 127 },
	{ "tcp_syn_linear_timeouts", SETTING_U8, CONFIG(syn_steady), 0, 0, 127 },
	{ "tcp_synack_retries", SETTING_U8, CONFIG(syn_ack_retries), 0, 0, 255 },
	{ "tcp_keepalive_time", SETTING_TIME, CONFIG(keepalive_idle), NANO_S, 1, 32767 },
	{ "tcp_keepalive_intvl", SETTING_TIME, CONFIG(keepalive_interval), NANO_S, 1, 32767 },
	{ "tcp_keepalive_probes", SETTING_U8, CONFIG(keepalive_probes), 0, 1, 127 },
	{ "tcp_tw_reuse", SETTING_NUMBER, OWN(reuse), 0, 0, 2 },
	{ "tcp_tw_reuse_delay", SETTING_NUMBER, OWN(reuse_delay), 0, 1, 60000 },
	{ "tcp_fin_timeout", SETTING_TIME, CONFIG(fin_wait2), NANO_S, 1, 32767 },
	{ "tcp_retries2", SETTING_RETRIES, CONFIG(user_timeout), 0, 0, 255 },
	{ "tcp_rto_min_us", SETTING_TIME, CONFIG(rto_min), NANO_US, 1, 1000000 },
	{ "tcp_rto_max_ms", SETTING_TIME, CONFIG(rto_max), NANO_MS, 1000, 120000 },
	{ "tcp_syncookies", SETTING_COOKIES, CONFIG(syn_cookies), 0, 0, 2 },
	{ "tcp_mtu_probing", SETTING_U8, CONFIG(mtu_probing), 0, 0, MTU_PROBINGS - 1 },
	{ "tcp_base_mss", SETTING_BITS, CONFIG(mtu_base), 0, 48, 65535 },
	{ "tcp_mtu_probe_floor", SETTING_BITS, CONFIG(mtu_floor), 0, 48, 65535 },
	{ "tcp_min_snd_mss", SETTING_BITS, CONFIG(mss_min), 0, 48, 65535 },
	{ "tcp_probe_threshold", SETTING_BITS, CONFIG(mtu_threshold), 0, 0, 65535 },
	{ "tcp_probe_interval", SETTING_TIME, CONFIG(mtu_interval), NANO_S, 0, 2000000 },
	{ "tcp_rmem", SETTING_TRIPLE, OWN(rmem), 0, 1, INT32_MAX },
	{ "tcp_wmem", SETTING_TRIPLE, OWN(wmem), 0, 1, INT32_MAX },
	{ "tcp_notsent_lowat", SETTING_NUMBER, OWN(unsent_low), 0, 0, UINT32_MAX },
	{ "tcp_fastopen", SETTING_BITS, CONFIG(fast_open), 0, 0, INT32_MAX },
	{ "tcp_fastopen_key", SETTING_KEY, 0, 0, 0, 0 },
	/* no sysctl of Linux, which has no such option: RFC 5482 for all sockets, in seconds */
	{ "tcp_advertised_timeout", SETTING_NUMBER, OWN(told_timeout), 0, 0, 1000000 },
	/* no sysctl of Linux: what `ip tcp_metrics flush` does */
	{ "tcp_metrics_flush", SETTING_FORGET, 0, 0, 0, 0 },
	{ "tcp_fastopen_blackhole_timeout_sec", SETTING_TIME, CONFIG(fast_open_pause), NANO_S, 0,
		INT32_MAX },
};

/* Names that Linux has and that change nothing here. */
static const char *const ignored[] = {
	"tcp_abort_on_overflow",
	"tcp_adv_win_scale",
	"tcp_allowed_congestion_control",
	"tcp_app_win",
	"tcp_autocorking",
	"tcp_backlog_ack_defer",
	"tcp_challenge_ack_limit",
	"tcp_comp_sack_slack_ns",
	"tcp_early_demux",
	"tcp_ecn_option_beacon",
	"tcp_fack",
	"tcp_fwmark_accept",
	"tcp_invalid_ratelimit",
	"tcp_l3mdev_accept",
	"tcp_limit_output_bytes",
	"tcp_linear_timeouts",
	"tcp_low_latency",
	"tcp_max_orphans",
	"tcp_max_reordering",
	"tcp_max_syn_backlog",
	"tcp_max_tw_buckets",
	"tcp_mem",
	"tcp_migrate_req",
	"tcp_min_tso_segs",
	"tcp_moderate_rcvbuf",
	"tcp_no_metrics_save",
	"tcp_no_ssthresh_metrics_save",
	"tcp_orphan_retries",
	"tcp_pacing_ca_ratio",
	"tcp_pacing_ss_ratio",
	"tcp_pingpong_thresh",
	"tcp_plb_enabled",
	"tcp_reflect_tos",
	"tcp_retrans_collapse",
	"tcp_retries1",
	"tcp_rfc1337",
	"tcp_rcvbuf_low_rtt",
	"tcp_shrink_window",
	"tcp_stdurg",
	"tcp_thin_linear_timeouts",
	"tcp_tso_rtt_log",
	"tcp_tso_win_divisor",
	"tcp_workaround_signed_windows",
};

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* What follows a prefix in which '/' and '.' are one; NULL: it does not begin so. */
static const char *after(const char *name, const char *prefix)
{
	for (; *prefix; name++, prefix++)
		if (*name != *prefix && !(*name == '/' && *prefix == '.'))
			return NULL;
	return name;
}

static const char *skip_blanks(const char *at)
{
	while (*at == ' ' || *at == '\t' || *at == '"' || *at == '\'')
		at++;
	return at;
}

static int digit_of(char c, bool hex)
{
	return c >= '0' && c <= '9'           ? c - '0'
		: hex && c >= 'a' && c <= 'f' ? c - 'a' + 10
		: hex && c >= 'A' && c <= 'F' ? c - 'A' + 10
					      : -1;
}

/* A number in decimal or, after 0x, hexadecimal. NULL: there is none. */
static const char *number(const char *at, int64_t *out)
{
	at = skip_blanks(at);
	bool hex = at[0] == '0' && (at[1] == 'x' || at[1] == 'X');
	bool minus = *at == '-';
	at += hex ? 2 : minus;
	int64_t n = 0;
	const char *begin = at;
	for (;; at++) {
		int digit = digit_of(*at, hex);
		if (digit < 0 || n > INT64_MAX / 32)
			break;
		n = n * (hex ? 16 : 10) + digit;
	}
	*out = minus ? -n : n;
	return at == begin ? NULL : skip_blanks(at);
}

/* Linux's model of retries as time: 200 ms doubled, at most two minutes each. */
static nanodiff retries_as_time(int64_t retries)
{
	nanodiff sum = 0, step = 200 * NANO_MS;
	for (int64_t i = 0; i <= retries; i++) {
		sum += step;
		step = step * 2 < 120 * NANO_S ? step * 2 : 120 * NANO_S;
	}
	return sum;
}

/* What is not there one by one in the same form. */
static void own_to_config(struct posix *p)
{
	struct transport_config *c = transport_settings(stack_transport(p->stack));
	/* Half of what Linux counts as buffer is window: the rest is for its bookkeeping. */
	c->receive_buffer = (uint32_t)(p->sysctl.rmem[1] / 2);
	c->receive_buffer_max = (uint32_t)p->sysctl.rmem[2];
	/* 2 is for the loopback interface only, which we have none of. A port that was bound is not
	 * looked for, and needs no more than the peer's timestamps. */
	c->time_wait_reuse = p->sysctl.reuse == 1 ? p->sysctl.reuse_delay * NANO_MS : -1;
	c->time_wait_reuse_bound = 0;
}

static int set_triple(int64_t *to, const char *value, const struct setting *s)
{
	int64_t three[3];
	for (unsigned i = 0; i < 3; i++) {
		value = number(value, &three[i]);
		if (!value || three[i] < s->least || three[i] > s->most)
			return -LINUX_EINVAL;
	}
	if (*value)
		return -LINUX_EINVAL;
	memcpy(to, three, sizeof three);
	return 0;
}

static void set_config(struct transport_config *c, const struct setting *s, int64_t n)
{
	uint8_t *at = (uint8_t *)c + s->at;
	bool flag = s->kind == SETTING_PROBE ? n >= 3 : n != 0;
	uint16_t bits = (uint16_t)n;
	nanodiff time = s->kind == SETTING_RETRIES ? retries_as_time(n) : n * s->unit;
	switch (s->kind) {
	case SETTING_PROBE:
	case SETTING_BOOL: memcpy(at, &flag, sizeof flag); break;
	case SETTING_IDLE: *at = n ? IDLE_WINDOW_DECAYS : IDLE_WINDOW_KEPT; break;
	case SETTING_U8: *at = (uint8_t)n; break;
	case SETTING_BITS: memcpy(at, &bits, sizeof bits); break;
	case SETTING_COOKIES:
		*at = (uint8_t)(n == 0   ? SYN_COOKIES_OFF
				: n == 1 ? SYN_COOKIES_PRESSURE
					 : SYN_COOKIES_ALWAYS);
		break;
	default: memcpy(at, &time, sizeof time); break;
	}
}

/* "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4", perhaps a second one after a comma, which is the older. */
static int set_key(struct posix *p, const char *value)
{
	uint8_t key[2][16];
	unsigned digits = 0, keys = 0;
	for (value = skip_blanks(value);; value++) {
		int d = digit_of(*value, true);
		if (d >= 0 && digits < 32) {
			/* groups of four bytes, the least significant first */
			uint8_t *at = &key[keys][digits / 8 * 4 + 3 - digits % 8 / 2];
			*at = (uint8_t)(digits % 2 ? *at | d : d << 4);
			digits++;
		} else if (*value == '-' && digits % 8 == 0 && digits) {
			continue;
		} else if (digits == 32 && keys < 2) {
			keys++;
			digits = 0;
			if (*value != ',')
				break;
		} else {
			return -LINUX_EINVAL;
		}
	}
	if (*skip_blanks(value))
		return -LINUX_EINVAL;
	while (keys--)
		sock_fast_open_key(p->stack, key[keys]);
	return 0;
}

static int set_congestion_control(struct posix *p, const char *value)
{
	size_t len = 0;
	for (value = skip_blanks(value); value[len] > ' ' && value[len] != '"'; len++)
		;
	enum cc_kind kind = cc_find(span_of(value, len));
	if (kind == CC_KINDS)
		return -LINUX_ENOENT;
	transport_settings(stack_transport(p->stack))->congestion = (uint8_t)kind;
	return 0;
}

static int set(struct posix *p, const struct setting *s, const char *value)
{
	if (s->kind == SETTING_CONGESTION)
		return set_congestion_control(p, value);
	if (s->kind == SETTING_KEY)
		return set_key(p, value);
	if (s->kind == SETTING_FORGET) {
		sock_fast_open_forget(p->stack);
		return 0;
	}
	uint8_t *own = (uint8_t *)&p->sysctl + s->at;
	if (s->kind == SETTING_TRIPLE) {
		int error = set_triple((int64_t *)(void *)own, value, s);
		own_to_config(p);
		return error;
	}
	int64_t n;
	value = number(value, &n);
	if (!value || *value || n < s->least || n > s->most)
		return -LINUX_EINVAL;
	if (s->kind != SETTING_NUMBER) {
		set_config(transport_settings(stack_transport(p->stack)), s, n);
		return 0;
	}
	memcpy(own, &n, sizeof n);
	own_to_config(p);
	return 0;
}

int posix_sysctl(struct posix *p, const char *name, const char *value)
{
	const char *rest = after(name, "/proc/sys/");
	if (rest)
		name = rest;
	rest = after(name, "net.ipv4.");
	if (rest) {
		for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
			if (same(settings[i].name, rest))
				return set(p, &settings[i], value);
		for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
			if (same(ignored[i], rest))
				return 0;
	}
	p->unknown++;
	return -LINUX_ENOENT;
}

int posix_sysctl_line(struct posix *p, const char *line, size_t len)
{
	char text[256];
	size_t n = 0, equals = SIZE_MAX;
	for (size_t i = 0; i < len; i++) {
		bool blank = line[i] == ' ' || line[i] == '\t' || line[i] == '\r' ||
			line[i] == '\n';
		if (blank && (n == 0 || equals == SIZE_MAX))
			continue; /* before and after the name */
		if (n == 0 && line[i] == '#')
			return 0;
		if (n + 1 == sizeof text)
			return -LINUX_EINVAL;
		if (line[i] == '=' && equals == SIZE_MAX)
			equals = n;
		text[n++] = line[i];
	}
	while (n &&
		(text[n - 1] == ' ' || text[n - 1] == '\t' || text[n - 1] == '\n' ||
			text[n - 1] == '\r'))
		n--;
	if (!n)
		return 0;
	if (equals == SIZE_MAX || equals == 0)
		return -LINUX_EINVAL;
	text[n] = text[equals] = '\0';
	return posix_sysctl(p, text, text + equals + 1);
}

uint32_t posix_sysctl_unknown(const struct posix *p)
{
	return p->unknown;
}

void sysctl_defaults(struct posix *p)
{
	p->sysctl = (struct sysctls){
		.wmem = { 4096, 256 << 10, WMEM_MAX },
		.rmem = { 4096, 540000, RMEM_MAX },
		.unsent_low = UINT32_MAX,
		.reuse = 2,
		.reuse_delay = 1000,
	};
	own_to_config(p);
}

void sysctl_stack_config(struct stack_config *c)
{
	struct transport_config *t = &c->transport;
	c->access.neighbours = 16;
	c->access.incomplete_max = c->access.pending_frames = c->access.pending_each = 8;
	t->listeners = 32;
	t->backlog_max = 129;
	t->embryos = 128;
	t->time_waits = 64;
	t->sent_ranges = 8192;
	t->datagram_sockets = 8;
	t->blocks = 1024;
	t->big_blocks = 48;
	t->send_buffer = WMEM_MAX; /* what is taken is bounded by send_queue.c */
	t->receive_buffer = 540000 / 2;
	t->receive_buffer_max = RMEM_MAX;
	t->rto_initial = NANO_S;
	t->rto_min = 200 * NANO_MS;
	t->rto_max = 120 * NANO_S;
	t->delayed_ack = 40 * NANO_MS;
	t->comp_sack_after = 0;
	t->reorder_slack = 6 * NANO_MS; /* Linux: two milliseconds and what its ticks add */
	t->user_timeout = retries_as_time(15);
	t->syn_retries = t->syn_ack_retries = 5;
	t->syn_steady = 0; /* Linux: 4; RFC 6298 5.5 doubles from the first on */
	t->initial_window = 10;
	t->tail_loss_probe = t->f_rto = true;
	t->rto_restart = false; /* Linux has none */
	t->idle_window = IDLE_WINDOW_KEPT;
	t->rack = RACK_BY_TIME;
	t->dup_thresh = 3;
	t->dsack = true;
	t->measure_rate = true;
	t->min_rtt_window = 300 * NANO_S;
	t->flight_idle = 3600 * NANO_S; /* what tcp_info tells outlives a pause */
	t->icmp_ends_open = true;
	t->abrupt_start = true; /* nor HyStart++ */
	t->timestamps = t->sack = t->window_scaling = true;
	t->ecn = ECN_USE_OFF;
	t->accecn_option = ACCECN_OPTION_ALWAYS;
	t->ecn_everywhere = true;
	t->mtu_probing = MTU_PROBING_OFF;
	t->mss_min = t->mtu_floor = 48;
	t->syn_cookies = SYN_COOKIES_PRESSURE;
	t->fast_open = 0x403;
	t->fast_open_cache = 16;
	static const uint8_t key[4] = { 0xa1, 0xb2, 0xc3, 0xd4 };
	for (unsigned i = 0; i < sizeof t->fast_open_key; i++)
		t->fast_open_key[i] = key[i / 4];
}
