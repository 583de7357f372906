#!/bin/sh
# A self-signed certificate for each name, good for ninety days, beside this script.
set -eu
cd "$(dirname "$0")"
mkdir -p certificates
for name in one two; do
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 \
    -subj "/CN=$name.localhost" -addext "subjectAltName=DNS:$name.localhost" \
    -keyout "certificates/$name.key" -out "certificates/$name.crt"
done
