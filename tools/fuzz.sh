#!/usr/bin/env bash
# Runs every fuzz target of the module for FUZZTIME (30s unless set), one after
# the other: `go test -fuzz` takes one target of one package at a time.
set -euo pipefail
cd "$(dirname "$0")/.."

fuzztime=${FUZZTIME:-30s}
targets=$(grep -rE --include='*_test.go' --exclude-dir=testdata --exclude-dir=node_modules \
  -o '^func Fuzz[A-Za-z0-9_]*' . | sed -E 's/^(.*)\/[^/]*:func /\1 /' | LC_ALL=C sort || true)

if [[ -z "$targets" ]]; then
  echo "no fuzz target found: is this the Blox module?" >&2
  exit 1
fi

while read -r package target; do
  echo "fuzzing $target in $package for $fuzztime"
  go test -run '^$' -fuzz "^${target}\$" -fuzztime "$fuzztime" -parallel 2 "$package" </dev/null
done <<<"$targets"
