/*
 * Media types by file name extension: what a web server is asked for in practice
 * (IANA's registered types). Text types say UTF-8, because nothing else is
 * written any more. The table is sorted for a binary search; a test holds it so.
 */
#include "application/http/http_path.h"

#define EXTENSION_MAX 12
#define UTF8          "; charset=utf-8"

struct media {
	const char *extension, *type;
};

static const struct media media[] = {
	{ "7z", "application/x-7z-compressed" },
	{ "aac", "audio/aac" },
	{ "avif", "image/avif" },
	{ "bin", "application/octet-stream" },
	{ "bmp", "image/bmp" },
	{ "bz2", "application/x-bzip2" },
	{ "c", "text/plain" UTF8 },
	{ "css", "text/css" UTF8 },
	{ "csv", "text/csv" UTF8 },
	{ "epub", "application/epub+zip" },
	{ "flac", "audio/flac" },
	{ "gif", "image/gif" },
	{ "gz", "application/gzip" },
	{ "h", "text/plain" UTF8 },
	{ "htm", "text/html" UTF8 },
	{ "html", "text/html" UTF8 },
	{ "ico", "image/vnd.microsoft.icon" },
	{ "jpeg", "image/jpeg" },
	{ "jpg", "image/jpeg" },
	{ "js", "text/javascript" UTF8 },
	{ "json", "application/json" },
	{ "log", "text/plain" UTF8 },
	{ "m4a", "audio/mp4" },
	{ "md", "text/markdown" UTF8 },
	{ "mjs", "text/javascript" UTF8 },
	{ "mp3", "audio/mpeg" },
	{ "mp4", "video/mp4" },
	{ "oga", "audio/ogg" },
	{ "ogg", "audio/ogg" },
	{ "ogv", "video/ogg" },
	{ "opus", "audio/ogg" },
	{ "otf", "font/otf" },
	{ "pcap", "application/vnd.tcpdump.pcap" },
	{ "pdf", "application/pdf" },
	{ "png", "image/png" },
	{ "py", "text/x-python" UTF8 },
	{ "rss", "application/rss+xml" },
	{ "sh", "text/x-shellscript" UTF8 },
	{ "svg", "image/svg+xml" },
	{ "tar", "application/x-tar" },
	{ "tif", "image/tiff" },
	{ "tiff", "image/tiff" },
	{ "toml", "application/toml" },
	{ "ttf", "font/ttf" },
	{ "txt", "text/plain" UTF8 },
	{ "wasm", "application/wasm" },
	{ "wav", "audio/wav" },
	{ "webm", "video/webm" },
	{ "webmanifest", "application/manifest+json" },
	{ "webp", "image/webp" },
	{ "woff", "font/woff" },
	{ "woff2", "font/woff2" },
	{ "xhtml", "application/xhtml+xml" },
	{ "xml", "application/xml" },
	{ "xz", "application/x-xz" },
	{ "yaml", "application/yaml" },
	{ "yml", "application/yaml" },
	{ "zip", "application/zip" },
	{ "zst", "application/zstd" },
};

/* The part behind the last dot of the last segment, in lower case; empty where there is none. */
static size_t extension_of(struct span path, char out[EXTENSION_MAX])
{
	size_t dot = path.len;

	while (dot > 0 && path.at[dot - 1] != '.' && path.at[dot - 1] != '/')
		dot--;
	size_t len = path.len - dot;
	if (dot == 0 || path.at[dot - 1] != '.' || len >= EXTENSION_MAX)
		len = 0;
	for (size_t i = 0; i < len; i++) {
		uint8_t c = path.at[dot + i];
		out[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
	}
	out[len] = '\0';
	return len;
}

static int compare(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (uint8_t)*a - (uint8_t)*b;
}

const char *http_media_type(struct span path)
{
	char extension[EXTENSION_MAX];
	size_t low = 0, high = sizeof media / sizeof media[0];

	if (extension_of(path, extension) == 0)
		return "application/octet-stream";
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = compare(extension, media[middle].extension);
		if (order == 0)
			return media[middle].type;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return "application/octet-stream";
}
