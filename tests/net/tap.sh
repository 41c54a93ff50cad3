#!/bin/bash
# tap.sh - real daemons behind real taps, real DHCP clients behind those
#
#	 na          nb          nc          nd		a namespace each, one node in each
#	 weft0       weft0       lan0=weft0  weft0
#	 |           |           |    \      |
#	 alice       bob         carol \     dave
#	 |           |           |      hc   |		hc: a machine on carol's LAN, knows of nothing
#	 eth0 .1     eth0 .2     eth0 .3     eth0 .4	172.30.0.0/24
#	 |           |           |           |
#	-+-----------+-- under0 -+-----------+-		the underlay: a bridge in a namespace of its own
NEEDS="udhcpc dhclient arping dig tcpdump tshark"
SECTIONS="two four more privileges bad"
. "${0%/*}/lib.sh"
where=([alice]=a [bob]=b [carol]=c [dave]=d)

# ---- two --------------------------------------------------------------------

# Addresses of the network that neither $1 nor $2 is: leases are drawn, and one may be any
spare() { printf '10.9.0.%d\n' {50..60} | grep -vxF -e "$1" -e "$2"; }

two() {
	local a b free

	ctl net create tapnet --range 10.9.0.0/24 --reserve 10.9.0.16/28 --term 60s >/dev/null
	ctl net add tapnet alice --tap weft0 >/dev/null
	ctl net add tapnet bob --tap weft0 --own-address off --bootstrap 172.30.0.1:9338 >/dev/null
	start alice
	holds "a node alone has an address for its host, without a DHCP client" await has_address alice
	start bob
	holds "two daemons join over the underlay" await ring_of 1 alice bob
	capture alice
	capture bob
	udhcpc_start nb weft0
	holds "udhcpc gets an address behind the other" await has_address bob
	a=$(address alice) b=$(address bob)
	free=($(spare "$a" "$b"))
	holds "the two differ" [ "$a" != "$b" ]
	holds "it was told server, DNS and MTU" grep -qE "^bound $b/(24|255.255.255.0) server 10.9.0.1 dns 10.9.0.1 lease [0-9]+ mtu 1400" udhcpc.nb
	holds "ping from bob to alice" pings_soon b "$a"
	holds "ping from alice to bob" pings a "$b"
	holds "full packets, not to be fragmented" pings a -s 1372 -M do "$b"
	holds "fragmented packets" pings b -s 8000 "$a"
	holds "no packet of more than the MTU" not at a ping -c 1 -W 1 -s 1373 -M do "$b"
	holds "the gateway answers pings" pings b 10.9.0.1
	holds "arping sees bob's address" at a arping -c 2 -f -w 3 -I weft0 "$b"
	holds "arping sees nobody at an address that is free" not at a arping -c 2 -w 2 -I weft0 ${free[1]}
	holds "a ping to nobody is told so" grep -qiE 'unreachable|100% packet loss' <(at a ping -c 2 -W 1 ${free[2]})
	holds "two megabytes over TCP arrive as they were" sends_file a b "$b"
	holds "and the other way" sends_file b a "$a"

	holds "the name of alice is found from bob" await says "$a" at b dig +short +time=2 +tries=1 @10.9.0.1 alice.tapnet
	holds "its address has that name" await says 'alice.tapnet.' at b dig +short +time=2 +tries=1 -x "$a" @10.9.0.1
	holds "a name nobody has is denied" grep -q NXDOMAIN <(at b dig +time=3 +tries=1 @10.9.0.1 nobody.tapnet)
	holds "the gateway's own name form" says "$a" at b dig +short +time=3 +tries=1 @10.9.0.1 "$(echo "$a" | awk -F. '{ printf "C%03d%03d%03d", $2, $3, $4 }').tapnet"

	at a ip addr add ${free[0]}/24 dev weft0
	at a arping -q -U -c 1 -I weft0 ${free[0]}
	holds "a static address that is free is learned, and reached" await at b ping -q -c 1 -W 1 ${free[0]}
	holds "one in use is defended" not at b arping -D -c 2 -w 3 -I weft0 "$a"
	at b ip addr add "$a/24" dev weft0
	holds "whoever takes it all the same reaches nobody" not at b ping -c 2 -W 1 -I "$a" ${free[0]}
	at b ip addr del "$a/24" dev weft0
	holds "its owner does not mind" await at a ping -c 1 -W 1 "$b"
	at a ip addr del ${free[0]}/24 dev weft0

	holds "kill -9 of bob" killed bob
	kill "${pid[udhcpc.nb]}"
	wait "${pid[udhcpc.nb]}"
	kill -9 "${pid[tcpdump.bob]}" 2>/dev/null
	start bob
	holds "started again it joins" await ring_of 1 alice bob
	await exists b weft0
	udhcpc_start nb weft0
	holds "and its machine has the same address again" await has_this bob "$b"
	holds "ping still works" pings_soon b "$a"
	holds "kill -9 of alice" killed alice
	start alice
	holds "its host has the same address again" await has_this alice "$a"
	holds "and is reached" pings_soon b "$a"

	holds "the node says that it holds the address" grep -qE "tapnet +$b +ours +yes" <(ctl -c bob/weft.conf leases)
	holds "and the other who does" grep -q "$b is held by $(field bob id)" <(ctl -c alice/weft.conf resolve "$b")
	holds "an address nobody has is nobody's" grep -q "nobody's" <(ctl -c alice/weft.conf resolve ${free[3]})
	holds "the machine behind the tap is listed" grep -q "$b .*leased" <(ctl -c bob/weft.conf networks)
	holds "the name that is published, too" grep -q 'bob\|alice' <(ctl -c alice/weft.conf names)
	pings_soon b 10.9.0.1		# the release is unicast: without an ARP entry it is lost in the kernel with its address
	kill -USR2 "${pid[udhcpc.nb]}"
	holds "udhcpc gives its address back" await not has_address bob
	holds "it is nobody's" await freed alice "$b"
	holds "nobody is at it any more" await gone_from a "$b"
	kill "${pid[udhcpc.nb]}"
	kill "${pid[tcpdump.alice]}" 2>/dev/null
	holds "tcpdump and tshark see only correct frames" correct alice bob
}

