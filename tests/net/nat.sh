#!/bin/bash
# nat.sh - nodes behind NATs and firewalls made of the kernel's own conntrack and nftables
#
#	pub  pub2  wall  full adf cone mate pair  sym sym2   cgn1 cgn2 cgn3   mute
#	 |    |     |     |    |    |___|    |     |    |     |    |    |      |
#	 |    |     |    [g]  [g]   [g]     [g]   [g]  [g]   [g]  [g]  [g]    [g]	a gateway each, of the kind in boxes()
#	 |    |     |     |    |     |       |     |    |     +--[gcgn]-+      |	100.64.0.0/24: the carrier's NAT before theirs
#	-+----+-----+-----+----+-----+-------+-----+----+---------+------------+-	under0, 172.30.0.0/24
#
# Words of RFC 4787: a mapping is endpoint-independent (every peer sees the same port) or depends on the endpoint;
# filtering is endpoint-independent (full), address-dependent (adf), or address-and-port-dependent (all others).
# Whether two of them can meet follows from that (direct_pair()): what can must, what cannot is relayed.
NEEDS="nft conntrack"
SECTIONS="begin pairs words traffic rebinding mute"
. "${0%/*}/lib.sh"

NODES="${NODES:-pub pub2 wall full adf cone mate pair sym sym2 cgn1 cgn2 cgn3}"
declare -A port id nick
port=([pub]=9338 [pub2]=9338 [wall]=9338 [full]=9340 [adf]=9341 [cone]=9342 [mate]=9343 [pair]=9344 [sym]=9345
      [sym2]=9346 [cgn1]=9347 [cgn2]=9348 [cgn3]=9349 [mute]=9350)
for n in "${!port[@]}"; do where[$n]=$n; done

# ---- gateways ---------------------------------------------------------------

gate() {	# NAME OUTER-ADDRESS [OUTER-BRIDGE-NETNS BRIDGE GATEWAY]: a box gNAME, whose LAN is 192.168.0.1/24
	machine "g$1"
	if [ -z "${3:-}" ]; then
		ip link add "ug$1" type veth peer name eth0 netns "g$1"
		ip link set "ug$1" master under0 up
	else
		ip -n "$3" link add "ug$1" type veth peer name eth0 netns "g$1"
		ip -n "$3" link set "ug$1" master "$4" up
	fi
	ip -n "g$1" addr add "$2/24" dev eth0
	ip -n "g$1" link set eth0 up
	[ -z "${5:-}" ] || ip -n "g$1" route add default via "$5"
	ip -n "g$1" link add lan type bridge
	ip -n "g$1" link set lan up
	ip -n "g$1" addr add 192.168.0.1/24 dev lan
	ip netns exec "g$1" busybox sysctl -qw net.ipv4.ip_forward=1
	ip netns exec "g$1" busybox sysctl -qw net.bridge.bridge-nf-call-iptables=0 2>/dev/null	# a LAN is a LAN
}

behind() {	# NODE GATE HOST
	machine "n$1"
	wire "n$1" eth0 "g$2" "l$1" lan
	ip -n "n$1" addr add "192.168.0.$3/24" dev eth0
	ip -n "n$1" route add default via 192.168.0.1
}

# What every gateway has: who is inside may out, answers may in, the gateway itself says nothing.
rules() {	# GATE MASQUERADE-FLAGS [RULES]...
	ip netns exec "g$1" nft -f - <<-NFT
		table ip gate {
			set met { type ipv4_addr; flags dynamic,timeout; timeout 5m; }
			chain in { type filter hook input priority 0; policy accept; iif eth0 drop; meta l4proto udp drop; }
			chain through {
				type filter hook forward priority 0; policy drop
				oif eth0 jump out
				oif eth0 accept
				ct state established,related accept
				ct status dnat accept
			}
			chain out {
				${4:-}
			}
			chain before {
				type nat hook prerouting priority dstnat
				${3:-}
			}
			chain after {
				type nat hook postrouting priority srcnat
				${5:-}
				oif eth0 masquerade $2
			}
		}
	NFT
}

boxes() {
	local n

	underlay pub pub2 wall
	ip netns exec nwall nft -f - <<-NFT
		table inet wall {
			chain in {
				type filter hook input priority 0; policy drop
				iifname != eth0 accept
				ct state established,related accept
			}
		}
	NFT
	gate full 172.30.0.20
	behind full full 2
	rules full "" "iif eth0 udp dport ${port[full]} dnat to 192.168.0.2"
	gate adf 172.30.0.21
	behind adf adf 2
	rules adf "" "iif eth0 ip saddr @met udp dport ${port[adf]} dnat to 192.168.0.2" "add @met { ip daddr }"
	gate cone 172.30.0.22
	behind cone cone 2
	behind mate cone 3
	rules cone ""
	gate pair 172.30.0.23
	behind pair pair 2
	rules pair ""
	for n in 1 2; do
		gate "sym$n" "172.30.0.3$n"
		rules "sym$n" random,fully-random
	done
	behind sym sym1 2
	behind sym2 sym2 2
	# the carrier's hairpin is for its first customer: the others reach him by it, and he them, for their answers know the way
	gate cgn 172.30.0.40
	ip -n gcgn addr del 192.168.0.1/24 dev lan
	ip -n gcgn addr add 100.64.0.1/24 dev lan
	rules cgn "" "iif lan ip daddr 172.30.0.40 udp dport ${port[cgn1]} dnat to 100.64.0.11" "" \
		"oif lan ip saddr 100.64.0.0/24 snat to 172.30.0.40"
	for n in 1 2 3; do
		gate "cgn$n" "100.64.0.1$n" gcgn lan 100.64.0.1
		behind "cgn$n" "cgn$n" 2
		rules "cgn$n" ""
	done
	gate mute 172.30.0.50
	behind mute mute 2
	rules mute "" "" "meta l4proto udp drop"
}

