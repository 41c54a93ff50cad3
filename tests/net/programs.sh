#!/bin/bash
# programs.sh - what people run over a network, over this one
#
#	 na          nb
#	 weft0       weft0
#	 |           |
#	 alice       bob		flannel's data path: cni0 - flannel.1 (VXLAN) over weft0
#	 |           |
#	-+- under0 --+-			172.30.0.0/24
NEEDS="arping dig tcpdump tshark"
SECTIONS="begin speed names shell web vxlan mdns end"
. "${0%/*}/lib.sh"
where=([alice]=a [bob]=b)

begin() {
	local n

	ctl net create tapnet --range 10.9.0.0/24 --range6 fd09::/64 --term 60s --bootstrap 172.30.0.1:9338 >/dev/null
	for n in alice bob; do ctl net add tapnet $n --tap weft0 >/dev/null; done
	start alice
	start bob
	holds "two daemons join" await ring_of 1 alice bob
	for n in alice bob; do holds "$n has an address" await has_address $n; done
	a=$(address alice) b=$(address bob)
	holds "arping" at a arping -c 2 -w 3 -I weft0 "$b"
	holds "ping, flooded" at a ping -q -f -c 2000 "$b"
}

names() {
	capture alice		# not what iperf3 sent: tshark would take half a minute
	printf 'nameserver 10.9.0.1\nsearch tapnet\noptions timeout:2 attempts:2\n' >resolv.conf
	printf 'hosts: files dns\n' >nsswitch.conf
	holds "getent finds bob by his name" await known b "$b" bob
	holds "and his name by his address" grep -q bob.tapnet <(with_dns a getent hosts "$b")
	holds "ping by name" with_dns a ping -q -c 1 -W 2 bob
}

with_dns() {	# NETNS COMMAND...
	local n=$1

	shift
	at "$n" unshare -m sh -c "mount --bind $work/resolv.conf /etc/resolv.conf && mount --bind $work/nsswitch.conf /etc/nsswitch.conf && exec \"\$@\"" sh "$@"
}
squeeze() { echo $("$@" 2>&1 | awk 'NR == 1 { print $1, $NF }'); }
known() { with_dns a getent hosts "$3" | grep -q "^$2 "; }

speed() {
	if ! have iperf3; then skip iperf3 "not installed"; return; fi
	begin_at iperf3 b iperf3 -s >iperf3.log 2>&1
	await listens b 5201
	holds "iperf3 over TCP" grep -q '"bits_per_second"' <(at a iperf3 -J -t 2 -c "$b")
	holds "backwards, four streams" at a iperf3 -t 1 -R -P 4 -c "$b"
	holds "over UDP, nothing lost at 10 Mbit/s" grep -q '(0%)' <(at a iperf3 -u -b 10M -t 1 -c "$b")
	kill "${pid[iperf3]}"
	unset "pid[iperf3]"
}

shell() {
	if ! have dropbear || ! have ssh; then skip ssh "not installed"; return; fi
	dropbearkey -t ed25519 -f host.key >/dev/null 2>&1
	ssh-keygen -q -t ed25519 -N '' -f user.key
	begin_at sshd b unshare -m sh -c "mkdir -p /root/.ssh && mount -t tmpfs -o mode=700 none /root/.ssh && cp $work/user.key.pub /root/.ssh/authorized_keys &&
		chmod 600 /root/.ssh/authorized_keys && exec dropbear -F -E -s -r $work/host.key -P '' -p 2222" 2>sshd.log
	await listens b 2222
	holds "ssh runs a command on the other" says "bob is here" ssh_to "echo bob is here"
	holds "and carries a megabyte there and back" ssh_loops
	kill "${pid[sshd]}"
	unset "pid[sshd]"
}

ssh_to() {
	at a timeout 20 ssh -F /dev/null -i user.key -p 2222 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
		-o IdentitiesOnly=yes "root@$b" "$@"
}
ssh_loops() { dd if=/dev/urandom of=mega bs=1k count=1024 status=none; ssh_to cat <mega >mega.back && cmp mega mega.back; }

web() {
	mkdir -p www && dd if=/dev/urandom of=www/big bs=1k count=512 status=none
	begin_at httpd b busybox httpd -f -p 8080 -h www
	await listens b 8080
	printf 'GET /big HTTP/1.0\r\n\r\n' | at a timeout 10 busybox nc "$b" 8080 >got
	holds "a web server is reached" grep -qa '200 OK' got
	tail -c 524288 got >got.big
	holds "what it gives is right" cmp www/big got.big
	kill "${pid[httpd]}"
	unset "pid[httpd]"
}

