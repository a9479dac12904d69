#!/usr/bin/env bash
# Downloads VoiceBank-DEMAND (28 speakers, 48 kHz; Valentini-Botinhao 2017, doi:10.7488/ds/2117, CC BY 4.0): four zip
# files (about 5.7 GB) and the log files that name noise and SNR of each utterance. Then:
#   limbeck-prepare voicebank-demand --source DIR --out data/vbd
#
#   scripts/download_voicebank_demand.sh [--retries N] [--wait SECONDS] DIR
#
# Interrupted, it goes on where it was: a file is NAME.part until it is whole and its MD5 is right. Run again, it checks
# what is there and downloads the rest. A file NAME with another MD5 is not touched, and counts as one that could not be
# had; where it is the beginning of the right one, from a browser say, it may be renamed to NAME.part. A dropped connection is tried again --retries times (5), after --wait seconds
# (5) that double each time; then another address of the file is tried.
#
# Environment:
#   LIMBECK_VBD_URL    where the files are, instead of https://datashare.ed.ac.uk (a mirror with the same paths)
#   LIMBECK_VBD_FILES  a table of the files instead of the one below: lines of NAME MD5 SEQUENCE UUID (UUID - for none)
#
# Exit codes: 0 all files are whole; 2 wrong arguments, or a program is missing; 3 DIR cannot be written; 5 some files
# could not be had (listed; the others are whole); 129/130/143 interrupted.
set -uo pipefail

table='
clean_trainset_28spk_wav.zip d2d5a45ec32f8fcbf201bde0447e20ba 2 245452b6-6235-44b6-a6f9-e7eb19797769
noisy_trainset_28spk_wav.zip 1fca9e8bafb8cd069f6653c6d92f9e9c 6 ecb5a102-bb00-46d3-8af5-40c79823b837
clean_testset_wav.zip        34eb1c0ba7ef667e9b966866c542fc16 1 dec213d3-bf57-4777-9663-c24bdce92d5e
noisy_testset_wav.zip        fb1b86caa31e8ba5b506c0c64da9aab5 5 13c1bfbf-14a6-41db-9b41-8f7310f01ad5
logfiles.zip                 0d16f5b6afe12d64238d1e4a0e6ff6e8 4 -
'
base=${LIMBECK_VBD_URL:-https://datashare.ed.ac.uk}
base=${base%/}
handle=10283/2791

say() { echo "download: $*"; }
complain() { echo "download: $*" >&2; }
usage() { complain "$*; see --help"; exit 2; }
child=
scratch=
answered=false # by any server: without a network, trying again is of no use
give_up() {
  trap '' HUP INT TERM
  [ -z "$child" ] || { kill "$child" 2>/dev/null && wait "$child" 2>/dev/null; }
  rm -rf "$scratch"
  complain "interrupted; the same command goes on from here"
  exit "$1"
}
trap 'give_up 129' HUP
trap 'give_up 130' INT
trap 'give_up 143' TERM

retries=5
first_wait=5
dir=
while (($#)); do
  case $1 in
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    --retries | --wait)
      [[ ${2:-} =~ ^[0-9]{1,4}$ ]] || usage "$1 needs a whole number"
      if [ "$1" = --retries ]; then retries=$2; else first_wait=$2; fi
      shift 2
      ;;
    -*) usage "unknown option '$1'" ;;
    *)
      [ -z "$dir" ] || usage "one folder, not '$dir' and '$1'"
      dir=$1
      shift
      ;;
  esac
done
[ -n "$dir" ] || usage "which folder?"
command -v md5sum >/dev/null || usage "md5sum is missing"
if command -v curl >/dev/null; then
  client=curl
elif command -v wget >/dev/null; then
  client=wget
else
  usage "curl or wget is needed"
fi
if [ -n "${LIMBECK_VBD_FILES:-}" ]; then
  table=$(cat -- "$LIMBECK_VBD_FILES") || usage "LIMBECK_VBD_FILES: '$LIMBECK_VBD_FILES' cannot be read"
fi
mkdir -p -- "$dir" 2>/dev/null
[ -d "$dir" ] && [ -w "$dir" ] || { complain "$dir: cannot be written"; exit 3; }

md5_of() { md5sum <"$1" | cut -d' ' -f1; }
size_of() { stat -c %s -- "$1" 2>/dev/null || echo 0; }

# run OUTPUT ERRORS COMMAND...: as a child that a signal does not have to wait for. ERRORS - leaves them where they go.
# (Only the child is redirected: what is said of the signal has to reach the terminal.)
run() {
  local output=$1 errors=$2
  shift 2
  if [ "$errors" = - ]; then
    "$@" >"$output" &
  else
    "$@" >"$output" 2>"$errors" &
  fi
  child=$!
  wait "$child"
  local code=$?
  child=
  return $code
}

