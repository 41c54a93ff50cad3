#!/bin/sh
# run.sh NAME - build the simulator on a core with one seeded defect, and see it caught
#
#	1. copy core/ to $B/defects/NAME, apply NAME.patch (fuzz 1; anything else fails)
#	2. compile the files it touches, link them with everything else as it is
#	3. run its scenario, seed after seed, until the oracle it names cries
#
# or, for "caught by: unit SUITE" or "story SUITE", link that suite with the broken
# core and see it fail; or, for "caught by: schedules RULE", let members of slots go through that many
# drawn schedules (tests/unit/replica_test.c) until one breaks RULE. One line goes to $B/defects/NAME.row; the exit code is 1 if nothing cried.
#
# Environment, from defects.mk: B CC CFLAGS STD CORE_CFLAGS SIM_OBJS SIM_LIBS
# UNIT_OBJS UNIT_FLAGS UNIT_LIBS. Nothing in the tree is written.
set -u
here=tests/defects
name=$1
patch=$here/$name.patch
dir=$B/defects/$name

field() {
	sed -n "s/^$1: *//p" "$patch" | head -1
}

quit() {
	printf '%s: %s\n' "$patch" "$1" >&2
	exit 1
}

# now - milliseconds, for the table
now() {
	date +%s%3N
}

oracle=$(field 'caught by')
scenario=$(field scenario)
seeds=$(field seeds)
[ -n "$oracle" ] || quit "it does not say what it is caught by"

rm -rf "$dir" "$dir.row"
mkdir -p "$dir"
cp -R core "$dir/core" || exit 1
patch -d "$dir" -p1 -s -F1 --no-backup-if-mismatch <"$patch" ||
	quit "does not apply any more: core has changed, so must the defect"

broken=
for file in $(sed -n 's|^+++ b/||p' "$patch"); do
	case $file in
	core/*.c) ;;
	*) quit "$file: a defect lies in .c files of core, nothing else is built again" ;;
	esac
	cmp -s "$file" "$dir/$file" && quit "$file: unchanged by it"
	$CC $STD $CFLAGS $CORE_CFLAGS -I"$dir" -Wno-unused -c -o "$dir/${file%.c}.o" "$dir/$file" ||
		quit "does not compile any more"
	broken="$broken $B/${file%.c}.o=$dir/${file%.c}.o"
done

# swapped - @ objects with the broken ones in the place of the good ones
swapped() {
	for o in "$@"; do
		for pair in $broken; do
			[ "$o" = "${pair%%=*}" ] && o=${pair#*=}
		done
		printf '%s ' "$o"
	done
}

row() {
	printf '%-24s %-44s %-18s %6s %9s %7s.%01d s\n' "$name" "$oracle" "$1" "$2" "$3" \
		$((took / 1000)) $((took % 1000 / 100)) >"$dir.row"
}

# suite NAME OBJECT... - that suite, with the lab of vnet (which includes core), linked with the broken core
suite() {
	name_=$1
	shift
	$CC -I"$dir" $STD $CFLAGS $UNIT_FLAGS -Wno-unused -c -o "$dir/vnet_lab.o" tests/unit/vnet_lab.c &&
		$CC $STD $CFLAGS $UNIT_FLAGS -DSUITE="$name_" -o "$dir/suite" tests/unit/one.c \
			"$@" "$dir/vnet_lab.o" $(swapped $UNIT_OBJS) $UNIT_LIBS || quit "does not link"
}

# verdict NAME - does the suite fail?
verdict() {
	if timeout 120 "$dir/suite" >"$dir/log" 2>&1; then
		took=$(($(now) - begin)) && row MISSED - -
		exit 1
	fi
	took=$(($(now) - begin)) && row "suite $1" - -
	exit 0
}

begin=$(now)
case $oracle in
unit\ *)
	suite "${oracle#unit }" "$B/tests/unit/${oracle#unit }_test.o"
	verdict "${oracle#unit }"
	;;
story\ *)
	suite "story_${oracle#story }" "$B/tests/story/${oracle#story }_test.o" "$B/tests/story/stage.o"
	verdict "story ${oracle#story }"
	;;
schedules\ *)
	suite replica "$B/tests/unit/replica_test.o"
	REPLICA_COUNT=$seeds timeout 300 "$dir/suite" >"$dir/log" 2>&1
	seed=$(sed -n "s/^ *seed \([0-9]*\): ${oracle#schedules } .*/\1/p" "$dir/log" | head -1)
	took=$(($(now) - begin))
	[ -n "$seed" ] || { row MISSED - - && exit 1; }
	row "suite replica" "$seed" -
	exit 0
	;;
esac

$CC $STD $CFLAGS -o "$dir/weft-sim" $(swapped $SIM_OBJS) $SIM_LIBS || quit "does not link"
case $oracle in
expect\ *)	cry="FAIL *${oracle#expect }" ;;
*)		cry="^weft-sim: $oracle: " ;;
esac
seed=1
while [ "$seed" -le "$seeds" ]; do
	timeout 120 "$dir/weft-sim" run "$here/$scenario" --seed "$seed" --no-files >"$dir/log" 2>&1
	code=$?
	if [ "$code" = 1 ] && grep -q "$cry" "$dir/log"; then
		at=$(sed -n "s/^weft-sim: $oracle: \([^:]*\):.*/\1/p" "$dir/log" | head -1 |
			awk '/^[0-9]*ns$/ { printf "%.1fs", $0 / 1e9; next }
				/^[0-9]*us$/ { printf "%.1fs", $0 / 1e6; next } { print }')
		took=$(($(now) - begin)) && row "$scenario" "$seed" "${at:--}"
		exit 0
	fi
	[ "$code" -le 1 ] || quit "the simulator ended with $code: see $dir/log"
	seed=$((seed + 1))
done
took=$(($(now) - begin)) && row MISSED "-" "-"
exit 1
