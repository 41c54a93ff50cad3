# Real daemons on this machine's loopback: no root needed, no network touched.
# Behind taps: root, in namespaces of its own; skipped with a reason otherwise.

$(B)/bin/net-pester: $(B)/tests/net/pester.o
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(STD) $(CFLAGS) -o $@ $^

check-net: $(B)/bin/weft-node $(B)/bin/weftctl $(B)/bin/net-pester	## daemons on loopback: join, trace, kill, restart, leave
	timeout 300 tests/net/loopback.sh $(B)/bin

check-tap: $(B)/bin/weft-node $(B)/bin/weftctl		## daemons behind taps in namespaces, real DHCP clients (root)
	timeout 400 tests/net/tap.sh $(B)/bin

check-security: $(B)/bin/weft-node $(B)/bin/weftctl $(B)/bin/net-pester	## firewall, privileges, hostile clients and packets (root)
	timeout 400 tests/net/security.sh $(B)/bin

check-invite: $(B)/bin/weft-node $(B)/bin/weftctl	## invitations redeemed, members revoked, in namespaces (root)
	timeout 400 tests/net/invite.sh $(B)/bin

.PHONY: check-security check-invite
check-operate: $(B)/bin/weft-node $(B)/bin/weftctl	## what an operator does: ping, dht, doctor, metrics, captures, signals (root)
	timeout 300 tests/net/operate.sh $(B)/bin

.PHONY: check-operate check-net check-tap
