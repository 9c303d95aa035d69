#!/usr/bin/env bash
# Run once by the server's image in a new volume: a database of each service, owned by the service's own user.
set -euo pipefail
for service in staff queue surveys aggregator; do
	psql --quiet --set ON_ERROR_STOP=1 --set password="$DATABASE_PASSWORD" --username postgres <<-SQL
		CREATE ROLE "$service" LOGIN PASSWORD :'password';
		CREATE DATABASE "$service" OWNER "$service";
		REVOKE CONNECT ON DATABASE "$service" FROM PUBLIC;
	SQL
done
