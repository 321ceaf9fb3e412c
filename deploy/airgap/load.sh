#!/usr/bin/env bash
# On the site's machine, in the folder that bundle.sh made: checks every file, loads the images, writes the settings.
set -euo pipefail
cd "$(dirname "$0")"
sha256sum --check --quiet SHA256SUMS
tar -xzf deploy.tar.gz
gunzip -c images.tar.gz | docker load
if [ ! -e .env ]; then
    # Their own secrets on every site; whoever has this file has the city.
    (umask 077 && { docker run --rm "$(sed -n 's/^ANJU_IMAGE=//p' images.env)" compose-settings "$@"; cat images.env; } >.env)
    echo "Wrote .env: keep a copy of it in a safe place."
fi
echo "Now: docker compose up -d"
