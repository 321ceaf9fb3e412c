#!/usr/bin/env bash
# Puts the images into one folder to carry to a site without a network: deploy/airgap/bundle.sh <folder>
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=deploy/airgap/images.sh
. "$here/images.sh"
[ $# -eq 1 ] || { echo "usage: bundle.sh <folder>" >&2; exit 2; }
mkdir -p "$1"
# The running city needs these; the base and Python's image are inside them.
docker save "$ANJU_IMAGE" "$KAFKA_IMAGE" "$POSTGRES_IMAGE" "$NGINX_IMAGE" "$PROMETHEUS_IMAGE" \
    "$KEYCLOAK_IMAGE" | gzip -3 >"$1/images.tar.gz"
cp "$here/load.sh" "$here/../../docker-compose.yml" "$1/"
# What compose mounts beside the images.
(cd "$here/../.." && tar -czf - deploy/java.sh deploy/postgres deploy/proxy deploy/prometheus deploy/grafana deploy/keycloak) >"$1/deploy.tar.gz"
"$here/build.sh" --names | grep -v -e '^BASE' -e '^JAVA' -e '^PYTHON' >"$1/images.env"
(cd "$1" && sha256sum images.tar.gz deploy.tar.gz docker-compose.yml images.env load.sh >SHA256SUMS)
du -sh "$1"
