#!/usr/bin/env bash
# From raw recordings to both leaderboard CSVs.
#
#   bash run.sh                                     generated recordings, two CPU cores, thirteen minutes
#   bash run.sh --profile smoke                     the same story in a minute or two, on a handful of clips
#   bash run.sh --run mine --track1 DIR --track2 DIR --profile paper
#                                                   your recordings (any layout of datasets/README.md), published sizes:
#                                                   one GPU with 24 GB; days for iMiGUE, a night for SMG
#
# Options: --run NAME   --profile smoke|demo|bench|paper   --track1 PATH   --track2 PATH   --num-folds N
#          --answers FILE      score track 1 on these hidden labels   (csv: id, class)
#          --answers2 DIR      score track 2 on these hidden labels   (SMG folders)
#          --sample FILE       sample_submission.csv of track 1
#          --tune              only search the blend of a finished run again, from its oof files: seconds
#          and those of datasets.prepare: --rgb1 --rgb2 --subjects --skeleton --train-split --test-split --test-videos
#          --skip-bad-clips, --sided-classes [A:B,..] (classes that mean a left or a right side: a mirrored A is a B)
# Paths are relative to the folder of this script. A finished step is skipped and says so; a killed one resumes and ends
# with the same bytes.
set -euo pipefail
cd "$(dirname "$0")"

run="" profile=demo track1="" track2="" num_folds="" answers="" answers2="" tune="" sample=()
prepare=() files=()
while [ $# -gt 0 ]; do
    case "$1" in
    --tune) tune=yes && shift && continue ;;
    --skip-bad-clips) prepare+=("$1") && shift && continue ;;
    --sided-classes) # its pairs may be left out
        prepare+=("$1") && shift
        if [[ ${1:--} != -* ]]; then prepare+=("$1") && shift; fi
        continue ;;
    -h | --help) sed -n '2,20s/^# \{0,1\}//p' "$0" && exit ;;
    esac
    [ $# -ge 2 ] || { echo "error: $1 needs a value; bash run.sh --help lists the options" >&2; exit 2; }
    case "$1" in
    --run) run=$2 ;;
    --profile) profile=$2 ;;
    --track1) track1=$2 ;;
    --track2) track2=$2 ;;
    --num-folds) num_folds=$2 ;;
    --answers) answers=$2 ;;
    --answers2) answers2=$2 ;;
    --sample) sample=(--sample "$2") ;;
    --rgb1 | --rgb2 | --subjects | --skeleton) prepare+=("$1" "$2") files+=("$2") ;;
    --train-split | --test-split | --test-videos) prepare+=("$1" "$2") ;;
    *) echo "error: unknown option $1; bash run.sh --help lists the options" >&2; exit 2 ;;
    esac
    shift 2
done
[[ $profile =~ ^(smoke|demo|bench|paper)$ ]] || { echo "error: --profile $profile: expected smoke, demo, bench or paper" >&2; exit 2; }

if [ -n "$tune" ]; then
    [ -n "$run" ] || { echo "error: say which run to tune with --run NAME" >&2; exit 2; }
    source environment.sh
    "$python" -m ensemble.blend --run "$run" --tune "${sample[@]}"
    exec "$python" -m ensemble.truth --run "$run"
fi

# Without recordings, people are simulated; hidden test labels then lie in a separate answer folder.
if [ -z "$track1$track2" ]; then
    case $profile in smoke | demo) ;; *) echo "error: --profile $profile needs --track1 PATH or --track2 PATH" >&2; exit 2 ;; esac
    run=${run:-$profile}
    track1=input/$run/imigue track2=input/$run/smg
    answers=input/$run/answers/track1.csv answers2=input/$run/answers/smg
    simulate=yes
fi
[ -n "$run" ] || { echo "error: give your recordings a name with --run NAME" >&2; exit 2; }
[ -n "$num_folds" ] || { [ "$profile" = smoke ] && num_folds=2 || num_folds=4; }

source environment.sh
step() { printf '\n== %s\n' "$1"; }
started=$SECONDS

# ------------------------------------------------------------------------------------------ finished already?
inputs=()
for path in "$track1" "$track2" "$answers" "$answers2" "${files[@]}"; do [ -z "$path" ] || inputs+=(--input "$path"); done
arguments=("$profile" "$num_folds" "${sample[@]}" "${prepare[@]}")
if "$python" -m report.finished --run "$run" "${inputs[@]}" -- "${arguments[@]}"; then exit; fi

# ------------------------------------------------------------------------------------------ recordings
# -> input/<run>/                                                                      a minute
if [ -n "${simulate:-}" ]; then
    step "Recordings of our own: people are simulated"
    "$python" -m datasets.demo --out "input/$run" --profile "$profile"
fi

