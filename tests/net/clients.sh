#!/bin/bash
# clients.sh - DHCP clients as distributions have them: all their states, against a short term
#
#	 na          nb
#	 weft0       lan0=weft0 ---+-- hc eth0	a client after another
#	 |           |             +-- hd eth0	a machine that has an address already
#	 alice       bob			router
#	 |           |
#	-+- under0 --+-			172.30.0.0/24
#
# The term is 20 s, of which the node keeps a part for itself: each client renews,
# rebinds, declines, gives back and comes back within it.
NEEDS="udhcpc arping tcpdump tshark"
SECTIONS="begin udhcpc_states dhclient_states dhcpcd_states networkd_states end"
. "${0%/*}/lib.sh"
where=([alice]=a [bob]=b)

seen() { cat "$1" 2>/dev/null | grep -c "^$2"; }	# NOTES WORD: how many times a client was told it
more_than() { [ "$(seen "$2" "$3")" -gt "$1" ]; }	# COUNT NOTES WORD
addr() { address '' hc eth0; }
got_one() { has_address '' hc eth0; }
got_other() { got_one && [ "$(addr)" != "$1" ]; }
got_same() { [ "$(addr)" = "$1" ]; }
is_free() { await freed alice "$1"; }

# How many DHCP messages of a kind crossed the LAN so far: 3 REQUEST, 4 DECLINE, 7 RELEASE, 5 ACK, 6 NAK
messages() { tshark -r bob.pcap -Y "dhcp.option.dhcp == $1" 2>/dev/null | wc -l; }
another() { [ "$(messages "$1")" -gt "$2" ]; }

# At T1 a client renews by unicast, which goes to a machine that is not there now, so that at T2 it asks everybody: REQUEST
# from its own address by broadcast (RFC 2131 4.3.2).
broadcasts() { tshark -r bob.pcap -Y "dhcp.option.dhcp == 3 && dhcp.ip.client == $1 && ip.dst == 255.255.255.255" 2>/dev/null | wc -l; }
shouts() { [ "$(broadcasts "$1")" -gt "$2" ]; }
rebinds() {	# CLIENT [COMMAND]...: promises; the command has it renew now
	local a=$(addr) n=$(broadcasts "$(addr)") acks

	ip -n hc neigh replace 10.9.0.1 lladdr 02:00:00:00:00:99 dev eth0 nud permanent
	"${@:2}"
	acks=$(messages 5)
	holds "$1 whose server cannot be reached asks everybody" await shouts "$a" "$n"
	holds "and is answered" await another 5 "$acks"
	ip -n hc neigh del 10.9.0.1 dev eth0
	holds "and keeps its address" got_same "$a"
}

fresh() {	# the client's machine, as new
	ip -n hc addr flush dev eth0 scope global
	ip -n hc link set eth0 down
	ip -n hc link set eth0 up
}

begin() {
	ctl net create tapnet --range 10.9.0.0/24 --term 20s --bootstrap 172.30.0.1:9338 >/dev/null
	ctl net add tapnet alice --tap weft0 >/dev/null
	ctl net add tapnet bob --tap weft0 --model router --bridge lan0 >/dev/null
	start alice
	start bob
	await exists b lan0
	wire hc eth0 nb l0 lan0
	wire hd eth0 nb l1 lan0
	holds "two nodes, one with a LAN" await ring_of 1 alice bob
	holds "the other has its address" await has_address alice
	capture bob lan0
}

udhcpc_states() {
	local a b n

	udhcpc_start hc eth0 -a200
	holds "udhcpc gets an address, having asked the LAN for it" await got_one
	a=$(addr)
	n=$(seen udhcpc.hc renew)
	kill -USR1 "${pid[udhcpc.hc]}"
	holds "it renews when told" await more_than "$n" udhcpc.hc renew
	holds "it keeps the address" got_same "$a"
	n=$(seen udhcpc.hc renew)
	holds "and renews by itself before the term is over" await more_than "$n" udhcpc.hc renew
	rebinds udhcpc kill -USR1 "${pid[udhcpc.hc]}"
	ip netns exec hc ping -q -c 1 -W 1 10.9.0.1 >/dev/null
	kill -USR2 "${pid[udhcpc.hc]}"
	holds "it gives it back" await not got_one
	holds "nobody has it then" is_free "$a"
	kill "${pid[udhcpc.hc]}"
	wait "${pid[udhcpc.hc]}" 2>/dev/null
	fresh
	udhcpc_start hc eth0 -r "$a"
	holds "asked for an address by number it gets that one" await got_same "$a"
	kill "${pid[udhcpc.hc]}"
	wait "${pid[udhcpc.hc]}" 2>/dev/null
	fresh
	ip -n hd addr add "$a/24" dev eth0
	udhcpc_start hc eth0 -a200
	holds "where another machine of the LAN has it already, it declines" await another 4 0
	holds "and gets another" await got_other "$a"
	holds "which works" await ip netns exec hc ping -q -c 1 -W 1 "$(address alice)"
	ip -n hd addr flush dev eth0 scope global
	kill "${pid[udhcpc.hc]}"
	wait "${pid[udhcpc.hc]}" 2>/dev/null
	fresh
}

