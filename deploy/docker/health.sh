#!/usr/bin/env bash
# The images' health check. They have no curl and no wget, and need none: bash opens the connection itself.
#   health.sh [PATH]     exit status 0 if http://127.0.0.1:PORT/PATH answers 200 within three seconds, else 1
# The port is GIMLET_HEALTH_PORT (a worker's --health-port, which goes before PORT there), else PORT, else 8080.
set -uo pipefail

port=${GIMLET_HEALTH_PORT:-${PORT:-8080}}
exec 3<>"/dev/tcp/127.0.0.1/$port" || exit 1
printf 'GET %s HTTP/1.1\r\nHost: localhost:%s\r\nConnection: close\r\n\r\n' "${1:-/}" "$port" >&3 || exit 1
read -r -t 3 _ status _ <&3 || exit 1
[ "$status" = 200 ] || exit 1