# get URL FILE: appends what is still missing of FILE, and sets `reason`. Returns 0 if the server sent it all, 1 if
# trying again may help, 2 if this address has not got it, 3 if FILE cannot be continued (it has all or more, or the
# server knows no ranges), 4 if FILE cannot be written.
get() {
  local url=$1 file=$2 code status
  : >"$scratch/answer"
  : >"$scratch/errors"
  if [ $client = curl ]; then
    # Less than 1 kB/s for a minute counts as a dropped connection.
    local command=(curl --location --fail --show-error --connect-timeout 30 --speed-limit 1000 --speed-time 60
      --continue-at - --output "$file" --write-out '%{http_code}')
    if [ -t 2 ]; then
      run "$scratch/answer" - "${command[@]}" --progress-bar -- "$url"
    else
      run "$scratch/answer" "$scratch/errors" "${command[@]}" --silent -- "$url"
    fi
    code=$?
    status=$(cat "$scratch/answer")
    reason=$(tail -n 1 "$scratch/errors")
    reason=${reason#curl: }
    case $code in
      33 | 36) code=range ;;
      23) code=disk ;;
      22) code=status ;;
    esac
  else
    local command=(wget --continue --tries=1 --timeout=60 --server-response --output-file="$scratch/errors"
      --output-document="$file")
    [ -t 2 ] && command+=(--show-progress --progress=bar:force)
    run /dev/null - "${command[@]}" -- "$url"
    code=$?
    status=$(grep -oE 'HTTP/[0-9.]+ [0-9]{3}' "$scratch/errors" | tail -n 1 | cut -d' ' -f2)
    reason=$(grep -v '^ ' "$scratch/errors" | grep . | tail -n 1)
    case $code in
      3) code=disk ;;
      8) code=status ;;
      # It has all of the file; wget says so and is content.
      0) [ "$status" != 416 ] || code=range ;;
    esac
  fi
  reason="${reason:-$client failed with $code} (HTTP status ${status:-000})"
  [ "${status:-000}" = 000 ] || answered=true
  case $code in
    0) return 0 ;;
    range) return 3 ;;
    disk) return 4 ;;
    status) case $status in
      416) return 3 ;;
      408 | 429 | 5??) return 1 ;;
      *) return 2 ;;
    esac ;;
    *) return 1 ;;
  esac
}

# fetch_from URL NAME MD5: NAME from this address, or `reason`. What an earlier call left is gone on with; if that leads
# to a wrong MD5, or to nothing, it is begun anew, once.
fetch_from() {
  local url=$1 name=$2 md5=$3 part=$dir/$2.part
  local tries=0 pause=$first_wait before found code
  local resumed=false
  (($(size_of "$part") == 0)) || resumed=true
  while true; do
    before=$(size_of "$part")
    get "$url" "$part"
    code=$?
    case $code in
      1)
        (($(size_of "$part") == before)) || { tries=0; pause=$first_wait; }
        $answered && ((tries < retries)) || return 1
        tries=$((tries + 1))
        complain "$name: $reason; $(size_of "$part") bytes are there; trying again in $pause s"
        run /dev/null /dev/null sleep "$pause"
        pause=$((pause * 2))
        continue
        ;;
      2) return 1 ;;
      4)
        complain "$part: $reason"
        exit 3
        ;;
    esac
    found=$(md5_of "$part" 2>/dev/null)
    if [ "$found" = "$md5" ]; then
      mv -n -- "$part" "$dir/$name" && [ ! -e "$part" ] || { complain "$dir/$name: cannot be written"; exit 3; }
      return 0
    fi
    if [ $code = 0 ]; then
      reason="MD5 is $found, and $md5 is expected ($(size_of "$part") bytes"
      [ "$(head -c 1 "$part")" != "<" ] || reason+="; the server sent a web page"
      reason+=")"
    fi
    rm -f -- "$part" # no later call may go on with it
    $resumed || return 1
    complain "$name: what an earlier call left leads to no whole file; beginning anew"
    resumed=false
  done
}

# fetch NAME MD5 SEQUENCE UUID: NAME into DIR, from one address after the other.
fetch() {
  local name=$1 md5=$2 sequence=$3 uuid=$4 url found
  local urls=("$base/bitstream/handle/$handle/$name?sequence=$sequence")
  [ "$uuid" = - ] || urls=("$base/bitstreams/$uuid/download" "${urls[@]}")
  if [ -e "$dir/$name" ] || [ -L "$dir/$name" ]; then
    found=$(md5_of "$dir/$name" 2>/dev/null)
    found=${found:-none, as it cannot be read}
    if [ "$found" = "$md5" ]; then
      say "$name: is whole"
      return 0
    fi
    failed+=("$name: is there with MD5 $found, and $md5 is expected; left as it is: move it, or rename it to $name.part")
    complain "${failed[-1]}"
    return 1
  fi
  local reasons=()
  for url in "${urls[@]}"; do
    say "$name: from $url"
    if fetch_from "$url" "$name" "$md5"; then
      say "$name: downloaded, $(size_of "$dir/$name") bytes, MD5 is right"
      return 0
    fi
    complain "$name: $reason"
    reasons+=("$reason")
  done
  failed+=("$name: ${reasons[*]: -1}")
  return 1
}

files=()
while read -r name md5 sequence uuid rest; do
  [[ -n $name && $name != \#* ]] || continue
  [[ $md5 =~ ^[0-9a-f]{32}$ && -n $sequence && -n $uuid && -z $rest && $name != */* ]] ||
    usage "the table of files needs lines of NAME MD5 SEQUENCE UUID, not '$name $md5 $sequence $uuid $rest'"
  files+=("$name $md5 $sequence $uuid")
done <<<"$table"

scratch=$(mktemp -d) || exit 3
trap 'rm -rf "$scratch"' EXIT
failed=()
for file in "${files[@]}"; do
  read -r name md5 sequence uuid <<<"$file"
  fetch "$name" "$md5" "$sequence" "$uuid"
done
if ((${#failed[@]})); then
  complain "${#failed[@]} of ${#files[@]} files could not be had:"
  printf '  %s\n' "${failed[@]}" >&2
  complain "the same command tries these again; or put them into $dir by hand, from https://doi.org/10.7488/ds/2117"
  exit 5
fi
say "all ${#files[@]} files are whole in $dir; next: limbeck-prepare voicebank-demand --source $dir --out data/vbd"
