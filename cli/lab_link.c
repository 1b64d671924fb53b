/*
 * strata lab link: reads the two directions of the link from the options, lets
 * the cable run, and tells in the end what it did with every frame, and how
 * punctual it was itself.
 */
#include "cli/lab_link.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/site_words.h"
#include "cli/interrupt.h"
#include "cli/json.h"
#include "cli/link_words.h"
#include "cli/output.h"
#include "cli/tap_cable.h"
#include "host/hostclock.h"

static const struct option_info options[] = {
	{ .name = "tap",
		.kind = OPTION_WORD,
		.argument = "NAME",
		.text = "a TAP device, made where it does not exist; twice: the link's two ends",
		.many = true },
	{ .name = "rate",
		.kind = OPTION_WORD,
		.argument = "RATE[,RATE]",
		.text = "50Mbit, 512kbit, 1Gbit (default: no limit)" },
	{ .name = "delay",
		.kind = OPTION_WORD,
		.argument = "TIME[,TIME]",
		.text = "time on the wire: 20ms, 150us, 0.3s (default: 0)" },
	{ .name = "loss",
		.kind = OPTION_WORD,
		.argument = "SHARE[,SHARE]",
		.text = "lost at random: 1%, 100ppm" },
	{ .name = "jitter",
		.kind = OPTION_WORD,
		.argument = "TIME[,TIME]",
		.text = "added to the delay, from 0 up to this; the order stays" },
	{ .name = "reorder",
		.kind = OPTION_WORD,
		.argument = "SHARE[,SHARE]",
		.text = "held back behind the three frames that follow" },
	{ .name = "duplicate",
		.kind = OPTION_WORD,
		.argument = "SHARE[,SHARE]",
		.text = "delivered twice" },
	{ .name = "queue",
		.kind = OPTION_WORD,
		.argument = "SIZE[,SIZE]",
		.text = "room before the transmitter, in frames (100) or bytes (64kB) (default: "
			"1000 frames)" },
	{ .name = "mtu",
		.kind = OPTION_WORD,
		.argument = "BYTES[,BYTES]",
		.text = "larger IP packets vanish without a word" },
	{ .name = "seed",
		.kind = OPTION_WORD,
		.argument = "N",
		.text = "of all chance (default: 1)" },
	{ .name = "for",
		.kind = OPTION_WORD,
		.argument = "TIME",
		.text = "end after this time: 30, 2.5s (default: at Ctrl-C)" },
	{ .name = "pcap",
		.kind = OPTION_FILE,
		.argument = "FILE",
		.text = "write what leaves the transmitters to FILE, as pcapng, with each loss as "
			"its comment; with the name of a network: what its machines send and "
			"receive in its first second, in which they announce their addresses" },
	{ .name = NULL },
};
const struct option_group lab_link_options = { "A link between two devices ('lab link')", options };

bool lab_link_unused(const struct arguments *a)
{
	for (const struct option_info *o = options; o->name; o++)
		if (given(a, o->name) && strcmp(o->name, "pcap") != 0) {
			complain(a->command, VERDICT_USAGE,
				"--%s: only a link between devices can be told: 'strata lab link "
				"--tap A --tap B ...'",
				o->name);
			return false;
		}
	return true;
}

/* ---- options ---- */

static bool read_count(struct span s, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] < '0' || s.at[i] > '9' || *out > UINT32_MAX)
			return false;
		*out = *out * 10 + (uint64_t)(s.at[i] - '0');
	}
	return s.len && *out <= UINT32_MAX;
}

/* "100": frames; "64kB", "1500B": bytes, as negative numbers in two's complement. */
static bool read_queue(struct span s, uint64_t *out)
{
	if (read_count(s, out))
		return *out > 0;
	if (!s.len || s.at[s.len - 1] != 'B' || !site_words_size(span_first(s, s.len - 1), out) ||
		!*out || *out > UINT32_MAX)
		return false;
	*out = ~*out + 1;
	return true;
}

/* One value for each direction, by `reader`. False: told. */
static bool each_way(const struct arguments *a, const char *name,
	bool (*reader)(struct span s, uint64_t *out), uint64_t out[2])
{
	const char *value = given_value(a, name, NULL);
	if (!value)
		return true;
	const char *comma = strchr(value, ',');
	size_t first = comma ? (size_t)(comma - value) : strlen(value);
	const char *second = comma ? comma + 1 : value;
	if (reader(span_of(value, first), &out[0]) &&
		reader(span_of(second, strlen(second)), &out[1]))
		return true;
	for (const struct option_info *o = options; o->name; o++)
		if (strcmp(o->name, name) == 0)
			complain(a->command, VERDICT_USAGE, "--%s %s: must be %s: %s", name, value,
				o->argument, o->text);
	return false;
}

