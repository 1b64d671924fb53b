#!/bin/bash
# What `make install` leaves is enough, in any folder: the files are there, each public header stands
# alone in plain C11 with all warnings, and every example builds with what pkg-config says, against the
# shared library and against the static one.
set -euo pipefail
cd "$STRATA_ROOT"
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

fail() { echo "FAIL: $*"; exit 1; }

DESTDIR=$place/staged cmake --install "$STRATA_BUILD" --prefix /opt/strata >"$place/log" ||
	{ cat "$place/log"; fail "cmake --install"; }
mv "$place/staged/opt/strata" "$place/moved"
cd "$place/moved"
find . -type f -o -type l | sort

for file in bin/strata lib/libstrata.so lib/libstrata.so.0 lib/libstrata.a lib/pkgconfig/strata.pc; do
	[ -s "$file" ] || fail "$file was not installed"
done
for header in "$STRATA_ROOT"/include/strata/*.h; do
	cmp "$header" "include/strata/$(basename "$header")"
done
for page in "$STRATA_ROOT"/man/*.1; do
	[ ! -e "$page" ] || cmp "$page" "share/man/man1/$(basename "$page")"
done
bin/strata --help >/dev/null || fail "the installed program does not run"

export PKG_CONFIG_PATH=$PWD/lib/pkgconfig
read -ra cflags < <(pkg-config --cflags strata)
read -ra shared < <(pkg-config --libs strata)
for header in include/strata/*.h; do
	echo "#include \"strata/$(basename "$header")\"" |
		gcc -std=c11 -pedantic -Wall -Wextra -Werror -fsyntax-only -x c "${cflags[@]}" - ||
		fail "$header does not stand alone"
done
built=0
for source in "$STRATA_ROOT"/examples/*.c; do
	[ -e "$source" ] || continue
	name=$(basename "$source" .c)
	gcc -std=gnu17 "${cflags[@]}" "$source" -o "$place/$name.shared" "${shared[@]}" ||
		fail "$name does not build with the shared library"
	gcc -std=gnu17 "${cflags[@]}" "$source" -o "$place/$name.static" lib/libstrata.a -pthread ||
		fail "$name does not build with the static library"
	# Not into grep -q: it ends at the first match, and ldd would die of the closed pipe.
	found=$(LD_LIBRARY_PATH=$PWD/lib ldd "$place/$name.shared")
	[[ $found == *'libstrata.so.0 => '* ]] ||
		fail "$name does not find libstrata.so.0"
	built=$((built + 1))
done
[ "$built" -gt 0 ] || fail "no example was built"
