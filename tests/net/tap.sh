#!/bin/bash
# tap.sh - real daemons behind real taps, real DHCP clients behind those
#
#	tests/net/tap.sh BIN [SECTION]...
#
#	 na          nb          nc          nd		a namespace each, one node in each
#	 weft0       weft0       lan0=weft0  weft0
#	 |           |           |    \      |
#	 alice       bob         carol \     dave
#	 |           |           |      hc   |		hc: a machine on carol's LAN, knows of nothing
#	 eth0 .1     eth0 .2     eth0 .3     eth0 .4	172.30.0.0/24
#	 |           |           |           |
#	-+-----------+-- under0 -+-----------+-		the underlay: a bridge in a namespace of its own
#
# Everything happens in network and mount namespaces this script makes, so that
# nothing outside is touched and nothing can be left behind. Conditions are
# awaited, up to AWAIT seconds each. Prints a line per promise and, at the end,
# "N passed, N failed"; exits 1 if one failed. Needs root and /dev/net/tun.
set -u

if [ "${WEFT_TAP_INSIDE:-}" != yes ]; then
	why=
	[ "$(id -u)" = 0 ] || why="this is not root"
	[ -c /dev/net/tun ] || why="there is no /dev/net/tun"
	for tool in ip udhcpc dhclient busybox ping arping dig tcpdump tshark setpriv; do
		command -v "$tool" >/dev/null || why="there is no $tool; make deps installs it"
	done
	[ -n "$why" ] || unshare -n -m true 2>/dev/null || why="no namespaces can be made"
	if [ -n "$why" ]; then
		echo "skipped all of tap.sh: $why"
		exit 0
	fi
	exec env WEFT_TAP_INSIDE=yes unshare -n -m --propagation private "$0" "$@"
fi

BIN=$(cd "${1:-build/bin}" && pwd) || exit 2
shift
AWAIT=20
mount -t tmpfs none /run && mkdir -p /run/netns || exit 2
work=$(mktemp -d "${TMPDIR:-/tmp}/weft-tap.XXXXXX") || exit 2
passed=0 failed=0
declare -A pid

