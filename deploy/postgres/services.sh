#!/bin/bash
# A database and a role for each service (and for Keycloak), which no other's role may enter. Runs once, before the server is reachable.
set -euo pipefail
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --command "REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC"
for service in registration housing alerts reporting keycloak; do
    password="${service^^}_DATABASE_PASSWORD"
    [ -n "${!password}" ] || { echo "$password is missing." >&2; exit 1; }
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
        --set name="$service" --set password="${!password}" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
done
