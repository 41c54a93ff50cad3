# lib.sh - real daemons in namespaces: what every topology file here starts with
#
#	NEEDS="udhcpc dig"		tools without which all of it is skipped
#	SECTIONS="two four"		functions of the file, in this order
#	. "${0%/*}/lib.sh"
#	...
#	run				the sections asked for, or all; exits 1 if one promise failed
#
# Called as FILE BIN [SECTION]... Everything happens in network and mount namespaces
# made here, so that nothing outside is touched and nothing can be left behind.
# Conditions are awaited, up to AWAIT seconds each. A line per promise; at the end
# "N passed, N failed". With TIMES set each line says when.
set -u

if [ "${WEFT_INSIDE:-}" != yes ]; then
	why=
	[ "$(id -u)" = 0 ] || why="this is not root"
	[ -c /dev/net/tun ] || why="there is no /dev/net/tun"
	for tool in ip ping busybox setpriv $NEEDS; do
		command -v "$tool" >/dev/null || why="there is no $tool; make deps installs it"
	done
	[ -n "$why" ] || unshare -n -m true 2>/dev/null || why="no namespaces can be made"
	if [ -n "$why" ]; then
		echo "skipped all of ${0##*/}: $why"
		exit 0
	fi
	exec env WEFT_INSIDE=yes unshare -n -m --propagation private "$0" "$@"
fi

here=$(cd "${0%/*}" && pwd)
BIN=$(cd "${1:-build/bin}" && pwd) || exit 2
shift
CHOSEN=${*:-$SECTIONS}
AWAIT=20
mount -t tmpfs none /run && mkdir -p /run/netns || exit 2
work=$(mktemp -d "${TMPDIR:-/tmp}/weft-net.XXXXXX") || exit 2
declare -A where
. "${BASH_SOURCE%/*}/promises.sh"

cleanup() {
	local p

	for p in "${pid[@]}"; do kill -9 "$p"; done 2>/dev/null
	for p in /run/netns/*; do kill -9 $(ip netns pids "${p##*/}"); done 2>/dev/null
	wait 2>/dev/null
	umount /dev/net "$work/dev" 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 2
chmod 755 "$work"
ip link set lo up

run() {
	local s

	for s in $CHOSEN; do $s; done
	echo "$passed passed, $failed failed in $SECONDS s"
	[ "$failed" = 0 ]
}

at() { local n=$1; shift; ip netns exec "n$n" "$@"; }
on() { local n=$1; shift; ip netns exec "n${where[$n]}" "$@"; }
# at() in the background, to be killed by: of a function, $! would be a shell around it
begin_at() {	# KEY NETNS COMMAND...
	ip netns exec "n$2" "${@:3}" &
	pid[$1]=$!
}
have() { command -v "$1" >/dev/null; }

# ---- namespaces -------------------------------------------------------------

# A namespace nX for each X, with eth0 in the bridge under0: 172.30.0.N and fd30::N
underlay() {
	local n i=0

	ip link show under0 >/dev/null 2>&1 || { ip link add under0 type bridge && ip link set under0 up; }
	for n in "$@"; do
		i=$((i + 1))
		ip netns add "n$n"
		ip -n "n$n" link set lo up
		ip link add "u$n" type veth peer name eth0 netns "n$n"
		ip link set "u$n" master under0 up
		ip -n "n$n" addr add "172.30.0.$i/24" dev eth0
		ip -n "n$n" addr add "fd30::$i/64" dev eth0 nodad
		ip -n "n$n" link set eth0 up
	done
}

machine() {	# NETNS: one that knows of nothing
	ip netns add "$1"
	ip -n "$1" link set lo up
}

wire() {	# NETNS DEVICE NETNS DEVICE: a cable between two; the second into a bridge with a fifth argument
	ip -n "$1" link add "$2" type veth peer name "$4" netns "$3"
	[ -z "${5:-}" ] || ip -n "$3" link set "$4" master "$5"
	ip -n "$3" link set "$4" up
	ip -n "$1" link set "$2" up
}

exists() { ip -n "n$1" link show "$2" >/dev/null 2>&1; }
listens() { at "$1" busybox netstat -ltn | grep -q ":$2 "; }

# ---- nodes ------------------------------------------------------------------

start() {	# NODE [OPTION]...
	local n=$1

	shift
	ip netns exec "n${where[$n]}" ${WRAP:-} "$BIN/weft-node" -c "$n/weft.conf" -s node.log=debug "$@" 2>>"$n.log" &
	pid[$n]=$!
}

