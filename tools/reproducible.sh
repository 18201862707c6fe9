#!/usr/bin/env bash
# Proves that the same source makes the same Lambda functions: builds them from
# two copies of the tree, in folders of different names and depth, and compares
# the bytes. Checks too that each, zipped, stays below 10 MB.
# Exit codes: 0 as expected, 1 a difference or too large a zip, 2 it could not be
# checked.
#
# The two builds share Go's build cache, for a cold one costs minutes. That hides
# nothing: without -trimpath a package's folder is part of its cache key.
set -euo pipefail
cd "$(dirname "$0")/.."

functions=${LAMBDAS:-ingest reconcile api scheduler}
max_zip_bytes=$((10 * 1000 * 1000))

for tool in go tar gzip cmp; do
  command -v "$tool" >/dev/null 2>&1 || { echo "reproducible.sh: $tool is not on the PATH" >&2; exit 2; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
first=$work/a second=$work/another/folder/of/b

# What git knows of and what is new, as it is now, without what is built.
source_of() {
  mkdir -p "$1"
  if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    # Files that are deleted, but not from git yet, are left out.
    git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
      if [[ -e "$file" ]]; then printf '%s\0' "$file"; fi
    done | tar -c --null -T - -f - | tar -x -C "$1" -f -
  else
    tar -c --exclude ./bin --exclude ./dist --exclude node_modules -f - . | tar -x -C "$1" -f -
  fi
}

build_in() {
  # shellcheck disable=SC2086 # the names are separate words
  make -s -C "$1" $(printf 'dist/%s/bootstrap ' $functions) </dev/null
}

source_of "$first"
# The second is a copy of the first: the tree may change meanwhile. Its files are
# older by a day, as they would be in another checkout.
mkdir -p "$second"
cp -R "$first/." "$second/"
find "$second" -type f -exec touch -t 202001010000 {} +

for folder in "$first" "$second"; do
  if ! build_in "$folder"; then
    echo "reproducible.sh: the functions do not build" >&2
    exit 2
  fi
done

failed=0
for function in $functions; do
  one=$first/dist/$function/bootstrap two=$second/dist/$function/bootstrap
  if ! cmp -s "$one" "$two"; then
    echo "$function: two builds of the same source differ (cmp: $(cmp "$one" "$two" 2>&1 || true)): is a build time, a path or git's state in it?" >&2
    failed=1
    continue
  fi
  # A zip's deflate is gzip's; the headers around it are some 200 bytes.
  zip_bytes=$(($(gzip -9 -n -c "$one" | wc -c) + 200))
  if ((zip_bytes >= max_zip_bytes)); then
    echo "$function: about $zip_bytes bytes zipped, allowed are less than $max_zip_bytes" >&2
    failed=1
    continue
  fi
  printf '%-10s the same twice, %d bytes, about %d zipped\n' "$function" "$(wc -c <"$one")" "$zip_bytes"
done
exit "$failed"
