/*
 * Why a frame was sent. Every frame that leaves carries one of these; the
 * capture writes the text beside the packet and the walk prints it.
 */
#ifndef STRATA_PACKET_WHY_H
#define STRATA_PACKET_WHY_H

#define TX_WHYS(X)                                                                                 \
	X(NONE, "")                                                                                \
	X(ARP_ASK, "ask who has the next hop's address")                                           \
	X(ARP_CHECK, "check that the neighbour still has this link address")                       \
	X(ARP_ANSWER, "answer: that address is mine")                                              \
	X(ARP_PROBE, "probe: does anybody use this address?")                                      \
	X(ARP_ANNOUNCE, "announce our address")                                                    \
	X(ND_ASK, "ask for the next hop's link address")                                           \
	X(ND_ANSWER, "answer: that address is mine")                                               \
	X(ND_PROBE, "check that the neighbour is still there")                                     \
	X(ECHO_ASK, "echo request from the application")                                           \
	X(ECHO_ANSWER, "answer to an echo request")                                                \
	X(ICMP_ERROR, "tell the sender why its packet was refused")                                \
	X(FORWARD, "forwarded towards its destination")                                            \
	X(DATAGRAM, "datagram from the application")                                               \
	X(SYN, "open a connection")                                                                \
	X(SYN_ACK, "accept a connection")                                                          \
	X(SYN_COOKIE, "accept a connection; nothing is kept but a cookie on its way")             \
	X(HANDSHAKE_ACK, "finish the handshake")                                                   \
	X(DATA, "data from the application")                                                       \
	X(DATA_LAST, "last data in the send queue")                                                \
	X(FAST_RETRANSMIT, "sent again: later data arrived, so this was lost")                     \
	X(RTO_RETRANSMIT, "sent again: no acknowledgment within the RTO")                          \
	X(SYN_RETRANSMIT, "sent again: no answer to SYN within the RTO")                           \
	X(LIMITED_TRANSMIT, "new data on a duplicate ACK")                                         \
	X(TAIL_PROBE, "tail loss probe")                                                           \
	X(MTU_PROBE, "larger than the path is known to carry: does it arrive?")                    \
	X(WINDOW_PROBE, "probe of a closed window")                                                \
	X(KEEPALIVE, "is the peer still there?")                                                   \
	X(ACK_DELAYED, "delayed ACK: timer ran out")                                               \
	X(ACK_NOW, "ACK: two full segments, or the end of a burst")                                \
	X(ACK_OUT_OF_ORDER, "ACK at once: there is a hole, or one was filled")                     \
	X(ACK_WINDOW, "window update: the application made room")                                  \
	X(ACK_DUPLICATE, "ACK: the segment brought nothing new")                                   \
	X(ACK_FIN, "ACK of the peer's FIN")                                                        \
	X(ACK_CHALLENGE, "challenge ACK")                                                          \
	X(USER_TIMEOUT, "tell the peer how long we wait for it")                                   \
	X(URGENT, "urgent data waits to be sent: say so")                                          \
	X(FIN, "no more data from this side")                                                      \
	X(RESET_NO_CONNECTION, "reset: no such connection here")                                   \
	X(RESET_ABORT, "reset: the application aborted")                                           \
	X(RESET_DATA_LOST, "reset: data came for an application that closed")                      \
	X(RESET_TIMEOUT, "reset: gave up on the peer")

enum tx_why {
#define TX_WHY_ENUM(name, text) WHY_##name,
	TX_WHYS(TX_WHY_ENUM)
#undef TX_WHY_ENUM
	WHY_COUNT
};

const char *tx_why_text(enum tx_why why);
const char *tx_why_name(enum tx_why why);

#endif