cleanup() {
	local p

	for p in "${pid[@]}"; do kill -9 "$p"; done 2>/dev/null
	wait 2>/dev/null
	umount /dev/net "$work/dev" 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 2
chmod 755 "$work"

ctl() { "$BIN/weftctl" "$@"; }
at() { local n=$1; shift; ip netns exec "n$n" "$@"; }

# ---- promises ---------------------------------------------------------------

holds() {	# SENTENCE COMMAND...
	local what=$1

	shift
	if "$@" >"$work/out" 2>&1; then
		passed=$((passed + 1))
		echo "ok      $what${TIMES:+	$SECONDS s}"
	else
		failed=$((failed + 1))
		echo "NOT OK  $what"
		sed 's/^/        /' "$work/out" | tail -n 15
	fi
}

await() {	# COMMAND...: until it is true, AWAIT seconds at most
	local until=$((SECONDS + AWAIT))

	until "$@"; do
		if [ "$SECONDS" -ge "$until" ]; then
			echo "not true after $AWAIT s: $*"
			return 1
		fi
		sleep 0.05
	done
}

not() { ! "$@"; }

refused() {	# PATTERN COMMAND...: exit code 2, one message, and it says PATTERN
	local pattern=$1 code

	shift
	[ "$1" != ctl ] || set -- "$BIN/weftctl" "${@:2}"
	timeout 10 "$@" >"$work/refused" 2>&1
	code=$?
	cat "$work/refused"
	[ "$code" = 2 ] || { echo "exit code $code"; return 1; }
	grep -qE "$pattern" "$work/refused" || { echo "does not say: $pattern"; return 1; }
	[ "$(grep -c '^weft' "$work/refused")" = 1 ] || { echo "not one message"; return 1; }
}

# ---- the underlay -----------------------------------------------------------

underlay() {
	local n i=0

	ip link set lo up
	ip link add under0 type bridge && ip link set under0 up
	for n in a b c d; do
		i=$((i + 1))
		ip netns add "n$n"
		ip -n "n$n" link set lo up
		ip link add "u$n" type veth peer name eth0 netns "n$n"
		ip link set "u$n" master under0 up
		ip -n "n$n" addr add "172.30.0.$i/24" dev eth0
		ip -n "n$n" link set eth0 up
	done
	ip netns add hc
	ip -n hc link set lo up
}

declare -A where=([alice]=a [bob]=b [carol]=c [dave]=d)

start() {	# NODE [OPTION]...
	local n=$1

	shift
	ip netns exec "n${where[$n]}" "$BIN/weft-node" -c "$n/weft.conf" -s node.log=debug "$@" 2>>"$n.log" &
	pid[$n]=$!
}

ended() { ! kill -0 "${pid[$1]}" 2>/dev/null; }

ends_well() {
	local code

	await ended "$1" || return 1
	wait "${pid[$1]}"
	code=$?
	unset "pid[$1]"
	[ "$code" = 0 ] || { echo "exit code $code"; return 1; }
}

stopped() { kill "-$2" "${pid[$1]}" && ends_well "$1"; }

killed() {
	kill -9 "${pid[$1]}" || return 1
	wait "${pid[$1]}" 2>/dev/null
	unset "pid[$1]"
}

field() { ctl -c "$1/weft.conf" status --json 2>/dev/null | sed -n "s/.*\"$2\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }
joined() { [ "$(field "$1" state)" = joined ]; }
ring_of() { local n s=$1; shift; for n in "$@"; do [ "$(field "$n" links)" -ge "$s" ] 2>/dev/null && joined "$n" || return 1; done; }

# The IPv4 address of the network on a device, without its length.
address() { ip -n "${2:-n${where[$1]:-}}" -4 -o addr show dev "${3:-weft0}" 2>/dev/null | sed -n 's/.*inet \(10\.[0-9.]*\).*/\1/p' | head -n 1; }
has_address() { [ -n "$(address "$@")" ]; }
has_this() { [ "$(address "$1")" = "$2" ]; }

pings() { at "$1" ping -c 2 -i 0.2 -W 2 "${@:2}"; }
pings_soon() { await at "$1" ping -q -c 1 -W 1 "${@:2}" >/dev/null; }
exists() { ip -n "n$1" link show "$2" >/dev/null 2>&1; }

# ---- DHCP clients -----------------------------------------------------------

cat >udhcpc.script <<'END'
#!/bin/sh
# what udhcpc was told, one line each; the address is set, as any script of it does
case $1 in
bound | renew)
	ip addr flush dev "$interface" scope global
	ip addr add "$ip/$mask" dev "$interface"
	echo "$1 $ip/$mask server $serverid dns $dns lease $lease mtu $mtu" >>"$NOTES"
	;;
deconfig) ip addr flush dev "$interface" scope global; echo "$1" >>"$NOTES" ;;
*) echo "$1" >>"$NOTES" ;;
esac
END
cat >dhclient.script <<'END'
#!/bin/sh
case $reason in
BOUND | RENEW | REBIND | REBOOT)
	ip addr flush dev "$interface" scope global
	ip addr add "$new_ip_address/$new_subnet_mask" dev "$interface"
	;;
RELEASE | EXPIRE | FAIL) ip addr flush dev "$interface" scope global ;;
esac
echo "$reason $new_ip_address dns $new_domain_name_servers" >>"$NOTES"
exit 0
END
chmod 755 udhcpc.script dhclient.script

udhcpc_start() {	# NETNS DEVICE
	NOTES=$work/udhcpc.$1 ip netns exec "$1" udhcpc -f -i "$2" -s "$work/udhcpc.script" -t 20 -T 1 -A 1 >>"udhcpc.$1.log" 2>&1 &
	pid[udhcpc.$1]=$!
}

