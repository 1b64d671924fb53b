/*
 * CPUID decides once, at start, which of the tables compiled for several
 * instruction sets a stack gets. The compiler's built-in also asks XGETBV
 * whether the system saves the wide registers.
 */
#include "host/cpu.h"

const struct checksum_ops *cpu_checksum(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2"))
		return &checksum_avx2;
	return &checksum_sse2;
#else
	return &checksum_plain;
#endif
}
