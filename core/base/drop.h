/*
 * drop.h - why a packet went no further
 *
 * One list: add a line and the enum, the text and the report's row exist. The
 * counters belong to the host (struct effects), one array for all its nodes.
 */
#ifndef BASE_DROP_H
#define BASE_DROP_H

#define DROP_LIST(X)							\
	X(NONE,		"accepted")					\
	X(SHORT,	"shorter than its header or body")		\
	X(TRAILING,	"longer than its body")				\
	X(VERSION,	"a protocol version we do not speak")		\
	X(TYPE,		"an unknown packet type")			\
	X(MESSAGE,	"an unknown message kind")			\
	X(OVERLAY,	"for another overlay")				\
	X(SESSION,	"no session has this receiver index")		\
	X(SEAL,		"does not open: forged, damaged or old keys")	\
	X(REPLAY,	"seen before, or older than the window")	\
	X(HANDSHAKE,	"a handshake message nobody waits for")		\
	X(CERTIFICATE,	"a certificate that proves nothing here")	\
	X(REVOKED,	"from somebody who is no member any more")	\
	X(IDENTITY,	"from somebody else than was called")		\
	X(SELF,		"from ourselves")				\
	X(STATE,	"not expected in this state")			\
	X(FULL,		"a table is full")				\
	X(MEMORY,	"the node's memory quota is reached")		\
	X(EFFECTS,	"more effects than the host gave room for")	\
	X(HOPS,		"hop limit reached")				\
	X(PASSED,	"passed on too often by those it is not for")	\
	X(ROUTE,	"no way to the destination")			\
	X(UNREACHED,	"the exact destination is not on the ring")	\
	X(SILENT,	"no next hop took it in time")			\
	X(DUPLICATE,	"handled before")				\
	X(RATE,		"over the rate limit")				\
	X(RANGE,	"a field outside its range")			\
	X(STRANGER,	"from a peer that may not ask this")		\
	X(TOO_BIG,	"does not fit the path")			\
	X(VALUE,	"malformed contents")				\
	X(STALE,	"from a previous incarnation")			\
	X(VLAN,		"carries a VLAN tag")				\
	X(ETHERTYPE,	"an ethertype the network does not carry")	\
	X(LENGTH,	"a header tells another length than there is")	\
	X(CHECKSUM,	"a wrong checksum")				\
	X(OPTION,	"a malformed option, or source routing")	\
	X(FRAGMENT,	"a fragment that fits into no packet")		\
	X(SPOOFED,	"from an address its sender does not own")	\
	X(ROGUE,	"a message only a server may send")		\
	X(RELAYED,	"through a DHCP relay agent")		\
	X(UNCLAIMED,	"from an address not granted to the guest yet")	\
	X(CLAIMED,	"from an address that was refused to the guest") \
	X(UNBELIEVED,	"under a lease that is not believed now")	\
	X(ABROAD,	"for or from an address outside the network")	\
	X(ON_LAN,	"between machines of one LAN")			\
	X(NOBODY,	"for an address nobody serves")			\
	X(NOT_HERE,	"for an address not served here")		\
	X(PASSIVE,	"another node serves this LAN")			\
	X(FOREIGN,	"from a machine this node does not serve")	\
	X(SERVICE,	"for a service the gateway does not have")	\
	X(PROOF,	"from somebody who does not know the overlay")	\
	X(COOKIE,	"asked for a proof of its address first: too many callers") \
	X(GUARD,	"denied by a rule of the network's firewall") \
	X(EPOCH,	"under a group key that holds no more, or is not here in time")

enum drop {
#define X(name, text) DROP_##name,
	DROP_LIST(X)
#undef X
	DROP_COUNT
};

const char *drop_text(enum drop d);

#endif /* BASE_DROP_H */