dhclient_start() {
	NOTES=$work/dhclient.$1 ip netns exec "$1" dhclient -d -1 -sf "$work/dhclient.script" -lf "$work/dhclient.$1.leases" \
		-pf "$work/dhclient.$1.pid" "$2" >>"dhclient.$1.log" 2>&1 &
	pid[dhclient.$1]=$!
}

# ---- two --------------------------------------------------------------------

capture() {	# NODE: what crosses its tap, into NODE.pcap
	at "${where[$1]}" tcpdump -q -U -i weft0 -w "$work/$1.pcap" 2>"tcpdump.$1" &
	pid[tcpdump.$1]=$!
	await grep -qs listening "tcpdump.$1" >/dev/null
}

sends_file() {	# FROM TO ADDRESS: two megabytes over TCP arrive as they were
	rm -f received
	dd if=/dev/urandom of=sent bs=64k count=32 status=none
	at "$2" busybox nc -l -p 5001 >received < <(sleep 20) &
	pid[nc]=$!
	await listens "$2" 5001
	at "$1" timeout 20 busybox nc "$3" 5001 <sent
	wait "${pid[nc]}"
	unset "pid[nc]"
	cmp sent received
}

listens() { at "$1" busybox netstat -ltn | grep -q ":$2 "; }

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
	holds "tcpdump and tshark see only correct frames" correct
}

freed() { ctl -c "$1/weft.conf" resolve "$2" | grep -q "nobody's"; }
says() { local want=$1 got; shift; got=$("$@"); echo "$got"; [ "$got" = "$want" ]; }

# Who talks to it hears that it is gone; afterwards nobody answers for it.
gone_from() { ! at "$1" ping -c 1 -W 1 "$2" >/dev/null && ! at "$1" arping -c 1 -w 1 -I weft0 "$2" >/dev/null; }

# No malformed packet, no wrong checksum, no address of the underlay in what crossed the taps.
correct() {
	local f bad n

	for f in alice.pcap bob.pcap; do
		n=$(tshark -r "$f" 2>/dev/null | wc -l)
		[ "$n" -gt 50 ] || { echo "$f: $n packets only"; return 1; }
		bad=$(tshark -r "$f" -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -o icmpv6.check_checksum:TRUE \
			-Y '_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0 || icmp.checksum.status == 0 || icmpv6.checksum.status == 0 || ip.addr == 172.30.0.0/24' 2>/dev/null)
		if [ -n "$bad" ]; then echo "$f"; echo "$bad" | head; return 1; fi
	done
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
	holds "under hybrid the host's device is the bridge" await has_address hugo nc lan1
	h=$(address hugo nc lan1)
	holds "it is reached" pings_soon a "$h"
	holds "it reaches" pings c "$(address anne)"
	udhcpc_start hc eth1
	holds "another machine of that LAN is not served" not long_enough has_address '' hc eth1
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
	holds "and in the first" pings_soon a "$h"
	holds "both are listed" [ "$(ctl -c anne/weft.conf networks | grep -c '^[a-z]*net ')" = 2 ]
	for n in anne hugo; do kill -TERM "${pid[$n]}"; done
	for n in anne hugo; do holds "$n ends well" ends_well $n; done
	holds "the bridge has lost the address it was given" not has_address hugo nc lan1
}

# For as long as a DISCOVER and its answer take, several times over.
long_enough() {
	local until=$((SECONDS + 3))

	until "$@"; do
		[ "$SECONDS" -lt "$until" ] || return 1
		sleep 0.05
	done
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
	printf X | dd of=frank/state/network bs=1 seek=100 conv=notrunc status=none
	holds "a damaged one is refused" refused 'damaged' "${node[@]}" -c frank/weft.conf
	cp network.good frank/state/network
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

underlay
for section in "${@:-two four more privileges bad}"; do
	for s in $section; do $s; done
done
echo "$passed passed, $failed failed in $SECONDS s"
[ "$failed" = 0 ]
