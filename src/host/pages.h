/* Memory for a stack: address space at once, pages when touched. */
#ifndef STRATA_HOST_PAGES_H
#define STRATA_HOST_PAGES_H

#include <stddef.h>

/* Zeroed, aligned to a page; NULL where the system has none. */
void *pages_map(size_t size);
void pages_unmap(void *at, size_t size);

#endif
