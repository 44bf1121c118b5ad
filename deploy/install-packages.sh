#!/bin/sh
# install-packages.sh KIND...: installs the Debian packages of packages.txt of those kinds (build,
# run, demo, test) that are not there yet. Run again, it installs nothing and asks no server.
set -eu
list=$(dirname "$0")/packages.txt
missing=
for kind in "$@"; do
  while read -r of package command; do
    [ "$of" = "$kind" ] || continue
    if [ -n "$command" ] && command -v "$command" >/dev/null 2>&1; then continue; fi
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed && continue
    missing="$missing $package"
  done <"$list"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null 2>&1 || {
    echo "install-packages: not root and no sudo: install these as root:$missing" >&2
    exit 1
  }
  as_root=sudo
fi
echo "installing:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A server package must not start its service here; this is how Debian is told. What a machine has
# of its own in that place stays.
policy=/usr/sbin/policy-rc.d
made_policy=
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
  $as_root chmod +x "$policy"
  made_policy=yes
fi
status=0
{
  $as_root apt-get update -q &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
      $missing
} >"$log" 2>&1 || status=$?
[ -z "$made_policy" ] || $as_root rm -f "$policy"
if [ "$status" != 0 ]; then
  grep -E '^(E|W|Err):' "$log" >&2 || tail -n 5 "$log" >&2
  echo "install-packages: apt-get failed (exit $status)" >&2
  exit 1
fi
