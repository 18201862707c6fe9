#!/usr/bin/env bash
# cfn-lint over the templates that `stack.sh synth` has written, and those of
# the examples. Only W3005 is ignored: it calls a DependsOn obsolete where the
# CDK writes one beside a reference that implies it.
set -euo pipefail
cd "$(dirname "$0")"

if ! command -v cfn-lint >/dev/null 2>&1; then
  echo "blox: cfn-lint is missing: 'pip install cfn-lint', then repeat." >&2
  exit 2
fi
shopt -s nullglob
templates=(cdk.out/*.template.json)
if ((${#templates[@]} == 0)); then
  echo "blox: There is no template in $PWD/cdk.out: run 'make synth' first." >&2
  exit 2
fi
templates+=(../../examples/*/template.yaml)
cfn-lint --ignore-checks W3005 --format parseable --template "${templates[@]}"
echo "cfn-lint has no findings in ${templates[*]}"
