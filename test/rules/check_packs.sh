#!/bin/sh
# check_packs.sh AZEXPORTER: the shipped packs, before Prometheus's promtool and before azexporter.
set -eu
azexporter=$1
cd "$(dirname "$0")/../../rules/alerts"
promtool check rules ./*.yaml
promtool test rules tests/*_test.yaml
"$azexporter" check rules ./*.yaml
"$azexporter" test rules tests/*_test.yaml
