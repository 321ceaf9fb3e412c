#!/usr/bin/env bash
# Builds the images that docker-compose.yml needs on a machine that reaches package registries but no image registry:
#   deploy/airgap/build.sh [base] [kafka] …          all of them without a word
#   deploy/airgap/build.sh --names                   their names, as lines for a .env file
# As root on Debian or Ubuntu with docker, mmdebstrap and a checkout where `make setup` ran (Kafka's jars, the pages' assets).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=deploy/airgap/images.sh
. "$here/images.sh"
if [ "${1:-}" = --names ]; then
    for name in BASE JAVA PYTHON KAFKA POSTGRES NGINX PROMETHEUS KEYCLOAK ANJU; do
        variable="${name}_IMAGE"
        echo "$variable=${!variable}"
    done
    exit
fi
SUITE=trixie
# Classic Dockerfiles: what an older engine without BuildKit builds too. By the builder's own network: it reaches the
# packages for sure, by a proxy at its loopback too.
export DOCKER_BUILDKIT=0

base() {
    # A site whose network has a certificate authority of its own: downloads inside the image builds trust it too. uv
    # brings a list of authorities of its own, unless it is told. Manuals go at the end: to filter them out of
    # each package while it is unpacked takes mmdebstrap as long as all the rest.
    mmdebstrap --quiet --variant=minbase --include=ca-certificates --aptopt='Acquire::Languages "none"' \
        --dpkgopt=force-unsafe-io \
        --customize-hook='find /usr/local/share/ca-certificates -name "*.crt" -exec cp {} "$1/usr/local/share/ca-certificates/" \;' \
        --customize-hook="cp '$here/base/apt.conf' \"\$1/etc/apt/apt.conf.d/anju-images\"" \
        --customize-hook="cp '$here/base/dpkg.conf' \"\$1/etc/dpkg/dpkg.cfg.d/anju-images\"" \
        --customize-hook='rm -rf "$1"/usr/share/man/* "$1"/usr/share/locale/* "$1"/var/cache/apt/*.bin' \
        --customize-hook='find "$1/usr/share/doc" ! -type d ! -name copyright -delete' \
        --customize-hook='chroot "$1" update-ca-certificates >&2' \
        "$SUITE" - |
        docker import --change "ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt" \
            --change 'CMD ["/bin/bash"]' - "$BASE_IMAGE"
}

# build <image> <folder> [more files of the context, as tar takes them]
build() {
    local image=$1 folder=$2
    shift 2
    tar -c -C "$folder" . "$@" | docker build --quiet --network host --build-arg "BASE_IMAGE=$BASE_IMAGE" --build-arg "JAVA_IMAGE=$JAVA_IMAGE" \
        --tag "$image" -
}

java() { build "$JAVA_IMAGE" "$here/java"; }
python() { build "$PYTHON_IMAGE" "$here/python"; }
postgres() { build "$POSTGRES_IMAGE" "$here/postgres"; }
nginx() { build "$NGINX_IMAGE" "$here/nginx"; }
prometheus() { build "$PROMETHEUS_IMAGE" "$here/prometheus"; }

kafka() {
    [ -d "$root/.build/kafka" ] || { echo "Kafka's jars are missing: run make setup first." >&2; return 1; }
    build "$KAFKA_IMAGE" "$here/kafka" -C "$root/.build" kafka
}

keycloak() {
    build "$KEYCLOAK_IMAGE" "$here/keycloak" -C "$root/.build" keycloak
}

anju() {
    [ -d "$root/.build/assets" ] || { echo "The pages' assets are missing: run make setup first." >&2; return 1; }
    docker build --quiet --network host --build-arg "PYTHON_IMAGE=$PYTHON_IMAGE" --file "$root/deploy/Dockerfile" --tag "$ANJU_IMAGE" "$root"
}

timed() {
    SECONDS=0
    "$1" >/dev/null
    echo "$1: $SECONDS s"
}

ALL="base java python kafka postgres nginx prometheus keycloak anju"
# shellcheck disable=SC2086 - each word is a name
[ $# -gt 0 ] || set -- $ALL
for image in "$@"; do
    case " $ALL " in
    *" $image "*) ;;
    *) echo "There is no image $image." >&2; exit 2 ;;
    esac
done
wanted() { case " $images " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }
images=$*

# The base first, and meanwhile what does not stand on it; then all at once, since half of each is waiting for downloads.
if wanted keycloak; then "$root/.venv/bin/python" "$here/keycloak/fetch.py" & fetching=$!; fi
if wanted base; then timed base; fi
if wanted keycloak; then wait "$fetching"; fi
chains=()
(for image in python anju; do if wanted $image; then timed $image; fi; done) & chains+=($!)
(for image in java kafka keycloak; do if wanted $image; then timed $image; fi; done) & chains+=($!)
(for image in postgres nginx prometheus; do if wanted $image; then timed $image; fi; done) & chains+=($!)
for chain in "${chains[@]}"; do wait "$chain"; done
