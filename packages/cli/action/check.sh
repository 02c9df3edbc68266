#!/usr/bin/env bash
# Runs poolguard check with the inputs of the action. POOLGUARD replaces the command, for tests.
set -uo pipefail

read -ra poolguard <<<"${POOLGUARD:-npx --yes poolguard@${VERSION:-latest}}"
options=("${DIRECTORY:-.}" --fail-on "${FAIL_ON:-warning}")
if [ -n "${MAX_CONNECTIONS:-}" ]; then options+=(--max-connections "$MAX_CONNECTIONS"); fi
if [ -n "${SERVER_URL:-}" ]; then options+=(--url "$SERVER_URL"); fi
if [ -n "${PREVIEWS:-}" ]; then options+=(--previews "$PREVIEWS"); fi
while IFS= read -r line; do
  if [ -n "$line" ]; then options+=(--instances "$line"); fi
done <<<"${INSTANCES:-}"
while IFS= read -r line; do
  if [ -n "$line" ]; then options+=(--ignore "$line"); fi
done <<<"${IGNORE:-}"

# The table is for the log; the annotations decide.
"${poolguard[@]}" check "${options[@]}" || true
if [ -n "${SARIF_FILE:-}" ]; then "${poolguard[@]}" check "${options[@]}" --format sarif >"$SARIF_FILE" || true; fi
"${poolguard[@]}" check "${options[@]}" --format github