# input -> clips/<run>/                                                                seconds; validates everything
step "Prepare: validate and index the recordings"
"$python" -m datasets.prepare --run "$run" ${track1:+--track1 "$track1"} ${track2:+--track2 "$track2"} "${prepare[@]}"
if [ -n "$track1" ] && [ ${#sample[@]} -gt 0 ]; then
    "$python" -m submissions.check --run "$run" "${sample[@]}"
fi
if [ -n "$track1" ] && [ -n "$answers" ]; then
    "$python" -m submissions.check --run "$run" --sample "$answers"
fi

# ------------------------------------------------------------------------------------------ track 1
if [ -n "$track1" ]; then
    # clips -> folds/<run>.csv                                                         seconds
    step "Folds of track 1: people never straddle"
    "$python" -m folds.make --run "$run" --num-folds "$num_folds"

    # clips, folds -> oof/<run>/<entry>.npz                                            paper: hours to days an entry
    # One line an entry, each trains alone; without models/<name>/ its lines do nothing.
    entry() {
        [ -d "models/$1" ] || return 0
        step "Entry: $*"
        "$python" -m "models.$1.train" --run "$run" --profile "$profile" "${@:2}"
    }
    inputs_of_pose="joint limb"
    [ "$profile" != smoke ] || inputs_of_pose=limb  # the tests need each system, not each of its entries
    for input in $inputs_of_pose; do entry posec3d --input "$input"; done
    for input in $inputs_of_pose; do entry semantic --input "$input"; done
    entry gecn
    [ ! -d models/gecn ] || "$python" -m models.gecn.tsne --run "$run"
    case "$profile" in  # as InfoGCN: several modes, on joints and on motion; the small profiles join joints and motion
    bench) for k in 1 2; do entry gecn --k $k; done ;;
    paper)
        for k in 2 8; do entry gecn --k $k; done
        for k in 1 2 8; do entry gecn --k $k --streams motion; done ;;
    esac
    [ "$profile" = paper ] || entry ehct  # small sets learn best from the three streams joined
    case "$profile" in  # Hyperformer's four
    bench | paper) for stream in joint bone motion bonemotion; do entry ehct --stream $stream; done ;;
    esac
    if "$python" -m datasets.rgb_store --run "$run" --has-rgb; then
        entry rgb_slowonly
        for input in $inputs_of_pose; do entry rgbpose --input "$input"; done
        entry m3cn
        entry prototype
        entry video_swin
        entry image_level
    fi

    # oof -> oof/<run>/<entry>_part<i>.npz, <entry>_crt.npz                            paper: a fifth of the entries
    step "Long tail: parts A-D, tail models, classifiers trained again"
    tails=()
    if [ "$profile" = demo ] && [ -d models/ehct ]; then tails=(--entries ehct); fi  # the entry that learns most
    "$python" -m ensemble.train_parts --run "$run" "${tails[@]}"

    # checkpoints -> oof/<run>/<entry>_adapted.npz                                     as long as predicting twice
    # All entries; of the demo those that predict in seconds.
    step "New people: batch statistics of each"
    if [ "$profile" = demo ]; then
        for name in ehct gecn; do [ ! -d "models/$name" ] || "$python" -m ensemble.adapt --run "$run" --entries $name; done
    else
        "$python" -m ensemble.adapt --run "$run"
    fi

    # oof -> ensemble/<run>/                                                           a minute
    step "Stackers"
    "$python" -m ensemble.stack --run "$run"

    # oof -> ensemble/<run>/weights.json, submissions/<run>/track1.csv                 a minute
    step "Blend"
    "$python" -m ensemble.blend --run "$run" "${sample[@]}"

    # ensemble/<run> -> ensemble/<run>/truth.json                                      seconds
    step "The truth: what to expect on the leaderboard"
    "$python" -m ensemble.truth --run "$run"
fi

# ------------------------------------------------------------------------------------------ track 2
if [ -n "$track2" ]; then
    # clips -> folds/<run>_track2.csv                                                  seconds
    step "Folds of track 2: people never straddle"
    "$python" -m folds.make --run "$run" --track track2 --num-folds "$num_folds"

    # clips, folds -> spotting/<run>/                                                  paper: a night
    step "Spotting: frame tokens, then the detector"
    "$python" -m spotting.train --run "$run" --profile "$profile"

    # spotting/<run> -> submissions/<run>/track2.csv                                   minutes
    step "Spotting: thresholds on held-out people, then the test sequences"
    "$python" -m spotting.predict --run "$run"
fi

# ------------------------------------------------------------------------------------------ what was made, and how good it is
step "Summary of run $run ($((SECONDS - started)) s)"
"$python" -m report.summary --run "$run" ${answers:+--answers "$answers"} ${answers2:+--answers2 "$answers2"}
"$python" -m report.finished --run "$run" --write "${inputs[@]}" -- "${arguments[@]}"
