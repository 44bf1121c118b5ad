#!/bin/sh
# deploy/run.sh: installs what is missing, builds azexporter and runs it in the foreground.
#
#   sh deploy/run.sh                      on the embedded platform: the documented region, simulated,
#                                         with a real PostgreSQL cluster
#   sh deploy/run.sh --scenario NAME      the same, and plays deploy/demo/scenarios/NAME.scenario;
#                                         ends with it, with 1 where an alert did not do as it should
#   sh deploy/run.sh --kubeconfig FILE    on a cluster; every other flag is azexporter's own
#
# Ctrl-C stops all that was started. A second run installs and builds only what changed.
set -eu
cd "$(dirname "$0")/.."
build=build/release
log=build/run.log
scenarios=deploy/demo/scenarios

fail() {
  echo "run.sh: $*" >&2
  exit 1
}

# step NAME COMMAND...: runs quietly; where it fails, says which step and why in one line.
step() {
  name=$1
  shift
  if ! "$@" >"$log" 2>&1; then
    why=$(grep -m1 -E '(^| )(error|Error|E):|FAILED' "$log" || tail -n 1 "$log")
    fail "$name failed: $why (all of it: $log)"
  fi
}

# await NAME PID COMMAND...: until the command succeeds; fails when the process ends before or 30 s
# have passed.
await() {
  name=$1
  pid=$2
  shift 2
  waited=0
  until "$@" >/dev/null 2>&1; do
    kill -0 "$pid" 2>/dev/null || fail "$name did not start: $(tail -n 1 "$run/$name.log")"
    [ "$waited" -lt 300 ] || fail "$name was not ready after 30 s"
    waited=$((waited + 1))
    sleep 0.1
  done
}

scenario=
kinds="build run"
if [ "${1:-}" = --scenario ]; then
  [ "$#" -eq 2 ] || fail "usage: run.sh --scenario NAME"
  scenario=$scenarios/$2.scenario
  [ -r "$scenario" ] ||
    fail "no scenario \"$2\"; there are: $(ls $scenarios | sed 's/\.scenario$//' | paste -sd ' ')"
fi
if [ "$#" -eq 0 ] || [ -n "$scenario" ]; then kinds="$kinds demo"; fi

mkdir -p build
[ -r /etc/debian_version ] || fail "this script installs Debian packages; build by hand elsewhere"
sh deploy/install-packages.sh $kinds || fail "installing packages failed"
if [ ! -f "$build/build.ninja" ]; then
  step "configure" cmake --preset release
fi
# Say so before minutes of silence, and only then.
if ! ninja -C "$build" -n 2>/dev/null | grep -q 'no work to do'; then
  echo "building (some minutes at the first time) ..."
fi
step "build" cmake --build --preset release

azexporter=$build/exporter/app/azexporter
platform=$build/deploy/demo/azexporter-platform
if [ "$#" -gt 0 ] && [ -z "$scenario" ]; then
  exec "$azexporter" "$@"
fi

# --- the embedded platform ---------------------------------------------------------------------
run=$(mktemp -d)
platform_pid=
azexporter_pid=
player_pid=
stop() {
  trap - INT TERM EXIT
  for pid in $player_pid $azexporter_pid $platform_pid; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$run"
}
trap 'stop; exit 0' INT TERM
trap stop EXIT

# In a session of its own: Ctrl-C is for azexporter, which stops before the platform it watches. Ten
# times faster than a real cluster: a pod is evicted from a lost zone after 30 s, not 300.
setsid "$platform" --kubeconfig-out "$run/kubeconfig" --config-out "$run/azexporter.yaml" \
  --ready-file "$run/ready" --database --pace 10 >"$run/platform.log" 2>&1 &
platform_pid=$!
await platform "$platform_pid" test -e "$run/ready"
control=$(sed -n 's|^control ||p' "$run/platform.log")

# Shorter than the defaults, so that one need not wait for what one tries out: a round a second, and
# 10 s in the place of every `for:` of minutes.
echo 'global: {collect_interval: 1s, evaluation_interval: 1s}' >>"$run/azexporter.yaml"
sed -i 's/^  interval: 2s$/  interval: 1s/' "$run/azexporter.yaml"
for pack in documented recommended; do
  sed -E 's/^( +(for|keep_firing_for):) [0-9]+m/\1 10s/' "rules/alerts/$pack.yaml" >"$run/$pack.yaml"
done

set -- --config.file "$run/azexporter.yaml" --web.listen-address 127.0.0.1:10126 \
  --rule.file "$run/documented.yaml" --rule.file "$run/recommended.yaml"
if [ -n "$scenario" ]; then
  "$azexporter" "$@" >"$run/azexporter.log" 2>&1 &
else
  : >"$run/azexporter.log"
  "$azexporter" "$@" &
fi
azexporter_pid=$!
await azexporter "$azexporter_pid" curl -fsS -o /dev/null http://127.0.0.1:10126/-/ready
cat <<TEXT

azexporter runs on the embedded platform: us-east-1 with its zones a, b and c. Alerts fire after 10 s
here, not after the minutes of their rules.

  status page      http://127.0.0.1:10126/
  metrics          http://127.0.0.1:10126/metrics
  alerts           http://127.0.0.1:10126/api/v1/alerts
  health check     $azexporter --check --url http://127.0.0.1:10126
  kubectl          kubectl --kubeconfig $run/kubeconfig get nodes,pods -A -o wide
TEXT
if [ -n "$scenario" ]; then
  echo
  "$platform" play "$scenario" --control "$control" --azexporter http://127.0.0.1:10126 &
  player_pid=$!
  status=0
  wait "$player_pid" || status=$?
  player_pid=
  [ "$status" = 0 ] || fail "the scenario did not go as it should"
  echo "
The scenario went as it should."
  exit 0
fi
cat <<TEXT
  a zone goes      curl -d 'zone us-east-1a down' $control/do
  and comes back   curl -d 'zone us-east-1a up' $control/do
  all commands     $platform --help
  a scenario       $platform play $scenarios/zone-outage.scenario \\
                     --control $control --azexporter http://127.0.0.1:10126
  others           $(ls $scenarios | sed 's/\.scenario$//' | grep -v zone-outage | paste -sd ' ')

Ctrl-C stops it.
TEXT
wait "$azexporter_pid"
