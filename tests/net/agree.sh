#!/bin/bash
# agree.sh - the same five nodes in the simulator and in namespaces
#
#	 na      nb      nc      nd      ne
#	 n1      n2      n3      n4      n5		n1 is whom the others know
#	 |       |       |       |       |
#	-+-------+-under0+-------+-------+-		scenarios/agree.ini
#
# One node a second from the first, nothing lost, nobody leaves. In both worlds
# messages are counted by kind: 40 s to join, then 60 s of keepalives. What must
# agree exactly: members, links, handshakes. Keepalives within 10 %: each is sent
# after a random silence around its period. One difference is known: a simulated
# node hears of its address after its start, not before, and then calls n1 again,
# who says that a link stands: one INIT and one REPLY more for each. Other kinds are shown: how often tables
# are exchanged depends on who knows of whom at which moment.
NEEDS=
SECTIONS="agree"
SIM_SCENARIO=$(cd "${0%/*}/../.." && pwd)/scenarios/agree.ini
. "${0%/*}/lib.sh"
where=([n1]=a [n2]=b [n3]=c [n4]=d [n5]=e)

# The sum over nodes of what they sent of a kind, from status files PREFIX.n1 ...
total() {	# PREFIX KIND
	cat "$1".n? | sed -n "s/.*\"sent\":{\([^}]*\)}.*/\1/p" | grep -oE "\"$2\":[0-9]+" | awk -F: '{ s += $2 } END { print s + 0 }'
}
stat_all() { local n; for n in n1 n2 n3 n4 n5; do ctl -c $n/weft.conf status --json >"$1.$n"; done; }

# A column of the simulator's series, summed over its first 40 s (join) or the rest (rest).
simulated() {	# join|rest COLUMN
	awk -F, -v part="$1" -v want="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == want) c = i; next }
		{ if (part == "join" ? $1 <= 40 : $1 > 40) s += $c } END { print s + 0 }' sim/series.csv
}

same() { echo "simulator $1, namespaces $2"; [ "$1" = "$2" ]; }
about() { echo "simulator $1, namespaces $2"; [ $((100 * ($1 > $2 ? $1 - $2 : $2 - $1))) -le $((10 * $1)) ]; }

agree() {
	local n t0 kind

	holds "the simulator runs it" "$BIN/weft-sim" run "$SIM_SCENARIO" --no-report -o sim
	ctl net create plain --bootstrap 172.30.0.1:9338 >/dev/null
	for n in n1 n2 n3 n4 n5; do ctl net add plain $n --listen6 off >/dev/null; done
	t0=$(date +%s)
	for n in n1 n2 n3 n4 n5; do start $n; sleep 1; done
	holds "five daemons join" await ring_of 4 n1 n2 n3 n4 n5
	sleep $((t0 + 40 - $(date +%s)))
	stat_all join
	sleep 60
	stat_all rest
	holds "members" same 5 "$(grep -l '"state":"joined"' rest.n? | wc -l)"
	holds "links" same 20 "$(for n in n1 n2 n3 n4 n5; do field $n links; done | awk '{ s += $1 } END { print s }')"
	holds "handshakes finished" same "$(simulated join sent.packets.finish)" "$(total join finish)"
	for kind in init reply; do
		holds "handshakes: $kind, less the second call" same "$(($(simulated join sent.packets.$kind) - 5))" "$(total join $kind)"
	done
	for kind in init reply finish; do
		holds "none later: $kind" same "$(simulated rest sent.packets.$kind)" "$(($(total rest $kind) - $(total join $kind)))"
	done
	for kind in probe probe-ack; do
		holds "keepalives: $kind" about "$(simulated rest sent.packets.${kind/-/_})" "$(($(total rest $kind) - $(total join $kind)))"
	done
	echo "        sent while joining:     kind  simulator  namespaces"
	for kind in probe mtu-probe near table ask enter welcome status init reply finish; do
		printf '        %28s %10s %11s\n' $kind "$(simulated join sent.packets.${kind/-/_})" "$(total join $kind)"
	done
	holds "all end well" all_stopped n5 n4 n3 n2 n1
}

underlay a b c d e
run
