#!/usr/bin/env bash
# From raw recordings to both leaderboard CSVs.
#
#   bash run.sh                       generated recordings, two CPU cores, a quarter of an hour
#   bash run.sh --profile smoke       the same story in a minute or two, on a handful of clips
#   bash run.sh --run mine --track1 DIR --track2 DIR --profile paper
#                                     your recordings (any layout of recordings/README.md), published sizes, on GPUs
#   bash run.sh --help                every option; pipeline.py has the list of steps
set -euo pipefail
called_from=$PWD
cd "$(dirname "$0")"
source environment.sh
exec "$python" -m pipeline --called-from "$called_from" "$@"
