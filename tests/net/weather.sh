#!/bin/bash
# weather.sh - what happens to a machine's network and clock while it is in use
#
#	 na          nb          nc
#	 weft0       weft0       weft0
#	 |           |           |
#	 alice       bob         carol
#	 |           |           |
#	-+-----------+-- under0 -+--		172.30.0.0/24; bob's address and MTU change
NEEDS="arping"
SECTIONS="begin moves small stops clock lost end"
. "${0%/*}/lib.sh"
where=([alice]=a [bob]=b [carol]=c)
TERM=15s

begin() {
	local n

	ctl net create tapnet --range 10.9.0.0/24 --term $TERM --bootstrap 172.30.0.1:9338 --bootstrap 172.30.0.3:9338 >/dev/null
	for n in alice bob carol; do ctl net add tapnet $n --tap weft0 >/dev/null; done
	for n in alice bob carol; do start $n; done
	holds "three daemons join" await ring_of 2 alice bob carol
	for n in alice bob carol; do holds "$n has an address" await has_address $n; done
	a=$(address alice) b=$(address bob) c=$(address carol)
	holds "ping" pings_soon a "$b"
}

# ---- the underlay's address changes -------------------------------------------

# A line a tenth of a second over one TCP connection, for 8 s; what arrived is counted.
transfer() {
	at b busybox nc -l -p 5002 >moved < <(sleep 20) &
	pid[nc]=$!
	await listens b 5002
	at a sh -c "i=0; while [ \$i -lt 80 ]; do i=\$((i + 1)); echo line \$i; sleep 0.1; done" | at a timeout 20 busybox nc "$b" 5002 &
	pid[sender]=$!
}

moves() {
	transfer
	await grep -qs 'line 10$' moved
	ip -n nb addr add 172.30.0.77/24 dev eth0
	ip -n nb addr del 172.30.0.2/24 dev eth0
	ip -n nb addr show dev eth0 | grep -q 172.30.0.77 || ip -n nb addr add 172.30.0.77/24 dev eth0
	holds "bob's underlay address changes under a TCP transfer, which goes on" await grep -qs 'line 80$' moved
	holds "nothing of it is lost" [ "$(grep -c . moved)" = 80 ]
	kill "${pid[nc]}" "${pid[sender]}" 2>/dev/null
	unset "pid[nc]" "pid[sender]"
	holds "the machines have their addresses still" [ "$(address bob)" = "$b" ]
	holds "a ping is as before" pings a "$b"
	holds "bob is still a member" joined bob
}

# ---- a path of 1280 bytes --------------------------------------------------------

small() {
	ip -n nb link set eth0 mtu 1280
	ip link set ub mtu 1280
	holds "with a path of 1280 bytes small packets cross" pings_soon b "$a"
	holds "full ones as well, in pieces" await at a ping -q -c 1 -W 1 -s 1372 -M do "$b"
	holds "and the other way" await at b ping -q -c 1 -W 1 -s 1372 -M do "$a"
	holds "two megabytes over TCP arrive as they were" sends_file a b "$b"
	holds "and back" sends_file b a "$a"
	ip -n nb link set eth0 mtu 1500
	ip link set ub mtu 1500
}

# ---- suspended -------------------------------------------------------------------

# Nobody believes an address of bob's while he may have lost it: his host has none when his term is over.
stops() {
	kill -STOP "${pid[bob]}"
	AWAIT=30
	holds "bob's process stands still: his host's address goes with its term" await not has_address bob
	holds "nobody answers for it" not at a ping -q -c 1 -W 1 "$b"
	holds "it is free for others" await freed alice "$b"
	kill -CONT "${pid[bob]}"
	holds "when he goes on he has an address again" await has_address bob
	AWAIT=20
	b=$(address bob)
	holds "which is reached" pings_soon a "$b"
	holds "he is a member" await joined bob
	holds "no address has two owners" [ "$(printf '%s\n' "$a" "$b" "$c" | sort -u | wc -l)" = 3 ]
}

# ---- the clock -------------------------------------------------------------------

# The wall clock of one process is wrong: libfaketime, as the kernel has no namespace for it.
clock() {
	if ! have faketime; then skip "a wall clock that is wrong" "faketime is not installed"; return; fi
	holds "carol leaves" stopped carol TERM
	printf '+0' >clock.rc
	FAKETIME_TIMESTAMP_FILE=$work/clock.rc FAKETIME_CACHE_DURATION=1 FAKETIME_DONT_FAKE_MONOTONIC=1 \
		LD_PRELOAD=$(ls /usr/lib/*/faketime/libfaketime.so.1 | head -n 1) start carol
	holds "carol comes back, with a clock of her own" await has_address carol
	c=$(address carol)
	printf -- '-3600s' >clock.rc
	holds "her clock steps back an hour: her address stays" never not has_this carol "$c"
	holds "and is reached" pings_soon a "$c"
	printf '+86400s' >clock.rc
	holds "it steps on a day: her address stays" never not has_this carol "$c"
	kill -HUP "${pid[carol]}"
	holds "she does see another day" await grep -q "^$(date -u -d '+1 day' +%Y-%m-%d)" carol.log
	holds "and is reached still" pings_soon a "$c"
	AWAIT=30
	holds "her lease is renewed all the same" await renewed carol
	AWAIT=20
}

# The kernel is told of each renewal: the address lives on longer than it was to.
left() { ip -n "n${where[$1]}" -4 -o addr show dev weft0 | sed -n 's/.*valid_lft \([0-9]*\)sec.*/\1/p'; }
renewed() { local before=$(left "$1"); sleep 1.2; [ "$(left "$1")" -ge "${before:-999}" ]; }

# ---- the link goes down ------------------------------------------------------------

lost() {	# [SECONDS]
	ip -n nb link set eth0 down
	holds "bob's cable is pulled: the others notice" await not at a ping -q -c 1 -W 1 "$b"
	sleep "${DOWN:-2}"
	ip -n nb link set eth0 up
	AWAIT=40
	holds "plugged in again, bob is back" await ring_of 2 alice bob carol
	await has_address bob
	AWAIT=20
	b=$(address bob)
	holds "and reached" pings_soon a "$b"
}

# A minute: longer than the term and all probes.
minute() { DOWN=60 lost; }

end() { holds "all end well" all_stopped alice bob carol; }

underlay a b c
run
