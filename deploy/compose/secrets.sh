#!/usr/bin/env bash
# Makes what the containers of a rehearsal need and no file in the repository holds: passwords, Kafka's certificate and
# settings, the keyring, each service's signing key, the public keys of a development issuer and the services' token (valid for twelve hours; run this again for another). From the root of the
# checkout, after `make install`. Tokens then: WANGDIAN_DATA=deploy/compose/secrets .venv/bin/wangdian token --role kiosk
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

umask 077
mkdir -p secrets
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
[ -f .env ] || echo "DATABASE_PASSWORD=$(random)" >.env
for name in postgres grafana; do
	[ -f "secrets/$name" ] || random >"secrets/$name"
done
services=(staff queue surveys aggregator)
(cd ../.. && "${PYTHON:-.venv/bin/python}" -m shared.testing.stack.rehearsal deploy/compose/secrets "${services[@]}")
for name in admin "${services[@]}"; do
	grep -q "^KAFKA_PASSWORD_$name=" .env || echo "KAFKA_PASSWORD_$name=$(cat "secrets/kafka/passwords/$name")" >>.env
done
# Containers read these as another user; the folder keeps everybody else out.
chmod 0755 secrets/kafka secrets/kafka/tls secrets/kafka/passwords
find secrets/kafka -type f -exec chmod 0444 {} +
chmod 0444 secrets/postgres secrets/grafana secrets/jwks.json secrets/service.token secrets/keys/keyring.json secrets/keys/audit/*.json
chmod 0755 secrets/keys/audit