# ---- four -------------------------------------------------------------------

all_reach() {	# every host reaches every other
	local n m

	for n in a b d; do
		for m in "$@"; do pings_soon "$n" "$m" || return 1; done
	done
	for m in "$@"; do await ip netns exec hc ping -q -c 1 -W 1 "$m" >/dev/null || return 1; done
}

four() {
	local h

	ctl net add tapnet carol --tap weft0 --model router --bridge lan0 --bootstrap 172.30.0.1:9338 >/dev/null
	ctl net add tapnet dave --tap weft0 --address 10.9.0.17 --own-address 10.9.0.17 --bootstrap 172.30.0.2:9338 >/dev/null
	start carol
	start dave
	holds "four daemons join" await ring_of 2 alice bob carol dave
	holds "a router's bridge is made, its tap is in it" await grep -q 'master lan0' <(ip -n nc link show weft0)
	holds "an address by certificate is there at once" await has_this dave 10.9.0.17
	ip -n nc link add l0 type veth peer name eth0 netns hc
	ip -n nc link set l0 master lan0 up
	ip -n hc link set eth0 up
	dhclient_start hc eth0
	holds "dhclient gets an address on the router's LAN" await has_address '' hc eth0
	h=$(address '' hc eth0)
	udhcpc_start nb weft0
	holds "udhcpc gets one, too" await has_address bob
	holds "all reach all" all_reach "$(address alice)" "$(address bob)" 10.9.0.17 "$h"
	ip netns exec hc ip link set eth0 down
	ip netns exec hc ip link set eth0 up
	holds "full packets to the LAN" await at d ping -q -c 1 -W 1 -s 1372 -M do "$h"
	holds "large ones too" pings d -s 5000 "$h"
	ip netns exec hc ping -q -c 1 -W 1 10.9.0.1 >/dev/null	# as above
	timeout 10 ip netns exec hc dhclient -r -sf "$work/dhclient.script" -lf "$work/dhclient.hc.leases" -pf "$work/dhclient.hc.pid" eth0 >/dev/null 2>&1 </dev/null &
	wait $!
	holds "dhclient gives it back" await gone_from d "$h"

	holds "SIGTERM ends the router" stopped carol TERM
	holds "and its bridge is gone" not exists c lan0
	ip -n nc link add lan0 type bridge
	start carol
	await joined carol
	holds "a bridge that was there is used" await grep -q 'master lan0' <(ip -n nc link show weft0)
	holds "SIGTERM" stopped carol TERM
	holds "and stays" exists c lan0
	kill "${pid[udhcpc.nb]}"
	for n in alice bob dave; do kill -TERM "${pid[$n]}"; done
	for n in alice bob dave; do holds "$n ends well" ends_well $n; done
	holds "no tap is left" not exists a weft0
}

# ---- hybrid, and a second network on the same node ---------------------------

