#!/usr/bin/env bash
# scripts/download_voicebank_demand.sh against a server of this machine that drops connections, sends wrong bytes, web
# pages and errors, with curl and with wget. Usage: download.sh SOURCE_DIR
set -euo pipefail
source=$(cd "$1" && pwd)
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT

fail() {
  echo "FAILED ($client): $*" >&2
  [ -e "$work/output" ] && cat "$work/output" >&2
  [ -e "$web/requests" ] && cat "$web/requests" >&2
  exit 1
}

web=$work/web
mkdir -p "$web/files"
clean=clean_testset_wav.zip
noisy=noisy_testset_wav.zip
logs=logfiles.zip
head -c 300000 /dev/urandom >"$web/files/$clean"
head -c 200000 /dev/urandom >"$web/files/$noisy"
head -c 5000 /dev/urandom >"$web/files/$logs"
printf 'clean-uuid %s\nnoisy-uuid %s\n' $clean $noisy >"$web/uuids"
md5() { md5sum <"$web/files/$1" | cut -d' ' -f1; }
{
  echo "# name md5 sequence uuid"
  echo "$clean $(md5 $clean) 1 clean-uuid"
  echo "$noisy $(md5 $noisy) 5 noisy-uuid"
  echo "$logs $(md5 $logs) 4 -"
} >"$work/table"
handle=/bitstream/handle/10283/2791

python3 "$source/tests/integration/file_server.py" "$web" &
server=$!
for _ in $(seq 200); do [ -e "$web/port" ] && break; sleep 0.05; done
port=$(cat "$web/port")
export LIMBECK_VBD_URL=http://127.0.0.1:$port/ LIMBECK_VBD_FILES=$work/table
unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
export no_proxy=127.0.0.1

# One folder with just the programs that are to be found.
clients=()
for client in curl wget; do
  command -v $client >/dev/null || { echo "$client is not installed and not tested"; continue; }
  clients+=($client)
  mkdir "$work/$client-only"
  for program in bash cat cut chmod date grep head md5sum mkdir mktemp mv rm sed sleep stat tail $client; do
    ln -s "$(command -v "$program")" "$work/$client-only/$program"
  done
done

