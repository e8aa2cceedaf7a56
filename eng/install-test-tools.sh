#!/usr/bin/env bash
# Installs what the tests use besides the .NET SDK, from Debian's packages: network namespaces and NATs (iproute2, nftables,
# conntrack), foreign STUN peers (coturn), a foreign TLS (GnuTLS), foreign QUIC peers (ngtcp2; quic-go and quinn as libraries that
# tests/peers/build.sh builds programs from), the dissector of their packets (tshark) and a foreign WebSocket client (Python's). Does nothing where it
# all is there already. Tests that miss a tool say so and are skipped.
set -euo pipefail

declare -A package=(
  [ip]=iproute2 [nft]=nftables [conntrack]=conntrack [ping]=iputils-ping [turnserver]=coturn [taskset]=util-linux
  [gtlsclient]=ngtcp2-client [/usr/sbin/gtlsserver]=ngtcp2-server [tshark]=tshark [go]=golang-go
  # By path: a newer compiler on the PATH does not build libraries of Debian 12's age.
  [/usr/bin/cargo]=cargo [/usr/bin/rustc]=rustc
)
missing=()
for tool in "${!package[@]}"; do
  command -v "$tool" >/dev/null 2>&1 || missing+=("${package[$tool]}")
done
# The foreign TLS that ours shakes hands with is a library.
ldconfig -p 2>/dev/null | grep -q 'libgnutls\.so\.30' || missing+=(libgnutls30)
# So are two of the foreign QUICs, as sources.
[ -d /usr/share/gocode/src/github.com/lucas-clemente/quic-go ] || missing+=(golang-github-lucas-clemente-quic-go-dev)
[ -d /usr/share/cargo/registry/quinn-0.9.3 ] || missing+=(librust-quinn-dev)
# By path: another Python on the PATH does not see Debian's libraries.
/usr/bin/python3 -c 'import websockets' 2>/dev/null || missing+=(python3-websockets)
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "Missing: ${missing[*]}. Install them with your package manager, as root." >&2
  exit 1
fi

# tshark would ask who may capture; without an answer it is root, which is right.
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
