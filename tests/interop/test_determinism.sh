#!/bin/sh
# The same seed gives the same world with gcc and clang, with and without sanitizers: the hash of a
# whole visit to lab:lossy (look-ups, 1 MiB over TCP with loss and reordering) is the same in every
# build that there is.
set -eu
root=${STRATA_ROOT:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${STRATA_BUILD:-$root/build}
hashes=
builds=0
for folder in "$build" "$build/clang" "$build/asan" "$build/debug"; do
	program=$folder/tests/test_labs
	[ -x "$program" ] || continue
	for seed in 1 20260101; do
		output=$(STRATA_SEED=$seed "$program" 2>&1) || { echo "$output"; exit 1; }
		hash=$(printf '%s\n' "$output" | sed -n 's/.*visit hash //p')
		echo "seed $seed: $hash ${folder#"$root"/}"
		hashes="$hashes$seed $hash
"
	done
	builds=$((builds + 1))
done
if [ "$builds" -lt 2 ]; then
	echo "SKIPPED: fewer than two builds are there to compare"
	exit 77
fi
different=$(printf '%s' "$hashes" | sort -u | wc -l)
if [ "$different" -ne 2 ]; then
	echo "two seeds gave $different hashes"
	exit 1
fi
