# What the scripts share: sections with times, packages, and commands that are bounded and leave no process behind.
# Sourced by bash scripts; not run by itself.

export LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive
script=$(basename "$0")
started=$SECONDS

# say WORDS: a line about what the script does.
say() { printf '%s\n' "$*"; }

# section TITLE: what begins now, with the time since the script's start.
section() { printf '\n== %s (at %d s)\n' "$1" $((SECONDS - started)); }

# fail STATUS WORDS: ends the script. 69 is EX_UNAVAILABLE of sysexits.h, 64 EX_USAGE.
fail() {
    local status=$1
    shift
    printf '%s: %s\n' "$script" "$*" >&2
    exit "$status"
}

# usage: the comment at the head of the script.
usage() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; }

# --- Packages ---------------------------------------------------------------------------------------------------------

# missing_packages NAMES: those that dpkg does not have, one a line.
missing_packages() {
    local have name
    have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p')
    for name in "$@"; do grep -qxF -- "$name" <<<"$have" || printf '%s\n' "$name"; done
}

# install_packages NAMES: installs what is missing, quietly. Status 1 if that is not allowed or fails; the line that would
# do it has been printed then.
install_packages() {
    local missing log
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" != 0 ]; then
        say "missing packages; install them with: sudo apt-get install -y --no-install-recommends ${missing[*]}"
        return 1
    fi
    say "installing ${missing[*]}"
    log=$(mktemp)
    if ! { apt-get update && apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}"; } \
        >"$log" 2>&1 </dev/null; then
        tail -n 15 "$log" >&2
        rm -f "$log"
        say "apt could not; the line was: apt-get install -y --no-install-recommends ${missing[*]}"
        return 1
    fi
    rm -f "$log"
}

# --- Bounded commands -------------------------------------------------------------------------------------------------

# session_processes SESSION: the numbers of its processes and of their descendants: a bounded command runs in a session of
# its own, and the sandbox gives its guests' processes another.
session_processes() {
    local file line rest fields process grown=1
    local -A parents=() members=()
    for file in /proc/[0-9]*/stat; do
        # A process may end between the listing and the look.
        read -r line 2>/dev/null <"$file" || continue
        rest=${line##*) }
        read -ra fields <<<"$rest"
        [ "${fields[0]}" != Z ] || continue
        parents[${line%% *}]=${fields[1]}
        [ "${fields[3]}" != "$1" ] || members[${line%% *}]=1
    done
    while [ "$grown" = 1 ]; do
        grown=0
        for process in "${!parents[@]}"; do
            [ -z "${members[$process]:-}" ] && [ -n "${members[${parents[$process]}]:-}" ] || continue
            members[$process]=1
            grown=1
        done
    done
    [ ${#members[@]} = 0 ] || printf '%s\n' "${!members[@]}"
}

# show_threads PROCESSES: each thread with its state and where in the kernel it waits.
show_threads() {
    local process task name state wait call
    for process in "$@"; do
        printf 'process %s: %s\n' "$process" "$(tr '\0\n' '  ' 2>/dev/null </proc/"$process"/cmdline | cut -c1-160)"
        for task in /proc/"$process"/task/[0-9]*; do
            name=$(cat "$task/comm" 2>/dev/null) || continue
            state=$(sed -n 's/^State:\s*//p' "$task/status" 2>/dev/null)
            wait=$(cat "$task/wchan" 2>/dev/null)
            call=$(cut -d' ' -f1-4 "$task/syscall" 2>/dev/null)
            printf '  thread %s %s: %s, waits in %s, call %s\n' \
                "${task##*/}" "$name" "$state" "${wait:-?}" "${call:-?}"
        done
    done
}

# How long what is ended may take to end by itself, in fifths of a second. A script that a script runs has less, so that it
# can still end what it has started.
patience=${APUS_PATIENCE:-32}

# end_session SESSION: TERM, and when the patience is over KILL, to each of its processes by number.
end_session() {
    local tries processes
    mapfile -t processes < <(session_processes "$1")
    [ ${#processes[@]} -gt 0 ] || return 0
    kill -TERM "${processes[@]}" 2>/dev/null
    for ((tries = 0; tries < patience; tries++)); do
        sleep 0.2
        mapfile -t processes < <(session_processes "$1")
        [ ${#processes[@]} -gt 0 ] || return 0
    done
    kill -KILL "${processes[@]}" 2>/dev/null
    return 0
}

bounded_session=

# The script ends, however it does: so does what it started.
leave() {
    local status=$?
    trap - EXIT INT TERM HUP
    [ -z "$bounded_session" ] || end_session "$bounded_session"
    exit "$status"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# bounded SECONDS COMMAND…: runs it without a terminal to read from. When the time is up, prints each thread's state,
# ends every process by number, and returns 124. A command that leaves processes behind is told so: status 125.
bounded() {
    local limit=$1 begun=$SECONDS status left
    shift
    APUS_PATIENCE=$((patience / 2)) setsid "$@" </dev/null &
    bounded_session=$!
    while kill -0 "$bounded_session" 2>/dev/null && [ $((SECONDS - begun)) -lt "$limit" ]; do
        # Short at first, so that short commands stay short.
        if [ $((SECONDS - begun)) -lt 3 ]; then sleep 0.1; else sleep 0.5; fi
    done
    if kill -0 "$bounded_session" 2>/dev/null; then
        mapfile -t left < <(session_processes "$bounded_session")
        printf '%s: no end after %d s: %s\n' "$script" "$limit" "$*" >&2
        show_threads "${left[@]}" >&2
        end_session "$bounded_session"
        wait "$bounded_session" 2>/dev/null
        bounded_session=
        return 124
    fi
    wait "$bounded_session"
    status=$?
    mapfile -t left < <(session_processes "$bounded_session")
    if [ ${#left[@]} -gt 0 ]; then
        # What is just ending is given a moment.
        sleep 1
        mapfile -t left < <(session_processes "$bounded_session")
    fi
    if [ ${#left[@]} -gt 0 ]; then
        printf '%s: processes were left behind by: %s\n' "$script" "$*" >&2
        show_threads "${left[@]}" >&2
        end_session "$bounded_session"
        [ "$status" != 0 ] || status=125
    fi
    bounded_session=
    return "$status"
}

# need_swift: Swift 6.3 or newer is the one thing that the scripts do not install.
need_swift() {
    command -v swift >/dev/null || fail 69 "swift is missing: install Swift 6.3 (swift.org/install) and put it on PATH"
    local version
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
    case $version in
    6.[0-2] | [0-5].*) fail 69 "Swift $version is too old: Apus is written in Swift 6.3" ;;
    esac
}

# What building needs besides Swift: libelf for `apus inspect`, git for the packages, C compilers for the corpus.
build_packages=(git ca-certificates libelf-dev zlib1g-dev gcc libc6-dev musl-tools)
