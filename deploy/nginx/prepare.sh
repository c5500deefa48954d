#!/bin/sh
# Fetches Suido's CA certificates and makes nginx a server certificate of its own for the demonstration.
set -eu
mkdir -p /etc/nginx/suido
curl --fail --silent --show-error --retry 10 --retry-connrefused -o /etc/nginx/suido/ca.pem http://suido:8080/ca/bundle.pem
[ -s /etc/nginx/suido/server.pem ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 \
  -subj /CN=localhost -addext subjectAltName=DNS:localhost \
  -keyout /etc/nginx/suido/server.key -out /etc/nginx/suido/server.pem
