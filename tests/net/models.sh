#!/bin/bash
# models.sh - IPv6 inside and outside, several nodes on one LAN, networks that overlap
#
#	 na        nb          nc          nd
#	 weft0     lan0=weft0  lan0=weft0  lan0=weft0	bob, carol, dave: routers whose LANs
#	 |         |  \        |  /        |  /		are one: the switch sw0
#	 alice     bob +---- sw0 +---------+		h1, h2: machines of that LAN
#	 |         |           |           |
#	-+---------+- under0 --+-----------+-		172.30.0.0/24, fd30::/64
NEEDS="udhcpc dhclient arping dig tcpdump tshark"
SECTIONS="six lan same"
. "${0%/*}/lib.sh"
where=([alice]=a [bob]=b [carol]=c [dave]=d [anne]=a [ben]=b)

# ---- IPv6 only, inside and outside --------------------------------------------

finds() { local want=$1; shift; "$@" | grep -xF "$want"; }

six() {
	local a b n

	for n in a b; do ip -n n$n -4 addr flush dev eth0; done
	ctl net create sixnet --range6 fd09::/64 --term 60s --bootstrap '[fd30::1]:9338' >/dev/null
	ctl net add sixnet anne --tap weft0 --listen4 off >/dev/null
	ctl net add sixnet ben --tap weft0 --listen4 off >/dev/null
	start anne
	start ben
	holds "over an underlay that has IPv6 alone two nodes join" await ring_of 1 anne ben
	holds "a network that has IPv6 alone gives addresses" await has_address6 anne
	holds "to both" await has_address6 ben
	a=$(address6 anne) b=$(address6 ben)
	holds "ping6" pings_soon a "$b"
	holds "full packets" pings b -s 1352 -M do "$a"
	holds "fragmented ones" pings b -s 6000 "$a"
	holds "the name of one is found from the other" await finds "$a" at b dig +short +time=2 +tries=1 AAAA @fd09::1 anne.sixnet
	capture anne
	at b ping -q -i 0.01 -c 60 "$a" >/dev/null
	at a ip -6 addr add "${a%:*}:beef/64" dev weft0 nodad
	at a ping -q -c 1 -W 1 -I "${a%:*}:beef" fd09::1 >/dev/null	# nobody claims an address that is not used
	holds "an address of one's own choice is claimed and reached" pings_soon b "${a%:*}:beef"
	holds "two megabytes over TCP arrive as they were" sends_file a b "$b"
	kill "${pid[tcpdump.anne]}"
	holds "tshark sees only correct frames" correct anne
	holds "both end well" all_stopped anne ben
	for n in 1 2; do ip -n "n$(echo ab | cut -c $n)" addr add "172.30.0.$n/24" dev eth0; done
}

# ---- several nodes on one LAN ---------------------------------------------------

claims() { ctl -c "$1/weft.conf" networks --json 2>/dev/null | grep -qE '"designated": *true'; }

# Frames that the switch carries in two seconds with nobody talking.
quiet() {
	local n

	n=$(timeout 2 tcpdump -q -l -n -i sw0 2>/dev/null | wc -l)
	echo "$n frames in 2 s"
	[ "$n" -lt 100 ]
}

once() {	# each echo request is answered once
	ip netns exec "$1" ping -c 5 -i 0.2 -W 1 "$2" | tee once.out | grep -q '5 received'
	not grep -q DUP once.out
}