# A responder and a bus each, with a /run of their own
responder() {
	mkdir -p "run.$1/dbus"
	printf '[server]\nhost-name=mdns-%s\nallow-interfaces=weft0\nuse-ipv6=no\n[publish]\npublish-addresses=yes\n[rlimits]\n' "$1" >avahi.$1.conf
	begin_at bus.$1 "$1" unshare -m sh -c "mount --bind $work/run.$1 /run && mount --bind $work/mdns.conf /etc/nsswitch.conf &&
		exec dbus-daemon --system --nofork --nopidfile" >bus.$1.log 2>&1
	await [ -S "run.$1/dbus/system_bus_socket" ]
	nsenter -t "${pid[bus.$1]}" -m -n avahi-daemon --no-rlimits --no-chroot --no-drop-root -f "$work/avahi.$1.conf" >avahi.$1.log 2>&1 &
	pid[avahi.$1]=$!
}
beside() { nsenter -t "${pid[bus.$1]}" -m -n "${@:2}"; }		# where the bus of NETNS is
browsed() { beside a timeout 5 avahi-browse -rpt _ipp._tcp | grep -q "^=.*;press;.*;mdns-b.local;$b;6310;"; }
announced() { tshark -r alice.pcap -Y "mdns && ip.src == $1 && dns.resp.name == \"$2\" && dns.a == $1" 2>/dev/null | grep -q .; }

mdns() {
	local n

	if ! have avahi-daemon || ! have avahi-browse; then skip "avahi, mDNS" "not installed"; return; fi
	printf 'hosts: files mdns4_minimal [NOTFOUND=return] dns\n' >mdns.conf
	responder a
	responder b
	holds "avahi's answer by multicast is heard on the other machine" await announced "$b" mdns-b.local
	holds "and back: of the host named so there is one" not grep -q 'Host name conflict' avahi.a.log avahi.b.log
	holds "avahi-resolve finds the other by name" await says "mdns-b.local $b" squeeze beside a avahi-resolve -4 -n mdns-b.local
	holds "and by address" await says "$a mdns-a.local" squeeze beside b avahi-resolve -a "$a"
	if ls /lib/*/libnss_mdns4_minimal.so.2 >/dev/null 2>&1; then
		holds "getent does, by nss-mdns" says "$b mdns-b.local" squeeze beside a getent ahostsv4 mdns-b.local
	else
		skip nss-mdns "not installed"
	fi
	nsenter -t "${pid[bus.b]}" -m -n avahi-publish -s press _ipp._tcp 6310 >publish.log 2>&1 &
	pid[publish]=$!
	holds "avahi-browse finds a printer on the other" await browsed
	kill "${pid[publish]}"
	unset "pid[publish]"
	holds "and no more when it is gone" await not browsed
	for n in a b; do
		kill "${pid[avahi.$n]}" "${pid[bus.$n]}"
		unset "pid[avahi.$n]" "pid[bus.$n]"
	done
}

# As flannel's vxlan backend does it: VNI 1, port 8472, no learning, entries set by the control plane.
vxlan() {
	local n me peer i=0 mac

	for n in a b; do
		i=$((i + 1))
		me=$([ $n = a ] && echo "$a" || echo "$b")
		ip -n n$n link add flannel.1 address 02:00:00:00:01:0$i type vxlan id 1 local "$me" dev weft0 dstport 8472 nolearning || { skip VXLAN "this kernel has none"; return; }
		ip -n n$n addr add 10.244.$i.0/32 dev flannel.1
		ip -n n$n link set flannel.1 up
		ip -n n$n link add cni0 type bridge
		ip -n n$n addr add 10.244.$i.1/24 dev cni0
		ip -n n$n link set cni0 up
		machine pod$i
		wire pod$i eth0 n$n pod$i cni0
		ip -n pod$i link set eth0 mtu 1350
		ip -n pod$i addr add 10.244.$i.2/24 dev eth0
		ip -n pod$i route add default via 10.244.$i.1
		at $n sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	done
	for n in a b; do
		peer=$([ $n = a ] && echo 2 || echo 1)
		me=$([ $n = a ] && echo "$b" || echo "$a")
		ip -n n$n route add 10.244.$peer.0/24 via 10.244.$peer.0 dev flannel.1 onlink
		ip -n n$n neigh add 10.244.$peer.0 lladdr 02:00:00:00:01:0$peer dev flannel.1 nud permanent
		bridge -n n$n fdb add 02:00:00:00:01:0$peer dev flannel.1 dst "$me"
	done
	holds "a VXLAN over it, as flannel makes it: the MTU leaves room" grep -q 'mtu 1350' <(ip -n na link show flannel.1)
	holds "a pod reaches a pod" await ip netns exec pod1 ping -q -c 1 -W 1 10.244.2.2
	holds "with full packets" ip netns exec pod1 ping -q -c 2 -i 0.2 -W 1 -s 1322 -M do 10.244.2.2
	holds "and TCP" pod_sends
}
pod_sends() {
	ip netns exec pod2 timeout 15 busybox nc -l -p 5003 >pod.got < <(sleep 10) &
	pid[pod]=$!
	sleep 0.2
	ip netns exec pod1 timeout 10 busybox nc 10.244.2.2 5003 <www/big
	wait "${pid[pod]}"
	unset "pid[pod]"
	cmp www/big pod.got
}

end() {
	kill "${pid[tcpdump.alice]}" 2>/dev/null
	holds "tshark sees only correct frames" correct alice
	holds "both end well" all_stopped alice bob
}

underlay a b
run
