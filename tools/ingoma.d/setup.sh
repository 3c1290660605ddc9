# What must be there before anything runs: packages, Node.js, the build. Sourced by ../../ingoma.

BUILD_PACKAGES=(build-essential cmake ninja-build pkg-config python3 libevent-dev libhiredis-dev libjson-c-dev
    libjwt-dev zlib1g-dev libcurl4-openssl-dev libcriterion-dev libssl-dev libsqlite3-dev libmongoc-dev)
RUN_PACKAGES=(redis-server ca-certificates tzdata)
LINT_PACKAGES=(clang-format-14 clang-tidy-14 cppcheck)
TEST_PACKAGES=(clang-14 libclang-rt-14-dev haproxy chromium libwebsockets-dev)

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Runs a command as root: at once, or through sudo. Fails in one sentence when neither is possible.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

setup_packages() {
    local missing=() package
    if ! command -v dpkg-query >/dev/null; then
        warn "This is no Debian: please see to it yourself that these are installed: $*"
        return
    fi
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "Missing packages: ${missing[*]}"
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null ||
            die "These packages need root and there is no sudo; as root: apt-get install --no-install-recommends ${missing[*]}"
        sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; } ||
            die "sudo does not let this user install packages; as root: apt-get install --no-install-recommends ${missing[*]}"
    fi
    step "Reading package lists" "$RUN/apt-update.log" as_root apt-get update ||
        warn "apt-get update failed; going on with the lists that are there ($(tail -n 1 "$RUN/apt-update.log"))"
    step "Installing ${#missing[@]} packages" "$RUN/apt-install.log" as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "${missing[@]}" ||
        { tail -n 5 "$RUN/apt-install.log" >&2; die "apt-get could not install: ${missing[*]} (log: ${RUN#"$ROOT"/}/apt-install.log)"; }
    if [[ " ${missing[*]} " == *" redis-server "* ]] && [ -d /run/systemd/system ]; then
        say "Debian has started a Redis of its own on port 6379; Ingoma never uses it (systemctl disable --now redis-server)."
    fi
}

node_major() {
    local v
    v=$(node --version 2>/dev/null) || v=v0
    v=${v#v}
    echo "${v%%.*}"
}

# Node.js and npm: whatever is there serves; otherwise Debian's.
setup_node() {
    local missing=()
    command -v node >/dev/null || missing+=(nodejs)
    command -v npm >/dev/null || missing+=(npm)
    [ ${#missing[@]} -gt 0 ] || return 0
    setup_packages "${missing[@]}"
}

# setup_npm FOLDER: the packages of its lock file, fetched again only when the lock file changed.
setup_npm() {
    local folder=$1 stamp=$1/node_modules/.ingoma-lock
    cmp -s "$folder/package-lock.json" "$stamp" && return
    PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 NPM_CONFIG_LOGLEVEL=error NPM_CONFIG_UPDATE_NOTIFIER=false \
        step "Fetching the npm packages of $folder/" "$RUN/npm-${folder//\//-}.log" npm ci --prefix "$folder" ||
        { tail -n 3 "$RUN/npm-${folder//\//-}.log" >&2; return 1; }
    cp "$folder/package-lock.json" "$stamp"
}

# build PRESET [TARGET...]: configures (fresh where the tree has moved) and builds in build/PRESET.
build() {
    local preset=$1 dir=build/$1 log=$ROOT/build/$1.log fresh=()
    shift
    if [ -f "$dir/CMakeCache.txt" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$ROOT" "$dir/CMakeCache.txt"; then
        fresh=(--fresh)
    fi
    mkdir -p build
    step "Configuring $preset" "$log" cmake --preset "$preset" "${fresh[@]}" ${CMAKE_ARGS:-} || build_failed "$preset" "$log"
    step "Building $preset" "$log" nice cmake --build "$dir" -j "$(jobs_count)" ${1:+--target "$@"} || build_failed "$preset" "$log"
}

build_failed() {
    local preset=$1 log=$2
    if grep -qE 'Killed|virtual memory exhausted|[Oo]ut of memory|Cannot allocate memory' "$log"; then
        die "The $preset build ran out of memory ($(memory_mb) MB are free): close something and try again with JOBS=1."
    fi
    if grep -q 'No space left on device' "$log"; then
        die "The $preset build ran out of disk space in $ROOT/build."
    fi
    grep -E -A 3 'error:|FAILED|CMake Error' "$log" | head -n 20 >&2
    die "The $preset build failed; the whole log is ${log#"$ROOT"/}."
}

# The pages, each beside the stock client, as the programs serve them: build/demo, build/pages/admin, build/pages/widget.
setup_demo() {
    local page bundle=client/node_modules/socket.io-client/dist/socket.io.min.js
    mkdir -p build/demo build/pages/admin build/pages/widget
    cp client/demo/* build/demo/
    cp client/admin/* build/pages/admin/
    cp client/widget/* build/pages/widget/
    setup_node
    setup_npm client && for page in demo pages/admin pages/widget; do
        cp "$bundle" "build/$page/" || return
    done && return
    warn "The stock client could not be fetched from npm, so the pages will not connect; the servers themselves are complete."
}

# A MongoDB-wire server for the tests of the contacts' store: fetched by Maven and compiled once, again when its two files
# changed. Without it those tests are skipped, and say so.
setup_mongowire() {
    local from=tests/support/mongowire dir=build/mongowire log=$RUN/mongowire.log missing=()
    if cmp -s $from/pom.xml $dir/pom.xml && cmp -s $from/MongoWire.java $dir/MongoWire.java && [ -f $dir/MongoWire.class ]; then
        return
    fi
    command -v javac >/dev/null || missing+=(default-jdk-headless)
    command -v mvn >/dev/null || missing+=(maven)
    [ ${#missing[@]} = 0 ] || setup_packages "${missing[@]}"
    rm -rf $dir && mkdir -p $dir && cp $from/* $dir/
    if step "Fetching the MongoDB-wire server" "$log" mvn -q -B -f $dir/pom.xml dependency:copy-dependencies -DoutputDirectory=lib &&
        step "Compiling it" "$log" javac -cp "$dir/lib/*" -d $dir $dir/MongoWire.java; then
        return
    fi
    rm -f $dir/pom.xml
    warn "The MongoDB-wire server could not be made ($(tail -n 1 "$log" | cut -c 1-200)); the tests over it are skipped."
}