# ---- nodes ------------------------------------------------------------------

asks() { on "$1" "$BIN/weftctl" -c "$1/weft.conf" "${@:2}"; }

add() {	# NODE [BOOTSTRAP]
	ctl net add natnet "$1" --tap weft0 >/dev/null
	sed -i "s/^# listen4.*/listen4 = 0.0.0.0:${port[$1]}/; s/^bootstrap = .*/bootstrap = ${2:-172.30.0.1:9338}/" "$1/weft.conf"
	start "$1"
}

begin() {
	local n

	boxes
	ctl net create natnet --range 10.9.0.0/24 --term 60s --bootstrap 172.30.0.1:9338 >/dev/null
	for n in pub full; do
		add "$n"
		await joined "$n"
	done
	# strangers call at both: that shows whom they let in, whoever calls whom later
	for n in $NODES; do
		case $n in
		pub | full) ;;
		wall | cone | pair | sym2 | cgn2) add "$n" "172.30.0.20:${port[full]}" ;;
		*) add "$n" ;;
		esac
	done
	holds "all of them join" await ring_of 2 $NODES
	for n in $NODES; do
		id[$n]=$(field "$n" id)
		nick[${id[$n]}]=$n
	done
	holds "and have addresses" await all_addressed
}

all_addressed() { local n; for n in $NODES; do has_address "$n" || { echo "$n has none"; return 1; }; done; }

# ---- who meets whom ---------------------------------------------------------

# 0 no filter, 1 by address, 2 by address and port; then m: mapped differently for each peer
kind() {
	case $1 in
	pub | pub2 | full) echo 0 ;;
	adf) echo 1 ;;
	sym | sym2) echo 2m ;;
	*) echo 2 ;;
	esac
}

direct_pair() {	# may they be punched?
	case $1.$2 in
	cgn2.cgn3 | cgn3.cgn2) return 1 ;;		# no hairpin for either
	cone.mate | mate.cone) return 0 ;;		# one LAN
	esac
	case $(kind "$1").$(kind "$2") in
	2m.2* | 2*.2m) return 1 ;;
	esac
	return 0
}

state() { asks "$1" peers | sed -n "s/^${id[$2]} *\([a-z]*\).*/\1/p"; }

# Does each talk to each, and as it should? $wrong names those that do not.
as_they_should() {
	local a b s list

	wrong=
	for a in $NODES; do
		list=$(asks "$a" peers)
		for b in $NODES; do
			[ "$a" != "$b" ] || continue
			s=$(sed -n "s/^${id[$b]} *\([a-z]*\).*/\1/p" <<<"$list")
			if direct_pair "$a" "$b"; then
				[ "$s" = up ] || wrong+="$a-$b:${s:-none} "
			else
				[ "$s" = relayed ] || wrong+="$a-$b:${s:-none} "
			fi
		done
	done
	[ -z "$wrong" ] || { echo "not as they should be: $wrong"; return 1; }
}

pairs() {
	local a b i=0 began=$SECONDS

	for a in $NODES; do
		for b in $NODES; do
			[ "$a" '<' "$b" ] && begin_at "ping$((i++))" "$a" ping -q -i 0.2 "$(address "$b")" >"ping.$a.$b"
		done
	done
	holds "every pair that can be punched is direct, all others are relayed ($i pairs that talk)" await as_they_should
	echo "        $((SECONDS - began)) s after they began to talk"
	while [ "$i" -gt 0 ]; do kill -INT "${pid[ping$((--i))]}"; wait "${pid[ping$i]}"; unset "pid[ping$i]"; done
	holds "no pair lost more than its first pings" no_worse_than 5
}

no_worse_than() {	# PINGS lost of each pair
	local f bad=0

	for f in ping.*.*; do
		awk -v f="$f" -v most="$1" '/transmitted/ {if ($1 - $4 > most) {print f ": " $0; exit 1}}' "$f" || bad=1
	done
	return $bad
}

# ---- what doctor says -------------------------------------------------------

says_that() { grep -qE "$2" <(asks "$1" doctor); }	# NODE PATTERN
told() { says_that "$@" || { asks "$1" doctor; return 1; }; }

