/* Views on a dissection. Layers have the colours that they have everywhere. */
#include "cli/packet_view.h"

#include <string.h>

#include "cli/paint.h"

#define LINE_MAX_TEXT 512
#define NAME_COLUMNS  22
#define VALUE_TEXT    1024

static const char *colour(FILE *f, const struct dissect_layer *l)
{
	return paint(f, (enum paint)(PAINT_LAYER1 + (int)l->layer - (int)LAYER_ACCESS));
}

void packet_view_layers(FILE *f, const struct dissection *d)
{
	for (unsigned i = 0; i < d->layers; i++) {
		const struct dissect_layer *l = &d->layer[i];
		fprintf(f, "%s%s%s %u-%u%s", i ? "  " : "", colour(f, l), l->name, l->at,
			l->at + (l->len ? l->len - 1 : 0), paint(f, PAINT_PLAIN));
	}
	fputc('\n', f);
}

void packet_view_problem(FILE *f, const struct dissection *d)
{
	if (d->problem == DROP_NONE)
		return;
	const struct drop_info *info = drop_info(d->problem);
	fprintf(f, "%s!! %s layer: %s%s%s%s%s\n", paint(f, PAINT_BAD), layer_name(info->layer),
		info->text, info->clause[0] ? " (" : "", info->clause, info->clause[0] ? ")" : "",
		paint(f, PAINT_PLAIN));
}

struct field_view {
	FILE *file;
	unsigned columns;
};

static void show_field(void *user, const struct dissect_field *field)
{
	struct field_view *v = user;
	char range[40];
	uint32_t first = field->bit / 8,
		 last = (field->bit + (field->bits ? field->bits - 1 : 0)) / 8;
	if (field->bit % 8 || field->bits % 8)
		snprintf(range, sizeof range, "%u.%u+%ub", first, field->bit % 8, field->bits);
	else if (first == last)
		snprintf(range, sizeof range, "%u", first);
	else
		snprintf(range, sizeof range, "%u-%u", first, last);
	fprintf(v->file, "    %-9s %s%-*s%s ", range, paint(v->file, PAINT_STRONG), NAME_COLUMNS,
		field->name, paint(v->file, PAINT_PLAIN));
	char value[VALUE_TEXT];
	snprintf(value, sizeof value, "%s", field->value);
	for (char *tab = value; (tab = strchr(tab, '\t'));)
		*tab = ' ';
	paint_wrap(v->file, value, 15 + NAME_COLUMNS, 17 + NAME_COLUMNS, v->columns);
	if (field->meaning) {
		fprintf(v->file, "\n              %s", paint(v->file, PAINT_FAINT));
		paint_wrap(v->file, field->meaning, 14, 14, v->columns);
		fprintf(v->file, "%s", paint(v->file, PAINT_PLAIN));
	}
	fputc('\n', v->file);
}

void packet_view_fields(FILE *f, const struct dissection *d)
{
	struct field_view v = { .file = f, .columns = paint_columns(f) };
	for (unsigned i = 0; i < d->layers; i++) {
		const struct dissect_layer *l = &d->layer[i];
		fprintf(f, "  %s%s%s  layer %d (%s), bytes %u-%u (%u)", colour(f, l), l->name,
			paint(f, PAINT_PLAIN), (int)l->layer, layer_name(l->layer), l->at,
			l->at + (l->len ? l->len - 1 : 0), l->len);
		if (l->info && l->info->clause[0])
			fprintf(f, ", %s", l->info->clause);
		fputc('\n', f);
		dissect_fields(d, l, show_field, &v);
	}
	if (d->offloaded)
		fputs("  The transport checksum was left to the sender's network card.\n", f);
}

static void json_field(void *user, const struct dissect_field *field)
{
	struct json *j = user;
	json_object(j, NULL);
	json_string(j, "name", field->name);
	json_string(j, "key", field->key);
	json_unsigned(j, "bit", field->bit);
	json_unsigned(j, "bits", field->bits);
	json_string(j, "value", field->value);
	json_string(j, "meaning", field->meaning);
	json_close(j);
}

void packet_view_json(struct json *j, const struct dissection *d)
{
	char line[LINE_MAX_TEXT];
	dissect_line(d, line, sizeof line);
	json_string(j, "summary", line);
	json_array(j, "layers");
	for (unsigned i = 0; i < d->layers; i++) {
		const struct dissect_layer *l = &d->layer[i];
		json_object(j, NULL);
		json_unsigned(j, "layer", (uint64_t)l->layer);
		json_string(j, "floor", layer_name(l->layer));
		json_string(j, "name", l->name);
		json_string(j, "key", l->key);
		json_unsigned(j, "offset", l->at);
		json_unsigned(j, "length", l->len);
		json_array(j, "fields");
		dissect_fields(d, l, json_field, j);
		json_close(j);
		json_close(j);
	}
	json_close(j);
	json_bool(j, "checksum_offloaded", d->offloaded);
	if (d->problem == DROP_NONE) {
		json_null(j, "problem");
		return;
	}
	const struct drop_info *info = drop_info(d->problem);
	json_object(j, "problem");
	json_string(j, "reason", info->name);
	json_string(j, "layer", layer_name(info->layer));
	json_string(j, "text", info->text);
	json_string(j, "clause", info->clause);
	json_close(j);
}

static const struct dissect_layer *layer_at(const struct dissection *d, uint32_t at)
{
	for (unsigned i = 0; i < d->layers; i++)
		if (at >= d->layer[i].at && at < d->layer[i].at + d->layer[i].len)
			return &d->layer[i];
	return NULL;
}

void packet_view_hex(FILE *f, const struct dissection *d)
{
	for (uint32_t at = 0; at < d->bytes.len; at += 16) {
		fprintf(f, "  %04x ", at);
		const struct dissect_layer *last = NULL;
		for (uint32_t i = at; i < at + 16 && i < d->bytes.len; i++) {
			const struct dissect_layer *l = layer_at(d, i);
			if (l != last || i == at)
				fputs(l ? colour(f, l) : paint(f, PAINT_PLAIN), f);
			last = l;
			fprintf(f, " %02x", d->bytes.at[i]);
		}
		fprintf(f, "%s\n", paint(f, PAINT_PLAIN));
	}
}
