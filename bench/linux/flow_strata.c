/* Our side: the public interface, with the thread that runs the stack. */
#include "flow.h"

#include <stdio.h>

#include "strata/strata.h"

static struct strata *net;
static struct strata_stream *stream;

static bool refuse(const char *what)
{
	flow_fail(what, strata_error_message());
	return false;
}

static bool open_net(const struct flow_options *o)
{
	net = strata_open(&(struct strata_options){
		.link = o->link,
		.address = o->address,
		.mac = o->mac,
		.pcap = o->pcap,
		.linger = 1,
	});
	return net || refuse("open");
}

static bool ours_connect(const struct flow_options *o)
{
	char where[64];
	snprintf(where, sizeof where, "tcp://%s:%u", o->to, o->port);
	if (!open_net(o))
		return false;
	stream = strata_connect(net, where, 20 * STRATA_SECOND);
	if (!stream)
		return refuse("connect");
	strata_set_timeout(stream, FLOW_WAIT_MS * STRATA_MILLISECOND);
	return true;
}

static bool ours_accept(const struct flow_options *o)
{
	char where[64];
	snprintf(where, sizeof where, "tcp://:%u", o->port);
	if (!open_net(o))
		return false;
	struct strata_listener *listener = strata_listen(net, where);
	if (!listener)
		return refuse("listen");
	fputs("listening\n", stderr);
	stream = strata_accept(listener);
	if (!stream)
		return refuse("accept");
	strata_close(listener);
	strata_set_timeout(stream, FLOW_WAIT_MS * STRATA_MILLISECOND);
	return true;
}

static ssize_t outcome(ssize_t n)
{
	if (n >= 0)
		return n;
	return n == -STRATA_E_AGAIN || n == -STRATA_E_TIMEOUT ? FLOW_AGAIN : -1;
}

static ssize_t ours_read(void *to, size_t size)
{
	return outcome(strata_read(stream, to, size));
}

static ssize_t ours_write(const void *from, size_t size)
{
	return outcome(strata_write(stream, from, size));
}

static bool ours_info(struct flow_info *out)
{
	struct strata_stream_info i;
	if (strata_stream_info(stream, &i))
		return false;
	*out = (struct flow_info){
		.rtt = (double)i.rtt * 1e-9,
		.cwnd = i.congestion_window,
		.ssthresh = i.slow_start_threshold,
		.in_flight = i.in_flight,
		.retransmits = i.retransmits,
	};
	return true;
}

static void ours_close(void)
{
	strata_stream_abort(stream);
	strata_close(net);
}

const struct flow_stack flow_strata = {
	.connect = ours_connect,
	.accept = ours_accept,
	.read = ours_read,
	.write = ours_write,
	.info = ours_info,
	.close = ours_close,
};
