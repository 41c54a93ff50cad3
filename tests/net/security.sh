#!/bin/bash
# security.sh - who gets in, and what happens to those who should not
#
#	 na          nb          nc		a namespace each, one node in each
#	 weft0       weft0       weft0
#	 alice       bob         carol		alice has a firewall; bob is in the group admins
#	 eth0 .1     eth0 .2     eth0 .3	172.30.0.0/24
#	-+-----------+-- under0 -+-
NEEDS=""
SECTIONS="firewall rights control weather adversity"
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

# ---- what a running node may still do -----------------------------------------

right() { sed -n "s/^$2:[^0-9a-f]*\([0-9a-f]*\).*/\1/p" /proc/${pid[$1]}/status; }
as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all "$@"; }
every_thread() {	# NODE FIELD VALUE
	local t

	for t in /proc/${pid[$1]}/task/*/status; do grep -qE "^$2:[^0-9a-f]*$3\$" "$t" || { cat "$t"; return 1; }; done
}

sanitized() { grep -q 'built with AddressSanitizer' "$1.log"; }
limited() { sanitized "$1" || every_thread "$1" Seccomp 2; }

rights() {
	mkdir -p "$work/dev" && mount -t tmpfs -o dev,mode=755 none "$work/dev" && mknod -m 666 "$work/dev/tun" c 10 200 &&
		mount --bind "$work/dev" /dev/net
	ctl net create rightnet --range 10.9.0.0/24 --term 60s >/dev/null
	ctl net add rightnet root --tap weft0 >/dev/null
	ctl net create carrier >/dev/null
	ctl net add carrier plain --listen4 0.0.0.0:9400 --listen6 off >/dev/null
	where[root]=a where[plain]=a where[user]=b
	start root
	start plain
	holds "root's node has an address" await has_address root
	holds "a node without networks joins" await joined plain
	holds "only listed system calls, in all threads" limited root
	holds "no privilege comes back by a program" every_thread root NoNewPrivs 1
	holds "of root's capabilities CAP_NET_ADMIN is left, in all threads" every_thread root CapEff 0000000000001000
	holds "none can be taken up again" every_thread root CapPrm 0000000000001000
	holds "none at all without a network" every_thread plain CapEff 0000000000000000
	holds "nothing it made can be read by others" [ -z "$(find root/state plain/state -perm /077)" ]
	ctl net add rightnet user --tap tapu --own-address off --bootstrap 172.30.0.1:9338 >/dev/null
	chown -R 65534:65534 user
	ip -n nb tuntap add tapu mode tap user 65534
	ip -n nb link set tapu mtu 1400 up
	WRAP="setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all" start user
	holds "without any right, on a tap made before, it joins" await joined user
	holds "it has no capability" every_thread user CapEff 0000000000000000
	holds "and only listed system calls" limited user
	if sanitized user; then
		skip "memory" "AddressSanitizer needs to look into it"
	else
		holds "its own user cannot look into its memory" not as_nobody head -c 1 "/proc/${pid[user]}/maps"
		holds "nor see what it has open" not as_nobody ls "/proc/${pid[user]}/fd/"
	fi
	holds "it cannot leave a core" grep -qE 'Max core file size +0 +0' "/proc/${pid[user]}/limits"
	udhcpc_start nb tapu
	holds "a machine behind it is served" await has_address '' nb tapu
	holds "and pings" pings_soon b "$(address root)"
	kill "${pid[udhcpc.nb]}"
	kill -HUP "${pid[user]}"
	holds "SIGHUP is obeyed within the list" await grep -q 'reload.*endpoints to bootstrap' user.log
	for n in root plain; do kill -HUP "${pid[$n]}"; done
	holds "[node] confine = no leaves all as it was" unconfined
	for n in root plain user; do holds "$n ends well" stopped $n TERM; done
	ip -n nb link del tapu
	holds "interfaces are put back within the list" not exists a weft0
}

unconfined() {
	stopped plain TERM || return 1
	start plain -s node.confine=no
	await joined plain && every_thread plain Seccomp 0
}

# ---- the control socket -------------------------------------------------------

control() {
	local s=$work/open/control g nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"

	g=$(getent group daemon | cut -d: -f3)
	mkdir -p open && chmod 755 open
	ctl net create ctlnet >/dev/null
	ctl net add ctlnet quinn --listen4 0.0.0.0:9401 --listen6 off >/dev/null
	where[quinn]=a
	start quinn -s node.control="$s"
	holds "it joins" await joined_at "$s"
	holds "its control socket is its own user's" [ "$(stat -c %a "$s")" = 600 ]
	holds "root may ask" asked "$s" ""
	holds "another user may not" not asked "$s" "$nobody"
	chmod 666 "$s"
	holds "not even where the file would let him" not asked "$s" "$nobody"
	holds "and that is said" await grep -q 'another user was turned away' quinn.log
	holds "hostile clients get their answers" "$BIN/net-pester" control "$s"
	holds "it ends well" stopped quinn TERM
	start quinn -s node.control="$s" -s node.control-group=daemon
	holds "with a group it starts, too" await joined_at "$s"
	holds "its socket is the group's as well" [ "$(stat -c %a:%g "$s")" = "660:$g" ]
	holds "a member may ask" asked "$s" "setpriv --reuid 65534 --regid $g --clear-groups"
	holds "one by a further group, too" asked "$s" "setpriv --reuid 65534 --regid 65534 --groups $g"
	holds "others may not" not asked "$s" "$nobody"
	holds "it ends well again" stopped quinn TERM
	holds "a group that is none is refused" refused 'control-group = nobodies.*no such group' ip netns exec na "$BIN/weft-node" -c quinn/weft.conf -s node.control-group=nobodies
}

asked() { $2 "$BIN/net-pester" ask "$1"; }
joined_at() { asked "$1" "" >/dev/null 2>&1; }

# ---- bad weather: junk and old packets as fast as they go, beside real traffic -----------

# Mbit/s of TCP for three seconds from b to a over the network
goodput() {
	at a timeout 6 busybox nc -l -p 5009 2>/dev/null < <(sleep 6) | wc -c >goodput.bytes &
	await listens a 5009 >/dev/null
	at b timeout 3 busybox nc "$(address alice)" 5009 </dev/zero >/dev/null 2>&1
	wait $!
	echo $(($(cat goodput.bytes) * 8 / 3 / 1000000))
}

weather() {
	local calm junk old

	ctl net create wetnet --range 10.9.0.0/24 --term 60s >/dev/null
	rm -rf alice bob alice.log bob.log
	ctl net add wetnet alice --tap weft0 >/dev/null
	ctl net add wetnet bob --tap weft0 --bootstrap 172.30.0.1:9338 >/dev/null
	start alice -s node.log=info
	start bob -s node.log=info
	holds "two daemons have addresses" await has_address alice
	holds "both of them" await has_address bob
	pings_soon b "$(address alice)"
	ip -n nb link set eth0 gso_max_segs 1	# so that datagrams are captured, not batches of them
	at a timeout 20 tcpdump -q -i eth0 -c 2000 -w "$work/real.pcap" udp port 9338 2>/dev/null &
	pid[tcpdump]=$!
	calm=$(goodput)
	kill "${pid[tcpdump]}" 2>/dev/null
	wait "${pid[tcpdump]}" 2>/dev/null
	ip -n nb link set eth0 gso_max_segs 65535
	at c "$BIN/net-pester" flood 172.30.0.1 9338 4000 >junk.said &
	junk=$(goodput)
	wait $!
	at b "$BIN/net-pester" flood 172.30.0.1 9338 4000 real.pcap >old.said &
	old=$(goodput)
	wait $!
	echo "        goodput $calm Mbit/s in calm weather, $junk beside junk ($(cat junk.said)), $old beside old packets ($(cat old.said))"
	holds "real traffic goes on beside junk" [ "$junk" -gt 0 ]
	holds "and beside packets that were real once" [ "$old" -gt 0 ]
	holds "the link stands" ring_of 1 alice bob
	holds "nothing was taken for news" [ "$(grep -cE ' (down|dead|suspect|path) ' alice.log)" = 0 ]
	holds "a log is no place for it" [ "$(wc -l <alice.log)" -lt 60 ]
	holds "pings are answered afterwards" pings_soon b "$(address alice)"
	for n in alice bob; do holds "$n ends well" stopped $n TERM; done
}

# ---- adversity: what a machine may have in store -----------------------------

nobody="setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all"
lines() { [ "$(grep -c "$2" "$1.log")" = "$3" ] || { grep "$2" "$1.log"; return 1; }; }
seed_of() { sha256sum <"$1/state/key"; }

adversity() {
	local node="ip netns exec na" key n

	ctl net create advnet --range 10.9.0.0/24 --term 60s >/dev/null
	rm -rf alice bob alice.log bob.log
	ctl net add advnet alice --own-address off --tap weft0 >/dev/null
	ctl net add advnet bob --own-address off --tap weft0 --bootstrap 172.30.0.1:9338 >/dev/null
	key=$(seed_of alice)

	# who may what
	chown -R 65534:65534 alice
	holds "a port below 1024 without the right is refused" refused 'cannot listen on UDP 0.0.0.0:53.*[Pp]ermission' $node $nobody "$BIN/weft-node" -c alice/weft.conf -s underlay.listen4=0.0.0.0:53 -s network.1.tap=tapx
	chmod 000 alice/weft.conf
	holds "a configuration one may not read is refused" refused 'cannot read alice/weft.conf: Permission denied' $node $nobody "$BIN/weft-node" -c alice/weft.conf
	chmod 600 alice/weft.conf
	holds "a configuration that is a folder is refused" refused 'alice/state.*directory' $node "$BIN/weft-node" -c alice/state
	chown 0:0 alice/state/key
	holds "a key of somebody else is refused" refused 'cannot read .*alice/state/key: Permission denied' $node $nobody "$BIN/weft-node" -c alice/weft.conf
	chown -R 0:0 alice
	cp bob/state/card alice.card && cp alice/state/card alice.good && cp alice.card alice/state/card
	holds "a card of another node is refused" refused 'for another key' $node "$BIN/weft-node" -c alice/weft.conf
	ctl net create strange --range 10.7.0.0/24 >/dev/null
	cp strange/charter alice/strange
	holds "a network that we have no certificate in is refused" refused 'strange' $node "$BIN/weft-node" -c alice/weft.conf -s network.1.record=strange
	cp alice.good alice/state/card
	holds "a control socket in no folder is refused" refused 'cannot listen on .*nowhere/control: No such file' $node "$BIN/weft-node" -c alice/weft.conf -s node.control=nowhere/control
	holds "a control socket over a file is refused" refused 'cannot listen on .*weft.conf' $node "$BIN/weft-node" -c alice/weft.conf -s "node.control=$work/alice/weft.conf"
	holds "which is still there" test -s alice/weft.conf
	mkdir -p ro && mount --bind alice ro && mount -o remount,bind,ro ro
	holds "a file system that is read only is refused" refused 'Read-only file system' $node "$BIN/weft-node" -c ro/weft.conf
	umount ro
	holds "after all that there is no tap" not exists a weft0
	holds "and the key is what it was" [ "$(seed_of alice)" = "$key" ]

	# a clock that is wrong
	echo -200000000 >clock.alice
	holds "weft-node --check does not find a clock before the certificate good" refused 'not valid yet' env LD_PRELOAD="$BIN/net-wrongclock.so" WRONGCLOCK="$work/clock.alice" "$BIN/weft-node" -c alice/weft.conf --check
	WRAP="env LD_PRELOAD=$BIN/net-wrongclock.so WRONGCLOCK=$work/clock.alice" start alice
	start bob
	holds "a clock before the certificate does not keep a node from its ring" await ring_of 1 alice bob
	holds "it is said, once" lines alice 'clock is before' 1
	echo 0 >clock.alice
	holds "set right while it runs nothing ends" pair_stands 12
	echo 400000000 >clock.alice
	holds "nor far ahead" pair_stands 12
	echo 0 >clock.alice
	holds "alice ends well" stopped alice TERM

	# a second daemon, a disk that fills while a node runs
	holds "a second daemon on bob's directory is refused" refused 'held by another process' ip netns exec nc "$BIN/weft-node" -c bob/weft.conf
	mkdir -p small && mount -t tmpfs -o size=256k,mode=700 none small && cp -a alice small/alice
	sed -i "s|^state = .*|state = $work/small/alice/state|" small/alice/weft.conf
	mv alice alice.old && ln -s small/alice alice
	start alice
	holds "alice is back, on a small disk" await ring_of 1 alice bob
	dd if=/dev/zero of=small/full bs=1k status=none 2>/dev/null
	for n in {1..15}; do ctl -c bob/weft.conf dht -t 1s put "full$n" "$(printf "%0900d" 0)" >/dev/null 2>&1; done
	holds "that is said" await grep -q 'No space left' alice.log
	holds "in few words" [ "$(grep -c 'No space left' alice.log)" -le 5 ]
	holds "and the node stands" ring_of 1 alice bob
	rm small/full
	holds "with room again things are kept" await ctl -c alice/weft.conf dht -t 2s put after-that here
	holds "kill -9" killed alice
	start alice
	holds "it comes back" await ring_of 1 alice bob
	holds "and what was kept is there" await grep -q here <(ctl -c alice/weft.conf dht get after-that)
	for n in alice bob; do holds "$n ends well" stopped $n TERM; done
	umount small
}

pair_stands() {	# SECONDS: longer than the clock is looked at again
	local until=$((SECONDS + $1))

	while [ $SECONDS -lt $until ]; do ring_of 1 alice bob || return 1; sleep 1; done
}

underlay a b c
run
