#!/bin/sh
# A task each weekday at 09:00 in Berlin. Of the runs missed while the machine was off, only the latest is made up for, and a run
# is skipped while the previous one is still running.
set -eu

id=$(beat schedule create --cron '0 9 * * mon-fri' --timezone Europe/Berlin --missed run-once --overlap skip \
  --name morning --agent shell 'git log --oneline --since=yesterday || true')
beat schedule status "$id"

# Run it now, in addition to its times.
beat wait "$(beat schedule run-now "$id")"
