/*
 * keep.h - the small files a node lives on: whole, damaged or absent, never half
 *
 *	weft KIND 1
 *	BASE64, lines of 64
 *	= 0123456789abcdef
 *
 * Text, so that it survives mail and editors; the last line is BLAKE2b-64 of
 * everything before it, so that damage is told from a key of somebody else.
 * Writing is: a temporary beside it, fsync, rename, fsync of the folder. Modes
 * are given and do not depend on umask.
 *
 *	Memory		malloc; results are free()d by the caller
 *	Errors		messages in struct fail, naming the file
 */
#ifndef NODE_KEEP_H
#define NODE_KEEP_H

#include <sys/types.h>

#include "core/base/bytes.h"
#include "node/prog/fail.h"

enum { KEEP_VERSION = 1, KEEP_MAX = 4 << 20 /* bytes of a file */ };

enum keep { KEEP_GOOD, KEEP_ABSENT, KEEP_BAD };

/** keep_encode() - The file's text for @data; free() it */
char *keep_encode(const char *kind, struct bytes data);

/**
 * keep_decode() - The data in @text, which must be of @kind
 * @data: free() it; untouched on failure
 *
 * Return: NULL, or what is wrong as half a sentence
 */
const char *keep_decode(const char *kind, const char *text, size_t len, uint8_t **data, size_t *data_len);

bool keep_write(const char *path, mode_t mode, const char *kind, struct bytes data, struct fail *f);

/** keep_read() - KEEP_ABSENT leaves no message, KEEP_BAD does. With @secret others must not have access to it */
enum keep keep_read(const char *path, const char *kind, bool secret, uint8_t **data, size_t *len, struct fail *f);

/** keep_file() - @path holds these bytes, durable, or what it held before; 0 or errno */
int keep_file(const char *path, mode_t mode, const void *data, size_t len);

/** keep_text_write(), keep_text_read() - the same care for plain text */
bool keep_text_write(const char *path, mode_t mode, const char *text, struct fail *f);
enum keep keep_text_read(const char *path, char **text, size_t *len, struct fail *f);

/** keep_dir() - Make the folder @path with mode 0700; false with a message if it cannot be made, or exists with @fresh */
bool keep_dir(const char *path, bool fresh, struct fail *f);

/** keep_lock() - Lock the file @path for this process; a descriptor, or -1 with a message saying who holds it */
int keep_lock(const char *path, struct fail *f);

/** keep_path() - "@dir/@name"; free() it */
char *keep_path(const char *dir, const char *name);

#endif /* NODE_KEEP_H */
