#!/usr/bin/env bash
# apt_install.sh PACKAGE…: install Debian packages quietly, as root or by sudo without a password; else say why not.
set -euo pipefail
sudo=()
if ! command -v apt-get >/dev/null; then
    echo "$* cannot be installed here: no apt-get" >&2
    exit 1
elif [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || { echo "$* cannot be installed here: apt-get needs root" >&2; exit 1; }
    sudo=(sudo -n)
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1; }
echo "installing $* by apt-get" >&2
if ! { apt update && apt install -y --no-install-recommends "$@"; }; then
    tail -n 5 "$log" >&2
    exit 1
fi
