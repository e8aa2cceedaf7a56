#!/usr/bin/env bash
# Builds the foreign QUIC peers of the tests, offline, from the sources beside this script and the libraries of Debian 12's packages
# (eng/install-test-tools.sh). Prints the program's path for each name given: quic-go, quinn.
# A program that exists for exactly these sources and tools is not built again. Exit code 3: a tool or a library is missing, standard error
# says which. All that is written is under artifacts/peers, or under GIMLET_PEERS where several checkouts share it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
store=${GIMLET_PEERS:-$here/../../artifacts/peers}
mkdir -p "$store/bin"
store=$(cd "$store" && pwd)

# Debian's compilers, whatever newer ones come first on the PATH: the libraries are of the same age.
cargo=/usr/bin/cargo rustc=/usr/bin/rustc registry=/usr/share/cargo/registry
gopath=/usr/share/gocode

missing() {
  echo "$1 is missing (Debian 12: $2)" >&2
  exit 3
}

build_quic_go() {
  (cd "$1" && CGO_ENABLED=0 GO111MODULE=off GOFLAGS='' GOPATH=$gopath GOCACHE=$store/go-cache go build -trimpath -o "$2" .)
}

build_quinn() {
  mkdir -p "$store/cargo-home"
  printf '[source.crates-io]\nreplace-with = "debian"\n[source.debian]\ndirectory = "%s"\n' "$registry" >"$store/cargo-home/config.toml"
  (cd "$1" && CARGO_HOME=$store/cargo-home CARGO_TARGET_DIR=$store/cargo-target RUSTC=$rustc RUSTFLAGS='' \
    "$cargo" build --release --offline --quiet)
  cp "$store/cargo-target/release/quinn-peer" "$2"
}

for name in "$@"; do
  case $name in
    quic-go)
      command -v go >/dev/null || missing 'the go compiler' golang-go
      [ -d $gopath/src/github.com/lucas-clemente/quic-go ] || missing 'the library quic-go' golang-github-lucas-clemente-quic-go-dev
      tools=$(go version)
      ;;
    quinn)
      [ -x $cargo ] || missing $cargo cargo
      [ -x $rustc ] || missing $rustc rustc
      [ -d $registry/quinn-0.9.3 ] || missing 'the library quinn 0.9.3' librust-quinn-dev
      tools=$($rustc --version)
      ;;
    *)
      echo "no such peer: $name" >&2
      exit 2
      ;;
  esac

  hash=$({ echo "$tools"; cd "$here"; find "$name" build.sh -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum; } | sha256sum | cut -c1-16)
  program=$store/bin/$name-peer-$hash
  if [ ! -x "$program" ]; then
    # One build at a time; who waited finds the program there.
    exec 8>"$store/lock"
    flock 8
    if [ ! -x "$program" ]; then
      # A copy, so that the compilers write nothing into the checkout.
      rm -rf "$store/src/$name"
      mkdir -p "$store/src"
      cp -r "$here/$name" "$store/src/$name"
      "build_${name//-/_}" "$store/src/$name" "$program.new" >&2
      mv "$program.new" "$program"
      # The folder does not grow with every change; three, for checkouts that share it.
      ls -t "$store/bin/$name-peer-"* | tail -n +4 | xargs -r rm -f
    fi
    exec 8>&-
  fi
  echo "$program"
done
