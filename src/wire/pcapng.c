/*
 * pcapng blocks, written in this machine's byte order (the section header's
 * magic says which). Every block is sized first, so that it is written whole or
 * not at all; options and bodies are padded to four bytes with zeroes.
 */
#include "wire/pcapng.h"

const char *link_type_name(uint32_t type)
{
	switch (type) {
	case LINK_TYPE_NULL: return "BSD loopback";
	case LINK_TYPE_ETHERNET: return "Ethernet";
	case LINK_TYPE_RAW_BSD:
	case LINK_TYPE_RAW_OPENBSD:
	case LINK_TYPE_RAW: return "raw IP";
	case LINK_TYPE_IEEE80211: return "802.11";
	case LINK_TYPE_LOOP: return "OpenBSD loopback";
	case LINK_TYPE_LINUX_SLL: return "Linux cooked capture";
	case LINK_TYPE_IPV4: return "raw IPv4";
	case LINK_TYPE_IPV6: return "raw IPv6";
	case LINK_TYPE_LINUX_SLL2: return "Linux cooked capture v2";
	default: return NULL;
	}
}

static size_t padded(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

static size_t option_size(size_t len)
{
	return len ? 4 + padded(len) : 0;
}

static void put16(struct writer *w, uint16_t v)
{
	write_bytes(w, span_of(&v, sizeof v));
}

static void put32(struct writer *w, uint32_t v)
{
	write_bytes(w, span_of(&v, sizeof v));
}

static void put64(struct writer *w, uint64_t v)
{
	write_bytes(w, span_of(&v, sizeof v));
}

static void put_padding(struct writer *w, size_t len)
{
	static const uint8_t zero[4];
	write_bytes(w, span_of(zero, padded(len) - len));
}

/* An option; none where it is empty. Text longer than an option can hold is cut. */
static void put_option(struct writer *w, uint16_t code, struct span value)
{
	if (value.len == 0)
		return;
	put16(w, code);
	put16(w, (uint16_t)value.len);
	write_bytes(w, value);
	put_padding(w, value.len);
}

static void put_end_of_options(struct writer *w)
{
	put16(w, PCAPNG_END);
	put16(w, 0);
}

/* Begins a block of `size` bytes, after which nothing can fail; false where it does not fit. */
static bool begin_block(struct writer *w, uint32_t type, size_t size, uint8_t *out, size_t cap)
{
	if (size > cap || size > UINT32_MAX)
		return false;
	*w = writer_of(out, size);
	put32(w, type);
	put32(w, (uint32_t)size);
	return true;
}

static size_t end_block(struct writer *w)
{
	put32(w, (uint32_t)w->cap);
	assert(!w->failed && w->len == w->cap);
	return w->len;
}

/* Options hold at most 65535 bytes; padding must not carry their length beyond either. */
static struct span option_text(struct span s)
{
	return span_first(s, UINT16_MAX - 3);
}

size_t pcapng_section(const struct pcapng_section *s, uint8_t *out, size_t cap)
{
	struct span hardware = option_text(s->hardware), os = option_text(s->os);
	struct span application = option_text(s->application);
	struct writer w;

	if (!begin_block(&w, PCAPNG_MAGIC_SECTION,
		    PCAPNG_BLOCK_FRAME + 16 + option_size(hardware.len) + option_size(os.len) +
			    option_size(application.len) + 4,
		    out, cap))
		return 0;
	put32(&w, PCAPNG_MAGIC_ORDER);
	put16(&w, 1);
	put16(&w, 0);
	put64(&w, UINT64_MAX); /* the section's length is not known beforehand */
	put_option(&w, PCAPNG_SECTION_HARDWARE, hardware);
	put_option(&w, PCAPNG_SECTION_OS, os);
	put_option(&w, PCAPNG_SECTION_APPLICATION, application);
	put_end_of_options(&w);
	return end_block(&w);
}

size_t pcapng_interface(const struct pcapng_interface *i, uint8_t *out, size_t cap)
{
	struct span name = option_text(i->name), description = option_text(i->description);
	uint8_t nanoseconds = 9;
	struct writer w;

	size_t size = PCAPNG_BLOCK_FRAME + 8 + option_size(name.len) +
		option_size(description.len) + option_size(i->has_mac ? 6 : 0) +
		option_size(i->speed ? 8 : 0) + option_size(1) + 4;
	if (!begin_block(&w, PCAPNG_BLOCK_INTERFACE, size, out, cap))
		return 0;
	put16(&w, i->link_type);
	put16(&w, 0);
	put32(&w, i->snaplen);
	put_option(&w, PCAPNG_IF_NAME, name);
	put_option(&w, PCAPNG_IF_DESCRIPTION, description);
	put_option(&w, PCAPNG_IF_MAC, span_of(i->mac, i->has_mac ? 6 : 0));
	put_option(&w, PCAPNG_IF_SPEED, span_of(&i->speed, i->speed ? 8 : 0));
	put_option(&w, PCAPNG_IF_RESOLUTION, span_of(&nanoseconds, 1));
	put_end_of_options(&w);
	return end_block(&w);
}

static size_t captured_len(const struct pcapng_packet *p)
{
	size_t len = 0;

	for (unsigned i = 0; i < p->pieces; i++)
		len += p->piece[i].len;
	return len;
}

size_t pcapng_packet_size(const struct pcapng_packet *p)
{
	size_t options = option_size(p->direction ? 4 : 0) + option_size(p->has_drops ? 8 : 0);

	for (unsigned i = 0; i < p->comments; i++)
		options += option_size(option_text(p->comment[i]).len);
	return PCAPNG_BLOCK_FRAME + 20 + padded(captured_len(p)) + options + (options ? 4 : 0);
}

size_t pcapng_packet(const struct pcapng_packet *p, uint8_t *out, size_t cap)
{
	size_t len = captured_len(p), size = pcapng_packet_size(p);
	uint64_t time = p->time > 0 ? (uint64_t)p->time : 0;
	uint32_t flags = p->direction; /* the two low bits: 1 inbound, 2 outbound */
	struct writer w;

	if (!begin_block(&w, PCAPNG_BLOCK_PACKET, size, out, cap))
		return 0;
	put32(&w, p->interface);
	put32(&w, (uint32_t)(time >> 32));
	put32(&w, (uint32_t)time);
	put32(&w, (uint32_t)len);
	put32(&w, p->original_len > len ? p->original_len : (uint32_t)len);
	for (unsigned i = 0; i < p->pieces; i++)
		write_bytes(&w, p->piece[i]);
	put_padding(&w, len);
	for (unsigned i = 0; i < p->comments; i++)
		put_option(&w, PCAPNG_COMMENT, option_text(p->comment[i]));
	put_option(&w, PCAPNG_PACKET_FLAGS, span_of(&flags, flags ? 4 : 0));
	put_option(&w, PCAPNG_PACKET_DROPS, span_of(&p->drops, p->has_drops ? 8 : 0));
	if (w.len + 4 < size)
		put_end_of_options(&w);
	return end_block(&w);
}

size_t pcapng_name(const struct addr *address, struct span name, uint8_t *out, size_t cap)
{
	bool four = addr_is4(address);
	struct span bytes = four ? span_of(address->b + 12, 4) : span_of(address->b, 16);
	static const uint8_t nul[1];
	struct writer w;

	name = span_first(name, 255);
	size_t record = bytes.len + name.len + 1;
	if (!begin_block(
		    &w, PCAPNG_BLOCK_NAMES, PCAPNG_BLOCK_FRAME + 4 + padded(record) + 4, out, cap))
		return 0;
	put16(&w, four ? 1 : 2);
	put16(&w, (uint16_t)record);
	write_bytes(&w, bytes);
	write_bytes(&w, name);
	write_bytes(&w, span_of(nul, 1));
	put_padding(&w, record);
	put_end_of_options(&w); /* nrb_record_end has the same form */
	return end_block(&w);
}

size_t pcapng_secrets(uint32_t type, struct span secrets, uint8_t *out, size_t cap)
{
	struct writer w;

	if (!begin_block(&w, PCAPNG_BLOCK_SECRETS, PCAPNG_BLOCK_FRAME + 8 + padded(secrets.len),
		    out, cap))
		return 0;
	put32(&w, type);
	put32(&w, (uint32_t)secrets.len);
	write_bytes(&w, secrets);
	put_padding(&w, secrets.len);
	return end_block(&w);
}
