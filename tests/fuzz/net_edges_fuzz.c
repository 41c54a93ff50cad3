/* ON: sim/net sim/engine core/base */
/* net_edges_fuzz.c - any bytes, plain or gzipped, read as node_a,node_b,latency_ms,jitter_ms */
#include "tests/fuzz/net_table_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_table(data, size, TABLE_EDGES);
}
