#!/bin/sh
# image_test.sh SOURCE: makes the container image by the steps of SOURCE/deploy/Dockerfile, without
# Docker (build_image.sh), and tries what came out. Debian's base image is made by mmdebstrap from
# the machine's own apt sources.
#
# All of it happens in a mount and process namespace of its own, in memory: whatever the end, a
# failure or a kill, nothing stays mounted, running or on the disk but the caches in build/image.
# It needs root, and about 2 GB of memory for a moment.
set -eu
source=$(cd "$1" && pwd)
here=$source/test/image
keep=$source/build/image
if [ "${2:-}" != inside ]; then
  if [ "$(id -u)" != 0 ]; then
    echo "image_test: skipped: only root can make root file systems"
    [ -z "${CI:-}" ] || exit 1
    exit 77
  fi
  mkdir -p "$keep"
  exec unshare --mount --propagation private --pid --mount-proc --fork --kill-child \
    sh "$0" "$source" inside
fi

work=$keep/work
base=$keep/bookworm.tar
cache=$keep/cache

# As debian:bookworm-slim is made, see its /etc/dpkg/dpkg.cfg.d and /etc/apt/apt.conf.d. A week old
# base is made anew. What the machine says of how its apt reaches its sources holds in the image
# being built, too.
make_base() {
  find "$base" -mtime +7 -delete 2>/dev/null || true
  [ ! -s "$base" ] || return 0
  apt-config dump | grep -E '^Acquire::(Check|Retries|https?|ftp)' >"$work/apt.conf" || true
  TMPDIR=$work mmdebstrap --mode=root --variant=minbase --format=tar --quiet \
    --aptopt="$work/apt.conf" --aptopt='APT::Install-Recommends "false"' \
    --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    bookworm "$base.new" \
    $(grep -slE '^(deb|Suites:).*[[:space:]]bookworm([[:space:]]|$)' \
      /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources)
  mv "$base.new" "$base"
}

failures=0
check() { # NAME WANT GOT
  if [ "$2" = "$3" ]; then
    echo "ok      $1"
  else
    printf 'FAILED  %s\n  want: %s\n  got:  %s\n' "$1" "$2" "$3"
    failures=$((failures + 1))
  fi
}

in_image() { # as the image's user, with an environment like a container's
  chroot --userspec="$(cat "$work/config/user")" "$root" \
    /usr/bin/env -i HOME=/ PATH=/usr/bin:/bin "$@"
}

azexporter() { # prints the first line of what it says, and its exit code
  status=0
  in_image $(cat "$work/config/entrypoint") "$@" >"$work/output" 2>&1 || status=$?
  echo "$(head -n 1 "$work/output") (exit $status)"
}

label() { sed -n "s/^org.opencontainers.image.$1=//p" "$work/config/labels"; }

# The packages of the libraries that the program names, less those that every image has.
needed_packages() {
  readelf -d "$root/usr/bin/azexporter" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
    while read -r library; do chroot "$root" dpkg-query -S "*/$library" | cut -d: -f1; done |
    grep -vxE 'libc6|libgcc-s1|libstdc\+\+6' | sort -u | paste -sd ' '
}
listed_packages() {
  sed -n 's/^run  *\([^ ]*\).*/\1/p' "$source/deploy/packages.txt" | grep -vx ca-certificates |
    sort -u | paste -sd ' '
}

try_the_program() {
  version=$(sed -n 's/^project(azexporter VERSION \([^ ]*\).*/\1/p' "$source/CMakeLists.txt")
  check "--version" "azexporter, version $version (revision tried) (exit 0)" \
    "$(azexporter --version)"
  check "label version" "$version" "$(label version)"
  check "label revision" tried "$(label revision)"
  check "label licenses" Apache-2.0 "$(label licenses)"
  cp "$here"/*.json "$root/tmp/"
  check "a whole region" "AZ OK  3 zones normal, 0 of 46 alert rules true (exit 0)" \
    "$(azexporter --check --kube.snapshot /tmp/healthy.json)"
  check "a lost zone" \
    "AZ CRITICAL  us-east-1a is down: none of its 1 nodes is ready; 1 alert (exit 2)" \
    "$(azexporter --check --kube.snapshot /tmp/zone_lost.json)"
  check "no cluster" "AZ UNKNOWN  no cluster found: not in a pod, no --kubeconfig given, and\
 /.kube/config: No such file or directory (exit 3)" "$(azexporter --check)"
  check "the shipped packs" "(exit 0)" \
    "$(azexporter check rules /usr/share/azexporter/alerts/documented.yaml \
      /usr/share/azexporter/alerts/recommended.yaml | grep -o '(exit.*')"
  check "the dashboard" 0 \
    "$(cmp "$source/dashboards/azexporter.json" \
      "$root/usr/share/azexporter/dashboards/azexporter.json" && echo 0)"
}

try_the_root() {
  check "missing libraries" "" "$(in_image ldd /usr/bin/azexporter | grep 'not found' || true)"
  check "libraries' packages are the kind run of packages.txt" "$(needed_packages)" \
    "$(listed_packages)"
  check "symbols are stripped" "" \
    "$(readelf -SW "$root/usr/bin/azexporter" | grep -oE '\.(symtab|debug_info)' || true)"
  check "compilers and other tools" "" \
    "$(in_image sh -c 'for c in cc c++ g++ gcc ld cmake ninja git perl5 curl python3; do
         command -v $c; done; true')"
  check "public certificates" "$root/etc/ssl/certs/ca-certificates.crt" \
    "$(find "$root/etc/ssl/certs/ca-certificates.crt" -size +100k)"
  check "left of apt" "" \
    "$(find "$root/var/cache/apt" "$root/var/lib/apt/lists" "$root/ccache" "$root/src" \
      -type f -size +0 2>/dev/null | head -n 3)"
  check "left in /tmp by the build" "" "$(ls "$root/tmp" | grep -v '\.json$' || true)"
}

# The image and what deploy/kubernetes says of it.
try_the_manifest() {
  manifest=$source/deploy/kubernetes/base/deployment.yaml
  said() { sed -n "s/^ *-* *$1: *//p" "$manifest" | head -n 1; }
  check "image of the manifest" "azexporter:$(label version)" "$(said image)"
  check "user of the manifest" "$(said runAsUser):$(said runAsGroup)" "$(cat "$work/config/user")"
  check "port of the manifest" "$(said containerPort)" "$(cat "$work/config/exposed")"
}

