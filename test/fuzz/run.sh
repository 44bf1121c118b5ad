#!/bin/sh
# test/fuzz/run.sh BUILD SECONDS [TARGET...]: runs the libFuzzer programs of the preset `fuzz`, each
# for so long, from the seeds of the project's own tests and rules.
#
# An input that fails is kept as BUILD/fuzz/crash-*, slow-unit-* or oom-*; give it to the program to
# see it fail again: BUILD/test/fuzz/parser_fuzz BUILD/fuzz/crash-...
set -eu
build=$1
seconds=$2
shift 2
[ $# -gt 0 ] || set -- parser script engine write text template kube

rm -rf "$build/fuzz/seeds"
mkdir -p "$build/fuzz/seeds"
"$build/test/fuzz/azx_fuzz_seeds" "$build/fuzz/seeds"
# As many at a time as there are processors.
run_target='
  target=$1
  mkdir -p "$build/fuzz/found/$target"
  if "$build/test/fuzz/${target}_fuzz" -max_total_time="$seconds" -timeout=10 \
    -rss_limit_mb=1024 -max_len=50000 -dict="$build/fuzz/seeds/words" \
    -artifact_prefix="$build/fuzz/" -verbosity=0 -print_final_stats=1 \
    "$build/fuzz/found/$target" "$build/fuzz/seeds/$target" >"$build/fuzz/$target.log" 2>&1; then
    echo "$target: $(sed -n "s/^stat::number_of_executed_units: *//p" "$build/fuzz/$target.log") inputs"
  else
    tail -n 60 "$build/fuzz/$target.log"
    echo "$target: FAILED"
    exit 1
  fi'
export build seconds
printf '%s\n' "$@" | xargs -P "$(nproc)" -I{} sh -c "$run_target" sh {}
