# ./ingoma test: set-up, the parts, and the count at the end. Sourced by ../../ingoma.
# Each part adds to PASSED, FAILED, SKIPPED; what is skipped is said with its reason.

NODE_PARTS=(wire system browser tsan) # files for Node's test runner
PARTS=(unit fuzz-corpus "${NODE_PARTS[@]}" docs lint)
PASSED=0 FAILED=0 SKIPPED=0
WRONG=()

test_help() {
    cat <<'TEXT'
./ingoma test [--long] [PART...]     without a part: all of them, in this order

  unit         every tests/unit and tests/cluster program under AddressSanitizer and UBSan
  fuzz-corpus  the corpora through the fuzz targets (clang); with --long a minute of fuzzing each
  wire         the real binaries against the protocol suites and real clients (tests/wire)
  system       nodes, Redis and a balancer: failures, drain, garbage (tests/system)
  browser      the demo page in Chromium, two pages on two nodes (tests/browser)
  tsan         real clients and the faults again, with ThreadSanitizer in the nodes
               (files of wire, system, browser and tsan run side by side, as many as JOBS)
  docs         generated pages are up to date, links lead somewhere
  lint         format, arrows, sizes, names, clang-tidy, cppcheck, generated files (./ingoma lint CHECK runs one);
               it runs beside the others and tells its result last

One unit program:  build/asan/unit-base-str_test      One node file:  node --test tests/wire/NAME.test.mjs
The last line is "N passed, N failed, N skipped"; the status is not 0 when anything failed.
TEXT
}

# count FAILED-IS-GIVEN: adds figures to the totals and names the part when something failed.
count() {
    local what=$1 passed=$2 failed=$3 skipped=${4:-0}
    PASSED=$((PASSED + passed)) FAILED=$((FAILED + failed)) SKIPPED=$((SKIPPED + skipped))
    [ "$failed" -gt 0 ] && WRONG+=("$what ($failed)")
    say "-- $what: $passed passed, $failed failed, $skipped skipped"
}

skip() {
    say "-- skipped: $1: $2"
    SKIPPED=$((SKIPPED + 1))
}

