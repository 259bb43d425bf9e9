#!/usr/bin/env bash
# What the tests need beside Node: callers that nobody here wrote, a browser, a Redis and an Asterisk, of which they start
# and stop their own. Installs what is missing from Debian's packages when it may; otherwise names it and exits 2. The
# Asterisk is only unpacked into a folder of this user, once: that needs nobody's leave.
set -euo pipefail

missing=()
need() { # need <command> <package>
  command -v "$1" >/dev/null 2>&1 || missing+=("$2")
}
need sipp sip-tester
need baresip baresip-core
need curl curl
need redis-server redis-server
need chromium chromium
need git git

if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "The tests need these Debian packages: ${missing[*]}" >&2
    echo "Install them (apt-get install ${missing[*]}) or run the tests as root on Debian." >&2
    exit 2
  fi
  echo "Installing for the tests: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# Where `test/asterisk/server.ts` looks for it.
asterisk=${TMPDIR:-/tmp}/voicegate-asterisk-$(id -u)
if [ ! -e "$asterisk/ready" ]; then
  if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-deb >/dev/null 2>&1; then
    echo "The tests fetch an Asterisk of Debian's, which needs apt-get and dpkg-deb." >&2
    exit 2
  fi
  echo "Fetching an Asterisk for the tests into $asterisk"
  mkdir -p "$asterisk"
  flock "$asterisk/lock" bash "$(dirname "$0")/asterisk.sh" "$asterisk"
fi
