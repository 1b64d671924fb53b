/*
 * Look-up, insertion and removal in the table of lines. An entry's home is the
 * line its hash names; it stands there or, where that line is full, in one of
 * the next lines, and each full line on the way counts it in `passed`. A search
 * stops at the first line that nobody passed.
 */
#include "transport/demux.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define REF_INDEX 0x3fffffffu

bool demux_init(struct demux *d, struct arena *a, uint32_t entries, const struct hash_key *key)
{
	/* At most half of the slots are used: lines overflow seldom. */
	uint32_t lines = 16;
	while ((uint64_t)lines * DEMUX_SLOTS < (uint64_t)entries * 2)
		lines *= 2;
	d->line = arena_take(a, (size_t)lines * sizeof *d->line, 64);
	d->mask = lines - 1;
	d->count = 0;
	d->last = NULL;
	d->key = key;
	if (!d->line)
		return false;
	memset(d->line, 0, (size_t)lines * sizeof *d->line);
	return true;
}

static uint32_t ref_of(const struct demux *d, enum demux_kind kind, const void *entry)
{
	return (uint32_t)kind << 30 | pool_index(d->pool[kind], entry);
}

/* The slots whose tag is this, as bits. */
static inline unsigned line_matches(const struct demux_line *line, uint32_t tag)
{
#ifdef __SSE2__ /* eight lanes at once; the eighth is the first reference, masked away */
	__m128i want = _mm_set1_epi32((int)tag);
	__m128i low = _mm_load_si128((const __m128i *)(const void *)line);
	__m128i high = _mm_load_si128((const __m128i *)(const void *)line + 1);
	int bits = _mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(low, want))) |
		   _mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(high, want))) << 4;
	return (unsigned)bits & 0x7f;
#else
	unsigned bits = 0;
	for (unsigned i = 0; i < DEMUX_SLOTS; i++)
		bits |= (unsigned)(line->tag[i] == tag) << i;
	return bits;
#endif
}

void *demux_search(struct demux *d, const struct tcp_tuple *t, enum demux_kind *kind)
{
	uint64_t hash = d->searched = tuple_hash(d->key, t);
	uint32_t tag = (uint32_t)(hash >> 32) | 1;
	uint32_t at = (uint32_t)hash & d->mask;
	for (unsigned probe = 0; probe < DEMUX_PROBES; probe++, at = (at + 1) & d->mask) {
		const struct demux_line *line = &d->line[at];
		for (unsigned found = line_matches(line, tag); found; found &= found - 1) {
			unsigned i = (unsigned)__builtin_ctz(found);
			uint32_t ref = line->ref[i];
			void *entry = pool_at(d->pool[ref >> 30], ref & REF_INDEX);
			if (tcp_tuple_equal(entry, t)) {
				*kind = (enum demux_kind)(ref >> 30);
				if (*kind == DEMUX_CONN)
					d->last = entry;
				return entry;
			}
		}
		if (!line->passed)
			break;
	}
	*kind = DEMUX_NONE;
	return NULL;
}

bool demux_add(struct demux *d, uint64_t hash, enum demux_kind kind, void *entry)
{
	uint32_t home = (uint32_t)hash & d->mask;
	for (unsigned probe = 0; probe < DEMUX_PROBES; probe++) {
		struct demux_line *line = &d->line[(home + probe) & d->mask];
		for (unsigned i = 0; i < DEMUX_SLOTS; i++) {
			if (line->ref[i])
				continue;
			line->tag[i] = (uint32_t)(hash >> 32) | 1;
			line->ref[i] = ref_of(d, kind, entry);
			for (unsigned back = 0; back < probe; back++)
				d->line[(home + back) & d->mask].passed++;
			d->count++;
			if (kind == DEMUX_CONN)
				d->last = entry;
			return true;
		}
	}
	return false;
}

struct place {
	struct demux_line *line;
	unsigned slot, probe; /* probe: lines from home */
};

/* Where an entry stands that is in the table. */
static struct place demux_place(struct demux *d, uint32_t home, uint32_t ref)
{
	struct place p = { .line = NULL };
	for (p.probe = 0; p.probe < DEMUX_PROBES; p.probe++) {
		p.line = &d->line[(home + p.probe) & d->mask];
		for (p.slot = 0; p.slot < DEMUX_SLOTS; p.slot++)
			if (p.line->ref[p.slot] == ref)
				return p;
	}
	assert(false && "an entry that is removed stands in the table");
	return p;
}

void demux_remove(struct demux *d, uint32_t hash, enum demux_kind kind, const void *entry)
{
	if (d->last == entry)
		d->last = NULL;
	uint32_t home = hash & d->mask;
	struct place p = demux_place(d, home, ref_of(d, kind, entry));
	p.line->ref[p.slot] = 0;
	p.line->tag[p.slot] = 0;
	for (unsigned back = 0; back < p.probe; back++)
		d->line[(home + back) & d->mask].passed--;
	d->count--;
}

void demux_replace(struct demux *d, uint32_t hash, enum demux_kind old_kind, const void *old,
		   enum demux_kind kind, void *entry)
{
	uint32_t home = hash & d->mask;
	assert(tcp_tuple_equal(old, entry));
	if (d->last == old)
		d->last = NULL;
	struct place p = demux_place(d, home, ref_of(d, old_kind, old));
	p.line->ref[p.slot] = ref_of(d, kind, entry);
	if (kind == DEMUX_CONN)
		d->last = entry;
}
