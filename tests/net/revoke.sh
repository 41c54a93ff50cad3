#!/bin/bash
# revoke.sh - who is revoked hears nothing that is said to all afterwards
#
#	 na          nb          nc		a namespace each
#	 alice       bob         carol
#	 weft0       weft0       weft0		the network "home", which is the overlay, too
#	 weft1       weft1       weft1		the network "blue", carried by it: carol is revoked from this one only, so
#	 eth0 .1     eth0 .2     eth0 .3	she stays on the ring, and all that is broadcast in it comes to her, sealed
#	-+-----------+-----------+- under0
NEEDS="tcpdump"
SECTIONS="meet revoked again undone"
. "${0%/*}/lib.sh"
where=([alice]=a [bob]=b [carol]=c)

# heard NODE SIZE - pings of that size to everybody that came out of its tap
heard() { tcpdump -nr "$1.pcap" "icmp and greater $(($2 + 42)) and less $(($2 + 42))" 2>/dev/null | grep -c 'echo request'; }

# calls NODE SIZE - one, to all of blue; nobody answers
calls() { on "$1" ping -q -b -c 1 -W 1 -s "$2" -I weft1 10.8.0.255 >/dev/null 2>&1 || true; }

hears() { calls "$2" "$3"; [ "$(heard "$1" "$3")" -gt 0 ]; }	# NODE FROM SIZE
blue() { ctl -c "$1/weft.conf" networks | sed -n '/^blue/,/^[^ b]/p'; }
in_epoch() { blue "$1" | grep -qE "epoch +$2\$"; }
waits() { blue "$1" | grep -q 'not here yet'; }
no_epoch() { not grep -q epoch <(blue "$1"); }
unopened() { ctl -c "$1/weft.conf" status --json | grep -qE '"under a group key[^"]*":[1-9]'; }
list() { sed -n "s/^list \([0-9]*\): .*/\1/p" revoke.out | tail -n 1; }

meet() {
	local n

	underlay a b c
	ctl net create home --range 10.9.0.0/24 --term 60s --bootstrap 172.30.0.1:9338 >/dev/null
	for n in alice bob carol; do ctl net add home $n --tap weft0 >/dev/null; start $n; done
	await ring_of 2 alice bob carol >/dev/null
	ctl net create blue --range 10.8.0.0/24 --term 60s --founder "$(field alice id)" >/dev/null
	for n in alice bob carol; do
		ctl net admit blue $n $n/state/card --out $n/blue.card >/dev/null
		cp blue/charter $n/blue.network
		printf '%s\n' '' '[network.2]' 'record = blue.network' 'card = blue.card' 'tap = weft1' >>$n/weft.conf
		kill -HUP "${pid[$n]}"
	done
	for n in a b c; do await has_address '' n$n weft1 >/dev/null; done
	for n in bob carol; do capture $n weft1; done
	holds "bob hears what alice says to all" await hears bob alice 100
	holds "and so does carol" await hears carol alice 100
	holds "in the network's first epoch" no_epoch alice
}

revoked() {
	ctl net revoke blue carol -c alice/weft.conf >revoke.out
	holds "carol is revoked from blue, at alice's node" grep -q 'group key' revoke.out
	holds "alice is in the list's epoch" await in_epoch alice "$(list)"
	holds "bob is, too, and has its key" await in_epoch bob "$(list)"
	holds "carol knows of it, and has it not" await waits carol
	holds "bob hears what alice says now" await hears bob alice 200
	holds "carol is on the ring all the same" ring_of 2 carol
	holds "and gets what she cannot open" await unopened carol
	holds "she never hears it" never hears carol alice 200
	holds "nor bob" never hears carol bob 300
	holds "what she says is nobody's" never hears bob carol 400
}

again() {
	holds "alice and bob stop" all_stopped alice bob
	start alice
	start bob
	holds "back, they are in that epoch" await in_epoch bob "$(list)"
	await in_epoch alice "$(list)" >/dev/null
	await has_address '' nb weft1 >/dev/null
	kill "${pid[tcpdump.bob]}" 2>/dev/null
	capture bob weft1
	holds "bob hears alice" await hears bob alice 500
	holds "carol does not" never hears carol alice 500
}

undone() {
	ctl net revoke blue carol --undo -c bob/weft.conf >revoke.out
	holds "undone at bob's node, the next epoch has carol in it" await in_epoch carol "$(list)"
	AWAIT=60 holds "she hears alice again" await hears carol alice 600
	holds "all end well" all_stopped alice bob carol
}

run
