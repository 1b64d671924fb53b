/*
 * A file's validators: the time it was changed, and an entity tag of its
 * identity and length, strong as far as the system's clock ticks between two
 * changes (RFC 9110 8.8.3.1).
 *
 * The paths that come here are decoded and safe (http_path.h); the folder would
 * refuse to leave itself anyway.
 */
#include "api/folder_content.h"

#include "base/text.h"

static int open_file(void *user, struct span path, struct http_entity *out)
{
	const struct directory *d = user;
	struct directory_file f;
	if (path.len == 0 || path.at[0] != '/')
		return -ERR_NOT_FOUND;
	bool wants_folder = path.at[path.len - 1] == '/';
	struct span relative = span_after(path, 1);
	if (wants_folder && relative.len)
		relative.len--;
	enum error e = directory_find(d, relative, &f);
	if (e)
		return -(int)e;
	out->directory = f.folder;
	if (f.folder)
		return 0;
	if (wants_folder) {
		directory_file_close(&f);
		return -ERR_NOT_FOUND; /* "/page.html/" names nothing */
	}
	out->length = f.length;
	out->modified = f.modified;
	out->number = f.fd;
	struct text t = text_of(out->etag, sizeof out->etag);
	text_char(&t, '"');
	text_hex(&t, f.identity, 16);
	text_char(&t, '-');
	text_hex(&t, f.length, 12);
	text_char(&t, '"');
	return 0;
}

static int64_t read_file(void *user, struct http_entity *e, uint64_t at, uint8_t *to, size_t cap)
{
	(void)user;
	return directory_read((int)e->number, at, to, cap);
}

static void close_file(void *user, struct http_entity *e)
{
	(void)user;
	directory_file_close(&(struct directory_file){ .fd = (int)e->number });
}

const struct http_content folder_content = {
	.open = open_file,
	.read = read_file,
	.close = close_file,
};
