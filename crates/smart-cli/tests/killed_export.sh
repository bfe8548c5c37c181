#!/bin/sh
# An export that is killed three times with `kill -9` and resumed, against one that is left alone: with `smart` and a shell.
#
#     PATH="$PWD/target/release:$PATH" FILE_SIZE=128MiB sh crates/smart-cli/tests/killed_export.sh
#
# FILE_SIZE is how large each of the 8 files is, PORT the port of the sandbox.
set -eu
port=${PORT:-4013}
size=${FILE_SIZE:-128MiB}
base="http://127.0.0.1:$port/fhir"

work=$(mktemp -d)
export SMART_DATA="$work/data"
smart keygen --kind ec-p384 --kid night-2026 --jwk --out "$work/key.jwk" > "$work/public.jwk"
smart jwks "$work/key.jwk" --out "$work/jwks.json"
smart sandbox --port "$port" --client-keys "night-job=$work/jwks.json" --bulk-files 8 --bulk-file-size "$size" > "$work/sandbox.txt" &
sandbox=$!
trap 'kill "$sandbox" 2>/dev/null || true; rm -rf "$work"' EXIT
tries=0
until smart discover "$base" > "$work/discover.txt" 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 50 ] || { cat "$work/discover.txt" >&2; exit 1; }
    sleep 0.2
done
smart backend "$base" --client-id night-job --key "$work/key.jwk" > "$work/backend.txt"

octets() { find "$1" -name '*.ndjson*' -printf '%s\n' 2>/dev/null | awk '{ all += $1 } END { printf "%d", all }'; }

echo "== Left alone"
begun=$(date +%s%N)
smart export "$work/alone" --system > "$work/alone.txt" 2> "$work/progress.txt"
took=$((($(date +%s%N) - begun) / 1000000))
echo "$(octets "$work/alone") octets in $took ms"

echo "== Killed three times"
for part in 1 2 3; do
    # What was asked for stands in the journal.
    how=--resume
    [ -e "$work/killed/.smart-export/journal" ] || how=--system
    smart export "$work/killed" "$how" > "$work/killed.txt" 2>&1 &
    export=$!
    # A quarter of the whole each time, so that none of them comes to its end.
    goal=$(($(octets "$work/alone") * part / 4))
    while [ "$(octets "$work/killed")" -lt "$goal" ] && kill -0 "$export" 2>/dev/null; do sleep 0.01; done
    if kill -9 "$export" 2>/dev/null; then echo "killed with $(octets "$work/killed") octets on the disk"; else echo "it had ended"; fi
    wait "$export" 2>/dev/null || true
done
smart export "$work/killed" --resume > "$work/killed.txt" 2> "$work/progress.txt"

(cd "$work/alone" && sha256sum ./*.ndjson) > "$work/alone.sums"
(cd "$work/killed" && sha256sum ./*.ndjson) > "$work/killed.sums"
cmp "$work/alone.sums" "$work/killed.sums"
tail -1 "$work/killed.txt"
echo "$(wc -l < "$work/killed.sums") files, all digests equal"