all_stopped() {	# NODE...: told together
	local n bad=0

	for n in "$@"; do kill -TERM "${pid[$n]}"; done
	for n in "$@"; do ends_well "$n" || bad=1; done
	return $bad
}

ring_of() { local n s=$1; shift; for n in "$@"; do [ "$(field "$n" links)" -ge "$s" ] 2>/dev/null && joined "$n" || return 1; done; }

# The IPv4 address of the network on a device, without its length.
address() { ip -n "${2:-n${where[$1]:-}}" -4 -o addr show dev "${3:-weft0}" 2>/dev/null | sed -n 's/.*inet \(10\.[0-9.]*\).*/\1/p' | head -n 1; }
# The IPv6 address that was given, not the one the kernel makes itself of an advertised prefix.
address6() { ip -n "${2:-n${where[$1]:-}}" -6 -o addr show dev "${3:-weft0}" 2>/dev/null | sed -n '/mngtmpaddr/d; s/.*inet6 \(fd[0-9a-f:]*\).*/\1/p' | head -n 1; }
has_address() { [ -n "$(address "$@")" ]; }
has_address6() { [ -n "$(address6 "$@")" ]; }
has_this() { [ "$(address "$1")" = "$2" ]; }

pings() { at "$1" ping -c 2 -i 0.2 -W 2 "${@:2}"; }
pings_soon() { await at "$1" ping -q -c 1 -W 1 "${@:2}" >/dev/null; }
freed() { ctl -c "$1/weft.conf" resolve "$2" | grep -q "nobody's"; }

# Who talks to it hears that it is gone; afterwards nobody answers for it.
gone_from() { ! at "$1" ping -c 1 -W 1 "$2" >/dev/null && ! at "$1" arping -c 1 -w 1 -I weft0 "$2" >/dev/null; }

# ---- DHCP clients -----------------------------------------------------------

cat >udhcpc.script <<'SCRIPT'
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
SCRIPT
cat >dhclient.script <<'SCRIPT'
#!/bin/sh
case $reason in
BOUND | RENEW | REBIND | REBOOT)
	# as Debian's script does not: somebody else has it, and dhclient declines
	case $reason in BOUND | REBOOT) arping -q -D -c 1 -w 1 -I "$interface" "$new_ip_address" || { echo CONFLICT >>"$NOTES"; exit 1; } ;; esac
	ip addr flush dev "$interface" scope global
	ip addr add "$new_ip_address/$new_subnet_mask" dev "$interface"
	;;
RELEASE | EXPIRE | FAIL) ip addr flush dev "$interface" scope global ;;
esac
echo "$reason $new_ip_address dns $new_domain_name_servers" >>"$NOTES"
exit 0
SCRIPT
chmod 755 udhcpc.script dhclient.script

udhcpc_start() {	# NETNS DEVICE [OPTION]...
	NOTES=$work/udhcpc.$1 ip netns exec "$1" udhcpc -f -i "$2" -s "$work/udhcpc.script" -t 20 -T 1 -A 1 "${@:3}" >>"udhcpc.$1.log" 2>&1 &
	pid[udhcpc.$1]=$!
}

dhclient_start() {	# NETNS DEVICE [OPTION]...
	ip netns exec "$1" dhclient -d -e "NOTES=$work/dhclient.$1" -sf "$work/dhclient.script" -lf "$work/dhclient.$1.leases" \
		-pf "$work/dhclient.$1.pid" "${@:3}" "$2" >>"dhclient.$1.log" 2>&1 &
	pid[dhclient.$1]=$!
}

# ---- what crosses -----------------------------------------------------------

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

capture() {	# NODE [DEVICE]: what crosses its tap, into NODE.pcap
	begin_at tcpdump.$1 "${where[$1]}" tcpdump -q -U -i "${2:-weft0}" -w "$work/$1.pcap" 2>"tcpdump.$1"
	await grep -qs listening "tcpdump.$1" >/dev/null
}

# No malformed packet, no wrong checksum, no address of the underlay in what crossed the taps.
correct() {	# NODE...
	local n bad count

	for n in "$@"; do
		count=$(tshark -r "$n.pcap" 2>/dev/null | wc -l)
		[ "$count" -gt 50 ] || { echo "$n: $count packets only"; return 1; }
		bad=$(tshark -r "$n.pcap" -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -o icmpv6.check_checksum:TRUE \
			-Y '_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0 || icmp.checksum.status == 0 || icmpv6.checksum.status == 0 || ip.addr == 172.30.0.0/24 || ipv6.addr == fd30::/64' 2>/dev/null)
		if [ -n "$bad" ]; then echo "$n"; echo "$bad" | head; return 1; fi
	done
}
