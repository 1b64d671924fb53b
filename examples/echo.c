/*
 * An echo server (RFC 862): what a peer sends comes back. One peer after the
 * other, with calls that wait.
 *
 *	echo [LINK [ADDRESS]]        e.g. echo tap:tap0 192.0.2.2/24
 *
 * Then, from the host: ip addr add 192.0.2.1/24 dev tap0; nc 192.0.2.2 7
 */
#include <stdio.h>
#include <strata/strata.h>

int main(int argc, char **argv)
{
	struct strata *net = strata_open(&(struct strata_options){
		.link = argc > 1 ? argv[1] : "tap:tap0",
		.address = argc > 2 ? argv[2] : "192.0.2.2/24",
	});
	struct strata_listener *port = strata_listen(net, "tcp://:7");
	for (struct strata_stream *peer; (peer = strata_accept(port));) {
		uint8_t buf[4096];
		for (ssize_t n; (n = strata_read(peer, buf, sizeof buf)) > 0;)
			strata_write_all(peer, buf, (size_t)n);
		strata_close(peer);
	}
	fprintf(stderr, "echo: %s\n", strata_error_message());
	strata_close(net);
	return 1;
}
