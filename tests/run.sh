#!/usr/bin/env bash
# Run the tests: `bash tests/run.sh` (minutes, no network, no GPU). Arguments go to pytest: `bash tests/run.sh -m slow`.
set -euo pipefail
cd "$(dirname "$0")/.."
source environment.sh
exec "$python" -m pytest "$@"
