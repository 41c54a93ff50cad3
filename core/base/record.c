#include "core/base/record.h"

const char *record_text(enum record_kind kind)
{
	static const char *const TEXT[RECORD_KINDS] = {
#define X(name, text) [RECORD_##name] = text,
		RECORD_LIST(X)
#undef X
	};

	return kind < RECORD_KINDS ? TEXT[kind] : "unknown";
}
