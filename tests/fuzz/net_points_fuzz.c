/* ON: sim/net sim/engine core/base */
/* net_points_fuzz.c - any bytes, plain or gzipped, read as index,is_root,x_ms,y_ms */
#include "tests/fuzz/net_table_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_table(data, size, TABLE_POINTS);
}
