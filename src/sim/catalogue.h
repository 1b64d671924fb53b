/*
 * The catalogue of faults: every fault that a random world may draw, by its
 * number, with its group, what it may do to a flow, and a text. One table makes
 * the enum, the names and the lists that people write ("F01-F07,F31").
 *
 * What a fault may do to a flow decides what the judge of a trial accepts:
 *
 *	SPARES    every byte arrives all the same, once the fault has passed
 *	BREAKS    flows may end early, but then with a typed error at both ends
 *	GARBLES   bytes may be wrong, because TCP's checksum can't see it
 */
#ifndef STRATA_SIM_CATALOGUE_H
#define STRATA_SIM_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fault_group { FAULT_OF_PACKETS, FAULT_OF_PATH, FAULT_OF_BOX, FAULT_OF_HOST };
enum fault_harm { FAULT_SPARES, FAULT_BREAKS, FAULT_GARBLES };

/*       id   group    harm     text */
#define FAULTS(X) \
	X(F01, PACKETS, SPARES, "uniform loss") \
	X(F02, PACKETS, SPARES, "burst loss") \
	X(F03, PACKETS, SPARES, "exactly the n-th frame lost") \
	X(F04, PACKETS, SPARES, "loss of one kind of segment") \
	X(F05, PACKETS, SPARES, "reordering") \
	X(F06, PACKETS, SPARES, "duplicates, at once or late") \
	X(F07, PACKETS, SPARES, "corrupted bits that break the checksum") \
	X(F08, PACKETS, GARBLES, "corruption that keeps the checksum") \
	X(F09, PACKETS, SPARES, "frames cut short or padded") \
	X(F10, PACKETS, SPARES, "replay of old segments") \
	X(F11, PACKETS, BREAKS, "a long delay") \
	X(F12, PACKETS, SPARES, "jitter") \
	X(F13, PACKETS, SPARES, "ACKs compressed and thinned out") \
	X(F14, PACKETS, SPARES, "nine of ten pure ACKs lost") \
	X(F15, PATH, SPARES, "a slow link, and a step of its rate") \
	X(F16, PATH, SPARES, "a queue far too short or far too long") \
	X(F17, PATH, SPARES, "a token bucket policer") \
	X(F18, PATH, SPARES, "the MTU changes, and ICMP says so") \
	X(F19, PATH, SPARES, "the MTU changes, and ICMP is lost") \
	X(F20, PATH, BREAKS, "forged and stale ICMP errors") \
	X(F21, PATH, SPARES, "the two directions differ") \
	X(F22, PATH, SPARES, "a link that flaps") \
	X(F23, PATH, SPARES, "an outage of one direction") \
	X(F24, PATH, SPARES, "a partition that heals") \
	X(F25, PATH, SPARES, "a new route, ten times as long") \
	X(F26, PATH, SPARES, "packets sprayed over several paths") \
	X(F27, PATH, SPARES, "hop limits that run out") \
	X(F28, PATH, SPARES, "cross traffic, in bursts and in a Shrew's square wave") \
	X(F31, BOX, SPARES, "options stripped from SYNs") \
	X(F32, BOX, SPARES, "options stripped from or altered on data") \
	X(F33, BOX, BREAKS, "windows and scales rewritten") \
	X(F34, BOX, SPARES, "the MSS option clamped") \
	X(F35, BOX, SPARES, "ECN bleached, marked, or refused") \
	X(F36, BOX, SPARES, "segments split") \
	X(F37, BOX, SPARES, "segments coalesced") \
	X(F38, BOX, SPARES, "sequence numbers rewritten") \
	X(F40, BOX, BREAKS, "a proxy acknowledges early, then loses") \
	X(F41, BOX, BREAKS, "RST, FIN and data forged") \
	X(F44, BOX, BREAKS, "urgent cleared, timestamps zeroed") \
	X(F45, HOST, BREAKS, "a machine reboots and comes again with its old ports") \
	X(F46, HOST, BREAKS, "the peer vanishes") \
	X(F47, HOST, BREAKS, "clocks jump, drift, stop, wrap") \
	X(F48, HOST, SPARES, "timers late, early, in lumps") \
	X(F49, HOST, BREAKS, "allocations fail") \
	X(F50, HOST, BREAKS, "tiny pools") \
	X(F51, HOST, SPARES, "all machines have the same secret") \
	X(F52, HOST, SPARES, "a driver that is full, bursty, or short") \
	X(F53, HOST, SPARES, "slow readers and readers that stop") \
	X(F54, HOST, SPARES, "slow and bursty writers") \
	X(F55, HOST, BREAKS, "calls in any order") \
	X(F56, HOST, BREAKS, "nobody accepts") \
	X(F57, HOST, BREAKS, "ports, TIME-WAIT and tables run out") \
	X(F58, HOST, BREAKS, "an address is claimed by another, goes, or is replaced") \
	X(F59, HOST, SPARES, "name servers that fail, cut, are late, or overtaken by forgers") \
	X(F60, HOST, SPARES, "a machine that seldom runs") \
	X(F62, HOST, SPARES, "web peers that stall, end early, send garbage, ask without end")

enum fault_id {
#define FAULT_ENUM(id, group, harm, text) FAULT_##id,
	FAULTS(FAULT_ENUM)
#undef FAULT_ENUM
		FAULT_COUNT
};

typedef uint64_t fault_set; /* bit n: enum fault_id n */
#define FAULT_BIT(id) (UINT64_C(1) << FAULT_##id)
#define FAULT_ALL     ((UINT64_C(1) << FAULT_COUNT) - 1)

struct fault_info {
	const char *name; /* "F01" */
	const char *text;
	enum fault_group group;
	enum fault_harm harm;
};

const struct fault_info *fault_info(enum fault_id id);
/* The worst that any of them may do. */
enum fault_harm fault_set_harm(fault_set set);
/* Reads "F01,F05-F07", "all" or "none". False, and *wrong points at the word, where it is none. */
bool fault_set_read(const char *text, fault_set *out, const char **wrong);
/* Writes "F01,F05,F06"; "none" for the empty set. */
void fault_set_write(fault_set set, char *out, size_t cap);

#endif
