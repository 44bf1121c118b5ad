#!/bin/sh
# test/run.sh [quick]: installs what is missing, builds and runs the tests.
#
#   quick   the release build and its tests alone
#
# Without it also: AddressSanitizer with UndefinedBehaviorSanitizer and ThreadSanitizer over the unit
# tests, and clang with its thread-safety analysis. The last lines are ctest's summary.
set -eu
cd "$(dirname "$0")/.."
jobs=$(nproc)

say() { printf '\n== %s\n' "$*"; }

build() {
  cmake --preset "$1" >"build/$1.log" 2>&1 || { tail -n 20 "build/$1.log" && exit 1; }
  cmake --build --preset "$1" -j "$jobs" >>"build/$1.log" 2>&1 ||
    { grep -E -m20 '(error|warning|FAILED|undefined)' "build/$1.log" || tail -n 20 "build/$1.log"; exit 1; }
}

mkdir -p build
say "packages"
sh deploy/install-packages.sh build run test
export CCACHE_DIR="${CCACHE_DIR:-$PWD/build/ccache}"

if [ "${1:-}" != quick ]; then
  say "clang: thread-safety analysis"
  build clang
  for sanitizer in asan tsan; do
    say "$sanitizer: unit tests"
    build "$sanitizer"
    ctest --preset "$sanitizer" -L unit -j "$jobs" --timeout 300
  done
fi

say "release: all tests"
build ci
ctest --preset ci -j "$jobs"
