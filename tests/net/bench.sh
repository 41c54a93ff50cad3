#!/bin/bash
# bench.sh - what crossing costs, beside other overlays in the same namespaces
#
#	 na                  nb
#	 10.99.0.1/24        10.99.0.2/24	the tunnel: weft's, or another's
#	 |                   |
#	 eth0 172.30.0.1     eth0 172.30.0.2
#	 |                   |
#	-+----- under0 ------+-
#
# One after the other, each set up by its own means and with its defaults for
# ciphers and MTU: round trip (200 a second, the mean, less that without a
# tunnel), TCP by iperf3, UDP packets of 64 bytes that arrive. SECONDS_EACH=5.
# Peers that are not installed are skipped.
NEEDS="iperf3"
SECTIONS="none weft wireguard tinc n2n openvpn nebula"
. "${0%/*}/lib.sh"
EACH=${SECONDS_EACH:-5}
where=([alice]=a [bob]=b)

measure() {	# NAME ADDRESS-IN-B
	local rtt tcp udp sent cpu

	if ! await at a ping -q -c 1 -W 1 "$2" >/dev/null 2>&1; then
		printf '%-12s %s\n' "$1" "does not come up here: $(tail -qn 1 "$1".*.log 2>/dev/null | head -n 1)"
		failed=$((failed + 1))
		return
	fi
	rtt=$(at a ping -q -i 0.005 -c 400 "$2" | sed -n 's,.*= [0-9.]*/\([0-9.]*\)/.*,\1,p')
	begin_at iperf b iperf3 -s -p 5301 >/dev/null 2>&1
	await listens b 5301
	tcp=$(at a iperf3 -p 5301 -J -t "$EACH" -c "$2" | bits sum_received)
	udp=$(at a iperf3 -p 5301 -J -u -l 64 -b 0 -t "$EACH" -c "$2" | arrived)
	kill "${pid[iperf]}"
	wait "${pid[iperf]}" 2>/dev/null
	unset "pid[iperf]"
	[ "$1" != none ] || base=$rtt
	printf '%-12s %10s %10s %14s %16s\n' "$1" "$rtt" "$(awk "BEGIN { printf \"%+.0f\", 1000 * ($rtt - $base) }")" "$tcp" "$udp"
	passed=$((passed + 1))
}
bits() { tr -d '\n\t ' | grep -o "\"$1\":{[^}]*" | grep -o '"bits_per_second":[0-9.e+]*' | awk -F: '{ printf "%.0f", $2 / 1e6 }'; }
arrived() {	# packets a second
	tr -d '\n\t ' | grep -o '"sum":{[^}]*"lost_packets"[^}]*' | tail -n 1 |
		awk -F'[:,{]' '{ for (i = 1; i < NF; i++) { if ($i == "\"seconds\"") s = $(i + 1); if ($i == "\"packets\"") p = $(i + 1); if ($i == "\"lost_packets\"") l = $(i + 1) } printf "%.0f", (p - l) / s }'
}

begun() { begin_at "$2" "$3" "${@:4}" >"$1.log" 2>&1; }	# LOG KEY NETNS COMMAND...
over() { local k; for k in "$@"; do kill "${pid[$k]}" 2>/dev/null; wait "${pid[$k]}" 2>/dev/null; unset "pid[$k]"; done; }

none() { measure none 172.30.0.2; }

weft() {
	ctl net create tapnet --range 10.99.0.0/24 --bootstrap 172.30.0.1:9338 >/dev/null
	ctl net add tapnet alice --tap weft0 >/dev/null
	ctl net add tapnet bob --tap weft0 >/dev/null
	start alice -s node.log=info
	start bob -s node.log=info
	await has_address bob
	await has_address alice
	measure weft "$(address bob)"
	all_stopped alice bob >/dev/null
}