dhclient_states() {
	local a n

	if ! have dhclient; then skip dhclient "not installed"; return; fi
	printf 'initial-interval 1; backoff-cutoff 2;\n' >dhclient.conf	# it waits 10 s between tries, half a term
	dhclient_start hc eth0 -cf "$work/dhclient.conf"
	holds "dhclient gets an address" await got_one
	a=$(addr)
	holds "it renews" await more_than 0 dhclient.hc RENEW
	holds "it still has its address" got_same "$a"
	rebinds dhclient
	kill "${pid[dhclient.hc]}"
	wait "${pid[dhclient.hc]}" 2>/dev/null
	fresh
	dhclient_start hc eth0 -cf "$work/dhclient.conf"
	holds "started again it reboots into the same" await more_than 0 dhclient.hc REBOOT
	holds "and has it" await got_same "$a"
	ip netns exec hc ping -q -c 1 -W 1 10.9.0.1 >/dev/null
	timeout 10 ip netns exec hc dhclient -r -sf "$work/dhclient.script" -lf "$work/dhclient.hc.leases" -pf "$work/dhclient.hc.pid" eth0 >/dev/null 2>&1 </dev/null
	holds "it gives it back" is_free "$a"
	fresh
	ip -n hd addr add "$a/24" dev eth0
	n=$(messages 4)
	dhclient_start hc eth0 -cf "$work/dhclient.conf"
	holds "where another machine of the LAN has it, it declines" await another 4 "$n"
	holds "and gets another" await got_other "$a"
	ip -n hd addr flush dev eth0 scope global
	kill "${pid[dhclient.hc]}"
	wait "${pid[dhclient.hc]}" 2>/dev/null
	fresh
}

# dhcpcd keeps everything in /var/lib/dhcpcd and /run: ours, not the machine's
dhcpcd_in() { ip netns exec hc dhcpcd "$@"; }

dhcpcd_states() {
	local a n

	if ! have dhcpcd; then skip dhcpcd "not installed"; return; fi
	mkdir -p dhcpcd.lib /var/lib/dhcpcd && mount --bind dhcpcd.lib /var/lib/dhcpcd
	printf 'option domain_name_servers, interface_mtu\nrequire dhcp_server_identifier\nnohook resolv.conf, hostname, ntp.conf, wpa_supplicant\nnoipv6\n' >dhcpcd.conf
	dhcpcd_in -f "$work/dhcpcd.conf" -B -t 20 eth0 >dhcpcd.log 2>&1 &
	pid[dhcpcd]=$!
	holds "dhcpcd gets an address, having asked the LAN for it" await got_one
	a=$(addr)
	holds "it has taken the MTU" await grep -q 'mtu 1400' <(ip -n hc route show; ip -n hc link show eth0)
	n=$(messages 5)
	dhcpcd_in -N eth0 >/dev/null 2>&1
	holds "it renews when told" await another 5 "$n"
	n=$(messages 5)
	dhcpcd_in -n eth0 >/dev/null 2>&1
	holds "it rebinds when told" await another 5 "$n"
	holds "and keeps its address" await got_same "$a"
	rebinds dhcpcd
	dhcpcd_in -k eth0 >/dev/null 2>&1
	holds "it gives it back" is_free "$a"
	await ended dhcpcd
	fresh
	ip -n hd addr add "$a/24" dev eth0
	n=$(messages 4)
	dhcpcd_in -f "$work/dhcpcd.conf" -B -t 20 -r "$a" eth0 >>dhcpcd.log 2>&1 &
	pid[dhcpcd]=$!
	holds "where another machine has it, it declines" await another 4 "$n"
	holds "and gets another" await got_other "$a"
	dhcpcd_in -k eth0 >/dev/null 2>&1
	await ended dhcpcd
	ip -n hd addr flush dev eth0 scope global
	unset "pid[dhcpcd]"
	fresh
}

# systemd-networkd alone, without systemd: its own /run, no bus; a /sys that cannot be written tells it that there is no udev.
networkd_states() {
	local d=/lib/systemd/systemd-networkd a n

	if ! [ -x $d ]; then skip systemd-networkd "not installed"; return; fi
	mkdir -p /run/systemd/network /run/systemd/netif /run/dbus
	printf '[Match]\nName=eth0\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n[DHCPv4]\nSendRelease=yes\nUseMTU=yes\nUseDomains=yes\n' >/run/systemd/network/10-eth0.network
	chmod -R a+rX /run/systemd
	chown -R systemd-network: /run/systemd/netif 2>/dev/null
	ip netns exec hc sh -c "mount -o remount,ro /sys && exec env SYSTEMD_LOG_LEVEL=debug $d" >networkd.log 2>&1 &
	pid[networkd]=$!
	sleep 0.5
	if ended networkd; then
		skip systemd-networkd "it does not run here: $(tail -n 1 networkd.log)"
		unset "pid[networkd]"
		return
	fi
	holds "systemd-networkd gets an address" await got_one
	a=$(addr)
	n=$(messages 5)
	holds "it renews by itself" await another 5 "$n"
	holds "and keeps it" got_same "$a"
	rebinds systemd-networkd
	kill "${pid[networkd]}"
	await ended networkd
	holds "it gives it back" is_free "$a"
	fresh
}

end() {
	kill "${pid[tcpdump.bob]}" 2>/dev/null
	holds "tshark sees only correct frames" correct bob
	holds "no client was refused what was its own" [ "$(messages 6)" = 0 ]
	holds "both end well" all_stopped alice bob
}

underlay a b
machine hc
machine hd
run
