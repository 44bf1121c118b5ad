#!/bin/sh
# build_image.sh DOCKERFILE CONTEXT BASE WORK CACHE [NAME=VALUE...]: performs the steps of a
# Dockerfile where no Docker engine is at hand.
#
#   BASE      a tar of the root file system that stands for debian:bookworm-slim
#   WORK      an empty folder; afterwards WORK/image is the root of the last stage, and WORK/config
#             has what the image says of itself: labels, user, exposed, entrypoint, sizes
#   CACHE     what RUN's cache mounts keep, a folder for each id
#   NAME=...  build arguments
#
# REQUIRES: root, and a mount namespace of its own: it mounts, and leaves undoing what a failure
# left mounted to the end of the namespace.
#
# It knows the instructions, flags and forms that deploy/Dockerfile uses. Anything else is an error
# and never skipped, so that an image that was tried here is the one that Docker would build.
# Semantics: docs.docker.com/reference/dockerfile
set -eu
dockerfile=$1
context=$2
base=$3
work=$4
cache=$5
shift 5
build_arguments=$*

number=0   # of the line that is performed
stage=0    # stages so far
root=      # of the current stage
workdir=/
user=0:0
names=     # the ARGs and ENVs in force; they are variables of this shell
mounts=    # of the current RUN, the last one first
stubs=     # files and folders that were made only to mount something there

fail() {
  echo "build_image: $dockerfile:$number: $*" >&2
  exit 1
}

# --- reading ------------------------------------------------------------------------------------

# Instructions one a line, each with the number of its last line before it; no comments.
instructions() {
  awk '/^[ \t]*(#|$)/ { next }
       { line = line $0 }
       sub(/\\$/, "", line) { next }
       { print NR, line; line = "" }
       END { if (line != "") exit 1 }' "$dockerfile"
}

# Names of the Dockerfile are in capitals, those of this script are not: they cannot meet.
check_name() {
  case $1 in
    "" | PATH | HOME | *[!A-Z0-9_]*) fail "variable \"$1\" is not supported" ;;
  esac
}

# Refuses what this shell would expand further than Docker does.
check_words() {
  case $1 in
    *'`'* | *'$('* | *[\;\&\|\<\>\*\?\[]*) fail "not supported in \"$1\"" ;;
  esac
}

define() { # NAME VALUE
  check_name "$1"
  eval "$1=\$2"
  case " $names " in *" $1 "*) ;; *) names="$names $1" ;; esac
}

# --- the instructions ---------------------------------------------------------------------------

from() {
  [ -z "$root" ] || finish_stage
  case $1 in
    debian:bookworm-slim) ;;
    *) fail "FROM $1: only debian:bookworm-slim is at hand" ;;
  esac
  stage=$((stage + 1))
  stage_name=$stage
  if [ "$#" -gt 1 ]; then
    [ "$#" -eq 3 ] && [ "$2" = AS ] || fail "FROM: expected IMAGE [AS NAME]"
    stage_name=$3
  fi
  root=$work/stages/$stage_name
  mkdir -p "$root"
  tar -xf "$base" -C "$root"
  base_mb=$(megabytes)
  for name in $names; do unset "$name"; done
  names= workdir=/ user=0:0
  rm -rf "$work/config"
  mkdir "$work/config"
}

arg() {
  [ "$#" -eq 1 ] || fail "ARG: expected one NAME or NAME=VALUE"
  name=${1%%=*}
  define "$name" "$(case $1 in *=*) printf %s "${1#*=}" ;; esac)"
  for given in $build_arguments; do
    [ "${given%%=*}" != "$name" ] || define "$name" "${given#*=}"
  done
}

env_() {
  for pair in "$@"; do
    case $pair in *=*) define "${pair%%=*}" "${pair#*=}" ;; *) fail "ENV $pair: no =" ;; esac
  done
}

copy() {
  from=$work/context
  while case $1 in --*) true ;; *) false ;; esac; do
    case $1 in
      --from=*) from=$work/stages/${1#--from=} ;;
      *) fail "COPY $1 is not supported" ;;
    esac
    [ -d "$from" ] || fail "COPY $1: no such stage"
    shift
  done
  [ "$#" -eq 2 ] || fail "COPY: expected SOURCE TARGET"
  [ -e "$from/$1" ] || fail "COPY $1: not in the build context"
  case $2 in /*) target=$root$2 ;; *) target=$root$workdir/$2 ;; esac
  # The content of a folder is copied, not the folder.
  if [ -d "$from/$1" ]; then
    mkdir -p "$target"
    cp -a "$from/$1/." "$target/"
  else
    case $2 in */ | .) mkdir -p "$target" ;; *) mkdir -p "${target%/*}" ;; esac
    cp -a "$from/$1" "$target"
  fi
}

# mount_at TARGET ARGUMENT...: `mount ARGUMENT... TARGET` in the root; TARGET is made where missing,
# as a file for a file.
mount_at() {
  at=$root$1
  shift
  if [ ! -e "$at" ]; then
    if [ -f "$1" ]; then : >"$at"; else mkdir -p "$at"; fi
    stubs="$at $stubs"
  fi
  mount "$@" "$at"
  mounts="$at $mounts"
}

