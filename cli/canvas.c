/* Colours change only where cells do, so that plain text stays plain. */
#include "cli/canvas.h"

#include <string.h>

void canvas_clear(struct canvas *c)
{
	memset(c, 0, sizeof *c);
}

void canvas_sign(struct canvas *c, unsigned at, const char *sign, enum paint p)
{
	if (at >= CANVAS_MAX)
		return;
	c->cell[at].sign = sign;
	c->cell[at].paint = p;
	if (c->used <= at)
		c->used = at + 1;
}

unsigned canvas_text(struct canvas *c, unsigned at, const char *text, enum paint p)
{
	for (; *text && at < CANVAS_MAX; text++, at++) {
		c->cell[at].sign = NULL;
		c->cell[at].letter = *text;
		c->cell[at].paint = p;
		if (c->used <= at)
			c->used = at + 1;
	}
	return at;
}

static bool blank(const struct canvas *c, unsigned i)
{
	return !c->cell[i].sign && (c->cell[i].letter == 0 || c->cell[i].letter == ' ');
}

void canvas_print(const struct canvas *c, FILE *f)
{
	enum paint now = PAINT_PLAIN;
	unsigned end = c->used;
	while (end && blank(c, end - 1))
		end--;
	for (unsigned i = 0; i < end; i++) {
		enum paint p = blank(c, i) ? now : c->cell[i].paint;
		if (p != now) {
			fputs(now != PAINT_PLAIN ? paint(f, PAINT_PLAIN) : "", f);
			fputs(p != PAINT_PLAIN ? paint(f, p) : "", f);
			now = p;
		}
		if (c->cell[i].sign)
			fputs(c->cell[i].sign, f);
		else
			fputc(c->cell[i].letter ? c->cell[i].letter : ' ', f);
	}
	fputs(now != PAINT_PLAIN ? paint(f, PAINT_PLAIN) : "", f);
	fputc('\n', f);
}

bool canvas_words(const char **text, unsigned columns, char *out, size_t cap)
{
	const char *at = *text + strspn(*text, " ");
	size_t len = 0, most = columns < cap ? columns : cap - 1;
	if (!*at)
		return false;
	for (size_t end = strcspn(at, " "); end <= most;) {
		len = end;
		if (!at[end])
			break;
		end += 1 + strcspn(at + end + 1, " ");
	}
	if (len == 0)
		len = strnlen(at, most);
	memcpy(out, at, len);
	out[len] = '\0';
	*text = at + len;
	return true;
}
