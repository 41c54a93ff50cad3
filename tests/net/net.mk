# Real daemons on this machine's loopback: no root needed, no network touched.
# Behind taps: root, in namespaces of its own; skipped with a reason otherwise.

$(B)/bin/net-pester: $(B)/tests/net/pester.o
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(STD) $(CFLAGS) -o $@ $^

check-net: $(B)/bin/weft-node $(B)/bin/weftctl $(B)/bin/net-pester	## daemons on loopback: join, trace, kill, restart, leave
	timeout 300 tests/net/loopback.sh $(B)/bin

# Most of their time is waiting, so they wait together.
net_QUICK := tap clients models weather programs
check-tap: $(B)/bin/weft-node $(B)/bin/weftctl		## daemons behind taps in namespaces, real clients and programs (root)
	@$(MAKE) --no-print-directory -j5 --output-sync=target $(addprefix topology-,$(net_QUICK))

topology-%:
	timeout 400 tests/net/$*.sh $(B)/bin

check-net-long: $(B)/bin/weft-node $(B)/bin/weftctl	## a link down for a minute, 200 nodes on this machine (root, minutes)
	timeout 400 tests/net/weather.sh $(B)/bin "begin minute end"
	timeout 900 tests/net/crowd.sh $(B)/bin

check-agree: $(B)/bin/weft-node $(B)/bin/weftctl $(B)/bin/weft-sim	## five nodes, simulated and in namespaces: the same messages (root)
	timeout 300 tests/net/agree.sh $(B)/bin

bench-net: $(B)/bin/weft-node $(B)/bin/weftctl	## round trip, TCP, small packets beside wireguard-go, tinc, n2n, openvpn, nebula (root)
	timeout 400 tests/net/bench.sh $(B)/bin

$(B)/bin/net-wrongclock.so: tests/net/wrongclock.c
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(STD) -O2 -shared -fPIC -o $@ $<

check-security: $(B)/bin/weft-node $(B)/bin/weftctl $(B)/bin/net-pester $(B)/bin/net-wrongclock.so	## firewall, privileges, hostile clients and packets (root)
	timeout 400 tests/net/security.sh $(B)/bin

check-invite: $(B)/bin/weft-node $(B)/bin/weftctl	## invitations redeemed, members revoked, in namespaces (root)
	timeout 400 tests/net/invite.sh $(B)/bin
	timeout 200 tests/net/revoke.sh $(B)/bin

check-operate: $(B)/bin/weft-node $(B)/bin/weftctl	## what an operator does: ping, dht, doctor, metrics, captures, signals (root)
	timeout 300 tests/net/operate.sh $(B)/bin

# A machine's root to boot: systemd, its resolver and network manager, and what the package depends on.
systemd_TREE := systemd,systemd-sysv,systemd-resolved,libnss-resolve,dbus,iproute2,libcap-ng0,libev4,libglib2.0-0,libjansson4,libjson-glib-1.0-0,libmnl0,libsodium23

deps-systemd:			## what `make check-systemd` needs: systemd-nspawn, and a Debian tree in build/systemd-tree (as root)
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	apt-get install -y -qq --no-install-recommends systemd-container debootstrap $(DEB_PACKAGES) >/dev/null
	$(RM) -r $(B)/systemd-tree && debootstrap --variant=minbase --include=$(systemd_TREE) bookworm $(B)/systemd-tree >/dev/null

check-systemd: deb $(B)/bin/weft-node $(B)/bin/weftctl	## the package's units under a systemd that runs, systemd-resolved, networkd (root)
	timeout 400 tests/net/systemd.sh $(B)/bin

.PHONY: deps-systemd check-systemd
check-nat: $(B)/bin/weft-node $(B)/bin/weftctl		## who meets whom behind NATs and firewalls, and what doctor says (root)
	timeout 300 tests/net/nat.sh $(B)/bin

.PHONY: check-nat check-net check-tap check-net-long check-agree bench-net check-security check-invite check-operate
