# The names of the images that are built here, told apart from the public ones of the same software.
# Sourced by the scripts beside it.
: "${BASE_IMAGE:=anju/base:trixie-airgap}"
: "${JAVA_IMAGE:=anju/java:21-airgap}"
: "${PYTHON_IMAGE:=anju/python:3.13-airgap}"
: "${KAFKA_IMAGE:=anju/kafka:4.3.1-airgap}"
: "${POSTGRES_IMAGE:=anju/postgres:17-airgap}"
: "${NGINX_IMAGE:=anju/nginx:1.26-airgap}"
: "${PROMETHEUS_IMAGE:=anju/prometheus:2.53-airgap}"
# Grafana is in no package registry: a site brings its image in.
: "${KEYCLOAK_IMAGE:=anju/keycloak:26.4.7-airgap}"
: "${ANJU_IMAGE:=anju/anju:0.1.0}"
