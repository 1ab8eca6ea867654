#!/bin/sh
# Submits one task per word, waits for all of them, and reads the answer of each.
set -eu

ids=
for word in one two three; do
  ids="$ids $(beat run --agent shell --label job=fan-out "echo the answer of $word")"
done

# The exit code is that of the first task that did not complete.
# shellcheck disable=SC2086
beat wait $ids

for id in $ids; do
  beat result "$id"
done
