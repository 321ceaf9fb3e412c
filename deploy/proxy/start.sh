#!/bin/sh
# One address per service: writes nginx.conf for ADDRESSES ("name=port …") and becomes nginx. With tls.crt and tls.key it
# speaks TLS. Each service has an origin of its own: they log in apart, and no page reaches another service's cookies.
set -eu
tls=""
if [ -f /etc/anju/tls/tls.crt ]; then
    tls=" ssl"
fi

server() { # <container> <port>
    cat <<CONF
    server {
        listen $2$tls;
        location / {
            # By a variable: the name is looked up anew, so that a container that came back with another address is found.
            set \$upstream http://$1:8000;
            proxy_pass \$upstream;
        }
    }
CONF
}

{
    cat <<CONF
worker_processes 2;
pid /tmp/nginx.pid;
error_log stderr warn;
events { worker_connections 2048; }
http {
    # Each service writes a line per request, by route; addresses as they came are nobody's business.
    access_log off;
    server_tokens off;
    client_body_temp_path /tmp/body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;
    resolver ${RESOLVER:-127.0.0.11} valid=2s ipv6=off;
    # A list of residents as XLSX is a few megabytes.
    client_max_body_size 20m;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host \$http_host;
    proxy_connect_timeout 2s;
    # The alert stream says something every 10 s.
    proxy_read_timeout 60s;
CONF
    if [ -n "$tls" ]; then
        cat <<CONF
    ssl_certificate /etc/anju/tls/tls.crt;
    ssl_certificate_key /etc/anju/tls/tls.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    add_header Strict-Transport-Security "max-age=31536000" always;
CONF
    fi
    for address in $ADDRESSES; do
        server "${address%=*}" "${address#*=}"
    done
    echo "}"
} >/tmp/nginx.conf
exec nginx -c /tmp/nginx.conf -g "daemon off;"
