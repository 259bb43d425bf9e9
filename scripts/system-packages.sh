#!/usr/bin/env bash
# What the tests need beside Node: callers that nobody here wrote, and a Redis, of which they start and stop their own.
# Installs what is missing from Debian's packages when it may; otherwise names it and exits 2.
set -euo pipefail

missing=()
need() { # need <command> <package>
  command -v "$1" >/dev/null 2>&1 || missing+=("$2")
}
need sipp sip-tester
need baresip baresip-core
need curl curl
need redis-server redis-server

[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "The tests need these Debian packages: ${missing[*]}" >&2
  echo "Install them (apt-get install ${missing[*]}) or run the tests as root on Debian." >&2
  exit 2
fi
echo "Installing for the tests: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
