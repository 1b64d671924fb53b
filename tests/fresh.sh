#!/bin/bash
# The two commands of the README in a bare Debian 12: `tests/fresh.sh [--full]`, as root.
#
# A minimal system is made by debootstrap in a temporary folder, with git and make added and nothing
# else; the last commit is cloned into it; then, inside:
#   0. `make run` as an ordinary user, who may install nothing, says what is to be done
#   1. `make run` as root installs the build needs, builds and fetches the page
#   2. `make run` again does no set-up
#   3. `make run` as an ordinary user in a clone of his own, the packages being there
#   4. `make run` as a user with sudo, one package gone: it is installed through sudo, and a policy-rc.d
#      that the machine has of its own is left alone
#   5. `make -n test` names its steps; with --full, `make test` passes, again as CI runs it
# and after each: no service was enabled, no process runs, and nothing of the set-up is left behind.
#
# The mirror and the settings of apt are those of the machine it runs on. Without root, debootstrap or
# a mirror it is skipped (exit code 77).
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin

full=no
[ "${1-}" = --full ] && full=yes

skip() { echo "SKIPPED: $*"; exit 77; }
fail() { echo "FAIL: $*" >&2; exit 1; }
step() { printf '== %s\n' "$*"; }

[ "$(id -u)" -eq 0 ] || skip "not root, and a system of its own needs root"
command -v debootstrap >/dev/null || skip "debootstrap is not installed"
# What is mounted here is nobody else's business, and is gone with the last process.
[ -n "${STRATA_FRESH-}" ] || STRATA_FRESH=1 exec unshare --mount --propagation private bash "$0" "$@"

# The first mirror of bookworm that apt knows here, in either form of its lists.
mirror() {
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} 2>/dev/null | awk '
		$1 == "deb" { for (i = 2; i < NF; i++) if ($i ~ /^https?:/ && $(i + 1) == "bookworm") print $i }
		$1 == "URIs:" { uri = $2 }
		$1 == "Suites:" { for (i = 2; i <= NF; i++) if ($i == "bookworm") print uri }
	' | head -n 1 || true
}
uri=$(mirror)
[ -n "$uri" ] || skip "apt knows no mirror of bookworm here"

system=$(mktemp -d)
chmod 755 "$system"
leave() {
	local code=$?
	trap - EXIT
	cd /
	umount --recursive "$system" 2>/dev/null || true
	# Never through a mount that is still there.
	rm -rf --one-file-system "$system"
	exit $code
}
trap leave EXIT
trap 'exit 130' INT TERM HUP

inside() {
	chroot "$system" /usr/bin/env -i HOME="${HOME_INSIDE:-/}" TERM=dumb LC_ALL=C.UTF-8 \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@" </dev/null
}

step "debootstrap bookworm from $uri"
debootstrap --variant=minbase --include=ca-certificates,git,make bookworm "$system" "$uri" \
	>"$system.log" 2>&1 || { tail -n 5 "$system.log"; rm -f "$system.log"; skip "debootstrap failed"; }
rm -f "$system.log"
cp -r /etc/apt/apt.conf.d /etc/apt/sources.list.d "$system/etc/apt/"
rm -f "$system/etc/apt/sources.list"
[ ! -e /etc/apt/sources.list ] || cp /etc/apt/sources.list "$system/etc/apt/"
[ ! -d /usr/share/keyrings ] || cp -rn /usr/share/keyrings "$system/usr/share/"
cp -L /etc/resolv.conf /etc/hosts "$system/etc/"
mount --bind "$system" "$system"
mount --rbind /dev "$system/dev"
mount -t proc proc "$system/proc"
mount -t sysfs sys "$system/sys"
inside useradd --create-home --home-dir /visitor visitor
for home in / /visitor/; do
	git clone --quiet --no-hardlinks . "$system${home}strata"
