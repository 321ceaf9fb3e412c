#!/usr/bin/env bash
# Builds the images that docker-compose.yml needs on a machine that reaches package registries but no image registry:
#   deploy/airgap/build.sh [base] [python] [kafka] [postgres] [nginx] [prometheus] [anju]      all of them without a word
#   deploy/airgap/build.sh --names                                                 their names, as lines for a .env file
# As root on Debian or Ubuntu with docker, debootstrap and a checkout where `make setup` ran (it brings Kafka's jars).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=deploy/airgap/images.sh
. "$here/images.sh"
if [ "${1:-}" = --names ]; then
    for name in BASE PYTHON KAFKA POSTGRES NGINX PROMETHEUS ANJU; do
        variable="${name}_IMAGE"
        echo "$variable=${!variable}"
    done
    exit
fi
SUITE=trixie
# Classic Dockerfiles: what an older engine without BuildKit builds too.
export DOCKER_BUILDKIT=0

base() {
    local tree
    tree=$(mktemp -d)
    trap 'rm -rf "$tree"' RETURN
    DEBIAN_FRONTEND=noninteractive debootstrap --variant=minbase --include=ca-certificates "$SUITE" "$tree" >"$tree.log" ||
        { tail -20 "$tree.log" >&2; return 1; }
    # A site whose network has a certificate authority of its own: downloads inside the image builds trust it too.
    find /usr/local/share/ca-certificates -name '*.crt' -exec cp {} "$tree/usr/local/share/ca-certificates/" \; 2>/dev/null || true
    # Images keep no packages, no manuals and no message catalogues, and need no careful writing to disk while they are made.
    cat >"$tree/etc/apt/apt.conf.d/anju-images" <<'CONF'
Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache ""; Acquire::Languages "none";
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };
CONF
    cat >"$tree/etc/dpkg/dpkg.cfg.d/anju-images" <<'CONF'
force-unsafe-io
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/man/*
path-exclude=/usr/share/locale/*
CONF
    chroot "$tree" update-ca-certificates >"$tree.log" 2>&1
    rm -rf "$tree/var/cache/apt/archives" "$tree"/var/lib/apt/lists/* "$tree.log"
    # uv and npm bring a list of authorities of their own, unless they are told.
    tar --numeric-owner -C "$tree" -c . | docker import \
        --change "ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt" \
        --change "ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt" \
        --change 'CMD ["/bin/bash"]' - "$BASE_IMAGE"
}

# build <image> <folder> [more files of the context, as tar takes them]
build() {
    local image=$1 folder=$2
    shift 2
    tar -c -C "$folder" . "$@" | docker build --quiet --build-arg "BASE_IMAGE=$BASE_IMAGE" --tag "$image" -
}

python() { build "$PYTHON_IMAGE" "$here/python"; }
postgres() { build "$POSTGRES_IMAGE" "$here/postgres"; }
nginx() { build "$NGINX_IMAGE" "$here/nginx"; }
prometheus() { build "$PROMETHEUS_IMAGE" "$here/prometheus"; }

kafka() {
    [ -d "$root/.build/kafka" ] || { echo "Kafka's jars are missing: run make setup first." >&2; return 1; }
    build "$KAFKA_IMAGE" "$here/kafka" -C "$root/.build" kafka
}

anju() {
    docker build --quiet --build-arg "PYTHON_IMAGE=$PYTHON_IMAGE" --file "$root/deploy/Dockerfile" --tag "$ANJU_IMAGE" "$root"
}

timed() {
    SECONDS=0
    "$1" >/dev/null
    echo "$1: $SECONDS s"
}

[ $# -gt 0 ] || set -- base python kafka postgres nginx prometheus anju
for image in "$@"; do
    case $image in
    base | python | kafka | postgres | nginx | prometheus | anju) ;;
    *) echo "There is no image $image." >&2; exit 2 ;;
    esac
done
wanted() { case " $images " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }
images=$*

# The base first; what stands on it at once, since half of each is waiting for downloads.
if wanted base; then timed base; fi
chains=()
(for image in python anju; do if wanted $image; then timed $image; fi; done) & chains+=($!)
(for image in kafka nginx; do if wanted $image; then timed $image; fi; done) & chains+=($!)
(for image in postgres prometheus; do if wanted $image; then timed $image; fi; done) & chains+=($!)
for chain in "${chains[@]}"; do wait "$chain"; done
