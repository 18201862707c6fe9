#!/usr/bin/env bash
# Builds the ECS simulator, starts it on a free port, and drives it with boto3 and the AWS CLI.
# Exit codes: 0 as expected, 1 a mismatch, 2 the simulator did not start, 3 python3, boto3 or the AWS CLI is missing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

if ! command -v python3 >/dev/null; then
  echo "run.sh: python3 is not on the PATH, so the ECS simulator was not checked with boto3." >&2
  exit 3
fi

work=$(mktemp -d)
simulator=
finish() {
  if [ -n "$simulator" ]; then
    kill "$simulator" 2>/dev/null || true
    wait "$simulator" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap finish EXIT

(cd "$root" && go build -o "$work/ecssim" ./internal/ecssim/cmd/ecssim)
"$work/ecssim" --addr 127.0.0.1:0 2>"$work/log" &
simulator=$!

endpoint=
for _ in $(seq 100); do
  endpoint=$(sed -n 's/^ecssim: listening on //p' "$work/log")
  [ -n "$endpoint" ] && break
  sleep 0.1
done
if [ -z "$endpoint" ]; then
  echo "run.sh: the simulator did not start within 10 s:" >&2
  cat "$work/log" >&2
  exit 2
fi

python3 "$here/check.py" "$endpoint"