# Any file in a sanitizer's report folder is a failure: a leak does not end a program with an error by itself.
sanitizer_reports() {
    local what=$1 dir=$2 file n=0
    for file in "$dir"/*; do
        [ -e "$file" ] || continue
        n=$((n + 1))
        say "-- report of a sanitizer: ${file#"$ROOT"/}"
        head -n 30 "$file"
    done
    [ "$n" = 0 ] || count "$what: sanitizer reports" 0 "$n"
}

fresh_dir() {
    rm -rf "$1"
    mkdir -p "$1"
}

lint_run() {
    if python3 tests/lint/lint_test.py; then
        say "lint's own tests: passed"
    fi
    python3 tests/lint/lint.py --build build/asan
}

LINT_LOG=$ROOT/build/lint.log LINT_PID=

# However the script ends, nothing that it started goes on.
end_aside() {
    local pid
    [ -z "$LINT_PID" ] || kill -TERM -- "-$LINT_PID" 2>/dev/null
    for pid in "${LANE_PIDS[@]}"; do
        kill -TERM -- "-$pid" 2>/dev/null
    done
}

# Lint computes, most other parts wait: beside them it takes what they leave, at the lowest priority.
lint_aside() {
    mkdir -p "$ROOT/build"
    set -m # a process group of its own, so that all of it can be ended
    (
        renice -n 19 -p "$BASHPID" >/dev/null
        lint_run
    ) >"$LINT_LOG" 2>&1 </dev/null &
    LINT_PID=$!
    set +m
    say "Lint runs beside the other parts; its result comes last."
}

test_lint() {
    local summary
    if [ -n "$LINT_PID" ]; then
        wait "$LINT_PID"
        LINT_PID=
        cat "$LINT_LOG"
    else
        lint_run 2>&1 | tee "$LINT_LOG"
    fi
    if grep -qxF "lint's own tests: passed" "$LINT_LOG"; then
        count "lint's own tests" 1 0
    else
        count "lint's own tests" 0 1
    fi
    summary=$(grep -E '^lint: [0-9]+ checks passed, [0-9]+ failed, [0-9]+ skipped$' "$LINT_LOG" | tail -n 1)
    if [[ $summary =~ ([0-9]+)\ checks\ passed,\ ([0-9]+)\ failed,\ ([0-9]+) ]]; then
        count lint "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" "${BASH_REMATCH[3]}"
    else
        count "lint (it did not finish)" 0 1
    fi
}

# Criterion's own figures, and unittest's; a program that died before them counts as one failure.
test_unit() {
    local reports=$ROOT/build/asan/reports log=$ROOT/build/unit.log figures
    fresh_dir "$reports"
    ASAN_OPTIONS="log_path=$reports/asan:detect_leaks=1:abort_on_error=0" LSAN_OPTIONS="report_objects=1" \
        UBSAN_OPTIONS="print_stacktrace=1:log_path=$reports/ubsan" \
        ctest --test-dir build/asan -j "$(jobs_count)" --output-on-failure --no-tests=error 2>&1 | tee "$log"
    figures=$(awk '
        /Synthesis: Tested:/ { gsub(/[^0-9 ]/, " "); n = split($0, f, " "); passed += f[n - 2]; failed += f[n - 1] + f[n]; seen++ }
        /^Ran [0-9]+ tests? in / { passed += $2; seen++ }
        /^Test (Passed|Failed)\./ { next }
        END { print passed + 0, failed + 0, seen + 0 }' build/asan/Testing/Temporary/LastTest.log 2>/dev/null)
    read -r passed failed seen <<<"${figures:-0 0 0}"
    local programs broken
    programs=$(grep -cE '^ *[0-9]+/[0-9]+ Test +#' "$log")
    broken=$(grep -E '^ *[0-9]+/[0-9]+ Test +#' "$log" | grep -vc ' Passed ')
    [ "$programs" -gt 0 ] || broken=1
    # A program that failed without a failed test of its own crashed, hung or leaked.
    [ "$broken" -gt "$failed" ] && failed=$broken
    count "unit ($programs programs)" "$passed" "$failed"
    sanitizer_reports unit "$reports"
}

test_fuzz-corpus() {
    local target name corpus n=0 bad=0 reports=$ROOT/build/fuzz/reports dictionary
    fresh_dir "$reports"
    for target in tests/fuzz/*_fuzz.c; do
        [ -e "$target" ] || { skip fuzz-corpus "there are no targets in tests/fuzz"; return; }
        name=$(basename "$target" .c)
        corpus=tests/fuzz/corpus/${name%_fuzz}
        dictionary=()
        [ -f "tests/fuzz/${name%_fuzz}.dict" ] && dictionary=(-dict="tests/fuzz/${name%_fuzz}.dict")
        mkdir -p "build/fuzz/corpus/$name"
        local seeds=()
        [ -d "$corpus" ] && seeds=("$corpus")
        local how=(-runs=0)
        [ "$LONG" = 1 ] && how=(-max_total_time=60)
        if step "fuzz $name" "$reports/$name.log" "build/fuzz/$name" "${how[@]}" -timeout=10 -rss_limit_mb=1024 \
            -artifact_prefix="build/fuzz/$name-" "${dictionary[@]}" "build/fuzz/corpus/$name" "${seeds[@]}"; then
            n=$((n + 1))
            [ ${#seeds[@]} = 1 ] || say "   (no corpus in $corpus: only the empty input was tried)"
        else
            bad=$((bad + 1))
            tail -n 30 "$reports/$name.log"
        fi
    done
    count fuzz-corpus "$n" "$bad"
}

# Of a part of NODE_PARTS; sets build and files of the caller.
files_of() {
    build=asan
    case "$1" in
        wire) files=(tests/wire/*.test.mjs) ;;
        system) files=(tests/system/*.test.mjs) ;;
        browser) files=(tests/browser/*.test.mjs) ;;
        tsan)
            build=tsan
            files=(tests/wire/clients.test.mjs tests/system/{faults,contacts,contacts-race}.test.mjs)
            ;;
    esac
}

test_node() {
    local part parts=()
    for part in "${NODE_PARTS[@]}"; do
        if ! is_wanted "$part"; then
            continue
        elif [ "$(node_major)" -lt 20 ]; then
            skip "$part" "it needs Node.js 20 or later, here is $(node --version 2>/dev/null || echo none) (Debian 12 ships 18; see nodejs.org)"
        elif [ "$part" = browser ] && ! command -v chromium >/dev/null; then
            skip browser "there is no chromium"
        else
            parts+=("$part")
        fi
    done
    [ ${#parts[@]} -gt 0 ] || return 0
    title "${parts[*]}"
    setup_npm tests || { count "${parts[*]} (npm packages are missing)" 0 1; return; }
    lanes "${parts[@]}"
}

test_docs() {
    if python3 tools/docs.py --build build/asan --check; then
        count docs 1 0
    else
        count docs 0 1
    fi
}

is_wanted() {
    local part
    for part in "${WANTED[@]}"; do
        [ "$part" = "$1" ] && return 0
    done
    return 1
}

needs_any() {
    local part
    for part in "$@"; do
        is_wanted "$part" && return 0
    done
    return 1
}

test_setup() {
    local packages=("${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}")
    is_wanted lint && packages+=("${LINT_PACKAGES[@]}")
    needs_any fuzz-corpus wire system browser tsan && packages+=("${TEST_PACKAGES[@]}")
    setup_packages "${packages[@]}"
    needs_any unit system && setup_mongowire
    if needs_any lint unit wire system browser docs; then
        CMAKE_ARGS=-DINGOMA_WERROR=ON build asan
    fi
    if is_wanted fuzz-corpus; then
        CMAKE_ARGS=-DINGOMA_WERROR=ON build fuzz
    fi
    is_wanted tsan && build tsan ingoma-gateway ingoma-contacts wire-echo
    if needs_any wire system browser tsan; then
        build release
        setup_node
        setup_demo
    fi
}

title() {
    say ""
    say "${BOLD}== $*${PLAIN}"
}

each_part() {
    local part
    for part in "$@"; do
        is_wanted "$part" || continue
        title "$part"
        "test_$part"
    done
}

run_tests() {
    local part start=$SECONDS
    WANTED=() LONG=0
    for part in "$@"; do
        case "$part" in
            -h | --help) test_help; return ;;
            --long) LONG=1 ;;
            *)
                [[ " ${PARTS[*]} " == *" $part "* ]] || die "There is no part \"$part\"; there are: ${PARTS[*]}" 2
                WANTED+=("$part")
                ;;
        esac
    done
    [ ${#WANTED[@]} -gt 0 ] || WANTED=("${PARTS[@]}")
    export LC_ALL=C.UTF-8
    mkdir -p "$RUN" build
    # Set-up that fails ends the script; the count is still the last line.
    trap 'say "0 passed, 1 failed, 0 skipped"' EXIT
    test_setup
    trap end_aside EXIT
    is_wanted lint && [ ${#WANTED[@]} -gt 1 ] && lint_aside
    each_part unit fuzz-corpus
    test_node
    each_part docs lint
    say ""
    say "$(((SECONDS - start) / 60)) min $(((SECONDS - start) % 60)) s"
    [ ${#WRONG[@]} = 0 ] || say "Failed: ${WRONG[*]}"
    say "$PASSED passed, $FAILED failed, $SKIPPED skipped"
    [ "$FAILED" = 0 ]
}
