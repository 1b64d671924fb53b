/*
 * A packetdrill script as a tree. What the parser leaves is complete and
 * checked for form: names of constants are numbers, options of TCP are their
 * bytes, times are nanoseconds. All of it lies in one arena and points into the
 * script's text, both of which must outlive it.
 */
#ifndef STRATA_DRILL_SCRIPT_H
#define STRATA_DRILL_SCRIPT_H

#include "base/addr.h"
#include "base/arena.h"
#include "base/nanotime.h"

#define DRILL_SCRIPT_MAX  (512u * 1024) /* bytes of a script */
#define DRILL_OPTIONS_MAX 40            /* bytes of TCP options */
#define DRILL_SETTINGS    64            /* option lines of a script and of the command line */

/* What is wrong with a script, or how it failed: one line, or a few for segments side by side. */
struct drill_problem {
	unsigned line; /* 0: none in particular */
	char text[1024];
};

/* An argument of a call: a tree of what stood between the commas. */
enum drill_expr_kind {
	DRILL_ELLIPSIS, /* "..." */
	DRILL_ANY,      /* "?" or "*": any result will do */
	DRILL_NUMBER,
	DRILL_STRING,
	DRILL_LIST,   /* [a, b] */
	DRILL_STRUCT, /* {a, b} */
	DRILL_FIELD,  /* name=value or name(argument)=value: `first` is the value */
	DRILL_CALL,   /* name(a, b): htons(80), inet_addr("192.0.2.1") */
};

struct drill_expr {
	enum drill_expr_kind kind;
	unsigned line;
	int64_t number;
	struct span name; /* of a field or call; the content of a string, escapes resolved */
	struct drill_expr *first; /* what it holds */
	struct drill_expr *next;  /* its sibling */
};

/* One option of TCP as its bytes, numbers in the script's own space. */
struct drill_option {
	uint8_t kind;
	uint8_t len; /* of data */
	uint8_t data[DRILL_OPTIONS_MAX];
	struct drill_option *next;
};

enum drill_protocol { DRILL_TCP, DRILL_UDP, DRILL_ICMP };

struct drill_packet {
	enum drill_protocol protocol;
	bool outbound;
	/* IP: -1 where the script says nothing */
	int ecn, tos, hop_limit;
	int32_t flow_label;
	uint16_t from_port, to_port; /* 0: those of the flow */
	/* TCP; for ICMP what it quotes */
	uint16_t flags; /* enum tcp_flag */
	uint32_t seq, len, ack;
	uint16_t window, urgent;
	bool has_ack, has_window, has_urgent, has_quote;
	bool any_options; /* <...> */
	struct drill_option *options;
	/* ICMP */
	uint8_t icmp_type, icmp_code;
	uint32_t mtu;
};

struct drill_call {
	struct span name;
	struct drill_expr *arguments;
	unsigned count;
	struct drill_expr *result;
	int error; /* the errno that a result of -1 must come with; 0: any */
};

enum drill_event_kind { DRILL_PACKET, DRILL_SYSCALL, DRILL_SHELL, DRILL_CODE };
enum drill_time_kind { DRILL_ABSOLUTE, DRILL_RELATIVE, DRILL_WHENEVER };

struct drill_event {
	enum drill_event_kind kind;
	unsigned line;
	enum drill_time_kind time_kind;
	nanotime time;
	bool has_range, has_end;
	nanotime range; /* "a~b": the latest; on the same base as `time` */
	nanotime end;   /* "a...b": when the call returns */
	union {
		struct drill_packet packet;
		struct drill_call call;
		struct span text; /* of shell and code */
	};
	struct drill_event *next;
};

/* "--name=value" at the top of a script, or NAME=VALUE of the command line */
struct drill_setting {
	struct span name, value;
	unsigned line;
};

struct drill_script {
	struct drill_setting setting[DRILL_SETTINGS];
	unsigned settings;
	struct drill_event *first;
	unsigned events;
};

/* What names mean to a parser beyond the constants that it knows. */
struct drill_names {
	bool ip6;
	const struct drill_setting *define; /* looked up first */
	unsigned defines;
};

/*
 * Reads a script. The arena needs DRILL_ARENA_FACTOR times the text and DRILL_ARENA_LEAST bytes,
 * whatever the text. False: `p` says what is wrong, and where.
 */
#define DRILL_ARENA_FACTOR 96
#define DRILL_ARENA_LEAST  4096
bool drill_parse(struct span text, const struct drill_names *names, struct arena *arena,
	struct drill_script *out, struct drill_problem *p);
/* Only the option lines at its top: the address family decides what some names mean. */
bool drill_parse_settings(struct span text, struct drill_script *out, struct drill_problem *p);

/* The value of a name like SOL_SOCKET; false: none is called so. */
bool drill_constant(struct span name, bool ip6, int64_t *value);

static inline bool drill_is(struct span s, const char *word)
{
	return span_equal(s, span_of(word, strlen(word)));
}

#endif
