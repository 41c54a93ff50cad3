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
SECTIONS="begin moves small small6 stops clock lost end"
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

# UNIT of bob's cable; the other end is the switch's, which says nothing of what it does not pass on.
cable() { ip -n nb link set eth0 mtu "$1" && ip link set ub mtu "$1"; }

in_pieces() { ctl -c "$1/weft.conf" trace "$2" --json | sed -n 's/.*"out_in_pieces":\([0-9]*\).*/\1/p'; }

# FROM TO ADDRESS NODE: two megabytes, and not one packet of NODE's more than before in pieces
whole() {
	local before=$(in_pieces "$4" "$3")

	sends_file "$1" "$2" "$3" || return 1
	says "${before:-none}" in_pieces "$4" "$3"
}

learned() { ip -n "$1" route get "$2" | grep -q "mtu $3"; }	# NETNS ADDRESS MTU: its kernel remembers that

small() {
	cable 1280
	holds "with a path of 1280 bytes small packets cross" pings_soon b "$a"
	holds "full ones as well, in pieces" await at a ping -q -c 1 -W 1 -s 1372 -M dont "$b"
	holds "and the other way" await at b ping -q -c 1 -W 1 -s 1372 -M dont "$a"
	holds "who forbids pieces hears what fits: 1211 bytes" await_said 'message too long, mtu=1211' at a ping -c 3 -i 0.2 -W 1 -s 1372 -M do "$b"
	holds "his kernel knows it for that machine" learned na "$b" 1211
	holds "and for no other" not learned na "$c" 1211
	holds "what fits is not cut, and arrives" at a ping -q -c 2 -i 0.2 -W 1 -s 1183 -M do "$b"
	await learned_both
	holds "two megabytes over TCP arrive as they were, and none of it in pieces" whole a b "$b" alice
	holds "and back" whole b a "$a" bob
	holds "doctor says what the paths carry" grep -qE 'paths carry less than .* the least 1252' <(ctl -c bob/weft.conf doctor)
	cable 1500
}

await_said() { await said "$@"; }
said() { "${@:2}" 2>&1 | grep -q "$1"; }
learned_both() { learned nb "$a" 1211 || ! at b ping -q -c 1 -W 1 -s 1372 -M do "$a" >/dev/null; }

# The same where the underlay has IPv6 alone, for machines that speak IPv6 as well: those cannot send less than 1280, so TCP
# is told in its SYN what fits.
small6() {
	local n y

	ctl net create sixnet --range 10.8.0.0/24 --range6 fd08::/64 --term 60s --bootstrap '[fd30::1]:9440' >/dev/null
	for n in anne ben; do ctl net add sixnet $n --tap weft6 --listen4 off --listen6 '[::]:9440' >/dev/null; done
	where[anne]=a where[ben]=b
	start anne
	start ben
	holds "over IPv6 alone two nodes join" await ring_of 1 anne ben
	await has_address anne na weft6
	await has_address ben nb weft6
	y=$(address ben nb weft6)
	ip -n na addr add fd08::a/64 dev weft6 nodad
	ip -n nb addr add fd08::b/64 dev weft6 nodad
	pings_soon a "$y"
	at b ping -q -c 1 -W 1 fd08::a >/dev/null	# who says nothing is not known to be there
	holds "with addresses of both kinds" pings_soon a fd08::b
	holds "full packets cross a path of 1500 and are not cut" whole a b "$y" anne
	cable 1280
	holds "of 1280: full ones cross, in pieces" await at a ping -q -c 1 -W 1 -s 1372 -M dont "$y"
	holds "who forbids that hears what fits: 1191 bytes" await_said 'message too long, mtu=1191' at a ping -c 3 -i 0.2 -W 1 -s 1372 -M do "$y"
	holds "two megabytes over TCP arrive as they were, and none of it in pieces" whole a b "$y" anne
	holds "over IPv6 inside, too" whole a b fd08::b anne
	cable 1500
	holds "both end well" all_stopped anne ben
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