wireguard() {
	local n other i

	have wireguard-go && have wg || { skip wireguard-go "not installed"; return; }
	for n in a b; do
		wg genkey >wg.$n
		begun wireguard.$n wg$n $n env WG_PROCESS_FOREGROUND=1 wireguard-go -f wg$n
	done
	for n in a b; do
		other=$([ $n = a ] && echo b || echo a) i=$([ $n = a ] && echo 1 || echo 2)
		await exists $n wg$n
		at $n wg set wg$n private-key wg.$n listen-port 51820 peer "$(wg pubkey <wg.$other)" endpoint 172.30.0.$((3 - i)):51820 allowed-ips 10.99.0.0/24
		ip -n n$n addr add 10.99.0.$i/24 dev wg$n
		ip -n n$n link set wg$n up mtu 1420
	done
	measure wireguard 10.99.0.2
	over wga wgb
}

tinc() {
	local n i d

	have tincd || { skip tinc "not installed"; return; }
	for n in a b; do
		d=tinc.$n.d i=$([ $n = a ] && echo 1 || echo 2)
		mkdir -p $d/hosts
		printf 'Name = %s\nDeviceType = tap\nMode = switch\nInterface = tinc\nAddressFamily = ipv4\n%s' $n "$([ $n = a ] || echo 'ConnectTo = a')" >$d/tinc.conf
		printf '#!/bin/sh\nip addr add 10.99.0.%s/24 dev $INTERFACE\nip link set $INTERFACE up\n' $i >$d/tinc-up
		chmod +x $d/tinc-up
		printf 'Address = 172.30.0.%s\n' $i >$d/hosts/$n
		yes '' | timeout 60 tincd -c $d -K 2048 >/dev/null 2>&1
	done
	cp tinc.a.d/hosts/a tinc.b.d/hosts/a && cp tinc.b.d/hosts/b tinc.a.d/hosts/b
	for n in a b; do begun tinc.$n tinc$n $n tincd -c "$work/tinc.$n.d" --pidfile="$work/tinc.$n.pid" -D; done
	measure tinc 10.99.0.2
	over tinca tincb
}

n2n() {
	local n i

	have edge && have supernode || { skip n2n "not installed"; return; }
	begun n2n.super n2ns a supernode -l 7777
	for n in a b; do
		i=$([ $n = a ] && echo 1 || echo 2)
		begun n2n.$n n2n$n $n edge -d n2n -a 10.99.0.$i -c bench -k secret -l 172.30.0.1:7777 -f
	done
	measure n2n 10.99.0.2
	over n2na n2nb n2ns
}

openvpn() {
	have openvpn || { skip openvpn "not installed"; return; }
	command openvpn --genkey secret ovpn.key
	local n i common="--dev tap0 --proto udp --secret ovpn.key --cipher AES-256-CBC --auth SHA256 --allow-deprecated-insecure-static-crypto --verb 1"

	for n in a b; do
		i=$([ $n = a ] && echo 1 || echo 2)
		begun openvpn.$n ovpn$n $n openvpn $common --remote 172.30.0.$((3 - i)) --ifconfig 10.99.0.$i 255.255.255.0
	done
	measure openvpn 10.99.0.2
	over ovpna ovpnb
}

nebula() {
	local n i

	have nebula && have nebula-cert || { skip nebula "not installed"; return; }
	nebula-cert ca -name bench >/dev/null
	for n in a b; do
		i=$([ $n = a ] && echo 1 || echo 2)
		nebula-cert sign -name $n -ip 10.99.0.$i/24 >/dev/null
		printf 'pki: {ca: %s/ca.crt, cert: %s/%s.crt, key: %s/%s.key}\nstatic_host_map: {"10.99.0.1": ["172.30.0.1:4242"]}\nlighthouse: {am_lighthouse: %s, hosts: [%s]}\nlisten: {host: 0.0.0.0, port: 4242}\ntun: {dev: neb, mtu: 1300}\nlogging: {level: warning}\nfirewall: {outbound: [{port: any, proto: any, host: any}], inbound: [{port: any, proto: any, host: any}]}\n' \
			"$work" "$work" $n "$work" $n "$([ $n = a ] && echo true || echo false)" "$([ $n = a ] || echo '"10.99.0.1"')" >nebula.$n.yml
		begun nebula.$n neb$n $n nebula -config nebula.$n.yml
	done
	measure nebula 10.99.0.2
	over neba nebb
}

underlay a b
printf '%-12s %10s %10s %14s %16s\n' tunnel "rtt, ms" "added, us" "TCP, Mbit/s" "UDP 64 B, 1/s"
run
