#!/bin/bash
# Installs what a target of the Makefile needs, and only that: `setup.sh PROFILE`, where PROFILE is
# build, test, bench, fuzz or fresh. Where nothing is missing it does nothing and says nothing.
#
# No service of this machine may be started, stopped or reconfigured by it. Three things see to that:
#   - packages that carry a service (nginx, bind9) are not installed; their program is unpacked under
#     build/peers, from where the tests run it in network namespaces of their own;
#   - while packages are being installed, a policy-rc.d forbids to start anything. One that is there
#     already is left alone: it is the owner's word on the matter;
#   - needrestart is told to stay quiet, and apt may not remove or recommend packages.
set -u
cd "$(dirname "$0")/.." || exit 4
export LC_ALL=C
PATH=$PWD/build/peers/bin:$PATH:/usr/sbin:/sbin

table=tools/packages.tsv
policy=/usr/sbin/policy-rc.d
policy_text='#!/bin/sh
# Written by the set-up of Strata, and removed when it ends: no service starts meanwhile.
exit 101'

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 4; }

# The rows of the table that belong to a profile.
rows_of() {
	case $1 in
	build) set -- build ;;
	test) set -- build clang test ;;
	bench) set -- build bench ;;
	fuzz) set -- build clang ;;
	fresh) set -- fresh ;;
	unpack) ;;
	*) fail "usage: tools/setup.sh build|test|bench|fuzz|fresh" ;;
	esac
	local kind
	for kind; do
		grep -P "^$kind\t" "$table"
	done
}

present() {
	local kind=${1%% *} name=${1#* }
	case $kind in
	command) command -v "$name" >/dev/null ;;
	file) [ -e "$name" ] ;;
	package) [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] ;;
	clang-runtime)
		command -v clang >/dev/null &&
			[ -e "$(clang -print-resource-dir)/lib/linux/libclang_rt.fuzzer-x86_64.a" ]
		;;
	*) fail "$table: unknown check '$1'" ;;
	esac
}

# Prints the packages of a profile that are missing, and why each is wanted on stderr.
missing_of() {
	local kind package check reason
	while IFS=$'\t' read -r kind package check reason; do
		present "$check" && continue
		printf '%s\n' "$package"
		printf 'setup:   %-20s %s\n' "$package" "$reason" >&2
	done < <(rows_of "$1")
}

# --- as root ---

policy_remove() {
	[ "$(cat "$policy" 2>/dev/null)" = "$policy_text" ] && rm -f "$policy"
}

policy_set() {
	[ -e "$policy" ] || [ -L "$policy" ] || {
		printf '%s\n' "$policy_text" >"$policy" && chmod 755 "$policy"
	}
}

apt() {
	apt-get -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 -qq "$@" </dev/null
}

# The package lists are fetched only if they do not know a package, or know one that is gone.
install_packages() {
	trap policy_remove EXIT
	trap 'exit 130' INT TERM HUP
	policy_set || fail "cannot write $policy, without which a service might start"
	export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
	local options=(--yes --no-install-recommends --no-remove)
	if ! apt install --simulate "${options[@]}" "$@" >/dev/null 2>&1; then
		say "fetching the package lists (apt-get update)"
		apt update || fail "apt-get update failed: is a Debian mirror within reach?"
	fi
	local log
	log=$(mktemp)
	if ! apt install "${options[@]}" "$@" >"$log" 2>&1; then
		say "fetching the package lists again (apt-get update)"
		apt update && apt install "${options[@]}" "$@" >"$log" 2>&1 || {
			cat "$log" >&2
			rm -f "$log"
			fail "apt-get install failed: install by hand: $*"
		}
	fi
	rm -f "$log"
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		if [ -t 0 ]; then sudo -- "$@"; else sudo -n -- "$@"; fi
	else
		fail "not root, and there is no sudo; as root, run:" \
			"apt-get install --no-install-recommends $missing_line"
	fi
}

# --- as anyone ---

# Fetches a package of the given version and keeps only its files, under build/peers.
unpack_package() {
	local package=$1 version=${2:+=$2} folder=build/peers/download
	rm -rf "$folder" && mkdir -p "$folder" || return 1
	(cd "$folder" && apt-get download -qq -o APT::Sandbox::User="$(id -un)" "$package$version") \
		>&2 && dpkg-deb --extract "$folder"/*.deb build/peers
	local code=$?
	rm -rf "$folder"
	return $code
}

# named must be of the same version as the libraries that it was linked with.
unpack_peers() {
	local kind package check reason name version
	while IFS=$'\t' read -r kind package check reason; do
		present "$check" && continue
		say "unpacking $package in build/peers, without its service ($reason)"
		name=${check#* } version=
		[ "$package" = bind9 ] &&
			version=$(dpkg-query -W -f '${Version}' bind9-libs 2>/dev/null)
		unpack_package "$package" "$version" || {
			say "could not unpack $package: the tests that want it will be skipped"
			continue
		}
		mkdir -p build/peers/bin && ln -sf "../usr/sbin/$name" "build/peers/bin/$name"
	done < <(rows_of unpack)
}

if [ "${1-}" = --install ]; then
	shift
	install_packages "$@"
	exit 0
fi

profile=${1-}
rows_of "$profile" >/dev/null || exit 4
mapfile -t missing < <(missing_of "$profile")
if [ ${#missing[@]} -gt 0 ]; then
	missing_line=${missing[*]}
	command -v apt-get >/dev/null ||
		fail "these Debian packages, or their like, must be installed: $missing_line"
	say "installing the packages above by apt-get, as root (no service is started)"
	as_root bash "$PWD/tools/setup.sh" --install "${missing[@]}" ||
		fail "could not install: $missing_line"
fi
[ "$profile" = test ] && unpack_peers
exit 0
