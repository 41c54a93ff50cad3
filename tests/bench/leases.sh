#!/bin/sh
# leases.sh WEFT-SIM - what addresses cost: in round trips, bytes, and seconds to the ACK
#
# Simulated quantities of fixed seeds: the same on every machine. Ratios are within
# one run. leases.ini has 25 ms on every link, so 50 ms are a round trip; the
# least a create, renewal or get can take is two: to the primary and back, and from
# the primary to a majority and back, if all of them had links to each other.
set -eu
sim=$1
here=tests/bench
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# run NAME FILE [option]... - one run, its summary to $out/NAME
run() {
	name=$1 file=$2
	shift 2
	"$sim" run "$file" "$@" --no-files >"$out/$name" 2>&1 && return
	[ $? = 1 ] || { cat "$out/$name" >&2; exit 1; }
	grep -a 'FAIL\|^weft-sim: [a-z]*:' "$out/$name" | sed "s|^|  does not hold in $file $*: |"
}

# value NAME METRIC COLUMN - histograms: 2 count, 3 mean, 4 p50, 5 p95, 6 p99, 7 max; counters: 2
value() {
	awk -v m="$2" -v c="$3" '$1 == m { v = $c; gsub(",", "", v); print v; exit }' "$out/$1"
}

ratio() {
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'
}

echo "leases: $here/leases.ini, 1,000 nodes, 50 ms a round trip, no loss"
run quiet $here/leases.ini --seed 1
printf '  %-8s %8s %8s %8s   %s\n' '' 'p50 ms' 'p99 ms' 'trips' 'p50 over the least possible (2 round trips)'
for op in create taken renew get; do
	p50=$(value quiet lease.${op}_ms 4)
	printf '  %-8s %8s %8s %8s   %s\n' $op "$p50" "$(value quiet lease.${op}_ms 6)" "$(ratio "$p50" 50)" "$(ratio "$p50" 100)"
done
echo "  four mails one after the other: $(ratio "$(value quiet lease.get_ms 4)" 100) hops each, as they go over the overlay's links"
echo
echo "memory, the same run: $(value quiet dht.node_bytes 2) bytes a node for the DHT, $(value quiet dht.slots 2) slots and $(value quiet dht.records 2)"
echo "  records in copies, $(value quiet dht.record_bytes 2) bytes a copy of a record with all that stands around it"

run churn $here/leases.ini --seed 1 -s 'churn.session=exponential median 10m' -s 'churn.off=exponential mean 60s'
sed '/^\[network/,/^$/d; /^\[leases\]/,/^$/d' $here/leases.ini >"$out/ring.ini"
run ring "$out/ring.ini" --seed 1 -s 'churn.session=exponential median 10m' -s 'churn.off=exponential mean 60s'
echo
echo "churn, median session 10 min: $(value churn dht.views_per_node_s 2) views a node and second; p50 of a create $(value churn \
	lease.create_ms 4) ms, p99 $(value churn lease.create_ms 6)"
echo "  bytes a node and second: $(value churn maintenance.bytes_per_node_s 3), without network and leases $(value ring \
	maintenance.bytes_per_node_s 3)"

echo
echo "DHCP and first packets: scenarios/dhcp-1k.ini, seed 1, crypto = model; clock from the first DISCOVER to the ACK"
run dhcp scenarios/dhcp-1k.ini --seed 1 -s run.crypto=model
run late scenarios/dhcp-1k.ini --seed 1 -s run.crypto=model -s guests.wait=60s
printf '  %-44s %8s %8s\n' '' 'p50 ms' 'p99 ms'
printf '  %-44s %8s %8s\n' 'machine starts with its node' "$(value dhcp dhcp.time_ms 4)" "$(value dhcp dhcp.time_ms 6)"
printf '  %-44s %8s %8s\n' 'machine starts 60 s later: the address alone' "$(value late dhcp.time_ms 4)" "$(value late dhcp.time_ms 6)"
printf '  %-44s %8s %8s\n' 'join of the ring (s)' "$(value dhcp join.time_s 4)" "$(value dhcp join.time_s 6)"
printf '  %-44s %8s %8s\n' 'first packet of a flow and its answer' "$(value late ping.first_ms 4)" "$(value late ping.first_ms 6)"
printf '  %-44s %8s %8s\n' 'later ones' "$(value late ping.rtt_ms 4)" "$(value late ping.rtt_ms 6)"
echo "  first over later, p50: $(ratio "$(value late ping.first_ms 4)" "$(value late ping.rtt_ms 4)")"
