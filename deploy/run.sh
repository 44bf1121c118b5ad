#!/bin/sh
# deploy/run.sh: installs what is missing, builds azexporter and runs it in the foreground.
#
#   sh deploy/run.sh                      on the embedded platform: the documented region, simulated
#   sh deploy/run.sh --kubeconfig FILE    on a cluster; every flag is azexporter's own
#
# Ctrl-C stops all that was started. A second run installs and builds only what changed.
set -eu
cd "$(dirname "$0")/.."
build=build/release
log=build/run.log

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

mkdir -p build
[ -r /etc/debian_version ] || fail "this script installs Debian packages; build by hand elsewhere"
sh deploy/install-packages.sh build run || fail "installing packages failed"
if [ ! -f "$build/build.ninja" ]; then
  step "configure" cmake --preset release
fi
# Say so before minutes of silence, and only then.
if ! ninja -C "$build" -n 2>/dev/null | grep -q 'no work to do'; then
  echo "building (some minutes at the first time) ..."
fi
step "build" cmake --build --preset release

azexporter=$build/exporter/app/azexporter
if [ "$#" -gt 0 ]; then
  exec "$azexporter" "$@"
fi

# --- the embedded platform ---------------------------------------------------------------------
run=$(mktemp -d)
platform_pid=
azexporter_pid=
stop() {
  trap - INT TERM EXIT
  [ -z "$azexporter_pid" ] || kill "$azexporter_pid" 2>/dev/null || true
  [ -z "$azexporter_pid" ] || wait "$azexporter_pid" 2>/dev/null || true
  [ -z "$platform_pid" ] || kill "$platform_pid" 2>/dev/null || true
  [ -z "$platform_pid" ] || wait "$platform_pid" 2>/dev/null || true
  rm -rf "$run"
}
trap 'stop; exit 0' INT TERM
trap stop EXIT

# In a session of its own: Ctrl-C is for azexporter, which stops before the platform it watches.
setsid "$build/deploy/demo/azexporter-platform" --kubeconfig-out "$run/kubeconfig" \
  --config-out "$run/azexporter.yaml" --ready-file "$run/ready" >"$run/platform.log" 2>&1 &
platform_pid=$!
waited=0
until [ -e "$run/ready" ]; do
  kill -0 "$platform_pid" 2>/dev/null ||
    fail "the embedded platform did not start: $(tail -n 1 "$run/platform.log")"
  [ "$waited" -lt 100 ] || fail "the embedded platform was not ready after 10 s"
  waited=$((waited + 1))
  sleep 0.1
done

# Shorter than the defaults, so that one need not wait for what one tries out.
echo 'global: {collect_interval: 5s, evaluation_interval: 5s}' >>"$run/azexporter.yaml"

"$azexporter" --config.file "$run/azexporter.yaml" --web.listen-address 127.0.0.1:10126 \
  --rule.file rules/alerts/documented.yaml --rule.file rules/alerts/recommended.yaml &
azexporter_pid=$!
waited=0
until curl -fsS -o /dev/null http://127.0.0.1:10126/-/ready 2>/dev/null; do
  kill -0 "$azexporter_pid" 2>/dev/null || fail "azexporter did not start (see above)"
  [ "$waited" -lt 100 ] || fail "azexporter was not ready after 10 s"
  waited=$((waited + 1))
  sleep 0.1
done
control=$(sed -n 's|^control \(.*/_platform\).*|\1|p' "$run/platform.log")
cat <<TEXT

azexporter runs on the embedded platform: us-east-1 with its zones a, b and c.

  status page      http://127.0.0.1:10126/
  metrics          http://127.0.0.1:10126/metrics
  alerts           http://127.0.0.1:10126/api/v1/alerts
  health check     $azexporter --check --url http://127.0.0.1:10126
  kubectl          kubectl --kubeconfig $run/kubeconfig get nodes,pods -A -o wide
  a zone goes      curl -X POST $control/zones/us-east-1a/down
  and comes back   curl -X POST $control/zones/us-east-1a/up

Ctrl-C stops it.
TEXT
wait "$azexporter_pid"
