# Talking to people: messages, and steps whose progress can be seen. Sourced by ../../ingoma.

RUN=${INGOMA_RUN:-$ROOT/.run}
TTY=0
[ -t 1 ] && TTY=1
if [ "$TTY" = 1 ] && [ -z "${NO_COLOR:-}" ]; then
    BOLD=$'\e[1m' DIM=$'\e[2m' PLAIN=$'\e[0m'
else
    BOLD='' DIM='' PLAIN=''
fi
[ "$TTY" = 1 ] && COLUMNS=$(stty size 2>/dev/null </dev/tty | cut -d ' ' -f 2)

say() {
    printf '%s\n' "$*"
}

warn() {
    printf 'ingoma: %s\n' "$*" >&2
}

# die TEXT [STATUS]: one clear sentence, and the end.
die() {
    warn "$1"
    exit "${2:-1}"
}

check_number() {
    [[ $2 =~ ^[0-9]{1,5}$ ]] && [ "$2" -ge 1 ] && [ "$2" -le 65534 ] && return
    die "$1 is \"$2\"; it must be a port from 1 to 65534."
}

# A line that is written over on a terminal; elsewhere nothing (step prints plain lines of its own).
show() {
    [ "$TTY" = 1 ] || return 0
    local width=${COLUMNS:-80} text=$*
    printf '\r\e[K%s%s' "${text:0:$((width - 1))}" "$PLAIN"
}

show_end() {
    [ "$TTY" = 1 ] && printf '\r\e[K'
    return 0
}

# step LABEL LOG COMMAND...: runs the command with its output in LOG, shows that time passes, returns its status.
step() {
    local label=$1 log=$2 start=$SECONDS shown=0 pid status
    shift 2
    mkdir -p "$(dirname "$log")"
    [ "$TTY" = 1 ] || say "$label ..."
    set -m # a process group of its own, so that Ctrl-C can end all of it
    "$@" >"$log" 2>&1 </dev/null &
    pid=$!
    set +m
    # shellcheck disable=SC2064
    trap "kill -TERM -- -$pid 2>/dev/null; show_end; die 'Interrupted.' 130" INT TERM HUP
    while kill -0 "$pid" 2>/dev/null; do
        show "$label ... $((SECONDS - start)) s  ${DIM}$(tail -n 1 "$log" 2>/dev/null | tr -d '\r\033')"
        if [ "$TTY" = 0 ] && [ $((SECONDS - start - shown)) -ge 20 ]; then
            shown=$((SECONDS - start))
            say "  ... $shown s: $(tail -n 1 "$log" | cut -c 1-120)"
        fi
        sleep 0.2
    done
    wait "$pid"
    status=$?
    trap - INT TERM HUP
    show_end
    if [ "$status" = 0 ]; then
        say "$label: done in $((SECONDS - start)) s"
    fi
    return "$status"
}

# Memory that a build may use, in MB: what is available, or less where the control group says so.
memory_mb() {
    local mb limit
    mb=$(awk '/^MemAvailable/ {print int($2 / 1024)}' /proc/meminfo)
    limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
    if [ "$limit" != max ] && [ $((limit / 1048576)) -lt "$mb" ]; then
        mb=$((limit / 1048576))
    fi
    echo "$mb"
}

# Compilers at one time: a core each, and 500 MB each.
jobs_count() {
    local n m
    n=${JOBS:-$(nproc)}
    m=$(($(memory_mb) / 500))
    [ "$m" -lt 1 ] && m=1
    [ -z "${JOBS:-}" ] && [ "$n" -gt "$m" ] && n=$m
    echo "$n"
}
