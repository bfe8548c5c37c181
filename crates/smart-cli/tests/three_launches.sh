#!/bin/sh
# The three launch types of SMART, one after the other, against a sandbox on this machine, with `smart` and nothing else.
#
#     PATH="$PWD/target/debug:$PATH" sh crates/smart-cli/tests/three_launches.sh
#
# PORT and LAUNCH_PORT are the ports of the sandbox and of the app that the EHR opens.
set -eu
port=${PORT:-4013}
launch_port=${LAUNCH_PORT:-4014}
base="http://127.0.0.1:$port/fhir"

work=$(mktemp -d)
export SMART_DATA="$work/data" SMART_AUDIT="$work/audit.jsonl"
# A stand-in for a person with a browser. Leave it away to sign in yourself.
export SMART_BROWSER='smart sandbox visit'

echo '== A key for the backend service, and its public half for the server'
smart keygen --kind ec-p384 --kid night-2026 --jwk --out "$work/key.jwk" > "$work/public.jwk"
smart jwks "$work/key.jwk" --out "$work/jwks.json"

echo '== The sandbox'
smart sandbox --port "$port" --client-keys "night-job=$work/jwks.json" > "$work/sandbox.txt" &
sandbox=$!
trap 'kill "$sandbox" 2>/dev/null || true; rm -rf "$work"' EXIT
tries=0
until smart discover "$base" > "$work/discover.txt" 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 50 ] || { cat "$work/discover.txt" >&2; exit 1; }
    sleep 0.2
done

echo '== 1. Standalone launch: a public client'
smart login "$base" --client-id demo-app
smart get 'Patient/{patient}' --client-id demo-app > "$work/standalone.json"

echo '== 2. EHR launch: a client with a secret, which the launcher opens for another patient'
(umask 077; printf 'demo-secret\n' > "$work/secret")
smart launch --iss-allow "$base" --port "$launch_port" --client-id demo-confidential --client-secret-file "$work/secret" &
launch=$!
tries=0
until smart sandbox visit "http://127.0.0.1:$port/launcher?launch_url=http://127.0.0.1:$launch_port/launch" \
    --patient Patient/p1002 > "$work/visit.txt" 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 50 ] || { cat "$work/visit.txt" >&2; kill "$launch"; exit 1; }
    sleep 0.2
done
wait "$launch"
smart get 'Patient/{patient}' --client-id demo-confidential > "$work/ehr.json"

echo '== 3. Backend service: no person, a key'
smart backend "$base" --client-id night-job --key "$work/key.jwk"
smart get --all 'Patient?_count=10' --client-id night-job > "$work/all.ndjson"

echo '== What there is now'
smart sessions
smart token introspect --client-id demo-confidential
smart token refresh --client-id demo-app

echo '== Out again, and everything is on record'
smart logout --all
smart audit verify "$SMART_AUDIT"
echo "== Done: $(wc -l < "$work/all.ndjson" | tr -d ' ') patients were read by the backend service"
