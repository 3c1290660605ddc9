# up, down, status, logs, emit: the programs of PROGRAMS and a private Redis. Sourced by ../../ingoma.
# Everything is stopped by the pid that it was started with, after a look at /proc/PID/exe.

DEV=${DEV:-on}
RESTARTS_MAX=5
REDIS_DIR=$RUN/redis
REDIS_SOCKET=$REDIS_DIR/redis.sock
# A unix socket's path may have 107 bytes, and in an URL only plain characters.
if [ ${#REDIS_SOCKET} -gt 100 ] || [[ $REDIS_SOCKET =~ [^A-Za-z0-9/._-] ]]; then
    REDIS_SOCKET=/tmp/ingoma-$(id -u)-$(printf %s "$RUN" | cksum | cut -d ' ' -f 1).sock
fi

# http_status PORT PATH: the status of a GET on this machine, 000 when there is no answer in two seconds.
http_status() {
    local answer
    answer=$(timeout 2 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1" && printf "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" "$2" >&3 && head -n 1 <&3' _ "$1" "$2" 2>/dev/null)
    [[ $answer =~ ^HTTP/1\.[01]\ ([0-9]{3}) ]] && echo "${BASH_REMATCH[1]}" || echo 000
}

# pid_of NAME: its pid when it is alive and really the program that we started; nothing otherwise.
pid_of() {
    local pid exe
    { read -r pid && read -r exe; } 2>/dev/null <"$RUN/$1.pid" || return 1
    [ "$(readlink "/proc/$pid/exe" 2>/dev/null | sed 's/ (deleted)$//')" = "$exe" ] && echo "$pid"
}

# start NAME PROGRAM-FILE ARGUMENT...: in a session of its own, so that Ctrl-C reaches this script alone. How it ends is looked
# at by its pid; bash itself is not to say it.
start() {
    local name=$1 exe
    shift
    exe=$(readlink -f "$1")
    setsid "$@" >>"$RUN/$name.log" 2>&1 </dev/null &
    printf '%s\n%s\n' "$!" "$exe" >"$RUN/$name.pid"
    disown "$!"
}

last_lines() {
    say "Last lines of ${RUN#"$ROOT"/}/$1.log:" >&2
    tail -n 15 "$RUN/$1.log" | cut -c 1-300 | sed 's/^/  /' >&2
}

# wait_for NAME SECONDS WHAT COMMAND...: until the command succeeds; says so when the program dies or time is up.
wait_for() {
    local name=$1 seconds=$2 what=$3 start=$SECONDS pid
    shift 3
    pid=$(head -n 1 "$RUN/$name.pid")
    until "$@"; do
        show "Waiting for $name to $what ... $((SECONDS - start)) s"
        if ! kill -0 "$pid" 2>/dev/null; then
            show_end
            warn "$name ended while starting."
            last_lines "$name"
            return 1
        fi
        if [ $((SECONDS - start)) -ge "$seconds" ]; then
            show_end
            warn "$name did not $what in $seconds s."
            last_lines "$name"
            return 1
        fi
        sleep 0.1
    done
    show_end
}

is_ready() {
    [ "$(http_status "$1" /ready)" = 200 ]
}

is_redis_up() {
    [ "$(redis-cli -s "$REDIS_SOCKET" ping 2>/dev/null)" = PONG ]
}

names() {
    local row
    echo redis
    for row in "${PROGRAMS[@]}"; do
        echo "${row%% *}"
    done
}

# await_end NAME PID: patience after SIGTERM, then SIGKILL with a word about it.
await_end() {
    local name=$1 pid=$2 start=$SECONDS
    while [ "$(pid_of "$name")" = "$pid" ]; do
        show "Stopping $name ... $((SECONDS - start)) s"
        if [ $((SECONDS - start)) -ge 30 ]; then
            show_end
            warn "$name (pid $pid) did not stop in 30 s and is killed."
            kill -KILL "$pid" 2>/dev/null
            start=$SECONDS
        fi
        sleep 0.1
    done
    show_end
    say "Stopped $name."
}

# The nodes drain at the same time; Redis goes last. Whoever watches over them is told first.
stop_all() {
    local name redis row=() pid
    : >"$RUN/stopping"
    if pid=$(pid_of supervisor) && [ "$pid" != "$BASHPID" ] && grep -qa ingoma "/proc/$pid/cmdline"; then
        kill -TERM "$pid" 2>/dev/null
        await_end supervisor "$pid"
    fi
    rm -f "$RUN/supervisor.pid"
    for name in $(names | grep -v '^redis$'); do
        pid=$(pid_of "$name") || continue
        kill -TERM "$pid" 2>/dev/null
        row+=("$name $pid")
    done
    for name in "${row[@]}"; do
        await_end "${name% *}" "${name#* }"
    done
    if redis=$(pid_of redis); then
        kill -TERM "$redis" 2>/dev/null
        await_end redis "$redis"
    fi
    for name in $(names); do
        rm -f "$RUN/$name.pid"
    done
}

check_free() {
    local port=$1 who
    who=$(python3 tools/ingoma.d/port.py "$port") || return 0
    if [ "$who" = '?' ]; then
        die "Port $port is in use by another program: stop it, or choose another one with $2=..."
    fi
    die "Port $port is in use by ${who#* } (pid ${who%% *}): stop it, or choose another one with $2=..."
}

# One secret for both nodes, made at the first start: a guest token of one is good at the other.
jwt_secret() {
    local file=$RUN/jwt-secret
    [ -s "$file" ] || (umask 077 && head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$file")
    cat "$file"
}

start_node() {
    local name program port ops
    read -r name program port ops <<<"$1"
    # The gateways and the contacts service share the Redis and none of its keys: the prefix that is asked for is the gateways'.
    if [ "$program" = ingoma-contacts ] && [ -n "${ADAPTER_PREFIX:-}" ]; then
        local -x ADAPTER_PREFIX=$ADAPTER_PREFIX-contacts
    fi
    JWT_SECRET=${JWT_SECRET:-$(jwt_secret)} DEV=$DEV DEMO=${DEMO:-on} STATIC_DIR=${STATIC_DIR:-$ROOT/build/demo} \
        PAGES_DIR=${PAGES_DIR:-$ROOT/build/pages} CONTACTS_DB=${CONTACTS_DB:-$RUN/contacts.db} DEV_LOGIN=$DEV_LOGIN NODE_NAME=$name PORT=$port OPS_PORT=$ops \
        REDIS_URL="unix://$REDIS_SOCKET" DRAIN_SECONDS=${DRAIN_SECONDS:-1} start "$name" "build/release/$program"
}

# port_option PROGRAM: the variable that chooses its port of clients, and its ops port.
port_option() {
    case "$1" in
        ingoma-contacts) echo CONTACTS_PORT CONTACTS_OPS_PORT ;;
        *) echo PORT OPS_PORT ;;
    esac
}

start_all() {
    local row name program port ops pid
    mkdir -p "$REDIS_DIR"
    rm -f "$RUN/stopping"
    for name in $(names); do
        rm -f "$RUN/$name.log"
    done
    DEV_LOGIN=${DEV_LOGIN:-$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')} # good for one login at the admin page
    start redis "$(command -v redis-server)" --port 0 --unixsocket "$REDIS_SOCKET" --unixsocketperm 700 --dir "$REDIS_DIR" \
        --appendonly yes --save '' --daemonize no --pidfile ''
    wait_for redis 20 "answer" is_redis_up || return 1
    for row in "${PROGRAMS[@]}"; do
        start_node "$row"
    done
    for row in "${PROGRAMS[@]}"; do
        read -r name program port ops <<<"$row"
        wait_for "$name" 30 "be ready" is_ready "$ops" || return 1
        # Another program may have answered on that port: ours must still be alive.
        pid_of "$name" >/dev/null || { warn "$name ended while starting."; last_lines "$name"; return 1; }
    done
}

# True while a node may be started once more: five times a minute. Counts the one that is asked for.
may_restart() {
    local t recent=()
    for t in "${RESTARTS[@]}"; do
        [ $((SECONDS - t)) -lt 60 ] && recent+=("$t")
    done
    RESTARTS=("${recent[@]}")
    [ ${#RESTARTS[@]} -lt "$RESTARTS_MAX" ] || return 1
    RESTARTS+=("$SECONDS")
}

# Until one of the programs has ended, or all are to stop. It looks: wait -n does not see who ended just before it.
await_death() {
    local name
    until [ -e "$RUN/stopping" ]; do
        for name in $(names); do
            pid_of "$name" >/dev/null || return 0
        done
        sleep 0.3
    done
}

# In dev a node that died is started again, said out loud. Returns when there is nothing left to do but to stop: Redis
# ended, a node died too often or does not start, or somebody stops it all.
supervise() {
    local row name program port ops
    RESTARTS=()
    until [ -e "$RUN/stopping" ]; do
        await_death
        pid_of redis >/dev/null || return 0
        for row in "${PROGRAMS[@]}"; do
            read -r name program port ops <<<"$row"
            pid_of "$name" >/dev/null && continue
            [ -e "$RUN/stopping" ] && return 0
            [ "$DEV" = on ] || return 0
            may_restart || { warn "$RESTARTS_MAX restarts within a minute are too many."; return 0; }
            warn "$name ended by itself; starting it again (${#RESTARTS[@]} of at most $RESTARTS_MAX in a minute)."
            start_node "$row"
            wait_for "$name" 30 "be ready" is_ready "$ops" || return 0
            say "$name is back (pid $(pid_of "$name"))."
        done
    done
}

# What ended by itself is named; the others are stopped.
give_up() {
    local name
    [ -e "$RUN/stopping" ] && { say "Stopped by ./ingoma down."; return; }
    for name in $(names); do
        [ -e "$RUN/$name.pid" ] && ! pid_of "$name" >/dev/null || continue
        warn "$name ended by itself; stopping the others."
        last_lines "$name"
    done
    stop_all
}

# In a process of its own, until ./ingoma down.
supervise_detached() {
    printf '%s\n%s\n' "$BASHPID" "$(readlink "/proc/$BASHPID/exe")" >"$RUN/supervisor.pid"
    trap 'exit 0' TERM
    trap '' INT HUP
    supervise
    give_up
}

print_urls() {
    local row name program port ops
    say ""
    say "${BOLD}Ingoma is up.${PLAIN}"
    say "  demo page   http://localhost:$PORT/"
    say "  health      http://localhost:$PORT/health"
    say "  contacts    http://localhost:$CONTACTS_PORT/widget/   the visitor's page"
    if [ "$DEV" = on ]; then
        say "              http://localhost:$CONTACTS_PORT/admin/#login=$DEV_LOGIN   the agents' desk, signed in once"
        say "  dev mode    anybody may sign in under any name and kill a node; it is started again by itself (DEV=off ends that)"
    else
        say "              http://localhost:$CONTACTS_PORT/admin/   the agents' desk"
    fi
    for row in "${PROGRAMS[@]}"; do
        read -r name program port ops <<<"$row"
        printf '  %-11s metrics http://localhost:%s/metrics   ready http://localhost:%s/ready   log %s/%s.log\n' "$name" "$ops" "$ops" "${RUN#"$ROOT"/}" "$name"
    done
}

up() {
    local detach=0 row name program port ops port_name ops_name seen=' ' pid
    case "${1:-}" in
        --detach | -d) detach=1 ;;
        '') ;;
        *) die "up knows --detach, not \"$1\"." 2 ;;
    esac
    for name in $(names); do
        pid=$(pid_of "$name") && die "$name is running already (pid $pid): see ./ingoma status, or stop it with ./ingoma down."
    done
    setup_packages "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}"
    for row in "${PROGRAMS[@]}"; do
        read -r name program port ops <<<"$row"
        read -r port_name ops_name <<<"$(port_option "$program")"
        [[ $seen == *" $port "* ]] || check_free "$port" "$port_name"
        check_free "$ops" "$ops_name"
        seen+="$port "
    done
    mkdir -p "$RUN"
    build release ingoma-gateway ingoma-contacts ingoma-emit ingoma-revoke ingoma-erase ingoma-export
    setup_demo
    trap 'trap "" INT TERM HUP; say ""; say "Stopping."; stop_all; exit 0' INT TERM HUP
    start_all || { stop_all; exit 1; }
    print_urls
    if [ "$detach" = 1 ]; then
        trap - INT TERM HUP
        supervise_detached >"$RUN/supervisor.log" 2>&1 </dev/null &
        disown
        say "  stop        ./ingoma down"
        return
    fi
    say "  stop        Ctrl-C"
    supervise
    trap '' INT TERM HUP
    give_up
    exit 1
}

down() {
    local name any=0
    for name in $(names); do
        pid_of "$name" >/dev/null && any=1
    done
    stop_all
    [ "$any" = 1 ] || say "Nothing was running."
}

status() {
    local row name program port ops pid state any=1
    pid=$(pid_of redis) && state="running (pid $pid)" || state="not running"
    printf '%-11s %s\n' redis "$state"
    for row in "${PROGRAMS[@]}"; do
        read -r name program port ops <<<"$row"
        if pid=$(pid_of "$name"); then
            any=0
            state="running (pid $pid), port $port, ops port $ops, /ready answers $(http_status "$ops" /ready)"
        else
            state="not running"
        fi
        printf '%-11s %s\n' "$name" "$state"
    done
    return "$any"
}

logs() {
    local files=() follow=() name
    for name in "$@"; do
        case "$name" in
            -f | --follow) follow=(-f) ;;
            *) [ -f "$RUN/$name.log" ] || die "There is no log of \"$name\"; there are: $(names | tr '\n' ' ')" 2
                files+=("$RUN/$name.log") ;;
        esac
    done
    if [ ${#files[@]} = 0 ]; then
        for name in $(names); do
            [ -f "$RUN/$name.log" ] && files+=("$RUN/$name.log")
        done
    fi
    [ ${#files[@]} -gt 0 ] || die "Nothing was started yet: there are no logs."
    tail -n 100 "${follow[@]}" "${files[@]}"
}

# Over the Redis of `up` when it runs and no other one is named. The status is the program's (docs/emit.md, docs/auth.md, docs/private.md).
over_redis() {
    local program=build/release/ingoma-$1
    shift
    if [ ! -x "$program" ]; then
        setup_packages "${BUILD_PACKAGES[@]}" >&2
        build release "$(basename "$program")" >&2
    fi
    if [[ " $*" != *" --redis"* ]] && [ -z "${REDIS_URL:-}" ] && pid_of redis >/dev/null; then
        set -- --redis "unix://$REDIS_SOCKET" "$@"
    fi
    exec "$program" "$@"
}

emit() {
    over_redis emit "$@"
}

revoke() {
    over_redis revoke "$@"
}

erase() {
    over_redis erase "$@"
}

export_user() {
    over_redis export "$@"
}

# The store of `up` when no other one is named.
contacts() {
    local program=build/release/ingoma-contacts-store
    if [ ! -x "$program" ]; then
        setup_packages "${BUILD_PACKAGES[@]}" >&2
        build release ingoma-contacts-store >&2
    fi
    if [[ " $*" != *" --db"* && " $*" != *" --mongodb"* ]] && [ -z "${CONTACTS_DB:-}${MONGODB_URI:-}" ] && [ -f "$RUN/contacts.db" ]; then
        set -- "$@" --db "$RUN/contacts.db"
    fi
    exec "$program" "$@"
}
