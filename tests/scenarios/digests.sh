#!/bin/bash
# The same seed gives the same digest: run twice, with 1, 2 and 7 shards, two
# threads, real and modelled cryptography, gcc and clang, -O0 and -O2; nodes alone
# and nodes with machines behind them.
# Usage: tests/scenarios/digests.sh BUILD-DIR
set -u
build=$1
scenario=tests/scenarios/churn.ini
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 first=

# digest NAME PROGRAM ARGUMENTS...: one run; compare with the first
digest() {
	local name=$1 program=$2 dir="$work/$((passed + failed))" digest log="$work/log"
	shift 2
	timeout 300 "$program" run "$scenario" --no-report -o "$dir" "$@" >"$log" 2>&1
	if [ $? -ge 2 ] || [ ! -f "$dir/manifest.json" ]; then
		echo "  FAIL  $name: did not run:"
		tail -n 5 "$log"
		failed=$((failed + 1))
		return
	fi
	digest=$(sed -n 's/.*"digest" *: *"\([0-9a-f]*\)".*/\1/p' "$dir/manifest.json" | head -n 1)
	[ -n "$first" ] || first=$digest
	if [ -n "$digest" ] && [ "$digest" = "$first" ]; then
		passed=$((passed + 1))
		echo "  same  $digest  $name"
	else
		failed=$((failed + 1))
		echo "  FAIL  $digest  $name, the first run has $first"
	fi
}

variant() {	# NAME CC CFLAGS: another build of the same program
	make -s -j2 B="$build/$1" CC="$2" CFLAGS="$3" "$build/$1/bin/weft-sim" >"$work/make" 2>&1 && return
	echo "  FAIL  $1 does not build:"
	tail -n 5 "$work/make"
	failed=$((failed + 1))
	return 1
}

sim=$build/bin/weft-sim
digest 'gcc -O2' "$sim"
digest 'the same again' "$sim"
digest '2 shards' "$sim" -s run.shards=2
digest '7 shards' "$sim" -s run.shards=7
digest '7 shards, 2 threads' "$sim" -s run.shards=7 --threads 2
digest 'crypto = model' "$sim" -s run.crypto=model
variant gcc-O0 gcc -O0 && digest 'gcc -O0' "$build/gcc-O0/bin/weft-sim" -s run.crypto=model
variant clang-O2 clang -O2 && digest 'clang -O2' "$build/clang-O2/bin/weft-sim" -s run.crypto=model

scenario=tests/scenarios/guests.ini first=
digest 'machines' "$sim"
digest 'machines, 7 shards, 2 threads' "$sim" -s run.shards=7 --threads 2
digest 'machines, crypto = model' "$sim" -s run.crypto=model
digest 'machines, clang -O2' "$build/clang-O2/bin/weft-sim" -s run.crypto=model -s run.shards=2
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
