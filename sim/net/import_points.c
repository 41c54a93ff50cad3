/* import_points.c - index,is_root,x_ms,y_ms: oversim-skitter-2d. Distance in the plane is the delay */
#include "sim/net/import.h"

#include <string.h>

#define HEADER	"index,is_root,x_ms,y_ms"

enum { FARTHEST_NS = 2000000000 };	/* of a coordinate from 0; fits int32_t */

struct net_table *import_points(struct import *in)
{
	GArray *x = g_array_new(FALSE, FALSE, sizeof(int32_t));
	GArray *y = g_array_new(FALSE, FALSE, sizeof(int32_t));
	struct net_table *t;
	char *line = import_line(in), *field[4];

	if (line && strcmp(line, HEADER))
		import_fail(in, "not a list of coordinates; wanted in the first line: %s", HEADER);
	while ((line = import_line(in))) {
		uint32_t index, root;
		int64_t a, b;
		int32_t v;

		if (!import_split(in, line, field, 4) ||
		    !import_count(in, field[0], 1, "index", NET_POINTS_MAX, &index) ||
		    !import_count(in, field[1], 2, "is_root", 2, &root) ||
		    !import_ns(in, field[2], 3, "x_ms", FARTHEST_NS, true, &a) ||
		    !import_ns(in, field[3], 4, "y_ms", FARTHEST_NS, true, &b))
			break;
		if (index != x->len) {
			import_fail(in, "index (field 1) is '%u'; wanted: %u, they count from 0",
				    index, x->len);
			break;
		}
		v = (int32_t)a;
		g_array_append_val(x, v);
		v = (int32_t)b;
		g_array_append_val(y, v);
	}
	if (!in->failed && !x->len)
		import_fail(in, "no points; wanted: lines of %s", HEADER);
	if (in->failed) {
		g_array_free(x, TRUE);
		g_array_free(y, TRUE);
		return NULL;
	}
	t = g_new0(struct net_table, 1);
	t->kind = KIND_POINTS;
	t->rows = x->len;
	t->x_ns = (int32_t *)(void *)g_array_free(x, FALSE);
	t->y_ns = (int32_t *)(void *)g_array_free(y, FALSE);
	return t;
}
