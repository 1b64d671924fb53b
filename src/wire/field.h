/*
 * Field tables: what a header's bytes are, for people. Each codec has one
 * const table of its fixed fields; the explainer, `wrap` and the walk print
 * from it, and a test holds it against the codec (each field's bits, read by
 * the table, equal the struct member that the codec parsed).
 */
#ifndef STRATA_WIRE_FIELD_H
#define STRATA_WIRE_FIELD_H

#include "base/drop.h"
#include "base/span.h"

enum field_kind {
	FIELD_UINT,  /* decimal */
	FIELD_HEX,   /* hexadecimal, e.g. EtherType, checksum */
	FIELD_FLAGS, /* bits with names: see `flags` */
	FIELD_ADDR4,
	FIELD_ADDR6,
	FIELD_MAC,
	FIELD_BYTES, /* opaque */
};

struct field {
	const char *name;    /* "Total length" */
	const char *key;     /* "total_length": its name in JSON */
	const char *tshark;  /* tshark's field ("ip.len"), or NULL */
	uint16_t bit, bits;  /* offset from the header's first bit, width */
	enum field_kind kind;
	const char *meaning; /* one sentence for who never read an RFC */
	/* Optional: words for a value ("TCP" for protocol 6), or NULL. */
	const char *(*word)(uint64_t value);
	/* FIELD_FLAGS: the bits' names, most significant first, NULL for unnamed. */
	const char *const *flags;
};

struct header_info {
	const char *name;   /* "IPv4" */
	const char *key;    /* "ip4" */
	enum layer layer;
	const char *clause; /* "RFC 791 3.1" */
	const struct field *field;
	unsigned count;
};

/* The bits of a field as a number (at most 64 bits wide); 0 where the header is too short. */
uint64_t field_value(const struct field *f, struct span header);
/*
 * The value as text, e.g. "192.0.2.1", "0x0800 (IPv4)", "SYN, ACK"; returns its length, NUL-closed.
 * A number is raw: in the unit of the field.
 */
size_t field_format(const struct field *f, struct span header, char *out, size_t cap);

#endif