relayed() {	# NODE PEER PATTERN: as long as they talk they are linked, so that it can tell why so
	local why="^note +peer +${id[$2]:0:8} .*relayed: $3"

	begin_at talk "$1" ping -q -i 0.1 "$(address "$2")" >/dev/null
	await says_that "$1" "$why" >/dev/null || told "$1" "$why"
	set -- $?
	kill "${pid[talk]}"
	wait "${pid[talk]}"
	unset "pid[talk]"
	return "$1"
}

words() {
	local n

	holds "pub: no NAT, can be reached" told pub '^ok +nat +IPv4: no NAT'
	holds "and anybody gets in" told pub '^ok +reach .*endpoint-independent filtering'
	holds "all links of pub are direct" told pub '^ok +peer +all [0-9]+ links are direct'
	holds "a firewall without a NAT: no NAT" told wall '^ok +nat +IPv4: no NAT'
	holds "but only those get in whom it called" told wall '^note +reach .*address- and port-dependent filtering'
	for n in full adf cone mate pair cgn1 cgn2 cgn3; do
		holds "$n: its mapping is endpoint-independent" told "$n" '^ok +nat .*NAT that maps us to 172\.30\.0\.[0-9]+:'"${port[$n]}"'.*endpoint-independent mapping'
	done
	for n in sym sym2; do
		holds "$n: its mapping depends on the endpoint" told "$n" '^note +nat .*differently for each peer \(endpoint-dependent mapping\)'
	done
	holds "full lets in anybody" told full '^ok +reach .*endpoint-independent filtering'
	holds "adf lets in addresses that were called" told adf '^note +reach .*\(address-dependent filtering\)'
	for n in cone mate pair sym sym2 cgn2 cgn3; do
		holds "$n lets in only whom it called, port by port" told "$n" '^note +reach .*address- and port-dependent filtering'
	done
	holds "why sym and sym2 are relayed" relayed sym sym2 'both NATs map differently'
	holds "why sym and cone are, says sym" relayed sym cone 'our NAT maps us differently'
	holds "and cone" relayed cone sym 'its NAT maps it differently'
	holds "why sym and the firewall are" relayed wall sym 'its NAT maps it differently.*firewall'
	holds "why two customers of one carrier are" relayed cgn2 cgn3 'it is behind the same NAT.*no hairpin'
}

# ---- guests -----------------------------------------------------------------

traffic() {
	local p

	for p in "pub sym" "cone pair" "adf sym" "cgn1 cgn2" "sym sym2" "wall sym" "cgn2 cgn3"; do
		holds "TCP: ${p% *} sends ${p#* } a file$(direct_pair $p || echo ", by a relay")" sends_file $p "$(address "${p#* }")"
	done
	holds "the path was measured by then" told pair '^ok +mtu +paths carry .* to 1472 bytes'
}

# ---- a box that forgets -----------------------------------------------------

# The gateway of $1 is restarted: its table is empty, and it takes other ports from now on.
forgets() {
	ip netns exec "g$1" nft add rule ip gate after oif eth0 meta l4proto udp masquerade to ":$2"
	ip netns exec "g$1" nft delete rule ip gate after handle "$(ip netns exec "g$1" nft -a list chain ip gate after |
		sed -n 's/.*oif "eth0" masquerade # handle //p')"
	ip netns exec "g$1" conntrack -F 2>/dev/null
}

rebinding() {
	begin_at stream cone ping -D -i 0.1 "$(address pair)" >stream
	at pair busybox nc -l -p 5002 >received < <(sleep 90) &
	pid[nc]=$!
	await listens pair 5002
	dd if=/dev/urandom of=sent bs=64k count=64 status=none
	{ head -c 1000000 sent; await moved pair cone 172.30.0.22:4 >/dev/null; tail -c +1000001 sent; } |
		at cone timeout 90 busybox nc "$(address pair)" 5002 &
	pid[sender]=$!
	await grep -q seq=20 stream
	forgets cone 40000-49999
	holds "a NAT that forgets all: the way is punched anew" await moved pair cone 172.30.0.22:4
	holds "the TCP transfer ends as it began" transferred
	kill -INT "${pid[stream]}"
	wait "${pid[stream]}"
	unset "pid[stream]"
	echo "        longest silence: $(awk -F'[][]' '/seq=/ {if (last && $2 - last > most) most = $2 - last; last = $2} END {printf "%.1f s", most}' stream)"
	holds "nobody called it dead" not grep -E "dead +${id[pair]}" cone.log
}

moved() { asks "$1" peers | grep -qE "^${id[$2]} +up +$3"; }	# NODE PEER PLACE: it is linked directly with it there

transferred() {
	wait "${pid[sender]}"
	wait "${pid[nc]}"
	unset "pid[sender]" "pid[nc]"
	cmp sent received
}

# ---- UDP that does not get out ----------------------------------------------

mute() {
	add mute
	holds "a firewall that drops all UDP: doctor says that nobody answers" await told mute '^WRONG +node +it stands alone'
	holds "and what may help" told mute 'firewall drop UDP'
}

run
