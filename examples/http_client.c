/*
 * A small HTTP client: gets a page over Strata, writes it to standard output and
 * what it was to standard error.
 *
 *	http_client URL [LINK [ADDRESS [GATEWAY [DNS]]]]
 *
 * Without a link it lives on the simulated network lab:home, where
 * http://www.example.test/ is.
 */
#include <stdio.h>
#include <strata/strata.h>

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: http_client URL [LINK [ADDRESS [GATEWAY [DNS]]]]\n");
		return 2;
	}
	struct strata *net = strata_open(&(struct strata_options){
		.link = argc > 2 ? argv[2] : "lab:home",
		.address = argc > 3 ? argv[3] : NULL,
		.gateway = argc > 4 ? argv[4] : NULL,
		.dns = argc > 5 ? argv[5] : NULL,
	});
	struct strata_http_response *page = strata_http_get(net, argv[1], NULL);
	if (!page) {
		fprintf(stderr, "http_client: %s\n", strata_error_message());
		strata_close(net);
		return 1;
	}
	const char *type = strata_http_field(page, "content-type");
	char server[STRATA_ADDRESS_TEXT];
	strata_address_format(&page->server, server);
	fprintf(stderr, "%s: %u %s, %zu bytes of %s from %s\n", page->url, page->status,
		page->reason, page->content_len, type ? type : "something", server);
	fwrite(page->content, 1, page->content_len, stdout);
	strata_http_free(page);
	strata_close(net);
	return 0;
}
