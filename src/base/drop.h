/*
 * Why a packet was dropped: one table gives the enum, the counter, the layer,
 * the text that people read and the clause that says so. A codec's parse error
 * *is* a drop reason, so the core has one error space; DROP_NONE means "fine".
 */
#ifndef STRATA_BASE_DROP_H
#define STRATA_BASE_DROP_H

enum layer {
	LAYER_NONE,
	LAYER_ACCESS,      /* 1: Ethernet, Wi-Fi, ARP, neighbours */
	LAYER_INTERNET,    /* 2: IPv4, IPv6, ICMP */
	LAYER_TRANSPORT,   /* 3: TCP, UDP */
	LAYER_APPLICATION, /* 4: DNS, HTTP ... */
};

/*       name                layer        text, clause */
#define DROP_REASONS(X)                                                                            \
	X(NONE, NONE, "not dropped", "")                                                           \
	/* layer 1 */                                                                              \
	X(ETH_SHORT, ACCESS, "frame shorter than an Ethernet header", "IEEE 802.3 3.1")            \
	X(ETH_LENGTH, ACCESS, "length field larger than the bytes present", "IEEE 802.3 3.2.6")    \
	X(ETH_UNDEFINED, ACCESS, "type field too large for a length, too small for a type",        \
	  "IEEE 802.3 3.2.6")                                                                      \
	X(ETH_NOT_OURS, ACCESS, "destination MAC address is not ours", "IEEE 802.3 3.2.4")         \
	X(ETH_SOURCE, ACCESS, "source MAC address is a group address", "IEEE 802.3 3.2.3")         \
	X(ETH_TYPE, ACCESS, "EtherType that nobody here understands", "RFC 894")                   \
	X(VLAN_SHORT, ACCESS, "VLAN tag is cut short", "IEEE 802.1Q 9.6")                          \
	X(VLAN_NOT_OURS, ACCESS, "VLAN that this interface does not belong to", "IEEE 802.1Q")     \
	X(LLC_SHORT, ACCESS, "LLC/SNAP header is cut short", "RFC 1042")                           \
	X(LLC_TYPE, ACCESS, "LLC protocol that nobody here understands", "RFC 1042")               \
	X(ARP_SHORT, ACCESS, "ARP packet is cut short", "RFC 826")                                 \
	X(ARP_KIND, ACCESS, "ARP for other hardware or protocol types", "RFC 826")                 \
	X(ARP_OPERATION, ACCESS, "unknown ARP operation", "RFC 826")                               \
	X(ARP_SENDER, ACCESS, "ARP sender address can't be a host", "RFC 5227 2.1.1")              \
	X(ARP_NOT_OURS, ACCESS, "ARP asks for an address that is not ours", "RFC 826")             \
	X(NEIGHBOUR_PENDING_FULL, ACCESS, "too many packets wait for address resolution",          \
	  "RFC 1122 2.3.2.2")                                                                      \
	X(NEIGHBOUR_TABLE_FULL, ACCESS, "neighbour cache is full of unresolved entries",           \
	  "RFC 6583")                                                                              \
	X(NEIGHBOUR_FAILED, ACCESS, "next hop did not answer ARP or ND", "RFC 4861 7.2.2")         \
	X(ARP_UNASKED, ACCESS, "ARP reply that nobody asked for", "RFC 826")                       \
	X(ADDRESS_CONFLICT, ACCESS, "another host claims our address", "RFC 5227 2.4")             \
	X(NEIGHBOUR_UNRESOLVED, ACCESS, "next hop's link address is not known yet",                \
	  "RFC 4861 7.2.2")                                                                        \
	X(NEIGHBOUR_PENDING_SIZE, ACCESS, "too large to wait for address resolution",              \
	  "RFC 4861 7.2.2")                                                                        \
	X(LINK_BUSY, ACCESS, "link could not take the frame", "")                                  \
	X(LINK_DOWN, ACCESS, "interface is down", "")                                              \
	/* layer 2 */                                                                              \
	X(IP4_SHORT, INTERNET, "IPv4 header is cut short", "RFC 791 3.1")                          \
	X(IP4_VERSION, INTERNET, "version is not 4", "RFC 1122 3.2.1.1")                           \
	X(IP4_HEADER_LENGTH, INTERNET, "header length below 5 words or past the packet",           \
	  "RFC 791 3.1")                                                                           \
	X(IP4_TOTAL_LENGTH, INTERNET, "total length below the header's or past the frame",         \
	  "RFC 791 3.1")                                                                           \
	X(IP4_CHECKSUM, INTERNET, "header checksum is wrong", "RFC 1122 3.2.1.2")                  \
	X(IP4_OPTION, INTERNET, "malformed IPv4 option", "RFC 1122 3.2.1.8")                       \
	X(IP4_SOURCE_ROUTE, INTERNET, "source-routed packet", "RFC 7126 4.3")                      \
	X(IP6_SHORT, INTERNET, "IPv6 header is cut short", "RFC 8200 3")                           \
	X(IP6_VERSION, INTERNET, "version is not 6", "RFC 8200 3")                                 \
	X(IP6_PAYLOAD_LENGTH, INTERNET, "payload length is past the frame", "RFC 8200 3")          \
	X(IP6_EMPTY, INTERNET, "payload length zero, yet a header should follow (or a jumbogram)", \
	  "RFC 2675 3")                                                                            \
	X(IP6_EXTENSION, INTERNET, "malformed extension header", "RFC 8200 4")                     \
	X(IP6_EXTENSION_ORDER, INTERNET, "hop-by-hop header is not the first", "RFC 8200 4.1")     \
	X(IP6_EXTENSION_COUNT, INTERNET, "too many or too long extension headers",                 \
	  "RFC 8504 5.3")                                                                          \
	X(IP6_OPTION, INTERNET, "option that must be understood is not", "RFC 8200 4.2")           \
	X(IP6_ROUTING, INTERNET, "routing header with segments left", "RFC 5095")                  \
	X(IP6_NO_NEXT, INTERNET, "no next header", "RFC 8200 4.7")                                 \
	X(IP_SOURCE, INTERNET, "source address can't be a host's", "RFC 1122 3.2.1.3")             \
	X(IP_DESTINATION, INTERNET, "destination is not ours and we do not forward",               \
	  "RFC 1122 3.2.1.3")                                                                      \
	X(IP_PROTOCOL, INTERNET, "transport protocol that nobody here understands",                \
	  "RFC 1122 3.2.2.1")                                                                      \
	X(IP_FRAGMENT, INTERNET, "fragment, and reassembly is not configured", "RFC 791 3.2")      \
	X(IP_HOP_LIMIT, INTERNET, "hop limit reached zero in forwarding", "RFC 1812 5.3.1")        \
	X(IP_NO_ROUTE, INTERNET, "no route to the destination", "RFC 1812 4.3.3.1")                \
	X(IP_TOO_BIG, INTERNET, "larger than the next link's MTU", "RFC 1191")                     \
	X(IP_NOT_FORWARDABLE, INTERNET, "link-local or multicast, never forwarded",                \
	  "RFC 4291 2.5.6")                                                                        \
	X(IP_GROUP, INTERNET, "group that this interface did not join", "RFC 1112 7.2")            \
	X(IP_LINK_GROUP, INTERNET, "unicast packet in a link-layer broadcast",                     \
	  "RFC 1122 3.3.6")                                                                        \
	X(IP_FORWARD_FULL, INTERNET, "forwarding queue is full", "RFC 1812 5.3.6")                 \
	X(IP_FORWARD_SIZE, INTERNET, "too large for a place in the forwarding queue", "")          \
	X(ICMP_SHORT, INTERNET, "ICMP message is cut short", "RFC 792")                            \
	X(ICMP_CHECKSUM, INTERNET, "ICMP checksum is wrong", "RFC 1122 3.2.2")                     \
	X(ICMP_TYPE, INTERNET, "ICMP type that is not acted on", "RFC 1122 3.2.2")                 \
	X(ICMP_ECHO_BROADCAST, INTERNET, "echo request to a group address", "RFC 1122 3.2.2.6")    \
	X(ICMP_ECHO_SIZE, INTERNET, "echo request larger than the configured answer", "")          \
	X(ICMP_QUOTE, INTERNET, "quoted packet is malformed or not ours", "RFC 5927 4")            \
	X(ICMP_MTU, INTERNET, "error names an MTU below the family's least", "RFC 8201 4")         \
	X(ICMP_RATE, INTERNET, "rate limit of errors reached", "RFC 4443 2.4")                     \
	X(ICMP_REDIRECT, INTERNET, "redirects are not followed", "RFC 6918")                       \
	X(ND_HOP_LIMIT, INTERNET, "neighbour discovery from beyond the link", "RFC 4861 6.1")      \
	X(ND_FORMAT, INTERNET, "malformed neighbour discovery message", "RFC 4861 7.1")            \
	X(ND_TARGET, INTERNET, "neighbour discovery for a target that is not ours",                \
	  "RFC 4861 7.2.3")                                                                        \
	X(ND_UNSOLICITED, INTERNET, "advertisement for nobody we know", "RFC 4861 7.2.5")          \
	X(INTENT_FULL, INTERNET, "queue of replies is full", "")                                   \
	/* layer 3 */                                                                              \
	X(UDP_SHORT, TRANSPORT, "UDP header is cut short", "RFC 768")                              \
	X(UDP_LENGTH, TRANSPORT, "UDP length below 8 or past the packet", "RFC 768")               \
	X(UDP_CHECKSUM, TRANSPORT, "UDP checksum is wrong", "RFC 768")                             \
	X(UDP_ZERO_CHECKSUM, TRANSPORT, "no UDP checksum over IPv6", "RFC 8200 8.1")               \
	X(UDP_PORT, TRANSPORT, "no socket on this UDP port", "RFC 1122 4.1.3.1")                   \
	X(UDP_QUEUE_FULL, TRANSPORT, "socket's receive queue is full", "")                         \
	X(TCP_SHORT, TRANSPORT, "TCP header is cut short", "RFC 9293 3.1")                         \
	X(TCP_OFFSET, TRANSPORT, "data offset below 5 or past the segment", "RFC 9293 3.1")        \
	X(TCP_CHECKSUM, TRANSPORT, "TCP checksum is wrong", "RFC 9293 MUST-3")                     \
	X(TCP_ADDRESS, TRANSPORT, "TCP to or from a group address", "RFC 9293 MUST-57")            \
	X(TCP_NO_CONNECTION, TRANSPORT, "no connection or listener", "RFC 9293 3.10.7.1")          \
	X(TCP_NOT_SYN, TRANSPORT, "listener got neither SYN nor a valid ACK",                      \
	  "RFC 9293 3.10.7.2")                                                                     \
	X(TCP_SIGNED, TRANSPORT, "signed (MD5 or TCP-AO), and we have no key", "RFC 2385 2.0")     \
	X(TCP_SEQUENCE, TRANSPORT, "outside the receive window", "RFC 9293 3.10.7.4")              \
	X(TCP_PAWS, TRANSPORT, "old timestamp", "RFC 7323 5.3")                                    \
	X(TCP_RESET_SEQUENCE, TRANSPORT, "reset that is not exactly in sequence",                  \
	  "RFC 5961 3.2")                                                                          \
	X(TCP_SYN_IN_WINDOW, TRANSPORT, "SYN on a synchronized connection", "RFC 5961 4.2")        \
	X(TCP_ACK_MISSING, TRANSPORT, "no ACK bit on a synchronized connection",                   \
	  "RFC 9293 3.10.7.4")                                                                     \
	X(TCP_ACK_UNSENT, TRANSPORT, "acknowledges bytes never sent", "RFC 9293 3.10.7.4")         \
	X(TCP_ACK_OLD, TRANSPORT, "acknowledgment is too old", "RFC 5961 5.2")                     \
	X(TCP_MEMORY, TRANSPORT, "no block for the text", "RFC 2018 8")                            \
	X(TCP_RANGES_FULL, TRANSPORT, "too many holes before this text", "RFC 2018 8")             \
	X(TCP_AFTER_FIN, TRANSPORT, "text after the peer's FIN", "RFC 9293 3.10.7.4")              \
	X(TCP_CLOSED_TEXT, TRANSPORT, "text for an application that closed", "RFC 9293 SHLD-3")    \
	X(TCP_BACKLOG_FULL, TRANSPORT, "listener's backlog is full", "RFC 4987 3.1")               \
	X(TCP_TABLE_FULL, TRANSPORT, "no memory for another connection", "RFC 4987 3.1")           \
	X(TCP_TIME_WAIT, TRANSPORT, "old segment in TIME-WAIT", "RFC 1337")                        \
	/* layer 4 */                                                                              \
	X(DNS_SHORT, APPLICATION, "DNS message is shorter than its header", "RFC 1035 4.1.1")      \
	X(DNS_COUNT, APPLICATION, "DNS section ends before its count", "RFC 9267 6")               \
	X(DNS_NAME_SHORT, APPLICATION, "DNS name runs past the message", "RFC 9267 4")             \
	X(DNS_LABEL, APPLICATION, "DNS label of more than 63 bytes or of an unknown kind",         \
	  "RFC 9267 3")                                                                            \
	X(DNS_NAME_LONG, APPLICATION, "DNS name is longer than 255 bytes", "RFC 1035 2.3.4")       \
	X(DNS_POINTER, APPLICATION, "DNS compression pointer does not lead backwards",             \
	  "RFC 9267 2")                                                                            \
	X(DNS_RDLENGTH, APPLICATION, "DNS record data does not fill RDLENGTH exactly",             \
	  "RFC 9267 5")                                                                            \
	X(DNS_RDATA, APPLICATION, "DNS record data is malformed for its type", "RFC 1035 3.3")     \
	X(DNS_OPT, APPLICATION, "EDNS record is malformed, twice or out of place",                 \
	  "RFC 6891 6.1.1")                                                                        \
	X(DNS_UNMATCHED, APPLICATION, "DNS response that answers no pending query",                \
	  "RFC 5452 9.1")                                                                          \
	X(DNS_NOT_RESPONSE, APPLICATION, "DNS message is not of the expected kind",                \
	  "RFC 5452 9.1")

enum drop {
#define DROP_ENUM(name, layer, text, clause) DROP_##name,
	DROP_REASONS(DROP_ENUM)
#undef DROP_ENUM
	DROP_COUNT
};

struct drop_info {
	const char *name; /* "ETH_SHORT" */
	enum layer layer;
	const char *text;
	const char *clause; /* "" where none */
};

/* The table's row; `reason` below DROP_COUNT. */
const struct drop_info *drop_info(enum drop reason);
/* "access", "internet", "transport", "application" */
const char *layer_name(enum layer layer);

#endif
