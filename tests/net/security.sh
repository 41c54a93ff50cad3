#!/bin/bash
# security.sh - who gets in, and what happens to those who should not
#
#	 na          nb          nc		a namespace each, one node in each
#	 weft0       weft0       weft0
#	 alice       bob         carol		alice has a firewall; bob is in the group admins
#	 eth0 .1     eth0 .2     eth0 .3	172.30.0.0/24
#	-+-----------+-- under0 -+-
NEEDS=""
SECTIONS="firewall"
. "${0%/*}/lib.sh"
where=([alice]=a [bob]=b [carol]=c)

# ---- the firewall -----------------------------------------------------------

listen() {	# NAMESPACE PORT: says hello to whoever connects
	at "$1" busybox nc -ll -p "$2" -e echo hello >/dev/null 2>&1 &
	pid[listen.$1.$2]=$!
	await listens "$1" "$2"
}

greets() { says hello at "$1" timeout 3 busybox nc -w 2 "$2" "$3" </dev/null; }	# FROM ADDRESS PORT

packets_of() { ctl -c "$1/weft.conf" networks | sed -n "s/.*$2  *\([0-9]*\) packets.*/\1/p" | head -n 1; }
denied_more() { [ "$(packets_of alice 'deny any')" -gt "$1" ]; }

firewall() {
	local a b c n before

	ctl net create secnet --range 10.9.0.0/24 --range6 fd09::/64 >/dev/null
	ctl net add secnet alice --tap weft0 >/dev/null
	ctl net add secnet bob --tap weft0 --group staff --group admins --bootstrap 172.30.0.1:9338 >/dev/null
	ctl net add secnet carol --tap weft0 --group staff --bootstrap 172.30.0.1:9338 >/dev/null
	sed -i 's/^\[network.1\]$/&\nfirewall = allow icmp; allow tcp 5001-5002 from admins; deny any/' alice/weft.conf
	start alice
	start bob
	start carol
	for n in alice bob carol; do holds "$n has an address" await has_address $n; done
	a=$(address alice) b=$(address bob) c=$(address carol)
	listen a 5001
	listen a 5003
	listen c 5003
	holds "icmp: a member pings" pings_soon b "$a"
	holds "icmp: another one does" pings_soon c "$a"
	holds "a member of the group gets through to a port" await greets b "$a" 5001
	holds "one who is not in it does not" not greets c "$a" 5001
	holds "another port is closed to the group, too" not greets b "$a" 5003
	holds "what the machine begins itself is answered" await greets a "$c" 5003
	holds "others without rules are open" greets b "$c" 5003
	before=$(packets_of alice 'deny any')
	at c bash -c "echo x >/dev/udp/$a/9"
	holds "a denied datagram is counted" await denied_more "${before:-0}"
	holds "weftctl tells rules and counts" grep -q 'allow tcp 5001-5002 from admins *[1-9]' <(ctl -c alice/weft.conf networks)
	holds "and drops by reason" grep -q "denied by a rule" <(ctl -c alice/weft.conf status --json; ctl -c alice/weft.conf drops 2>/dev/null; ctl -c alice/weft.conf metrics 2>/dev/null)
	holds "a rule that is none is refused, with what would be accepted" refused "network.1.*firewall.*'permit'.*allow or deny" "$BIN/weft-node" -c alice/weft.conf -s "network.1.firewall=permit any"
	holds "bob's second life is in the group as well" killed bob
	start bob
	holds "he has his address again" await has_this bob "$b"
	holds "and gets through" await greets b "$a" 5001
	for n in a.5001 a.5003 c.5003; do kill "${pid[listen.$n]}"; done
	for n in alice bob carol; do holds "$n ends well" stopped $n TERM; done
}

underlay a b c
run