download() { # [OPTION...] DIR
  PATH=$work/$client-only bash "$source/scripts/download_voicebank_demand.sh" --wait 0 "$@"
}
# begin [SCRIPT LINE...]: a fresh folder $to, and what the server shall do.
begin() {
  to=$work/to
  rm -rf "$to" "$web/requests" "$web/script"
  touch "$web/requests"
  (($# == 0)) || printf '%s\n' "$@" >"$web/script"
}
# expect CODE TEXT ARGUMENT...: exit code of the download, and a text in what it prints.
expect() {
  local code=$1 text=$2 got=0
  shift 2
  download "$@" >"$work/output" 2>&1 || got=$?
  [ "$got" = "$code" ] || fail "exit code $got, expected $code"
  grep -qF -- "$text" "$work/output" || fail "no '$text'"
}
whole() {
  for file in "$@"; do cmp -s "$web/files/$file" "$to/$file" || fail "$file is not whole"; done
}
only() { # nothing but these files is there
  [ "$(ls "$to")" = "$(printf '%s\n' "$@" | sort)" ] || fail "left in the folder: $(ls "$to")"
}
asked() { grep -qxF -- "$1" "$web/requests" || fail "the server was not asked: $1"; }
never_asked() { ! grep -qF -- "$1" "$web/requests" || fail "the server was asked: $1"; }

client=none
((${#clients[@]})) || fail "neither curl nor wget is installed"
for client in "${clients[@]}"; do
  # Arguments.
  begin
  expect 0 "LIMBECK_VBD_FILES" --help
  expect 2 "which folder?"
  expect 2 "unknown option '--fast'" --fast "$to"
  expect 2 "--retries needs a whole number" --retries many "$to"
  expect 2 "one folder" "$to" "$to"
  LIMBECK_VBD_FILES=$work/none expect 2 "cannot be read" "$to"
  echo "$clean 123 1 x" >"$work/bad"
  LIMBECK_VBD_FILES=$work/bad expect 2 "lines of NAME MD5 SEQUENCE UUID" "$to"
  touch "$work/file"
  expect 3 "$work/file: cannot be written" "$work/file"
  [ ! -s "$web/requests" ] || fail "wrong arguments reached the server"

  # All goes well; the second call asks the server nothing.
  begin
  expect 0 "all 3 files are whole" "$to"
  whole $clean $noisy $logs
  only $clean $noisy $logs
  asked "/bitstreams/clean-uuid/download - 200"
  asked "$handle/$logs?sequence=4 - 200"
  never_asked "$handle/$clean"
  : >"$web/requests"
  expect 0 "$clean: is whole" "$to"
  [ ! -s "$web/requests" ] || fail "whole files were downloaded again"

  # A connection that drops twice is gone on with, by a range.
  begin "/bitstreams/clean-uuid drop 100000" "/bitstreams/clean-uuid drop 50000"
  expect 0 "100000 bytes are there; trying again" "$to"
  whole $clean $noisy $logs
  only $clean $noisy $logs
  asked "/bitstreams/clean-uuid/download bytes=100000- 206"
  asked "/bitstreams/clean-uuid/download bytes=150000- 206"

  # Without progress, only so many times; then the other address goes on from what is there.
  begin "/bitstreams/clean-uuid drop 70000" "/bitstreams/clean-uuid drop! 0"
  expect 0 "all 3 files are whole" --retries 2 "$to"
  whole $clean
  [ "$(grep -c '^/bitstreams/clean-uuid' "$web/requests")" = 3 ] || fail "retries"
  asked "$handle/$clean?sequence=1 bytes=70000- 206"

  # A server that is busy, and an address that is gone.
  begin "/bitstreams/clean-uuid error 503" "/bitstreams/noisy-uuid error! 404"
  expect 0 "all 3 files are whole" "$to"
  whole $clean $noisy $logs
  asked "$handle/$noisy?sequence=5 - 200"

  # Nothing works for one file: the others are had, what came is kept for the next call.
  begin "/bitstreams/clean-uuid drop 1000" "/bitstreams/clean-uuid error! 500" "$handle/$clean error! 403"
  expect 5 "1 of 3 files could not be had:" --retries 1 "$to"
  grep -qF "  $clean: " "$work/output" || fail "the file is not named"
  grep -qF "(HTTP status 403)" "$work/output" || fail "the reason is not named"
  whole $noisy $logs
  only $clean.part $noisy $logs
  rm "$web/script"
  expect 0 "$noisy: is whole" "$to"
  whole $clean
  asked "/bitstreams/clean-uuid/download bytes=1000- 206"

  # Without a network, trying again is of no use.
  begin
  LIMBECK_VBD_URL=http://127.0.0.1:1 expect 5 "3 of 3 files could not be had:" --wait 1000 "$to"

  # Wrong bytes: named with both checksums, and nothing of them is kept.
  begin "/bitstreams/clean-uuid other" "$handle/$clean page"
  expect 5 "$clean: MD5 is " "$to"
  grep -qF "and $(md5 $clean) is expected (300000 bytes)" "$work/output" || fail "checksums"
  grep -qF "; the server sent a web page)" "$work/output" || fail "web page"
  only $noisy $logs
  expect 0 "all 3 files are whole" "$to"
  whole $clean
  # From the other address they are right.
  begin "/bitstreams/clean-uuid other!"
  expect 0 "all 3 files are whole" "$to"
  whole $clean

  # What an earlier call left may be wrong, or of another file, or whole but for its name.
  for left in wrong long whole; do
    begin
    mkdir "$to"
    case $left in
      wrong) head -c 123456 /dev/zero >"$to/$clean.part" ;;
      long) head -c 400000 /dev/zero >"$to/$clean.part" ;;
      whole) cp "$web/files/$clean" "$to/$clean.part" ;;
    esac
    expect 0 "all 3 files are whole" "$to"
    whole $clean $noisy $logs
    only $clean $noisy $logs
    [ $left = whole ] || grep -qF "beginning anew" "$work/output" || fail "it was not begun anew"
    [ $left != whole ] || asked "/bitstreams/clean-uuid/download bytes=300000- 416"
  done
  # A file under its own name that is not the right one is somebody's: it stays as it is. Renamed, it is gone on from.
  begin
  mkdir "$to"
  head -c 250000 "$web/files/$clean" >"$to/$clean"
  cp "$to/$clean" "$work/mine"
  ln -s "$work/nowhere" "$to/$logs"
  expect 5 "2 of 3 files could not be had:" "$to"
  grep -qF "  $clean: is there with MD5 $(md5sum <"$work/mine" | cut -d' ' -f1), and $(md5 $clean) is expected" "$work/output" ||
    fail "the file that is there is not named"
  cmp -s "$work/mine" "$to/$clean" || fail "a file of the user's was changed"
  [ -L "$to/$logs" ] && [ ! -e "$work/nowhere" ] || fail "a link of the user's was changed"
  whole $noisy
  only $clean $logs $noisy
  never_asked "/bitstreams/clean-uuid"
  rm "$to/$logs"
  mv "$to/$clean" "$to/$clean.part"
  expect 0 "all 3 files are whole" "$to"
  whole $clean $logs
  asked "/bitstreams/clean-uuid/download bytes=250000- 206"
  # A server that knows no ranges sends all of it again.
  begin "/bitstreams/clean-uuid drop 100000" "/bitstreams/clean-uuid norange" "/bitstreams/clean-uuid norange"
  expect 0 "all 3 files are whole" "$to"
  whole $clean

  # Interrupted, and gone on with.
  for signal in HUP INT TERM; do
    begin "/bitstreams/clean-uuid stall"
    set -m
    PATH=$work/$client-only bash "$source/scripts/download_voicebank_demand.sh" "$to" >"$work/output" 2>&1 &
    child=$!
    set +m
    for _ in $(seq 200); do [ "$(stat -c %s "$to/$clean.part" 2>/dev/null || echo 0)" -ge 100000 ] && break; sleep 0.05; done
    kill -s $signal -- -$child
    code=0
    wait $child || code=$?
    wanted=$((128 + $(kill -l $signal)))
    [ $code = $wanted ] || fail "exit code $code after SIG$signal"
    grep -qF "the same command goes on from here" "$work/output" || fail "interrupted without a word"
    only $clean.part
    expect 0 "all 3 files are whole" "$to"
    whole $clean $noisy $logs
    ! grep -qx "/bitstreams/clean-uuid/download - 200" <(tail -n +2 "$web/requests") || fail "begun anew after SIG$signal"
  done
done
echo "all download checks passed"
