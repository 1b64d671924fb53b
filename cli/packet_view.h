/*
 * How a dissected packet is shown: one line, every field with its bytes, or JSON.
 * Shared by explain and unwrap.
 */
#ifndef STRATA_CLI_PACKET_VIEW_H
#define STRATA_CLI_PACKET_VIEW_H

#include <stdio.h>

#include "cli/json.h"
#include "diag/dissect.h"

/* "Ethernet 0-13, IPv4 14-33 ...": every layer with its bytes, coloured. */
void packet_view_layers(FILE *f, const struct dissection *d);
/* Every field of every layer: byte range, name, value, meaning. */
void packet_view_fields(FILE *f, const struct dissection *d);
/* What is wrong and in which layer; nothing where nothing is. */
void packet_view_problem(FILE *f, const struct dissection *d);
/* The members "layers", "summary" and "problem" of an object that is open. */
void packet_view_json(struct json *j, const struct dissection *d);
/* Bytes in hexadecimal, sixteen a line, each in its layer's colour. */
void packet_view_hex(FILE *f, const struct dissection *d);

#endif
