#!/usr/bin/env bash
# What `make test` needs beyond Go: Java and npm, because the tests run on
# DynamoDB Local, AWS's own engine, which comes as a jar inside an npm package.
# Names what is missing and where it comes from, and exits with 2, before the
# tests would fail one package at a time with the same cause.
set -euo pipefail

missing=()

have() { command -v "$1" >/dev/null 2>&1; }

have go || missing+=("go: install the version named in go.mod from https://go.dev/dl/")

# With a DynamoDB already running the tests start none.
if [[ -z "${AWS_ENDPOINT_URL_DYNAMODB:-}" ]]; then
  # macOS ships a `java` that only offers to install one, so it has to be run.
  if ! have java || ! java_version=$(java -version 2>&1); then
    missing+=("java 17 or newer: 'apt-get install default-jre-headless', 'brew install openjdk' or https://adoptium.net/")
  elif [[ "$java_version" =~ version\ \"([0-9]+) ]] && ((BASH_REMATCH[1] < 17)); then
    # Versions before 9 call themselves 1.8: they fail here as well.
    missing+=("java 17 or newer (this one is ${BASH_REMATCH[1]}): 'apt-get install default-jre-headless', 'brew install openjdk' or https://adoptium.net/")
  fi
  have npm || missing+=("npm: it comes with Node.js, 'apt-get install npm', 'brew install node' or https://nodejs.org/")
fi

if ((${#missing[@]} > 0)); then
  printf 'Missing %s\n' "${missing[@]}" >&2
  if have go; then
    printf 'Without Java and npm: set AWS_ENDPOINT_URL_DYNAMODB to a running DynamoDB Local, or use `make run`, which needs only Go.\n' >&2
  fi
  exit 2
fi
