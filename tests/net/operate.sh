#!/bin/bash
# operate.sh - what an operator does with running nodes: asks, pings, captures, scrapes, reloads
#
#	 na          nb          nc          nd
#	 weft0       weft0       weft0       weft0
#	 |           |           |           |
#	 alice       bob         carol       dora: knows of an endpoint where nobody is
#	 |           |           |           |
#	-+-----------+-- under0 -+-----------+-		172.30.0.0/24, as lib.sh has it
NEEDS="tcpdump tshark busybox"
SECTIONS="begin ask dht doctor metrics pcap networks signals background"
. "${0%/*}/lib.sh"
where=([alice]=a [bob]=b [carol]=c [dora]=d)

asks() { on "$1" "$BIN/weftctl" -c "$1/weft.conf" "${@:2}"; }

alongside() {	# WHAT OUTPUT ARGUMENT...: alice is asked beside us; ${pid[WHAT]} is weftctl
	ip netns exec na "$BIN/weftctl" -c alice/weft.conf "${@:3}" >"$2" 2>&1 &
	pid[$1]=$!
}

finished() { wait "${pid[$1]}"; unset "pid[$1]"; }
interrupted() { kill -INT "${pid[$1]}"; finished "$1"; }

codes() {	# CODE COMMAND...: it ends with that
	local want=$1 code

	shift
	"$@"
	code=$?
	[ "$code" = "$want" ] || { echo "exit code $code"; return 1; }
}


begin() {
	ctl net create opnet --range 10.9.0.0/24 --term 60s --bootstrap 172.30.0.1:9338 >/dev/null
	for n in alice bob carol; do ctl net add opnet $n --tap weft0 >/dev/null; done
	start alice -s node.metrics=127.0.0.1:9464
	start bob
	start carol
	ctl net add opnet dora --tap weft0 >/dev/null
	sed -i 's/^bootstrap.*/bootstrap = 172.30.0.99:9338/' dora/weft.conf
	start dora
	holds "three daemons join" await ring_of 2 alice bob carol
	holds "and have addresses" await has_address alice
	await has_address bob
	await has_address carol
	a=$(address alice) b=$(address bob)
}

# ---- asking -----------------------------------------------------------------

ask() {
	holds "a host is pinged by its name" await codes 0 asks alice ping bob.opnet -n 3 -i 100ms
	holds "every echo comes back, with a time and the way it went" \
		grep -qE "seq=3 time=[0-9.]+ ms direct, 172.30.0.2:" <(asks alice ping bob -n 3 -i 50ms)
	holds "by its address" grep -q '5 sent, 5 received, 0% lost' <(asks alice ping "$b" -n 5 -i 20ms)
	holds "with as many bytes as are asked for" codes 0 asks alice ping "$b" -n 2 -i 20ms --size 4000
	holds "its id through the ring" grep -qE ' [12] hops' <(asks alice ping "$(field bob id)" -n 1)
	holds "and through the tunnel" grep -q direct <(asks alice ping "$(field bob id)" -n 1 --network opnet)
	holds "this host itself" codes 0 asks alice ping "$a" -n 1
	holds "as JSON" grep -q '"summary":{"sent":2,"received":2' <(asks alice ping "$b" -n 2 -i 20ms --json)
	holds "nobody's name is refused" refused "nobody's name" ctl -c alice/weft.conf ping nobody
	holds "an id nobody has: exit code 1" codes 1 asks alice ping ffffffffffffffffffffffffffffffff -n 1
	alongside ping pinged ping "$b" -i 100ms
	await grep -q seq=2 pinged
	interrupted ping
	holds "Ctrl-C ends it with a summary" grep -q '0% lost' pinged
	id=$(field bob id)
	kill -STOP "${pid[bob]}"
	holds "a node that stands still does not answer" codes 1 asks alice ping "$id" --network opnet -n 1 -t 300ms
	holds "and that is said" grep -q 'no answer in time' <(asks alice ping "$id" --network opnet -n 1 -t 300ms)
	kill -CONT "${pid[bob]}"
	holds "it comes back" await codes 0 asks alice ping "$b" -n 1
	holds "trace says who holds an address and by what way packets go" \
		grep -qE "packets go directly to 172.30.0.2" <(asks alice trace "$b")
	holds "and the way along the ring" grep -qE "^owner $(field bob id), [12] hops" <(asks alice trace "$b")
}

# ---- the DHT ----------------------------------------------------------------

