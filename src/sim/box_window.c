/*
 * Rewrites windows: traffic shapers that slow a sender by making its peer's
 * window smaller, and firewalls that change the scale option of a SYN but not
 * the windows that follow (Linux bug reports of 2004 to 2008 call it the broken
 * window-scaling router). The sender sees right edges that move left (RFC 9293
 * SHLD-14, MUST-34), windows far below or above the true one, and slivers. It must
 * neither stop for ever nor send what is refused without end. Where both ends
 * believe in windows above the true ones, each sends beyond the other's, and no
 * ACK is acceptable any more (RFC 9293 3.10.7.4): their user timeouts end that.
 */
#include "sim/box.h"
#include "sim/tcp_frame.h"

struct box_window {
	struct box box;
	uint32_t shift;
	uint16_t cap;
	uint8_t scale;
};

static void rewrite(struct box_window *b, struct tcp_frame *f)
{
	uint32_t len, at = f->flags & TF_SYN ? tcp_frame_option(f, 3, &len) : 0;
	if (at && len == 3 && b->scale < 15)
		f->parcel->bytes[at + 2] = b->scale;
	if (!(f->flags & TF_SYN)) {
		uint16_t w = (uint16_t)(f->window >> b->shift);
		f->window = w > b->cap ? b->cap : w;
	}
}

static void pass(struct box *box, unsigned way, struct parcel *p)
{
	struct box_window *b = list_entry(box, struct box_window, box);
	struct tcp_frame f;
	if (box_on(box) && tcp_frame_read(&f, p)) {
		box->touched++;
		rewrite(b, &f);
		tcp_frame_write(&f);
	}
	box_let_pass(box, way, p);
}

struct box *box_window_new(struct box_chain *c, uint32_t shift, uint16_t cap, uint8_t scale)
{
	struct box_window *b = box_new(c, "window", sizeof *b, pass);
	b->shift = shift;
	b->cap = cap;
	b->scale = scale;
	return &b->box;
}
