#!/bin/sh
# Static analysis of the contracts: makes its own environment under var/ on the first
# run (Slither needs a web3 that the application cannot have), compiles with the pinned
# forge and reads the result. Ends with 255 when anything of medium or higher impact is
# found; docs/contracts.md explains what is silenced in the sources.
set -eu
cd "$(dirname "$0")/../.."
root=$PWD
venv=$root/var/slither-venv
out=$root/var/slither
export PATH="$root/node_modules/.bin:$PATH"

if [ ! -x "$venv/bin/slither" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet "slither-analyzer==0.11.6"
fi

rm -rf "$out"
contracts/tools/forge build --build-info --skip 'contracts/test/*' \
    --out "$out" --cache-path "$out/cache" --build-info-path "$out/build-info" >/dev/null

exec "$venv/bin/slither" contracts \
    --foundry-ignore-compile --foundry-out-directory "$out" \
    --filter-paths 'node_modules|contracts/test' \
    --exclude-informational --exclude-optimization --exclude-low --fail-medium
