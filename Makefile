# The front door. Every target first sees to its own needs (tools/setup.sh installs what is missing,
# and says so; where nothing is, it is silent), then hands over to CMake.
#
#   make            build                      make test       every test; TESTS=pattern for some
#   make run        build, fetch a page        make fuzz       fuzz; FUZZ_SECONDS= for each target
#   make bench      measure                    make sweep      WORLDS= random worlds, then tests with SEEDS= seeds
#   make bench-linux   beside Linux over a simulated link (root); BENCH_LINUX= options of bench/linux/run
#   make curves     goodput in virtual time over 200 seeds, against the reference
#   make install    PREFIX=/usr/local DESTDIR= make fresh      the same in a bare Debian (root)
#   make mutants    breaks the code on purpose: each check must notice; MUTANTS= words of names
#   make clean      remove build/
#
# What it needs: tools/packages.tsv.

PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
TESTS ?=
SEEDS ?= 100
WORLDS ?= 2000
JOBS ?= 1
MUTANTS ?=
BENCH_LINUX ?=

MAKEFLAGS += --no-print-directory
.PHONY: all build run test bench bench-linux curves fuzz sweep mutants fresh install clean setup-build setup-test setup-bench \
	setup-fuzz setup-fresh

all: build

setup-build setup-test setup-bench setup-fuzz setup-fresh: setup-%:
	@tools/setup.sh $*

# CMake is asked again only if its presets changed; for all else the build knows when to.
build/build.ninja: CMakePresets.json | setup-build
	@cmake --preset release
	@touch $@

build: setup-build build/build.ninja
	@cmake --build build

# Only what it runs: the library and the other programs take as long again.
run: setup-build build/build.ninja
	@cmake --build build --target strata
	build/strata get --explain http://www.example.test/

test: setup-test
	@tools/run-tests $(TESTS)

# Asks CMake again: callgrind's header may have come just now.
bench: setup-bench
	@cmake --preset release >/dev/null
	@cmake --build build
	@bench/run

# The table in docs/performance.md; what was measured before is kept in build/bench-linux.jsonl.
bench-linux: setup-bench build
	@cmake --build build --target strata-flow
	@bench/linux/run --write $(BENCH_LINUX)

curves: setup-test build
	@cmake --build build --target test_goodput
	@STRATA_GOODPUT_SEEDS=200 build/tests/test_goodput

fuzz: setup-fuzz
	@tools/run-tests --only fuzz --fuzz-seconds $(FUZZ_SECONDS)

sweep: setup-test build
	@build/strata-sim sweep --seeds 1-$(WORLDS) --jobs $(JOBS)
	@tools/run-tests --sweep $(SEEDS) $(TESTS)

mutants: setup-test
	@tests/mutants/run $(MUTANTS)

fresh: setup-fresh
	@tests/fresh.sh

install: build
	@cmake --install build --prefix "$(PREFIX)"
	@if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" -eq 0 ]; then PATH="$$PATH:/sbin" ldconfig; fi

clean:
	rm -rf build
