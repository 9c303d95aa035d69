#!/usr/bin/env bash
# The servers that `make test` and `make run-distributed` need beside the wheels: the gateway (nginx) and Prometheus with
# promtool, from Debian's packages; Chromium and Chinese fonts for the tests of the pages. Where they cannot be installed this says so and goes on: what needs them says so too.
set -euo pipefail

export PATH="$PATH:/usr/sbin:/usr/local/sbin"
missing=()
command -v nginx >/dev/null || missing+=(nginx-light)
command -v chromium >/dev/null || [ -n "${WANGDIAN_CHROMIUM:-}" ] || missing+=(chromium)
fc-list 2>/dev/null | grep -qi cjk || missing+=(fonts-noto-cjk fontconfig)
command -v promtool >/dev/null && command -v prometheus >/dev/null || missing+=(prometheus)
[ ${#missing[@]} -eq 0 ] && exit 0

run=()
if [ "$(id -u)" -ne 0 ]; then run=(sudo -n); fi
if ! command -v apt-get >/dev/null || ! "${run[@]}" true 2>/dev/null; then
	echo "Please install: ${missing[*]}. Without them run-distributed does not start and their tests fail." >&2
	exit 0
fi
echo "Installing ${missing[*]}"
"${run[@]}" apt-get update -qq
"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -o DPkg::Lock::Timeout=300 -y -qq \
	--no-install-recommends "${missing[@]}" >/dev/null
