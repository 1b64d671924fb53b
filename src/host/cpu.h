/* What this machine's processor can do, as const tables for the stack's config. */
#ifndef STRATA_HOST_CPU_H
#define STRATA_HOST_CPU_H

#include "base/checksum.h"

/* The fastest checksum that this processor can run. */
const struct checksum_ops *cpu_checksum(void);

#endif
