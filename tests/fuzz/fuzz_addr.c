/*
 * Any bytes as an address, a prefix or a MAC address: what is taken must have a
 * canonical text that is taken again and means the same.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/addr.h"

#define must(condition) ((condition) ? (void)0 : complain(#condition))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void complain(const char *condition)
{
	fprintf(stderr, "does not hold: %s\n", condition);
	abort();
}

static void try_addr(struct span text)
{
	struct addr a, again;
	char out[ADDR_TEXT_MAX], out_again[ADDR_TEXT_MAX];
	if (!addr_parse(text, &a))
		return;
	size_t len = addr_format(&a, out);
	must(len < ADDR_TEXT_MAX && strlen(out) == len);
	must(addr_parse(span_of(out, len), &again) && addr_equal(&a, &again));
	must(addr_format(&again, out_again) == len && memcmp(out, out_again, len) == 0);
}

static void try_prefix(struct span text)
{
	struct addr a;
	unsigned prefix;
	if (!addr_parse_prefix(text, &a, &prefix))
		return;
	must(prefix <= (addr_is4(&a) ? 32 : 128));
	must(addr_in_prefix(&a, &a, prefix));
}

static void try_mac(struct span text)
{
	struct mac m, again;
	char out[MAC_TEXT_MAX];
	if (!mac_parse(text, &m))
		return;
	size_t len = mac_format(&m, out);
	must(strlen(out) == len && mac_parse(span_of(out, len), &again) && mac_equal(&m, &again));
}

/* And the bytes themselves as an address. */
static void try_bytes(const uint8_t *data, size_t size)
{
	struct addr a, again;
	char out[ADDR_TEXT_MAX];
	if (size != 16)
		return;
	a = addr_from6(data);
	must(addr_parse(span_of(out, addr_format(&a, out)), &again) && addr_equal(&a, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_addr(span_of(data, size));
	try_prefix(span_of(data, size));
	try_mac(span_of(data, size));
	try_bytes(data, size);
	return 0;
}
