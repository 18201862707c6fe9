#!/usr/bin/env bash
# Deploys Blox to an emulated AWS account and proves that what is deployed
# works: `make test-emulator`.
#
# The account is at AWS_ENDPOINT_URL if that is set (see compose.yaml), else
# moto's server is started for it. Everything is made in a temporary folder,
# which stays if something fails; what was started here is ended here.
#
#   UPDATE=1 make test-emulator    writes test/emulator/permissions.md
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cdk=$root/infra/cdk
moto_version=5.2.1
region=us-east-1
retention_after_update=9

fail() {
  echo "test-emulator: $1" >&2
  exit 2
}
say() { printf '\n=== %s (after %d s)\n' "$1" "$SECONDS"; }

command -v go >/dev/null || fail "Go is missing: install the version that go.mod names from https://go.dev/dl/"
command -v node >/dev/null || fail "Node.js is missing: install version 20 or newer, the CDK's command runs on it"
node_major=$(node -p 'process.versions.node.split(".")[0]')
((node_major >= 20)) || fail "Node.js $node_major is too old for the CDK's command: install version 20 or newer"

work=$(mktemp -d)
moto_pid=
finish() {
  local code=$?
  if [[ -n $moto_pid ]]; then
    kill "$moto_pid" 2>/dev/null || true
    wait "$moto_pid" 2>/dev/null || true
  fi
  if ((code == 0)); then
    rm -rf "$work"
  else
    echo "test-emulator: failed after $SECONDS s; logs are in $work" >&2
  fi
}
trap finish EXIT
trap 'exit 130' INT TERM

# A real account must never be met, whatever this shell is logged in to.
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_DEFAULT_PROFILE
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing AWS_REGION=$region AWS_DEFAULT_REGION=$region
export CDK_DISABLE_CLI_TELEMETRY=true JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20
# The validator of the template has a step of its own (make synth).
export CDK_VALIDATION=false

start_moto() {
  command -v python3 >/dev/null || fail "Python 3 is missing: install it, or set AWS_ENDPOINT_URL to an emulated account"
  local python=python3
  if ! python3 -c 'import moto.server, flask' 2>/dev/null; then
    echo "moto is missing: installing version $moto_version into $work/venv"
    { python3 -m venv "$work/venv" && "$work/venv/bin/pip" install --quiet "moto[server]==$moto_version"; } ||
      fail "moto could not be installed: 'pip install moto[server]==$moto_version', or set AWS_ENDPOINT_URL to an emulated account"
    python=$work/venv/bin/python
  fi
  # Another program may take the port between the choice and the start: then the next one is tried.
  local port
  for _ in 1 2 3; do
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    "$python" "$here/moto_server.py" -H 127.0.0.1 -p "$port" >"$work/moto.log" 2>&1 &
    moto_pid=$!
    for _ in $(seq 100); do
      kill -0 "$moto_pid" 2>/dev/null || break
      if curl --silent --fail --output /dev/null "http://127.0.0.1:$port/moto-api/data.json"; then
        export AWS_ENDPOINT_URL=http://127.0.0.1:$port
        # moto reads a template by URL only from a host named localhost.
        export AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION=http://localhost:$port
        return
      fi
      sleep 0.1
    done
  done
  cat "$work/moto.log" >&2
  fail "moto's server did not start: the lines above say why"
}

if [[ -z ${AWS_ENDPOINT_URL:-} ]]; then
  say "starting an emulated account"
  start_moto
  echo "it is moto $moto_version, some of its habits corrected (see moto_server.py), at $AWS_ENDPOINT_URL"
else
  [[ $AWS_ENDPOINT_URL != *amazonaws.com* ]] || fail "AWS_ENDPOINT_URL is Amazon's own: this test is for emulated accounts only"
  export AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION=${AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION:-$AWS_ENDPOINT_URL}
  curl --silent --output /dev/null --max-time 10 "$AWS_ENDPOINT_URL" || fail "nothing answers at AWS_ENDPOINT_URL, $AWS_ENDPOINT_URL"
fi
account=123456789012
if [[ -n ${AWS_EMULATED_ACCOUNT:-} ]]; then
  account=$AWS_EMULATED_ACCOUNT
elif [[ -z $moto_pid ]] && curl --silent --fail --output /dev/null "$AWS_ENDPOINT_URL/_localstack/health"; then
  account=000000000000
fi

say "building the functions for this machine, and the CDK app"
architecture=x86_64
[[ $(go env GOARCH) != arm64 ]] || architecture=arm64
build() { # folder of the module, package, output
  CGO_ENABLED=0 GOOS=linux go build -C "$1" -buildvcs=false -tags lambda.norpc -trimpath -ldflags '-s -w' -o "$3" "$2"
}
for function in ingest reconcile api scheduler; do
  build "$root" "./functions/$function/bootstrap" "$work/dist/$function/bootstrap"
done
build "$here" ./empty/bootstrap "$work/empty/bootstrap"
go build -C "$root" -buildvcs=false -o "$work/blox" ./cmd/blox
go build -C "$here" -buildvcs=false -o "$work/emulator" .
go build -C "$cdk" -buildvcs=false -o "$work/blox-cdk" .
if [[ ! -x $cdk/node_modules/.bin/cdk ]]; then
  npm ci --prefix "$cdk" --ignore-scripts --no-audit --no-fund --silent || fail "the CDK's command could not be installed: 'npm ci --ignore-scripts' in infra/cdk says why"
fi

# From the CDK's command only what goes wrong is shown; all of it is in cdk.log.
run_cdk() {
  if ! (cd "$cdk" && node_modules/.bin/cdk --no-notices --app "$work/blox-cdk" --output "$work/cdk.out" \
    --context "functionsDirectory=$work/dist" --context "architecture=$architecture" --context removalPolicy=destroy "$@") >"$work/cdk.log" 2>&1; then
    cat "$work/cdk.log" >&2
    fail "cdk $1 failed: the lines above say why"
  fi
}
deploy() { run_cdk deploy Blox-blox --require-approval never --method=direct "$@"; }
emulator() { "$work/emulator" "$1" -work "$work" "${@:2}"; }

say "bootstrapping the account $account and deploying the stack"
run_cdk bootstrap "aws://$account/$region"
emulator before
deploy --context forwardChanges=true

say "running what was deployed"
update=()
[[ -z ${UPDATE:-} ]] || update=(-update)
emulator prove -empty "$work/empty" -command "$work/blox" -dependent "$cdk/dependent-permissions.json" -permissions "$here/permissions.md" "${update[@]}"

say "updating the stack in place: another retention, changes no longer forwarded"
deploy --context "retentionDays=$retention_after_update"
emulator updated -retention "$retention_after_update"

say "destroying the stack"
run_cdk destroy Blox-blox --force
emulator gone

printf '\ntest-emulator: passed after %d s\n' "$SECONDS"