static bool read_ways(const struct arguments *a, struct link_config way[2])
{
	uint64_t rate[2] = { 0 }, delay[2] = { 0 }, loss[2] = { 0 }, jitter[2] = { 0 };
	uint64_t reorder[2] = { 0 }, twice[2] = { 0 }, queue[2] = { 0 }, mtu[2] = { 0 };
	if (!each_way(a, "rate", site_words_rate, rate) ||
		!each_way(a, "delay", site_words_time, delay) ||
		!each_way(a, "loss", site_words_share, loss) ||
		!each_way(a, "jitter", site_words_time, jitter) ||
		!each_way(a, "reorder", site_words_share, reorder) ||
		!each_way(a, "duplicate", site_words_share, twice) ||
		!each_way(a, "queue", read_queue, queue) || !each_way(a, "mtu", read_count, mtu))
		return false;
	for (unsigned i = 0; i < 2; i++) {
		bool bytes = queue[i] > UINT32_MAX;
		way[i] = (struct link_config){
			.rate = rate[i],
			.delay = (nanodiff)delay[i],
			.mtu = (uint32_t)mtu[i],
			.queue_frames = bytes ? UINT32_MAX : (uint32_t)queue[i],
			.queue_bytes = bytes ? (uint32_t)(~queue[i] + 1) : 0,
			.faults = { .loss = (uint32_t)loss[i],
				.jitter = (nanodiff)jitter[i],
				.reorder = (uint32_t)reorder[i],
				.reorder_by = 3,
				.duplicate = (uint32_t)twice[i] },
		};
		const char *broken = link_config_check(&way[i]);
		if (broken) {
			complain(a->command, VERDICT_USAGE, "link: %s", broken);
			return false;
		}
	}
	return true;
}

static bool read_options(const struct arguments *a, struct tap_cable_options *o, nanodiff *time)
{
	for (unsigned i = 0; i < 2; i++)
		o->tap[i] = given_each(a, "tap", i);
	o->pcap = given_value(a, "pcap", NULL);
	o->seed = 1;
	if (!o->tap[1] || given_each(a, "tap", 2) || strcmp(o->tap[0], o->tap[1]) == 0) {
		complain(a->command, VERDICT_USAGE,
			"link: joins two devices: name each by --tap, 'strata lab link --tap tap0 "
			"--tap tap1'");
		return false;
	}
	return given_number(a, "seed", 0, UINT64_C(9999999999999999999), &o->seed) &&
		given_time(a, "for", time) && read_ways(a, o->way);
}

/* ---- the end ---- */

static void tell_way(const struct tap_cable *c, unsigned i)
{
	const struct link_counters *n = &c->link->way[i].count;
	char in[32], out[32], queue[32];
	output_bytes(in, sizeof in, n->offered_bytes);
	output_bytes(out, sizeof out, n->delivered_bytes);
	output_bytes(queue, sizeof queue, n->queue_high_bytes);
	fprintf(stderr,
		"%s > %s: %" PRIu64 " frames (%s) came, %" PRIu64 " (%s) were delivered, %" PRIu64
		" on the way; at most %" PRIu64 " (%s) waited\n",
		c->end[i].tap.name, c->end[!i].tap.name, n->offered, in, n->delivered, out,
		n->on_the_way, n->queue_high, queue);
	for (unsigned loss = LINK_KEPT + 1; loss < LINK_LOSS_COUNT; loss++)
		if (n->lost[loss])
			fprintf(stderr, "  %" PRIu64 " lost: %s\n", n->lost[loss],
				link_loss_text(loss));
	if (n->duplicated || n->reordered)
		fprintf(stderr, "  %" PRIu64 " duplicated, %" PRIu64 " reordered\n", n->duplicated,
			n->reordered);
	if (c->end[!i].tap.lost)
		fprintf(stderr, "  %" PRIu64 " not taken by %s: is it up?\n", c->end[!i].tap.lost,
			c->end[!i].tap.name);
}

