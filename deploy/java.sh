#!/bin/bash
# Runs a Java program and ends with 0 when it ended because it was asked to: Java itself says 143 then, as if it had been cut off.
set -uo pipefail
"$@" &
child=$!
asked=
again=yes
trap 'asked=yes; again=yes; kill -TERM "$child"' TERM INT
# A signal ends the wait and gives it a code of its own; the program's is told by the next one, though it has ended meanwhile.
while [ -n "$again" ]; do
    again=
    code=0
    wait "$child" || code=$?
done
if [ -n "$asked" ] && [ "$code" -eq 143 ]; then code=0; fi
exit "$code"
