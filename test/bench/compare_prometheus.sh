#!/bin/sh
# Starts Debian's Prometheus and azexporter on loopback, writes the same samples to both, and compares
# how long each takes to answer. Read the ratios, not the milliseconds.
#
#   sh test/bench/compare_prometheus.sh [ROUNDS [PODS [NODES]]]      default: 10 150000 5000
#
# Needs a build with tests (cmake --preset ci && cmake --build --preset ci) and the package prometheus.
# Exits with 1 where the answers differ.
set -eu
cd "$(dirname "$0")/../.."
build=${AZX_BUILD:-build/ci}
work=$(mktemp -d)
azexporter=
prometheus=
stop() {
  [ -z "$azexporter" ] || kill "$azexporter" 2>/dev/null || true
  [ -z "$prometheus" ] || kill "$prometheus" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap stop EXIT INT TERM

# A free port: what a listener on port 0 is given.
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
wait_for() { # URL
  i=0
  until curl -sf -o "$work/ready" "$1"; do
    i=$((i + 1))
    [ "$i" -lt 300 ] || { echo "nothing answers at $1" >&2; exit 1; }
    sleep 0.1
  done
}

az_port=$(free_port)
prom_port=$(free_port)
cat >"$work/azexporter.yaml" <<EOF
global: {collect_interval: 1h, evaluation_interval: 1h}
EOF
"$build/exporter/app/azexporter" --config.file="$work/azexporter.yaml" --kube.snapshot=/dev/null \
  --web.listen-address="127.0.0.1:$az_port" --web.enable-remote-write-receiver --storage.keep=all \
  >"$work/azexporter.log" 2>&1 &
azexporter=$!
echo 'global: {scrape_interval: 1h}' >"$work/prometheus.yaml"
prometheus --config.file="$work/prometheus.yaml" --storage.tsdb.path="$work/data" \
  --web.listen-address="127.0.0.1:$prom_port" --web.enable-remote-write-receiver \
  --enable-feature=native-histograms \
  >"$work/prometheus.log" 2>&1 &
prometheus=$!
wait_for "http://127.0.0.1:$az_port/-/ready"
wait_for "http://127.0.0.1:$prom_port/-/ready"
"$build/test/compare_prometheus" "http://127.0.0.1:$az_port" "$azexporter" \
  "http://127.0.0.1:$prom_port" "$prometheus" "$@"