done
if [ -d ../shared ]; then
	mkdir "$system/shared"
	mount --bind -o ro ../shared "$system/shared"
	ln -s /shared "$system/visitor/shared"
fi
inside chown -Rh visitor: /visitor

# What the set-up must not leave or do. Services are enabled by links in these folders. The one that
# may come is procps, on which Debian's cmake depends and which all but the barest systems have: it is
# no daemon, but applies sysctl.conf when the machine boots.
units() {
	find "$system"/etc/systemd "$system"/etc/rc?.d \( -type l -o -type f \) 2>/dev/null |
		grep -v '/S[0-9]*procps$' | sort || true
}
before=$(units)
untouched() {
	[ "$(units)" = "$before" ] || fail "the set-up changed services: $(diff <(echo "$before") <(units))"
	[ ! -e "$system/usr/sbin/policy-rc.d" ] || fail "the set-up left its policy-rc.d behind"
	local process
	for process in /proc/[0-9]*; do
		[ "$(readlink "$process/root")" != "$system" ] ||
			fail "still running in there: $(tr '\0' ' ' <"$process/cmdline")"
	done
}

fetched() {
	grep -q 'setup:.*installing' "$1.err" && echo "   set-up: yes" || echo "   set-up: no"
	[ -s "$1.out" ] || fail "make run printed no page"
}

visitor() {
	HOME_INSIDE=/visitor inside setpriv --reuid visitor --regid visitor --init-groups \
		"$@"
}

cd "$system"
step "0. make run, as an ordinary user without the packages"
! visitor make -C /visitor/strata run >zero.out 2>zero.err || fail "it ran without a compiler?"
grep -q 'setup: .*as root, run: apt-get install .*gcc' zero.err || { cat zero.err; fail "no word on it"; }
untouched

step "1. make run, as root"
HOME_INSIDE=/root inside make -C /strata run >one.out 2>one.err || { cat one.out one.err; fail "make run"; }
fetched one
grep -q 'setup:.*installing' one.err || fail "a bare system, and no set-up?"
untouched

step "2. make run again"
HOME_INSIDE=/root inside make -C /strata run >two.out 2>two.err || { cat two.err; fail "make run again"; }
fetched two
! grep -q 'setup:' two.err || fail "the second make run did a set-up again"

step "3. make run, as an ordinary user"
visitor make -C /visitor/strata run >three.out 2>three.err || { cat three.err; fail "make run as user"; }
fetched three
! grep -q 'setup:' three.err || fail "an ordinary user had to do a set-up"

step "4. make run, through sudo"
inside apt-get -qq install --yes --no-install-recommends sudo >four.out 2>&1
inside apt-get -qq remove --yes ninja-build >>four.out 2>&1
before=$(units)
echo 'visitor ALL=(ALL) NOPASSWD: ALL' >etc/sudoers.d/visitor
printf '#!/bin/sh\nexit 104\n' >usr/sbin/policy-rc.d
visitor make -C /visitor/strata run >four.out 2>four.err || { cat four.err; fail "make run by sudo"; }
fetched four
grep -q 'setup: *ninja-build' four.err || fail "ninja-build was gone, and nobody missed it"
grep -q 'exit 104' usr/sbin/policy-rc.d || fail "the set-up did not respect the policy-rc.d"
rm usr/sbin/policy-rc.d
untouched

step "5. make test"
HOME_INSIDE=/root inside make -C /strata -n test >five.out 2>&1 || { cat five.out; fail "make -n test"; }
grep -q 'tools/run-tests' five.out || fail "make -n test runs no tests"
if [ $full = yes ]; then
	HOME_INSIDE=/root inside /strata/.ci/run 2>&1 | tee five.out || fail "make test"
	tail -n 1 five.out | grep -Eqx '[0-9]+ passed, 0 failed, [0-9]+ skipped' ||
		fail "the last line is not the count"
	untouched
fi
echo "PASS: a bare Debian runs it"