static void tell(const struct tap_cable *c)
{
	tell_way(c, 0);
	tell_way(c, 1);
	if (c->late.count)
		fprintf(stderr, "lateness: median %.3f ms, 99 %% within %.3f ms, most %.3f ms\n",
			(double)lateness_percentile(&c->late, 50) / 1e6,
			(double)lateness_percentile(&c->late, 99) / 1e6,
			(double)c->late.most / 1e6);
}

static void put_way(struct json *j, const struct tap_cable *c, unsigned i)
{
	const struct link_way *w = &c->link->way[i];
	const struct link_counters *n = &w->count;
	json_object(j, NULL);
	json_string(j, "from", c->end[i].tap.name);
	json_string(j, "to", c->end[!i].tap.name);
	json_unsigned(j, "rate_bps", w->config.rate);
	json_signed(j, "delay_ns", w->config.delay);
	json_unsigned(j, "loss_ppm", w->config.faults.loss);
	json_unsigned(j, "offered_frames", n->offered);
	json_unsigned(j, "offered_bytes", n->offered_bytes);
	json_unsigned(j, "delivered_frames", n->delivered);
	json_unsigned(j, "delivered_bytes", n->delivered_bytes);
	json_object(j, "lost");
	for (unsigned loss = LINK_KEPT + 1; loss < LINK_LOSS_COUNT; loss++)
		json_unsigned(j, link_loss_name(loss), n->lost[loss]);
	json_close(j);
	json_unsigned(j, "duplicated", n->duplicated);
	json_unsigned(j, "reordered", n->reordered);
	json_unsigned(j, "on_the_way", n->on_the_way);
	json_unsigned(j, "refused_by_device", c->end[!i].tap.lost);
	json_unsigned(j, "queue_high_frames", n->queue_high);
	json_unsigned(j, "queue_high_bytes", n->queue_high_bytes);
	json_close(j);
}

static void put(const struct tap_cable *c, uint64_t seed)
{
	static const unsigned percent[] = { 50, 90, 99 };
	struct json j;
	char key[16];
	json_begin(&j, stdout, "strata.lab-link/1");
	json_unsigned(&j, "seed", seed);
	json_signed(&j, "duration_ns", clock_now() - c->started);
	json_array(&j, "ways");
	put_way(&j, c, 0);
	put_way(&j, c, 1);
	json_close(&j);
	json_object(&j, "lateness");
	json_unsigned(&j, "frames", c->late.count);
	for (unsigned i = 0; i < sizeof percent / sizeof *percent; i++) {
		snprintf(key, sizeof key, "p%u_ns", percent[i]);
		json_signed(&j, key, lateness_percentile(&c->late, percent[i]));
	}
	json_signed(&j, "max_ns", c->late.most);
	json_close(&j);
	json_finish(&j);
}

static bool stopped(void)
{
	return interrupt_count() > 0;
}

static void announce(const struct tap_cable *c)
{
	for (unsigned i = 0; i < 2; i++) {
		char line[LINK_WORDS_MAX];
		link_words(line, &c->link->way[i].config, "");
		fprintf(stderr, "%s > %s: %s\n", c->end[i].tap.name, c->end[!i].tap.name, line);
	}
	fputs("joined\n", stderr);
}

enum verdict lab_link(const struct arguments *a)
{
	struct tap_cable_options o = { .seed = 1 };
	nanodiff time = 0;
	char why[512] = "";
	enum error e = ERR_OK;
	if (!read_options(a, &o, &time))
		return VERDICT_USAGE;
	struct tap_cable *c = malloc(sizeof *c);
	if (!c)
		return complain(a->command, VERDICT_ENVIRONMENT, "out of memory");
	if (!tap_cable_open(c, &o, &e, why, sizeof why)) {
		free(c);
		return complain(a->command, e == ERR_ARGUMENT ? VERDICT_USAGE : VERDICT_ENVIRONMENT,
			"%s", why);
	}
	enum verdict v = VERDICT_FINE;
	interrupt_begin(NULL);
	announce(c);
	tap_cable_run(c, given(a, "for") ? c->started + time : NANOTIME_NEVER, stopped);
	interrupt_end();
	if (c->gone)
		v = complain(
			a->command, VERDICT_ENVIRONMENT, "%s: the device was deleted", c->gone);
	tell(c);
	if (given(a, "json"))
		put(c, o.seed);
	if (!tap_cable_close(c))
		v = complain(a->command, VERDICT_ENVIRONMENT,
			"--pcap: not everything could be written: is the disk full?");
	free(c);
	return v;
}