# What a --mount of RUN asks for.
mount_option() {
  type= id= target= source=
  for part in $(echo "$1" | tr , ' '); do
    case $part in
      type=*) type=${part#*=} ;;
      id=*) id=${part#*=} ;;
      target=/*) target=${part#*=} ;;
      source=*) source=${part#*=} ;;
      sharing=locked) ;; # nobody else runs
      *) fail "RUN --mount: \"$part\" is not supported" ;;
    esac
  done
  [ -n "$target" ] || fail "RUN --mount: no target"
  case $type in
    cache)
      [ -n "$id" ] || fail "RUN --mount=type=cache: no id"
      mkdir -p "$cache/$id"
      mount_at "$target" "$cache/$id" --bind
      ;;
    bind)
      [ -e "$work/context/$source" ] || fail "RUN --mount: \"$source\" is not in the build context"
      mount_at "$target" "$work/context/$source" --bind
      mount -o remount,bind,ro "$root$target"
      ;;
    *) fail "RUN --mount: type \"$type\" is not supported" ;;
  esac
}

run() { # the text of the instruction
  command=$1
  mount_at /proc proc -t proc
  mount_at /dev /dev --bind
  for file in /etc/resolv.conf /etc/hosts; do
    [ ! -e $file ] || mount_at $file $file --bind
  done
  while case $command in --*) true ;; *) false ;; esac; do
    option=${command%%[ 	]*}
    command=$(printf %s "${command#"$option"}" | sed 's/^[ \t]*//')
    case $option in
      --mount=*) mount_option "${option#--mount=}" ;;
      *) fail "RUN $option is not supported" ;;
    esac
  done
  case $command in \[* | *'<<'*) fail "RUN: neither the exec form nor here-documents" ;; esac
  set -- PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
  for name in $names; do eval "set -- \"\$@\" \"$name=\$$name\""; done
  status=0
  env -i "$@" chroot --userspec="$user" "$root" \
    /bin/sh -c 'cd "$0" && exec /bin/sh -c "$1"' "$workdir" "$command" </dev/null || status=$?
  for at in $mounts; do umount "$at"; done
  for at in $stubs; do if [ -d "$at" ]; then rmdir "$at"; else rm "$at"; fi; done
  mounts= stubs=
  [ "$status" = 0 ] || fail "RUN failed with $status: $command"
}

entrypoint() {
  case $1 in '["'*'"]') ;; *) fail "ENTRYPOINT: only the exec form" ;; esac
  # One argument a line; none has a quote or a comma in it.
  echo "$1" | sed 's/^\["//; s/"\]$//; s/", *"/\n/g' >"$work/config/entrypoint"
}

perform() { # INSTRUCTION, and its text in $text
  # These two are not expanded. (No && here: it would switch off `set -e` inside.)
  case $1 in
    RUN) run "$text"; return ;;
    ENTRYPOINT) entrypoint "$text"; return ;;
  esac
  check_words "$text"
  instruction=$1
  eval "set -- $text"
  [ -n "$root" ] || [ "$instruction" = FROM ] || fail "$instruction before FROM"
  case $instruction in
    FROM) from "$@" ;;
    ARG) arg "$@" ;;
    ENV) env_ "$@" ;;
    COPY) copy "$@" ;;
    LABEL) printf '%s\n' "$@" >>"$work/config/labels" ;;
    USER) user=$1; echo "$1" >"$work/config/user" ;;
    EXPOSE) echo "$1" >"$work/config/exposed" ;;
    WORKDIR)
      case $1 in /*) workdir=$1 ;; *) fail "WORKDIR $1: only absolute" ;; esac
      mkdir -p "$root$workdir"
      ;;
    *) fail "unknown instruction $instruction" ;;
  esac
}

# --- all of it ----------------------------------------------------------------------------------

megabytes() { du -s --block-size=1M "$root" | cut -f1; }

finish_stage() {
  echo "stage $stage_name: $base_mb MB of Debian, $(($(megabytes) - base_mb)) MB added" |
    tee "$work/config/sizes"
}

# What Docker's client would send: the context without what .dockerignore names.
mkdir -p "$work/context" "$work/stages"
sed 's/#.*//; s/[ \t]*$//; s|^/||; s|/$||; /^$/d' "$context/.dockerignore" >"$work/ignored"
if grep -nE '^!|\*\*' "$work/ignored" >&2; then
  echo "build_image: .dockerignore: neither ! nor ** is supported" >&2
  exit 1
fi
(cd "$context" && tar -c --anchored --no-wildcards-match-slash -X "$work/ignored" -- $(ls -A)) |
  tar -x -C "$work/context"

instructions >"$work/instructions"
while read -r number instruction text; do
  echo "$number: $instruction $(echo "$text" | sed 's/--mount=[^ ]* *//g; s/  */ /g' | cut -c1-90)"
  perform "$instruction"
done <"$work/instructions"
finish_stage
ln -s "$root" "$work/image"
