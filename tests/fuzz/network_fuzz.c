/* ON: core/base core/seal core/dht/network.c */
/* network_fuzz.c - network records from strangers, with every signature good */
#include <assert.h>

#include "core/dht/network.h"
#include "tests/fuzz/yes_suite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct suite yes = yes_suite();
	struct network_record n;
	struct ip a;

	if (network_read(&yes, (struct bytes){ data, size }, &n))
		return 0;
	assert(n.founders == 1 || n.founders == 3 || n.founders == 5);
	assert(memchr(n.name, 0, sizeof(n.name)) && memchr(n.domain, 0, sizeof(n.domain)) && *n.domain);
	for (unsigned family = 4; family <= 6; family += 2) {
		a = network_gateway(&n, family);
		assert(!network_leasable(&n, &a));
		a.at[family == 4 ? 3 : 15] ^= data[size - 1];
		if (network_leasable(&n, &a))
			assert(!network_reserved(&n, &a) && ip_in(&a, family == 4 ? &n.range4 : &n.range6));
	}
	return 0;
}