# As a container runs it: the first process of a process namespace, and nothing can be written.
try_the_daemon() {
  mount --bind "$root" "$root"
  mount -o remount,bind,ro "$root"
  user=$(cat "$work/config/user")
  : >"$work/daemon.log"
  unshare --pid --fork --kill-child chroot --userspec="$user" "$root" \
    $(cat "$work/config/entrypoint") --kube.snapshot /tmp/healthy.json \
    --web.listen-address 127.0.0.1:0 >"$work/daemon.log" 2>&1 &
  daemon=$!
  url=
  for _ in $(seq 100); do
    url=$(sed -n 's/.*azexporter is up.* url=//p' "$work/daemon.log")
    [ -z "$url" ] || break
    sleep 0.1
  done
  for _ in $(seq 100); do
    ! curl -fsS -o /dev/null "$url/-/ready" 2>/dev/null || break
    sleep 0.1
  done
  check "the daemon's zones" 3 \
    "$(curl -fsS "$url/metrics" | grep -c '^az_zone_state{state="normal",zone="us-east-1[abc]"} 1')"
  kill -TERM "$(cat "/proc/$daemon/task/$daemon/children")"
  status=0
  wait "$daemon" || status=$?
  check "the daemon stops on SIGTERM" "exit 0" "exit $status"
  [ "$status" = 0 ] || cat "$work/daemon.log"
  umount "$root"
}

# What build_image.sh does not know, it refuses; a Dockerfile of two lines on an empty base.
try_refusals() {
  tar -cf "$work/empty.tar" -T /dev/null
  while IFS='|' read -r line want; do
    rm -rf "$work/refused"
    mkdir -p "$work/refused/work"
    printf 'FROM debian:bookworm-slim\n%s\n' "$line" >"$work/refused/Dockerfile"
    got=$(sh "$here/build_image.sh" "$work/refused/Dockerfile" "$source" "$work/empty.tar" \
      "$work/refused/work" "$work/refused/cache" 2>&1 >/dev/null || true)
    check "refused: $line" "$want" "${got#*Dockerfile:}"
  done <<'CASES'
FROM alpine|2: FROM alpine: only debian:bookworm-slim is at hand
HEALTHCHECK NONE|2: unknown instruction HEALTHCHECK
COPY build /build|2: COPY build: not in the build context
COPY --chown=1:1 LICENSE /|2: COPY --chown=1:1 is not supported
COPY --from=other / /|2: COPY --from=other: no such stage
COPY *.md /|2: not supported in "*.md /"
ENTRYPOINT azexporter|2: ENTRYPOINT: only the exec form
ENV PATH=/bin|2: variable "PATH" is not supported
CASES
}

mkdir -p "$work" "$cache/ccache"
mount -t tmpfs -o mode=755 tmpfs "$work"
if [ -n "${CCACHE_DIR:-}" ]; then
  mkdir -p "$CCACHE_DIR"
  mount --bind "$CCACHE_DIR" "$cache/ccache"
fi
started=$(date +%s)
make_base
try_refusals
based=$(date +%s)
sh "$here/build_image.sh" "$source/deploy/Dockerfile" "$source" "$base" "$work" "$cache" \
  REVISION=tried >"$work/build.log" 2>&1 || { tail -n 30 "$work/build.log" && exit 1; }
built=$(date +%s)
grep -E '^[0-9]+: |^stage' "$work/build.log"
root=$(readlink "$work/image")
try_the_root
try_the_program
try_the_manifest
try_the_daemon
echo "base $((based - started)) s, image $((built - based)) s, tries $(($(date +%s) - built)) s"
cat "$work/config/sizes"
[ "$failures" = 0 ]
