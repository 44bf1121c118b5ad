#!/bin/sh
# test/run.sh [quick]: installs what is missing, builds and runs the tests.
#
#   quick   the release build and its tests alone
#
# Without it also: AddressSanitizer with UndefinedBehaviorSanitizer over all tests, ThreadSanitizer
# over the unit tests, clang with its thread-safety analysis, and the fuzz targets for 20 s each. The
# last lines are ctest's summary.
set -eu
cd "$(dirname "$0")/.."
jobs=$(nproc)
# Most end-to-end tests wait for something.
tests=$((jobs + 1))

say() { printf '\n== %s\n' "$*"; }

build() {
  cmake --preset "$1" >"build/$1.log" 2>&1 || { tail -n 20 "build/$1.log" && exit 1; }
  cmake --build --preset "$1" -j "$jobs" >>"build/$1.log" 2>&1 ||
    { grep -E -m20 '(error|warning|FAILED|undefined)' "build/$1.log" || tail -n 20 "build/$1.log"; exit 1; }
}

mkdir -p build
say "packages"
sh deploy/install-packages.sh build run demo test
sh test/tools.sh
export AZX_REQUIRE_TOOLS=1
export CCACHE_DIR="${CCACHE_DIR:-$PWD/build/ccache}"
# Paths inside the source tree count as relative ones: what was compiled for one clone, or for the
# preset `ci`, serves another clone and the container image.
export CCACHE_BASEDIR="$PWD"

if [ "${1:-}" != quick ]; then
  say "clang: thread-safety analysis"
  build clang
  say "fuzz: each target for 20 s"
  build fuzz
  sh test/fuzz/run.sh build/fuzz 20
  say "asan: all tests"
  build asan
  ctest --preset asan -LE source -j "$tests" --timeout 300
  say "tsan: unit tests"
  build tsan
  ctest --preset tsan -L unit -j "$tests" --timeout 300
fi

say "release: all tests"
build ci
ctest --preset ci -j "$tests"
