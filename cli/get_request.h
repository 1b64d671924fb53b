/* A request from the words of a command line: URL, -X, -I, -H, -d as curl understands them. */
#ifndef STRATA_CLI_GET_REQUEST_H
#define STRATA_CLI_GET_REQUEST_H

#include "application/http/fetch.h"
#include "cli/commands.h"

#define GET_FIELDS_MAX 48

struct get_request {
	struct fetch_request fetch;
	struct http1_field field[GET_FIELDS_MAX];
	uint8_t *data; /* of -d, joined by '&' */
	size_t data_len;
	enum verdict verdict; /* where it could not be read */
};

extern const struct option_info get_request_options[];

/* False: told, and r->verdict is why. get_request_free in any case. */
bool get_request_read(struct get_request *r, const struct arguments *a);
void get_request_free(struct get_request *r);
/* All of a file, or of standard input for "-"; NULL: told. *len bytes, to be freed. */
uint8_t *read_whole_file(const struct command *c, const char *path, size_t *len);

#endif
