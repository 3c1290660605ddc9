# Node's test files side by side: mostly they wait for something. Sourced by ../../ingoma.
# A lane runs one file at a time and has ports of its own (freePort of tests/support/cluster.mjs).

LANES_MAX=8 # so many times LANE_PORTS are there, in tests/support/cluster.mjs
LANE_PIDS=() LANE_PARTS=() # of the files that run, by lane

lanes_count() {
    local n
    n=$(jobs_count)
    echo $((n < LANES_MAX ? n : LANES_MAX))
}

# lane_run PART BUILD FILE TAP: a run of its own, so that one file cannot hang the others. The last line is "=== PART passed failed skipped".
lane_run() {
    local part=$1 build=$2 file=$3 tap=$4 status p f s
    say "-- $file"
    rm -f "$tap"
    # UBSan aborts, so the log path of ASan's run-time is where both leave their reports.
    INGOMA_BUILD=$build INGOMA_REPORTS=$build/reports-$part LONG=$LONG timeout --foreground -k 15 "${FILE_SECONDS:-600}" \
        node --test --test-concurrency=1 --test-reporter=spec --test-reporter-destination=stdout \
        --test-reporter=tap --test-reporter-destination="$tap" "$file"
    status=$?
    # What it has left behind: all of the group but this shell.
    trap '' TERM
    kill -TERM -- "-$BASHPID" 2>/dev/null
    read -r p f s <<<"$(awk '/^# pass / {p = $3} /^# (fail|cancelled) / {f += $3} /^# (skipped|todo) / {s += $3} END {print p + 0, f + 0, s + 0}' "$tap" 2>/dev/null)"
    p=${p:-0} f=${f:-0} s=${s:-0}
    grep -E '^ *ok .* # (SKIP|TOD[O])' "$tap" 2>/dev/null | sed -E 's/^ *ok [0-9]+ - /-- skipped: /'
    if [ "$status" != 0 ] && [ "$f" = 0 ]; then
        f=1
        [ "$status" = 124 ] && say "-- $file was stopped after ${FILE_SECONDS:-600} s"
    fi
    say "=== $part $p $f $s"
}

# Waits for any of the files that run, shows what it said and keeps its figures; LANE is then free.
lane_end() {
    local pid log
    wait -n -p pid "${LANE_PIDS[@]}"
    for LANE in "${!LANE_PIDS[@]}"; do
        [ "${LANE_PIDS[LANE]}" = "$pid" ] && break
    done
    unset "LANE_PIDS[LANE]"
    log=$LANE_DIR/$LANE.log
    grep -v '^=== ' "$log"
    grep '^=== ' "$log" >>"$LANE_DIR/figures" || say "=== ${LANE_PARTS[LANE]} 0 1 0" >>"$LANE_DIR/figures"
}

# lane_start PART BUILD FILE: in a lane that is free, as soon as there is one.
lane_start() {
    local part=$1 build=$ROOT/build/$2 file=$3
    if [ ${#LANE_PIDS[@]} -lt "$LANES" ]; then
        LANE=0
        while [ -n "${LANE_PIDS[LANE]:-}" ]; do LANE=$((LANE + 1)); done
    else
        lane_end
    fi
    say "   $part: $file ..."
    set -m # a process group of its own, so that all of it can be ended
    INGOMA_LANE=$LANE lane_run "$part" "$build" "$file" "$LANE_DIR/$LANE.tap" >"$LANE_DIR/$LANE.log" 2>&1 </dev/null &
    LANE_PIDS[LANE]=$!
    set +m
    LANE_PARTS[LANE]=$part
}

# lanes PART...: the files of these parts (files_of), one part after the other without a pause between them.
lanes() {
    local part file build files
    LANES=$(lanes_count) LANE_DIR=$ROOT/build/lanes
    fresh_dir "$LANE_DIR"
    for part in "$@"; do
        files_of "$part"
        fresh_dir "build/$build/reports-$part"
        for file in "${files[@]}"; do
            lane_start "$part" "$build" "$file"
        done
    done
    while [ ${#LANE_PIDS[@]} -gt 0 ]; do lane_end; done
    for part in "$@"; do
        files_of "$part"
        # shellcheck disable=SC2046
        count "$part" $(awk -v part="$part" '$2 == part {p += $3; f += $4; s += $5} END {print p + 0, f + 0, s + 0}' "$LANE_DIR/figures")
        sanitizer_reports "$part" "$ROOT/build/$build/reports-$part"
    done
}
