#!/bin/bash
# node.sh - what an idle node costs: private memory, processor time, traffic
#
#	tests/bench/node.sh BIN [NODES [SECONDS [LONG]]]
#
# NODES daemons with a tap each, every one in a namespace of its own, joined by a bridge as tests/net/lib.sh has it;
# LONG long links drawn by each, so that with 4 near ones and what others draw they have about 20. They settle for
# twice the time that is then measured. As root, on a machine that does little else.
NEEDS=
SECTIONS=measure
settings=("${@:2}")
[ "${WEFT_INSIDE:-}" != yes ] || set -- "$1"
. "${0%/*}/../net/lib.sh"
nodes=${settings[0]:-24} seconds=${settings[1]:-60} long=${settings[2]:-8}

links() { field "$1" links; }
cpu_ns() { cut -d' ' -f1 "/proc/${pid[$1]}/schedstat"; }
thread_ns() { cat /proc/"${pid[$1]}"/task/*/schedstat | awk '{ s += $1 } END { printf "%d", s }'; }

# Bytes with IP and UDP headers, both directions
bytes() {
	ctl -c "$1/weft.conf" status --json | tr ',{' '\n\n' | tr -d '"' | awk -F: '
		$1 == "in_packets" || $1 == "out_packets" { s += 28 * $2 } $1 == "in_bytes" || $1 == "out_bytes" { s += $2 } END { print s }'
}

# Packets sent so far by kind, all nodes together
kinds() {
	local n

	for n in "${names[@]}"; do ctl -c "$n/weft.conf" metrics; done |
		sed -n 's/^weft_sent_messages_total{kind="\(.*\)"} /\1 /p' | awk '{ s[$1] += $2 } END { for (k in s) print k, s[k] }' | sort
}

uss() { awk '/^Private_(Clean|Dirty)/ { s += $2 } END { print s }' "/proc/${pid[$1]}/smaps_rollup"; }

# Median, least and most of the numbers on stdin
three() { sort -n | awk -v unit="$2" -v what="$1" '{ v[NR] = $1 } END { printf "%-28s %10.4g %s   (%.4g to %.4g)\n", what, v[int((NR + 1) / 2)], unit, v[1], v[NR] }'; }

all_linked() { local n; for n in "${names[@]}"; do joined "$n" || return 1; done; }

measure() {
	local n i before after

	names=()
	ctl net create idle --range 10.9.0.0/16 --bootstrap 172.30.0.1:9338 >/dev/null
	for ((i = 1; i <= nodes; i++)); do
		names+=("m$i")
		where[m$i]=$i
		ctl net add idle "m$i" --tap weft0 >/dev/null
	done
	for n in "${names[@]}"; do
		ip netns exec "n${where[$n]}" "$BIN/weft-node" -c "$n/weft.conf" -s ring.long="$long" 2>>"$n.log" &
		pid[$n]=$!
	done
	AWAIT=60
	await all_linked || exit 1
	sleep $((2 * seconds))
	declare -A cpu0 cpu1 bytes0 uss0
	for n in "${names[@]}"; do bytes0[$n]=$(bytes "$n"); cpu0[$n]=$(thread_ns "$n"); done
	kinds >kinds.before
	sleep "$seconds"
	for n in "${names[@]}"; do uss0[$n]=$(uss "$n"); cpu1[$n]=$(thread_ns "$n"); done	# before asking makes work
	kinds >kinds.after
	for n in "${names[@]}"; do
		echo "cpu $(awk -v a="${cpu0[$n]}" -v b="${cpu1[$n]}" -v s="$seconds" 'BEGIN { print (b - a) / s / 1e9 * 100 }')"
		echo "uss ${uss0[$n]}"
		echo "links $(links "$n")"
		echo "traffic $(awk -v a="${bytes0[$n]}" -v b="$(bytes "$n")" -v s="$seconds" 'BEGIN { print (b - a) / s }')"
		echo "core $(field "$n" memory_bytes)"
	done >figures
	echo "$nodes idle nodes for $seconds s, median (least to most):"
	for i in "links links" "uss kB_private_memory" "core bytes_in_core" "cpu %_of_a_processor" "traffic bytes/s_both_ways"; do
		sed -n "s/^${i% *} //p" figures | three "${i% *}" "$(echo "${i#* }" | tr _ ' ')"
	done
	echo "packets per node and minute, by kind:"
	join -a 2 -e 0 -o 0,1.2,2.2 kinds.before kinds.after |
		awk -v s="$seconds" -v n="$nodes" '{ printf "  %-14s %8.1f\n", $1, ($3 - $2) * 60 / s / n }' | sort -k2 -rn | head -n 12
}

underlay $(seq 1 "$nodes")
measure
