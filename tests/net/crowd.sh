#!/bin/bash
# crowd.sh - many nodes on one machine
#
#	 m1          m2                m200
#	 weft0       weft0      ...    weft0
#	 |           |                 |
#	 eth0        eth0              eth0		10.200.X.Y/32, a namespace each
#	  \           \                /
#	   +---------- hub -----------+			a router: the kernel's neighbour table is one for all
#							namespaces and would not hold 200 on one segment
# COUNT nodes (200), each the interface of its own machine. Minutes.
NEEDS="ping"
SECTIONS="begin all end"
. "${0%/*}/lib.sh"
COUNT=${COUNT:-200}

at_of() { echo 10.200.$(($1 / 250)).$(($1 % 250)); }

begin() {
	local i

	echo 1 >/proc/sys/net/ipv4/ip_forward
	ctl net create tapnet --range 10.9.0.0/16 --term 120s --bootstrap 10.200.0.1:9338 --bootstrap 10.200.0.2:9338 >/dev/null
	for i in $(seq "$COUNT"); do
		ip netns add nm$i
		ip -n nm$i link set lo up
		ip link add u$i type veth peer name eth0 netns nm$i
		ip addr add 169.254.0.1/32 dev u$i
		ip link set u$i up
		ip route add "$(at_of $i)" dev u$i
		ip -n nm$i addr add "$(at_of $i)/32" dev eth0
		ip -n nm$i link set eth0 up
		ip -n nm$i route add 169.254.0.1 dev eth0
		ip -n nm$i route add default via 169.254.0.1
		where[m$i]=m$i
		ctl net add tapnet m$i --tap weft0 --listen6 off >/dev/null
	done
}

addressed() { local i n=0; for i in $(seq "$COUNT"); do [ -z "$(tap_of m$i)" ] || n=$((n + 1)); done; echo "$n of $COUNT"; [ "$n" = "$COUNT" ]; }
tap_of() { ip -n "n$1" -4 -o addr show dev weft0 2>/dev/null | sed -n 's/.*inet \(10\.9\.[0-9.]*\).*/\1/p'; }
distinct() { local i; for i in $(seq "$COUNT"); do tap_of m$i; done | sort -u | [ "$(wc -l)" = "$COUNT" ]; }

some_reach() {	# forty pairs
	local i j

	for i in $(seq 1 $((COUNT / 40)) "$COUNT"); do
		j=$(((i * 7 + 13) % COUNT + 1))
		[ $i = $j ] || await at m$i ping -q -c 1 -W 1 "$(tap_of m$j)" >/dev/null || { echo "m$i does not reach m$j"; return 1; }
	done
}

costs() {	# what one of them takes when nothing happens
	local p=${pid[m100]:-${pid[m2]}} before after

	awk '/^Private/ { s += $2 } END { print s " kB private" }' "/proc/$p/smaps_rollup"
	before=$(awk '{ print $14 + $15 }' "/proc/$p/stat")
	sleep 20
	after=$(awk '{ print $14 + $15 }' "/proc/$p/stat")
	echo "$((after - before)) ticks of processor time in 20 s"
}

all() {
	local i since=$SECONDS

	AWAIT=240
	for i in $(seq "$COUNT"); do
		start m$i -s node.log=info
		[ $((i % 20)) != 0 ] || sleep 0.5
	done
	holds "$COUNT nodes: each has an address" await addressed
	echo "        after $((SECONDS - since)) s"
	holds "no two have the same" distinct
	AWAIT=20
	holds "pairs reach each other" some_reach
	costs | sed 's/^/        /'
}

end() {
	local i

	for i in $(seq 2 2 "$COUNT"); do kill -9 "${pid[m$i]}"; unset "pid[m$i]"; done
	AWAIT=60
	holds "half of them are killed: the others are members still" still
	for i in $(seq 1 2 "$COUNT"); do kill -TERM "${pid[m$i]}" 2>/dev/null; done
	holds "the others end" await gone
}
still() { local i; for i in $(seq 1 10 "$COUNT"); do await joined m$i || return 1; done; }
gone() { local i; for i in $(seq 1 2 "$COUNT"); do ! kill -0 "${pid[m$i]}" 2>/dev/null || return 1; done; }

run