dht() {
	holds "a value is put" codes 0 asks alice dht put printer 'lpd on port 515'
	holds "and got elsewhere, with who wrote it" grep -q "^$(field alice id)  lpd on port 515" <(asks carol dht get printer)
	holds "beside another's" codes 0 asks bob dht put printer other
	holds "both are told" [ "$(asks carol dht get printer | wc -l)" = 2 ]
	holds "one's own is deleted" codes 0 asks alice dht delete printer
	holds "the other's stays" says "$(field bob id)  other" asks carol dht get printer
	holds "a name under which nothing is: exit code 1" codes 1 asks carol dht get nothing-there
	holds "hosts' names are values, too" grep -q "$b" <(asks carol dht get bob --type address)
	holds "an address has a holder and a fence" grep -q "holder $(field bob id), fence" <(asks carol dht look "$b")
	holds "the slots that are kept" grep -qE '^opnet +root ' <(asks alice dht)
	holds "a misspelt word is refused with the nearest" refused 'the nearest is get' ctl -c alice/weft.conf dht gte x
	holds "a network that is none" refused 'no such network' ctl -c alice/weft.conf dht get x --network y
}

# ---- doctor -----------------------------------------------------------------

doctor() {
	holds "a node that is well: nothing is wrong" codes 0 asks alice doctor
	holds "no NAT is seen" grep -qE '^ok +nat +IPv4: no NAT' <(asks alice doctor)
	holds "its address is told" grep -qE "^ok +lease +this host is $a in opnet" <(asks alice doctor)
	holds "as JSON" grep -q '"ok":true' <(asks alice doctor --json)
	ip -n na link del weft0
	holds "a tap that somebody deleted: exit code 1" await codes 1 asks alice doctor
	holds "and that helps" grep -q 'restart the node' <(asks alice doctor)
	holds "stopped" stopped alice TERM
	start alice -s node.metrics=127.0.0.1:9464
	holds "after a restart it is well again" await codes 0 asks alice doctor
	await has_address alice
	holds "one that nobody answers is told so" await wrong_node dora
	holds "and what helps" grep -q 'bootstrap be reached' <(asks dora doctor)
	holds "it leaves at once" stopped dora TERM
}

wrong_node() { [ "$(asks "$1" doctor | grep -cE '^WRONG +node')" = 1 ]; }

# ---- metrics ----------------------------------------------------------------

scrape() { printf "$1" | on alice busybox nc -w 2 127.0.0.1 9464; }

