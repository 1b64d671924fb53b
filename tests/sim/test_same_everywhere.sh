#!/bin/bash
# I32: one seed, one event hash: gcc and clang, release, debug and the sanitizers, one job and two.
set -eu
seeds=${STRATA_SEEDS:-1-30}
sum() { "$1" sweep --seeds "$seeds" --jobs "$2" --json | sed -n 's/.*"hash": *"\([0-9a-f]*\)".*/\1/p'; }
first="$STRATA_BUILD/strata-sim"
[ -x "$first" ] || { echo "SKIPPED: strata-sim is not built"; exit 77; }
expected=$(sum "$first" 1)
[ -n "$expected" ] || { echo "no hash from $first"; exit 1; }
for build in "" /clang /asan /debug; do
	program="$STRATA_BUILD$build/strata-sim"
	[ -x "$program" ] || continue
	# Only a program of the same sources can be compared.
	[ "$build" = /debug ] && [ "$program" -ot "$first" ] && continue
	for jobs in 1 2; do
		got=$(sum "$program" "$jobs")
		echo "$got ${build:-release} jobs $jobs"
		[ "$got" = "$expected" ] || { echo "seeds $seeds: $got, but release says $expected"; exit 1; }
	done
done
