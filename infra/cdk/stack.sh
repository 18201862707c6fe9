#!/usr/bin/env bash
# What `make synth`, `diff`, `deploy`, `destroy`, `bootstrap` and `rollback` run:
#
#   infra/cdk/stack.sh VERB [arguments of the CDK command]
#   infra/cdk/stack.sh deploy -c retentionDays=14 --require-approval never
#
# Everything is done and checked by the Go program in cmd/stack; what has to be
# checked before one can be built, Go itself, is checked here. Whatever goes
# wrong ends in one sentence that begins with "blox:" and says what to do.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

if ! command -v go >/dev/null 2>&1; then
  echo "blox: Go is missing: install version $(awk '$1 == "go" { print $2 }' "$here/go.mod") or newer from https://go.dev/dl/, then repeat." >&2
  exit 2
fi
# Building reports a Go that is too old for go.mod and may not fetch a newer one (GOTOOLCHAIN=local, or no network).
if ! failed=$(go build -C "$here" -o bin/stack ./cmd/stack 2>&1); then
  echo "$failed" >&2
  case "$failed" in
  *"requires go"* | *"toolchain not available"* | *"download go"*)
    required=$(awk '$1 == "go" { print $2 }' "$here/go.mod")
    echo "blox: This Go is too old: install version $required or newer from https://go.dev/dl/, then repeat." >&2
    ;;
  *) echo "blox: The program that drives the CDK could not be built: the lines above say why." >&2 ;;
  esac
  exit 2
fi
exec "$here/bin/stack" -directory "$here" "$@"
