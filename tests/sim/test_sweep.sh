#!/bin/bash
# timeout: 900
# Two thousand random worlds in the release build; STRATA_SEEDS=A-B for others.
set -eu
program="$STRATA_BUILD/strata-sim"
[ -x "$program" ] || { echo "SKIPPED: strata-sim is not built"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$program" sweep --seeds "${STRATA_SEEDS:-1-2000}" --jobs "$(nproc)" --pcap "$folder"
