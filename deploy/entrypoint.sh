#!/bin/sh
# Becomes the command line. A worker is named to Kafka by its container, so that one that is started again takes over at once.
set -eu
if [ "${1:-} ${3:-}" = "serve worker" ] && [ -n "${HOSTNAME:-}" ]; then
    set -- "$@" --replica "$HOSTNAME"
fi
# An authority of the site's own, beside the public ones.
if [ -f /etc/anju/ca/ca.crt ]; then
    export SSL_CERT_FILE=/etc/anju/ca/ca.crt
fi
exec python -m anju "$@"
