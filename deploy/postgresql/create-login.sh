#!/bin/sh
# Runs once, when PostgreSQL makes its data directory: the database, its owner, and the role that web and workers become.
# The owner is no superuser, so that row-level security binds everybody the studio can be.
set -eu

psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres --set "password=$STUDIO_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE studio_app NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
CREATE ROLE studio LOGIN PASSWORD :'password' NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
GRANT studio_app TO studio;
CREATE DATABASE studio OWNER studio;
SQL
