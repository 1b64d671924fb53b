/*
 * Any bytes, as any kind of link: the dissection stays within them, its layers do not
 * overlap and stand in order, and every field lies in its layer.
 */
#include <stdlib.h>

#include "diag/dissect.h"
#include "wire/pcapng.h"

struct view {
	const struct dissect_layer *layer;
	unsigned fields;
};

static void check_field(void *user, const struct dissect_field *f)
{
	struct view *v = user;
	if (!f->name || !f->key || !f->value || f->bit < v->layer->at * 8 ||
	    f->bit + f->bits > (v->layer->at + v->layer->len) * 8)
		abort();
	if (++v->fields > 100000)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t links[] = { LINK_TYPE_ETHERNET, LINK_TYPE_RAW, LINK_TYPE_LINUX_SLL };
	if (size < 2)
		return 0;
	uint32_t link = links[data[0] % 3];
	uint32_t missing = data[1] & 1 ? data[1] : 0; /* bytes that were not captured */
	struct span bytes = span_of(data + 2, size - 2);
	struct dissection d;
	dissect(bytes, (uint32_t)bytes.len + missing, link, &d);
	uint32_t end = 0;
	for (unsigned i = 0; i < d.layers; i++) {
		const struct dissect_layer *l = &d.layer[i];
		if (l->at < end || l->at + l->len > bytes.len)
			abort();
		end = l->at + l->len;
		struct view v = { .layer = l };
		dissect_fields(&d, l, check_field, &v);
	}
	char line[200];
	if (dissect_line(&d, line, sizeof line) >= sizeof line)
		abort();
	return 0;
}
