/*
 * json.h - JSON documents and files that are whole or absent
 *
 * Building and parsing is json-glib's; this adds what every program needs
 * around it: numbers that survive (64-bit integers, fixed decimals), files that
 * appear only when complete, and one clear message when they cannot.
 *
 * A file is written to a temporary beside it, synced, and renamed. When the
 * disk is full or the folder cannot be written the temporary is removed and the
 * old file, if any, stays as it was.
 */
#ifndef PROG_JSON_H
#define PROG_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-glib/json-glib.h>

#include "node/prog/fail.h"

/** json_write() - @root as text, two spaces a level and a newline at its end, into @path */
bool json_write(const char *path, JsonNode *root, struct fail *f);

/** json_text() - The same text; g_free() it */
char *json_text(JsonNode *root);

/** json_read() - The document in @path; json_node_unref() it. NULL with a message naming the line */
JsonNode *json_read(const char *path, struct fail *f);

/* Members with a type: the value, or @missing when the member is absent or of another type. */
const char *json_str(JsonObject *o, const char *member, const char *missing);
int64_t json_int(JsonObject *o, const char *member, int64_t missing);
double json_num(JsonObject *o, const char *member, double missing);
JsonObject *json_obj(JsonObject *o, const char *member);
JsonArray *json_arr(JsonObject *o, const char *member);

/**
 * file_write() - @len bytes as @path, whole or not at all
 *
 * Return: false with a message "cannot write PATH: reason"
 */
bool file_write(const char *path, const void *data, size_t len, struct fail *f);

/** file_read() - All of @path, at most @max bytes, NUL added; g_free() it. NULL with a message */
char *file_read(const char *path, size_t max, size_t *len, struct fail *f);

/**
 * dir_make() - Make @path and what is missing above it, and see that it can be written
 */
bool dir_make(const char *path, struct fail *f);

#endif /* PROG_JSON_H */
