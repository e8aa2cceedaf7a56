#!/usr/bin/env bash
# Installs what the tests use besides the .NET SDK, from Debian's packages: network namespaces and NATs (iproute2, nftables,
# conntrack), foreign STUN peers (coturn), a foreign TLS (GnuTLS). Does nothing where it all is there already. Tests that miss a tool say so and are skipped.
set -euo pipefail

declare -A package=([ip]=iproute2 [nft]=nftables [conntrack]=conntrack [ping]=iputils-ping [turnserver]=coturn [taskset]=util-linux)
missing=()
for tool in "${!package[@]}"; do
  command -v "$tool" >/dev/null 2>&1 || missing+=("${package[$tool]}")
done
# The foreign TLS that ours shakes hands with is a library.
ldconfig -p 2>/dev/null | grep -q 'libgnutls\.so\.30' || missing+=(libgnutls30)
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "Missing: ${missing[*]}. Install them with your package manager, as root." >&2
  exit 1
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
