#include "core/base/drop.h"

const char *drop_text(enum drop d)
{
	static const char *const TEXT[DROP_COUNT] = {
#define X(name, text) [DROP_##name] = text,
		DROP_LIST(X)
#undef X
	};

	return d < DROP_COUNT ? TEXT[d] : "unknown";
}
