/*
 * A stack plans all its tables at start, for the worst case of its config; most
 * of it is never touched. MAP_NORESERVE keeps the system from setting the worst
 * case aside. Transparent huge pages are declined: a table with one used entry
 * a page would grow to 2 MB by each.
 */
#include "host/pages.h"

#include <sys/mman.h>

void *pages_map(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return NULL;
	madvise(at, size, MADV_NOHUGEPAGE); /* a wish: refused where there are none */
	return at;
}

void pages_unmap(void *at, size_t size)
{
	if (at)
		munmap(at, size);
}
