/*
 * A capture of one interface of this host's stack: a pcapng file with what it
 * sent and received, why, and with which fate. It never holds up the stack: what
 * a slow reader of a pipe has not taken waits in a bounded buffer, and frames
 * that find it full are left out and counted.
 */
#ifndef STRATA_HOST_CAPTURE_FILE_H
#define STRATA_HOST_CAPTURE_FILE_H

#include "socket/app.h"

struct capture_file;

/* NULL, *error and in `why` one line. The first frames may come at once. */
struct capture_file *capture_file_open(
	const char *path, const struct netif *nif, enum error *error, char *why, size_t cap);
/* Takes what concerns frames of its interface. */
void capture_file_event(struct capture_file *c, const struct trace_event *event);
/* To be run by the loop: writes what has waited for a while. */
struct app *capture_file_app(struct capture_file *c);
/* Frames that are missing in the file. */
uint64_t capture_file_lost(const struct capture_file *c);
/* Writes the rest (waiting for a pipe's reader) and closes. False: not all could be written. */
bool capture_file_close(struct capture_file *c);

#endif
