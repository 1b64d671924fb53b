/*
 * Middleboxes. A chain of boxes lies in a cable, as a bump in the wire: frames
 * that come in at one of its two ports pass each box in turn and leave at the
 * other. A box lets a frame pass, changes it, drops it, keeps it for a while, or
 * adds frames of its own. It works only within its window of time; what it
 * remembers about flows that began in that window it keeps, where dropping it
 * would break them (a rewritten sequence number stays rewritten).
 *
 *	way 0: in at port 0, out at port 1, from the first box to the last
 *	way 1: the other direction
 *
 * Each box has a generator of its own. The constructors below are defined in
 * box_*.c, one file for each kind; they say there what such boxes do in the
 * field and how a stack has to live with them.
 */
#ifndef STRATA_SIM_BOX_H
#define STRATA_SIM_BOX_H

#include "sim/port.h"

struct box;

typedef void box_pass(struct box *b, unsigned way, struct parcel *p);

struct box_chain {
	struct world *world;
	struct port port[2];
	struct list boxes;
	uint64_t in, out, dropped, added, kept; /* in + added == out + dropped + kept */
};

struct box {
	struct list link;
	struct box_chain *chain;
	const char *name;
	box_pass *pass; /* takes the parcel over */
	nanotime from, until;
	struct rng rng;
	uint64_t touched; /* frames that it did something to */
	uint64_t most;    /* such frames, at most; 0: no bound. A box for one frame has 1 */
};

struct box_chain *box_chain_new(struct world *w, const char *name);

/* For the kinds: a box of `size` bytes (struct box first) at the end of a chain. */
void *box_new(struct box_chain *c, const char *name, size_t size, box_pass *pass);
/* Hands a frame to the next box, or out. */
void box_let_pass(struct box *b, unsigned way, struct parcel *p);
/* The same, `delay` later. */
void box_let_pass_later(struct box *b, unsigned way, struct parcel *p, nanodiff delay);
void box_drop(struct box *b, struct parcel *p);
/* A frame that the box made, or took from the chain before, goes on from it. */
void box_add(struct box *b, unsigned way, struct parcel *p);
/* Keeps a frame: it is the box's now, until box_release lets it pass. */
void box_keep(struct box *b);
void box_release(struct box *b, unsigned way, struct parcel *p);
/* Is the box at work now, with a chance in a million of `ppm`? Counts as touched where it is. */
bool box_acts(struct box *b, uint32_t ppm);
bool box_on(const struct box *b);

/* ---- packets ---- */

enum segment_kind {
	KIND_SYN,
	KIND_SYN_ACK,
	KIND_FIN,
	KIND_PURE_ACK,
	KIND_RETRANSMIT, /* not above the highest sequence number seen */
	KIND_ICMP,
	KIND_DATA,
	KIND_WINDOW_UPDATE, /* a pure ACK that only opens the window */
	KIND_LAST,          /* with PSH: the last of a write */
	KIND_COUNT
};
/* F04, F14: loses segments of one kind. */
struct box *box_kind_loss_new(struct box_chain *c, enum segment_kind kind, uint32_t ppm);
enum garble { GARBLE_KEEP_SUM, GARBLE_LENGTH };
/* F08, F09: changes bytes so that the checksum stays right; cuts or pads frames. */
struct box *box_garble_new(struct box_chain *c, enum garble how, uint32_t ppm);
/* F10: sends old segments again, up to `depth` frames and any time later. */
struct box *box_replay_new(struct box_chain *c, uint32_t ppm, nanodiff most);
/* F13: holds pure ACKs back for `period` and lets them go together, only the last of each flow
 * where `thin`. */
struct box *box_ack_squeeze_new(struct box_chain *c, nanodiff period, bool thin);

/* ---- paths ---- */

/* F17: a token bucket: `rate` bytes a second, `depth` bytes. */
struct box *box_policer_new(struct box_chain *c, uint32_t rate, uint32_t depth);
/* F19: packets larger than `mtu` vanish; for all the time where `silent`, ICMP errors too. */
struct box *box_black_hole_new(struct box_chain *c, uint32_t mtu);
/* F20: ICMP errors, forged about segments that pass. */
struct box *box_icmp_new(struct box_chain *c, uint32_t ppm);
/* F26: each packet takes one of `paths` paths, which differ by `step`. */
struct box *box_spray_new(struct box_chain *c, uint32_t paths, nanodiff step);
/* F27: the hop limit becomes 1. */
struct box *box_hops_new(struct box_chain *c, uint32_t ppm);
/* F58: claims the address of who sends, by ARP. */
struct box *box_thief_new(struct box_chain *c, uint32_t ppm);

/* ---- middleboxes ---- */

/* F31, F32: takes these options (bits 1 << kind; bit 0: AccECN's two) out of SYNs, or of data
 * segments. `nop`: by NOPs in their place; else the header shrinks. */
struct box *box_strip_options_new(struct box_chain *c, uint32_t kinds, bool syn, bool nop);
/* F33: windows divided by 1 << shift, capped, and the scale option of SYNs set to `scale` (15 and
 * more: left alone). */
struct box *box_window_new(struct box_chain *c, uint32_t shift, uint16_t cap, uint8_t scale);
/* F34 */
struct box *box_mss_clamp_new(struct box_chain *c, uint16_t mss);
/* Marks cleared, marks set; SYNs with ECN's flags dropped, or cleared of ECE and CWR; the flags of
 * all other segments zeroed; SYNs made ECN-capable. */
enum ecn_meddling {
	ECN_BLEACH,
	ECN_MARK_ALL,
	ECN_DROP_SYN,
	ECN_CLEAR_SYN,
	ECN_ZERO_FLAGS,
	ECN_MARK_SYN,
	ECN_MEDDLINGS
};
/* F35 */
struct box *box_ecn_new(struct box_chain *c, enum ecn_meddling how);
/* F36: cuts data segments into pieces; the options only on the first, where not `copy`. */
struct box *box_split_new(struct box_chain *c, uint32_t ppm, bool copy);
/* F37: waits up to `wait` for the next segment in order and joins them. */
struct box *box_coalesce_new(struct box_chain *c, uint32_t ppm, nanodiff wait);
/* F38: shifts sequence numbers; SACK blocks too where `fix_sack`. */
struct box *box_resequence_new(struct box_chain *c, bool fix_sack);
/* F40: acknowledges data that it then loses. */
struct box *box_ack_early_new(struct box_chain *c, uint32_t ppm);
/* F41: RST, FIN and data, in the window and out of it; data with old timestamps only where
 * `stamps` can be relied on: where no other fault takes them away, zeroes them or bends clocks; and
 * instead of what was acknowledged only where `acks` can be: where no other fault forges them. */
struct box *box_forger_new(struct box_chain *c, uint32_t ppm, bool stamps, bool acks);
enum urgent_meddling { URGENT_CLEAR, URGENT_SET, TIMESTAMP_ZERO };
/* F44 */
struct box *box_urgent_new(struct box_chain *c, enum urgent_meddling how, uint32_t ppm);

#endif
