#!/bin/bash
# Makes the cluster at the first start and becomes the server. Of the public image's contract: POSTGRES_USER, _PASSWORD, _DB
# (each also as _FILE), POSTGRES_INITDB_ARGS, PGDATA, *.sh and *.sql of /docker-entrypoint-initdb.d, `-c name=value`.
set -euo pipefail

from_file() {
    local name=$1 file="${1}_FILE"
    if [ -n "${!file:-}" ]; then
        [ -z "${!name:-}" ] || { echo "Set $name or $file, not both." >&2; exit 1; }
        export "$name=$(<"${!file}")"
    fi
}

run_scripts() {
    local script
    for script in /docker-entrypoint-initdb.d/*; do
        case $script in
        *.sh) echo "running $script"; bash "$script" ;;
        *.sql) echo "running $script"; psql --no-psqlrc --set ON_ERROR_STOP=1 --file "$script" ;;
        esac
    done
}

if [ "${1:0:1}" = - ]; then set -- postgres "$@"; fi
for name in POSTGRES_USER POSTGRES_PASSWORD POSTGRES_DB POSTGRES_INITDB_ARGS; do from_file "$name"; done
: "${POSTGRES_USER:=postgres}" "${POSTGRES_INITDB_ARGS:=}"
: "${POSTGRES_DB:=$POSTGRES_USER}"
export POSTGRES_USER POSTGRES_DB

if [ "$1" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
    [ -n "${POSTGRES_PASSWORD:-}" ] || { echo "POSTGRES_PASSWORD is missing: no server without one." >&2; exit 1; }
    # What a killed first start left is no cluster: everything is made beside, and moved once it is whole.
    begun="$PGDATA.begun"
    rm -rf "$begun"
    # shellcheck disable=SC2086 - each word is an option
    initdb --pgdata "$begun" --username "$POSTGRES_USER" --pwfile <(echo "$POSTGRES_PASSWORD") --auth-local trust \
        --auth-host scram-sha-256 $POSTGRES_INITDB_ARGS
    echo "host all all all scram-sha-256" >>"$begun/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$begun/postgresql.conf"
    # Reached by its socket alone until the scripts have run, so that nobody meets half of it.
    pg_ctl --pgdata "$begun" --wait --options "-c listen_addresses='' -c unix_socket_directories=/var/run/postgresql" start
    export PGHOST=/var/run/postgresql PGUSER="$POSTGRES_USER" PGDATABASE=postgres
    [ "$POSTGRES_DB" = postgres ] || createdb "$POSTGRES_DB"
    PGDATABASE="$POSTGRES_DB" run_scripts
    pg_ctl --pgdata "$begun" --wait --mode fast stop
    unset PGHOST PGUSER PGDATABASE
    mkdir -p "$PGDATA"
    rmdir "$PGDATA"
    mv "$begun" "$PGDATA"
fi
unset POSTGRES_PASSWORD
exec "$@"