lan() {
	local a h1 h2 n holder

	ctl net create lannet --range 10.9.0.0/24 --range6 fd09::/64 --term 15s --bootstrap 172.30.0.1:9338 >/dev/null
	ctl net add lannet alice --tap weft0 >/dev/null
	for n in bob carol dave; do ctl net add lannet $n --tap weft0 --model router --bridge lan0 >/dev/null; done
	for n in alice bob carol dave; do start $n; done
	ip link add sw0 type bridge && ip link set sw0 up
	for n in b c d; do
		await exists $n lan0
		ip link add "s$n" type veth peer name up0 netns "n$n"
		ip -n "n$n" link set up0 master lan0 up
		ip link set "s$n" master sw0 up
	done
	for n in 1 2; do
		machine h$n
		ip link add "p$n" type veth peer name eth0 netns h$n
		ip link set "p$n" master sw0 up
		ip -n h$n link set eth0 up
	done
	holds "four nodes, three of them on one LAN, join" await ring_of 2 alice bob carol dave
	holds "alice has her address" await has_address alice
	a=$(address alice)
	udhcpc_start h1 eth0
	dhclient_start h2 eth0
	holds "a machine of that LAN gets an address" await has_address '' h1 eth0
	holds "so does another" await has_address '' h2 eth0
	h1=$(address '' h1 eth0) h2=$(address '' h2 eth0)
	holds "they differ" [ "$h1" != "$h2" ]
	holds "the machines reach alice" await ip netns exec h1 ping -q -c 1 -W 1 "$a"
	holds "both of them" await ip netns exec h2 ping -q -c 1 -W 1 "$a"
	holds "alice reaches them" pings_soon a "$h1"
	holds "each ping is answered once" once h1 "$a"
	holds "and once from outside" once na "$h2"
	holds "the machines reach each other" ip netns exec h1 ping -q -c 2 -i 0.2 -W 1 "$h2"
	holds "a broadcast does not go round" quiet
	at a arping -q -U -c 3 -w 1 -I weft0 "$a"
	holds "nor does one from outside" quiet
	for n in bob carol dave; do
		if ctl -c $n/weft.conf leases | grep -qE "$h1 +ours"; then holder=$n; fi
	done
	holds "one of the three holds the machine's lease" [ -n "$holder" ]
	holds "it is killed" killed "$holder"
	AWAIT=45		# until its lease is over: nobody else may believe it before
	holds "another serves the machine" await ip netns exec h1 ping -q -c 1 -W 1 "$a"
	AWAIT=20
	holds "the kernel of none has lost its mind" quiet
	unset "where[$holder]"
	for n in alice bob carol dave; do [ -z "${pid[$n]:-}" ] || kill -TERM "${pid[$n]}"; done
	for n in alice bob carol dave; do [ -z "${pid[$n]:-}" ] || holds "$n ends well" ends_well $n; done
	kill "${pid[udhcpc.h1]}" "${pid[dhclient.h2]}"
	ip link del sw0
}

# ---- two networks with one range -------------------------------------------------

same() {
	local n id x y

	ctl net create onenet --range 10.9.0.0/24 --term 60s --bootstrap 172.30.0.1:9338 >/dev/null
	ctl net add onenet anna --tap weft0 >/dev/null
	ctl net add onenet bert --tap weft0 >/dev/null
	where[anna]=a where[bert]=b
	start anna
	start bert
	await ring_of 1 anna bert
	id=$(field anna id)
	ctl net create twonet --range 10.9.0.0/24 --term 60s --founder "$id" >/dev/null
	for n in anna bert; do
		ctl net admit twonet $n $n/state/card --out $n/two.card >/dev/null
		cp twonet/charter $n/two.network
		printf '\n[network.2]\nrecord = two.network\ncard = two.card\ntap = weft1\naddress = off\n' >>$n/weft.conf
	done
	holds "both leave, to become members of a second network of the same range" all_stopped anna bert
	start anna
	start bert
	holds "in the first each has an address" await has_address anna
	await has_address bert
	for n in a b; do
		await exists $n weft1
		machine g$n
		ip -n n$n link set weft1 netns g$n
		ip -n g$n link set weft1 up
		udhcpc_start g$n weft1
	done
	holds "the second's machine gets one by DHCP" await has_address '' ga weft1
	holds "on the other side, too" await has_address '' gb weft1
	x=$(address '' ga weft1) y=$(address '' gb weft1)
	holds "they reach each other" await ip netns exec ga ping -q -c 1 -W 1 "$y"
	ip -n ga addr flush dev weft1
	kill "${pid[udhcpc.ga]}"
	ip -n ga addr add "$(address bert)/24" dev weft1
	ip netns exec ga arping -q -U -c 2 -w 1 -I weft1 "$(address bert)"
	holds "an address of the first is free in the second, and used there at the same time" await ip netns exec gb ping -q -c 1 -W 1 "$(address bert)"
	holds "its owner in the first is who was asked" pings_soon a "$(address bert)"
	holds "nobody from the second is reached in the first" not at a ping -q -c 1 -W 1 -I weft0 "$y"
	kill "${pid[udhcpc.gb]}"
	holds "both end well" all_stopped anna bert
}

underlay a b c d
run
