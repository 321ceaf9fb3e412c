#!/bin/bash
# Runs a Java program and ends with 0 when it ended because it was asked to: Java itself says 143 then, as if it had been cut off.
set -uo pipefail
"$@" &
child=$!
asked=
trap 'asked=yes; kill -TERM "$child"' TERM INT
code=0
wait "$child" || code=$?
# A signal ends the first wait before the program.
while kill -0 "$child" 2>/dev/null; do
    code=0
    wait "$child" || code=$?
done
if [ -n "$asked" ] && [ "$code" -eq 143 ]; then code=0; fi
exit "$code"
