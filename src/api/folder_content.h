/*
 * The pages of an HTTP server from a folder of this host: joins what host/ opens
 * with what application/http asks for. `user` is a struct directory.
 */
#ifndef STRATA_API_FOLDER_CONTENT_H
#define STRATA_API_FOLDER_CONTENT_H

#include "application/http/content.h"
#include "host/directory.h"

extern const struct http_content folder_content;

#endif
