/*
 * Walks of any frames at all: the input is a run of frames, sent or received, at
 * growing times, with state changes between them. Whatever they are, the walk's
 * bytes are the frames', its phases follow each other, and all its words end.
 *
 *	frame: flags (1 sent, 2 dropped, 4 state changes first, rest: time), length (2), bytes
 */
#include <assert.h>
#include <string.h>

#include "diag/walk_words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOMENTS 256
#define STORE   65536

static struct moment moments[MOMENTS];
static struct walk_step steps[MOMENTS];
static uint8_t store[STORE];
static struct timeline timeline;
static struct walk walk;

static const struct addr us = { .b = { [10] = 0xff, 0xff, 192, 168, 1, 100 } };
static const struct addr them = { .b = { [10] = 0xff, 0xff, 192, 0, 2, 80 } };
static const struct addr name_server = { .b = { [10] = 0xff, 0xff, 192, 0, 2, 53 } };

static void change_state(nanotime now, uint8_t flags)
{
	const struct trace_event e = {
		.kind = flags & 8 ? TRACE_NEIGHBOUR : TRACE_TCP_STATE,
		.time = now,
		.flow = { us, them, 40000, 80 },
		.from = "one",
		.to = "another",
	};
	timeline_event(&timeline, &e);
}

static void trace(nanotime now, uint8_t flags, struct span frame)
{
	struct tx_frame tx;
	struct rx_frame bytes = rx_frame_of(frame.at, frame.len);
	struct rx rx = { .frame = &bytes };
	struct trace_event e = { .time = now };
	rx.fate = flags & 2 ? FATE_DROPPED : FATE_DELIVERED;
	if (flags & 1) {
		frame_begin(&tx, (enum tx_why)(flags % WHY_COUNT));
		frame_body(&tx, frame);
		e.kind = TRACE_TX;
		e.frame = &tx;
	} else {
		e.kind = TRACE_RX;
		e.drop = flags & 2 ? DROP_TCP_SEQUENCE : DROP_NONE;
		e.rx = &rx;
	}
	timeline_event(&timeline, &e);
}

static nanotime play(struct span in)
{
	nanotime now = 0;
	while (in.len > 3) {
		uint8_t flags = in.at[0];
		struct span frame = span_first(span_after(in, 3), load16(in.at + 1));
		in = span_after(in, 3 + frame.len);
		now += (nanotime)(flags >> 3) * NANO_MS;
		if (flags & 4)
			change_state(now, flags);
		trace(now, flags, frame);
	}
	return now;
}

static void read_words(void)
{
	struct walk_lessons lessons = { 0 };
	struct walk_layer layer[WALK_LAYERS_MAX];
	char text[WALK_LESSON_MAX], tiny[8];
	for (uint32_t i = 0; i < walk.steps; i++) {
		const struct walk_step *s = &walk.step[i];
		assert(walk_title(&walk, s, text, sizeof text) == strlen(text));
		assert(walk_title(&walk, s, tiny, sizeof tiny) == strlen(tiny));
		assert(walk_why(&walk, s, text, sizeof text) == strlen(text));
		assert(walk_lesson(&walk, s, &lessons, text, sizeof text) < sizeof text);
		unsigned n = walk_layers(&walk, s, layer);
		uint32_t sum = 0;
		assert(n <= WALK_LAYERS_MAX);
		for (unsigned l = 0; l < n; l++)
			sum += layer[l].bytes;
		struct anatomy a;
		if (walk_anatomy(&walk, s, &a) && a.fault == DROP_NONE && a.kind != ANATOMY_OTHER)
			assert(sum == a.len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	timeline_init(&timeline, moments, MOMENTS, store, STORE);
	struct walk_input in = { .dns_count = 1 };
	in.dns[0] = name_server;
	in.done = play(span_of(data, size));
	walk_build(&walk, &timeline, &in, steps, MOMENTS);
	uint64_t bytes = 0;
	for (uint32_t i = 0; i < timeline.count; i++)
		bytes += moment_is_frame(&moments[i]) ? moments[i].len : 0;
	assert(walk.in.bytes + walk.out.bytes + walk.background.bytes == bytes);
	for (unsigned i = 1; i < walk.stages; i++)
		assert(walk.stage[i].from == walk.stage[i - 1].to);
	read_words();
	return 0;
}
