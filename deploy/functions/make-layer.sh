#!/usr/bin/env bash
# Makes a layer for function platforms: bin/gimlet, one executable that brings its own .NET, in a folder and, where zip is installed, in a zip file.
#   deploy/functions/make-layer.sh [x64|arm64] [OUT]     default: this machine's kind, ./gimlet-layer
set -euo pipefail

case ${1:-$(uname -m)} in
  x64 | x86_64) arch=x64 ;;
  arm64 | aarch64) arch=arm64 ;;
  *) echo "usage: make-layer.sh [x64|arm64] [OUT]" >&2; exit 2 ;;
esac
out=$(mkdir -p "${2:-gimlet-layer}" && realpath "${2:-gimlet-layer}")
cd "$(dirname "$0")/../.."

# Not compressed: the zip is, and a compressed executable would unpack itself at every cold start.
dotnet publish src/Gimlet.Cli --configuration Release --runtime "linux-$arch" --self-contained true \
  -p:PublishSingleFile=true -p:PublishDocumentationFiles=false -p:RunAnalyzers=false --output "$out/build"
mkdir -p "$out/layer/bin"
mv "$out/build/Gimlet.Cli" "$out/layer/bin/gimlet"
rm -rf "$out/build"
chmod 0755 "$out/layer/bin/gimlet"

if command -v zip >/dev/null; then
  rm -f "$out/gimlet-layer-$arch.zip"
  (cd "$out/layer" && zip -q -X -r "$out/gimlet-layer-$arch.zip" bin)
  echo "$out/gimlet-layer-$arch.zip"
else
  echo "$out/layer (zip is not installed: pack this folder by hand, bin/ at the top, and keep the executable bit)"
fi
