#!/usr/bin/env bash
# Does by hand what the build stage of a Dockerfile does, where no container engine is: copies exactly the COPY sources into an empty folder, runs the
# RUN commands there, and leaves the result in OUT. It shows that the copied files are enough and that the commands work; it does not show that the
# images exist or what is in them.
#   deploy/docker/rehearse.sh DOCKERFILE OUT
set -euo pipefail

dockerfile=$(realpath "$1")
out=$(mkdir -p "$2" && realpath "$2")
cd "$(dirname "$0")/../.."
source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT

case $(uname -m) in
  x86_64) export TARGETARCH=amd64 ;;
  aarch64) export TARGETARCH=arm64 ;;
  *) echo "no image of .NET for $(uname -m)" >&2; exit 1 ;;
esac

stage=0
while read -r word rest; do
  case $word in
    FROM) stage=$((stage + 1)) ;;
    COPY)
      [ "$stage" = 1 ] || continue
      read -ra parts <<<"$rest"
      target=$source/${parts[-1]}
      mkdir -p "$target"
      for path in "${parts[@]:0:${#parts[@]}-1}"; do
        # As .dockerignore has it: nothing that was built here.
        tar -c --exclude=bin --exclude=obj -C "$(dirname "$path")" "$(basename "$path")" |
          if [ -d "$path" ]; then tar -x --strip-components=1 -C "$target"; else tar -x -C "$target"; fi
      done
      ;;
    RUN)
      [ "$stage" = 1 ] || continue
      command=${rest//\/out/\"$out\"}
      command=${command//\/state/\"$out.state\"}
      echo "+ $command" >&2
      (cd "$source" && bash -euc "$command")
      ;;
    *) ;;
  esac
done <"$dockerfile"
