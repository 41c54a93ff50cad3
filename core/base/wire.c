#include "core/base/wire.h"

#include <stddef.h>

const char *message_text(unsigned kind)
{
	static const char *const TEXT[MESSAGE_KINDS] = {
#define X(name, number, text) [number] = text,
		MESSAGE_LIST(X)
#undef X
	};

	return kind < MESSAGE_KINDS ? TEXT[kind] : NULL;
}