more() {
	local h id

	ctl net create morenet --range 10.5.0.0/24 --term 60s >/dev/null
	ctl net add morenet anne --tap weft0 >/dev/null
	ctl net add morenet hugo --tap weft0 --model hybrid --bridge lan1 --own-address lease --bootstrap 172.30.0.1:9338 >/dev/null
	where[anne]=a where[hugo]=c
	start anne
	await joined anne
	ip -n nc link add lan1 type bridge && ip -n nc link set lan1 up
	ip link add m0 netns nc type veth peer name eth1 netns hc
	ip -n nc link set m0 master lan1 up
	ip -n hc link set eth1 up
	start hugo
	holds "under hybrid the host has a card of its own beside the LAN's" await has_address hugo nc weft0h
	h=$(address hugo nc weft0h)
	holds "it is reached" pings_soon a "$h"
	holds "it reaches" pings c "$(address anne)"
	udhcpc_start hc eth1
	holds "another machine of that LAN is not served" never has_address '' hc eth1
	kill "${pid[udhcpc.hc]}"

	id=$(field anne id)
	ctl net create guestnet --range 10.4.0.0/24 --term 60s --founder "$id" >/dev/null
	ctl net admit guestnet anne anne/state/card --out anne/guest.card >/dev/null
	ctl net admit guestnet hugo hugo/state/card --out hugo/guest.card >/dev/null
	for n in anne hugo; do
		holds "$n leaves to become a member of a second network" stopped $n TERM
		cp guestnet/charter $n/guest.network
		printf '\n[network.2]\nrecord = guest.network\ncard = guest.card\ntap = weft1\n' >>$n/weft.conf
	done
	start anne
	start hugo
	holds "two networks over one overlay: an address in the second" await has_address '' na weft1
	holds "and on the other node" await has_address '' nc weft1
	holds "they reach each other there" pings_soon a "$(address '' nc weft1)"
	await has_address hugo nc weft0h
	holds "and in the first" pings_soon a "$(address hugo nc weft0h)"
	holds "both are listed" [ "$(ctl -c anne/weft.conf networks | grep -c '^[a-z]*net ')" = 2 ]
	for n in anne hugo; do kill -TERM "${pid[$n]}"; done
	for n in anne hugo; do holds "$n ends well" ends_well $n; done
	holds "the card is gone" not exists c weft0h
	holds "its wire, too" not exists c weft0p
	holds "the bridge stays" exists c lan1
}

# ---- privileges and bad input -----------------------------------------------

# The device, for everybody, as distributions have it.
open_device() {
	mkdir -p "$work/dev" && mount -t tmpfs -o dev,mode=755 none "$work/dev" &&
	mknod -m 666 "$work/dev/tun" c 10 200 && mount --bind "$work/dev" /dev/net
}

as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all "$@"; }

privileges() {
	ctl net create usernet --range 10.8.0.0/24 >/dev/null
	ctl net add usernet erin --tap tapu --own-address off --listen6 off >/dev/null
	chown -R 65534:65534 erin
	where[erin]=a
	open_device
	holds "without privileges no tap can be made, and that is said" refused 'CAP_NET_ADMIN, or .*tuntap add tapu' ip netns exec na setpriv --reuid 65534 --regid 65534 --clear-groups "$BIN/weft-node" -c erin/weft.conf
	ip -n na tuntap add tapu mode tap user root
	holds "nor somebody else's be used" refused "not this user's" ip netns exec na setpriv --reuid 65534 --regid 65534 --clear-groups "$BIN/weft-node" -c erin/weft.conf
	ip -n na link del tapu
	ip -n na tuntap add tapu mode tap user nobody
	holds "one that is down cannot be brought up, and what to do is said" refused 'ip link set tapu (up|mtu 1400)' ip netns exec na setpriv --reuid 65534 --regid 65534 --clear-groups "$BIN/weft-node" -c erin/weft.conf
	ip -n na link set tapu mtu 1400 up
	ip netns exec na setpriv --reuid 65534 --regid 65534 --clear-groups "$BIN/weft-node" -c erin/weft.conf 2>erin.log &
	pid[erin]=$!
	holds "one prepared for its user is all it takes" await joined erin
	udhcpc_start na tapu
	holds "and serves its machine" await has_address '' na tapu
	kill "${pid[udhcpc.na]}"
	holds "it ends well" stopped erin TERM
	holds "the prepared tap stays" exists a tapu
}

