/*
 * Rates, spacing and sizes. A frame of `bytes` at `rate` takes bytes / rate, and the
 * next leaves so much after the time at which this one should have left, unless that
 * lies too far back.
 */
#include "transport/recovery/pacer.h"

#define QUANTUM_MOST 65536u

static nanodiff span_of_bytes(uint32_t bytes, uint64_t rate)
{
	return (nanodiff)((uint64_t)bytes * NANO_S / rate);
}

void pacer_sent(struct pacer *p, uint64_t rate, uint32_t bytes, uint32_t burst, nanotime now)
{
	if (!rate) {
		p->next = 0;
		return;
	}
	nanotime earliest = now - span_of_bytes(burst, rate);
	if (p->next < earliest)
		p->next = earliest;
	p->next += span_of_bytes(bytes, rate);
}

uint32_t pacer_quantum(uint64_t rate, uint32_t mss, uint32_t most)
{
	if (!most || most > QUANTUM_MOST)
		most = QUANTUM_MOST;
	most = most > mss ? most - most % mss : mss;
	if (!rate)
		return most;
	uint64_t want = rate / 1000;
	uint32_t least = rate < 1200000 / 8 ? mss : 2 * mss;
	if (want < least)
		want = least;
	if (want > most)
		return most;
	return (uint32_t)want - (uint32_t)want % mss;
}

uint64_t pacer_window_rate(uint32_t cwnd, uint32_t ssthresh, nanodiff srtt)
{
	if (srtt <= 0)
		return 0;
	/* As slow start ends, the rate goes down before the window does. */
	uint64_t gain = cwnd < ssthresh / 2 ? 10 : 6; /* fifths */
	return (uint64_t)cwnd * gain / 5 * NANO_S / (uint64_t)srtt;
}