metrics() {
	asks alice metrics >text
	holds "metrics are what Prometheus reads" busybox awk -f "$here/exposition.awk" text
	holds "a scraper gets them over HTTP" grep -q '^HTTP/1.0 200 OK' <(scrape 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n')
	scrape 'GET /metrics HTTP/1.0\r\n\r\n' | sed '1,/^\r$/d' >text
	holds "the same text" busybox awk -f "$here/exposition.awk" text
	holds "as long as it says" [ "$(scrape 'GET /metrics HTTP/1.0\r\n\r\n' | tr -d '\r' |
		busybox awk '/^Content-Length:/ { n = $2; next } body { m += length($0) + 1 } /^$/ { body = 1 } END { print n - m }')" = 0 ]
	holds "other paths are not there" grep -q '404' <(scrape 'GET / HTTP/1.0\r\n\r\n')
	holds "other methods neither" grep -q '405' <(scrape 'POST /metrics HTTP/1.0\r\n\r\n')
	head -c 4000 /dev/zero | tr '\0' x >junk
	on alice busybox nc -w 1 127.0.0.1 9464 <junk >/dev/null 2>&1
	for i in 1 2 3 4 5 6; do on alice busybox nc 127.0.0.1 9464 < <(sleep 8) >/dev/null 2>&1 & done
	holds "those who only sit there are sent away in time" await grep -q '200 OK' <(await grep -q . <(scrape 'GET /metrics HTTP/1.0\r\n\r\n'); \
		sleep 6; scrape 'GET /metrics HTTP/1.0\r\n\r\n')
	holds "a bad address for it is refused" refused 'metrics' "$BIN/weft-node" -c bob/weft.conf -s node.metrics=nowhere --check
}

# ---- captures ---------------------------------------------------------------

exists_file() { [ -s "$1" ]; }		# the head of the file is there: the node captures

pcap() {
	alongside pcap told pcap tap tap.pcap --for 2s
	await exists_file tap.pcap
	on alice ping -q -c 5 -i 0.1 "$b" >/dev/null
	finished pcap
	holds "the tap's frames are captured" [ "$(tcpdump -nr tap.pcap icmp and host "$b" 2>/dev/null | wc -l)" = 10 ]
	holds "and counted" grep -qE 'tap.pcap: [0-9]+ packets$' told
	alongside pcap told pcap overlay under.pcap --for 2s
	await exists_file under.pcap
	on alice ping -q -c 5 -i 0.1 -p 6162636465666768 "$b" >/dev/null
	finished pcap
	holds "the datagrams between nodes, too" [ "$(tcpdump -nr under.pcap host 172.30.0.2 and udp 2>/dev/null | wc -l)" -ge 10 ]
	holds "with good headers" [ -z "$(tshark -r under.pcap -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE \
		-Y '_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0' 2>/dev/null)" ]
	holds "nothing in them is to be read" not grep -qa 'abcdefgh' under.pcap
	alongside pcap told pcap tap ended.pcap
	await exists_file ended.pcap
	on alice ping -q -c 2 -i 0.1 "$b" >/dev/null
	holds "a second capture is refused" refused 'runs already' ctl -c alice/weft.conf pcap tap /dev/null
	interrupted pcap
	holds "Ctrl-C leaves a good file" [ "$(tcpdump -nr ended.pcap icmp 2>/dev/null | wc -l)" = 4 ]
	asks alice pcap tap - --for 1min 2>/dev/null | head -c 100 >/dev/null &
	on alice ping -q -c 3 -i 0.1 "$b" >/dev/null
	holds "a reader that goes away ends it" await codes 0 asks alice pcap tap /dev/null --for 100ms
	holds "a network that is none is refused" refused 'no such network' ctl -c alice/weft.conf pcap tap x --network y
	holds "and what is neither" refused 'tap nor overlay' ctl -c alice/weft.conf pcap eth0 x
	holds "the node has lost nothing meanwhile" codes 0 asks alice ping "$b" -n 1
}

# ---- networks come and go ----------------------------------------------------

hup() { for n in "$@"; do kill -HUP "${pid[$n]}"; done; }
in_networks() { says "$2" echo $(asks "$1" networks --json | grep -oE '"name" *: *"(opnet|second)"' | cut -d'"' -f4); }
without() { sed -i "/^\[network.$2\]/,\$d" "$1/weft.conf"; }	# NODE N: the sections from that one on

second() {	# NODE LINE...: it is in a second network, too
	printf '%s\n' '' '[network.2]' 'record = two.network' 'card = two.card' 'tap = weft1' "${@:2}" >>"$1/weft.conf"
}

# A ping every 50 ms through the first network, all the while: nothing of it is lost.
steady() {
	[ "$1" != begins ] || { begin_at steady a ping -q -i 0.05 -W 1 "$b" >steady.out; return; }
	kill -INT "${pid[steady]}"
	wait "${pid[steady]}"
	unset "pid[steady]"
	cat steady.out
	grep -q ' 0% packet loss' steady.out
}

networks() {
	local n y

	ctl net create second --range 10.8.0.0/24 --term 60s --founder "$(field alice id)" >/dev/null
	for n in alice bob; do
		ctl net admit second $n $n/state/card --out $n/two.card >/dev/null
		cp second/charter $n/two.network
		second $n
	done
	steady begins
	hup alice bob
	holds "a network that SIGHUP finds is joined" await has_address alice na weft1
	holds "on the other machine as well" await has_address bob nb weft1
	y=$(address bob nb weft1)
	holds "machines reach each other there" await at a ping -q -c 1 -W 1 -I weft1 "$y"
	holds "weftctl shows both" in_networks bob "opnet second"
	holds "and resolves in both" grep -q "$(field bob id)" <(asks alice resolve "$y")
	hup bob
	holds "told again it does nothing" not await_short grep -q 'second is being left' bob.log

	sed -i 's/^tap = weft1/&\nmodel = router/' bob/weft.conf
	hup bob
	holds "a section that is bad is refused, with its line and key" \
		await grep -qE 'weft.conf:[0-9]+: \[network.2\] .*bridge.* needs one' bob.log
	holds "and nothing is changed" pings a -I weft1 "$y"
	without bob 2
	second bob
	sed -i 's/^record = two/record = nothing/' bob/weft.conf
	hup bob
	holds "one without its file, too" await grep -q 'there is no .*nothing.network' bob.log
	holds "which changes nothing either" pings a -I weft1 "$y"

	without bob 2
	second bob 'model = router' 'bridge = lan7' 'address = lease'
	hup bob
	holds "a network whose section is another is left and joined again" \
		await grep -q 'bridge is not as it was: second is left and joined again' bob.log
	holds "its bridge is made, and has the host's address" await has_address bob nb lan7
	y=$(address bob nb lan7)
	holds "which is reached" await at a ping -q -c 1 -W 1 -I weft1 "$y"
	without bob 2
	hup bob
	holds "a network that is in it no more is left, and its tap gone" await not exists b weft1
	holds "and its bridge" await not exists b lan7
	holds "weftctl knows of one" await in_networks bob opnet
	holds "its address is free at once" await freed alice "$y"
	holds "so are its name and its slots' records" not grep -q '"second"' <(asks bob leases --json; asks bob names --json)
	second bob
	sed -i 's/^tap = weft1/tap = eth0/' bob/weft.conf
	hup bob
	holds "one whose tap is no tap is not joined, and it says why" await grep -q 'network.2. cannot be joined: eth0 is an interface' bob.log
	sed -i 's/^tap = eth0/tap = weft1/' bob/weft.conf
	hup bob
	holds "put right it is" await has_address bob nb weft1
	without bob 2
	without alice 2
	hup bob alice
	await in_networks alice opnet >/dev/null
	holds "both are in the first alone" await in_networks bob opnet
	holds "and not a ping through it was lost" steady ends
	holds "nothing of it asked for a restart" not grep -q 'needs a restart' alice.log bob.log

	sed -i 's/^\[network.1\]/[network.9]/' carol/weft.conf
	cp carol/weft.conf carol.was
	hup carol
	without carol 9
	hup carol
	holds "the network that is the overlay can be left as well" await not has_address carol
	holds "the node stays on the ring" joined carol
	cp carol.was carol/weft.conf
	hup carol
	holds "and comes back" await has_address carol
	holds "another number is no other network" says 1 grep -c 'opnet is being left' carol.log
	sed -i 's/^\[network.9\]/[network.1]/' carol/weft.conf
}

await_short() { AWAIT=2 await "$@" >/dev/null; }

# ---- signals ----------------------------------------------------------------

signals() {
	sed -i 's/^bootstrap.*/bootstrap = 172.30.0.1:9338 172.30.0.3:9338/' bob/weft.conf
	kill -HUP "${pid[bob]}"
	holds "SIGHUP reads the endpoints again" await grep -q 'reload .*2 endpoints' bob.log
	sed -i 's/^\[network.1\]$/&\nfirewall = deny icmp/' bob/weft.conf
	kill -HUP "${pid[bob]}"
	holds "firewall rules, too" await grep -q 'network.1.: 1 firewall rules' bob.log
	holds "and they hold at once" not pings a "$b"
	holds "the overlay's own echo is none of a guest's packets" codes 0 asks alice ping "$b" -n 1
	sed -i 's/^firewall = .*/firewall = allow icmp; deny any/' bob/weft.conf
	kill -HUP "${pid[bob]}"
	await grep -q 'network.1.: 2 firewall rules' bob.log
	holds "loosened again they let in" pings_soon a "$b"
	holds "nothing of it asks for a restart" not grep -q 'needs a restart' bob.log
	echo "nonsense = 1" >>bob/weft.conf
	kill -HUP "${pid[bob]}"
	holds "a configuration that is bad changes nothing" await grep -q 'stays as it was' bob.log
	holds "SIGTERM ends all three" all_stopped alice bob carol
	holds "and they had handed over" [ "$(grep -l 'handed over to\|not handed over' alice.log bob.log carol.log | wc -l)" = 3 ]
}

# A /dev of ours, for its log
own_dev() {
	local node

	mkdir dev && mount -t tmpfs none dev && mkdir dev/net || return 1
	for node in null zero random urandom net/tun; do cp -a "/dev/$node" "dev/$node" || return 1; done
	mount --bind dev /dev
}

detached() { [ "$(busybox stat -c %s messages 2>/dev/null || echo 0)" -gt 0 ] && [ "$(sid_of alice)" = "$(pid_of alice)" ]; }
pid_of() { ip netns pids "n${where[$1]}" | grep .; }
sid_of() { cut -d' ' -f6 "/proc/$(pid_of "$1")/stat"; }

background() {
	holds "a system's log is there" own_dev
	busybox syslogd -n -O "$work/messages" &
	pid[syslogd]=$!
	await test -S /dev/log
	holds "--daemon ends when the node is ready" \
		codes 0 timeout 20 ip netns exec na "$BIN/weft-node" -c alice/weft.conf --daemon
	holds "and it is: it answers at once" asks alice status
	holds "in a session of its own, with lines in the log" await detached
	holds "the log has words, levels beside them, and no second time" \
		await grep -qE ' daemon\.info weft-node\[[0-9]+\]: joined successor' messages
	holds "a second one says why not, and does not go to the background" \
		refused "held by another" ip netns exec na "$BIN/weft-node" -c alice/weft.conf --daemon
	holds "nor does one without a configuration" refused 'nowhere.conf' "$BIN/weft-node" -c nowhere.conf --daemon
	kill -HUP "$(pid_of alice)"
	holds "SIGHUP finds its configuration" await grep -q 'weft-node.*: reload' messages
	holds "weftctl stop ends it" asks alice stop
	holds "and nothing is left" await not pid_of alice
}

underlay a b c d
run