bad() {
	local node=(ip netns exec na "$BIN/weft-node")

	ctl net create badnet --range 10.7.0.0/24 >/dev/null
	ctl net create othernet --range 10.6.0.0/24 >/dev/null
	ctl net create plain >/dev/null
	ctl net add badnet frank --tap weft7 --listen6 off >/dev/null
	ctl net add othernet grace --tap weft8 --listen6 off >/dev/null
	holds "--check finds a good network good" grep -q good <("${node[@]}" -c frank/weft.conf --check)
	holds "and makes no tap" not exists a weft7
	cp frank/state/network network.good
	mv frank/state/network network.away
	holds "a missing network is refused" refused 'no .*frank/state/network' "${node[@]}" -c frank/weft.conf
	cp grace/state/network frank/state/network
	holds "another network's file is refused" refused 'not the overlay' "${node[@]}" -c frank/weft.conf
	cp network.good frank/state/network
	chmod 644 frank/state/network
	holds "one that others may read is refused" refused 'chmod 600' "${node[@]}" -c frank/weft.conf
	cp frank/state/card frank/state/network
	chmod 600 frank/state/network
	holds "a file of another kind is refused" refused 'of another kind' "${node[@]}" -c frank/weft.conf
	cp network.good frank/state/network
	damage frank/state/network
	holds "a damaged one is refused" refused 'damaged' "${node[@]}" -c frank/weft.conf
	repair frank/state/network
	holds "a tap with an impossible name is refused" refused "network.1.*tap.*15 characters" "${node[@]}" -c frank/weft.conf -s network.1.tap=abcdefghijklmnop
	holds "a bridge without its model is refused" refused 'under model = interface' "${node[@]}" -c frank/weft.conf -s network.1.bridge=br0
	holds "a model without its bridge is refused" refused 'needs one' "${node[@]}" -c frank/weft.conf -s network.1.model=router
	holds "an unknown model is refused" refused 'interface.*router.*hybrid' "${node[@]}" -c frank/weft.conf -s network.1.model=switch
	holds "an address that is none is refused" refused 'lease, off' "${node[@]}" -c frank/weft.conf -s network.1.address=here
	holds "an address of elsewhere is refused" refused 'cannot be had' "${node[@]}" -c frank/weft.conf -s network.1.address=10.99.0.1
	holds "the gateway's address is refused" refused 'cannot be had' "${node[@]}" -c frank/weft.conf -s network.1.address=10.7.0.1
	holds "an interface that is no tap is refused" refused 'no tap' "${node[@]}" -c frank/weft.conf -s network.1.tap=eth0
	holds "a bridge that is none is refused" refused 'no bridge' "${node[@]}" -c frank/weft.conf -s network.1.model=router -s network.1.bridge=eth0
	holds "a network twice is refused" refused 'is that network already' "${node[@]}" -c frank/weft.conf -s network.2.tap=weft9
	holds "after all that there is no tap" not exists a weft7
	where[frank]=a where[grace]=b
	start frank
	holds "frank starts" await joined frank
	sed 's|^tap = .*|tap = weft7|' grace/weft.conf >grace/same.conf
	holds "a tap in use is refused" refused 'in use' "${node[@]}" -c grace/same.conf -s underlay.listen4=0.0.0.0:0
	holds "frank still has it" joined frank
	ip -n na link del weft7
	holds "a tap deleted under it is said" await grep -q 'deleted the tap weft7' frank.log
	holds "and the node lives on" joined frank
	holds "frank ends well" stopped frank TERM
	mkdir -p none
	holds "without a TUN driver that is said" refused 'modprobe tun' unshare -m sh -c 'mount --bind none /dev/net && exec ip netns exec na "$@"' sh "$BIN/weft-node" -c frank/weft.conf
	holds "net create refuses a bad range" refused '10.9.0.0/16' ctl net create x1 --range 10.9.0.1/16
	holds "net create refuses a range of the other family" refused 'IPv4' ctl net create x2 --range fd00::/64
	holds "net create refuses a reserve outside" refused 'no part' ctl net create x3 --range 10.9.0.0/24 --reserve 10.8.0.0/28
	holds "net create refuses a name no host could have" refused "[-]-name" ctl net create x_4 --range 10.9.0.0/24
	holds "net create refuses terms without a network" refused 'accepted with --range' ctl net create x5 --term 60s
	holds "net add refuses a tap without a network" refused 'without a network' ctl net add plain ivan --tap weft0
	holds "nothing of all that is left" [ -z "$(ls -d x[1-5] x_4 ivan 2>/dev/null)" ]
}

underlay a b c d
machine hc
run
