/* json.c - JSON documents and files that are whole or absent */
#include "node/prog/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- files ------------------------------------------------------------------------------ */

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The rename is durable once the folder is. Some file systems cannot sync one: then it is. */
static void sync_dir(const char *path)
{
	char *dir = g_path_get_dirname(path);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	g_free(dir);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

bool file_write(const char *path, const void *data, size_t len, struct fail *f)
{
	char *part = g_strdup_printf("%s.part.%d", path, (int)getpid());
	int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), err = 0;

	if (fd < 0) {
		err = -errno;
	} else {
		err = write_all(fd, data, len);
		if (!err && fsync(fd) && errno != EINVAL)
			err = -errno;
		if (close(fd) && !err)
			err = -errno;
		if (!err && rename(part, path))
			err = -errno;
		if (err)
			unlink(part);
		else
			sync_dir(path);
	}
	g_free(part);
	if (err)
		fail_errno(f, "write", path, err);
	return !err;
}

char *file_read(const char *path, size_t max, size_t *len, struct fail *f)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err = 0;
	size_t room = 64 << 10, used = 0;
	struct stat st;
	char *data;

	if (fd < 0 || fstat(fd, &st)) {
		err = errno;
	} else if (S_ISDIR(st.st_mode)) {
		err = EISDIR;
	}
	if (err) {
		if (fd >= 0)
			close(fd);
		fail_errno(f, "read", path, err);
		return NULL;
	}
	data = g_malloc(room + 1);
	for (;;) {
		ssize_t n = read(fd, data + used, room - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err = errno;
		if (n <= 0)
			break;
		used += (size_t)n;
		if (used > max)
			break;
		if (used == room)
			data = g_realloc(data, (room *= 2) + 1);
	}
	close(fd);
	if (err)
		fail_errno(f, "read", path, err);
	else if (used > max)
		fail_add(f, "cannot read %s: larger than %zu bytes", path, max);
	if (err || used > max) {
		g_free(data);
		return NULL;
	}
	data[used] = 0;
	*len = used;
	return data;
}

bool dir_make(const char *path, struct fail *f)
{
	if (g_mkdir_with_parents(path, 0777)) {
		fail_errno(f, "make the folder", path, errno);
		return false;
	}
	if (access(path, W_OK | X_OK)) {
		fail_errno(f, "write into", path, errno);
		return false;
	}
	return true;
}

/* ---- JSON ------------------------------------------------------------------------------- */

char *json_text(JsonNode *root)
{
	JsonGenerator *g = json_generator_new();
	char *bare, *text;

	json_generator_set_root(g, root);
	json_generator_set_pretty(g, TRUE);
	json_generator_set_indent(g, 2);
	bare = json_generator_to_data(g, NULL);
	g_object_unref(g);
	text = g_strconcat(bare, "\n", NULL);
	g_free(bare);
	return text;
}

bool json_write(const char *path, JsonNode *root, struct fail *f)
{
	char *text = json_text(root);
	bool ok = file_write(path, text, strlen(text), f);

	g_free(text);
	return ok;
}

JsonNode *json_read(const char *path, struct fail *f)
{
	enum { JSON_FILE_MAX = 256 << 20 };
	JsonParser *parser;
	JsonNode *root = NULL;
	GError *error = NULL;
	size_t len;
	char *text = file_read(path, JSON_FILE_MAX, &len, f);

	if (!text)
		return NULL;
	parser = json_parser_new();
	if (!g_utf8_validate_len(text, len, NULL))
		fail_add(f, "%s: not JSON: not UTF-8 text", path);
	else if (!json_parser_load_from_data(parser, text, (gssize)len, &error))
		fail_add(f, "%s:%u: not JSON: %s", path, json_parser_get_current_line(parser),
			 error->message);
	else if (!json_parser_get_root(parser))
		fail_add(f, "%s: not JSON: empty", path);
	else
		root = json_parser_steal_root(parser);
	g_clear_error(&error);
	g_object_unref(parser);
	g_free(text);
	return root;
}

/* The member if it is of @type (a value type for plain values), else NULL. */
static JsonNode *member_of(JsonObject *o, const char *member, JsonNodeType type)
{
	JsonNode *n = o ? json_object_get_member(o, member) : NULL;

	return n && json_node_get_node_type(n) == type ? n : NULL;
}

const char *json_str(JsonObject *o, const char *member, const char *missing)
{
	JsonNode *n = member_of(o, member, JSON_NODE_VALUE);

	return n && json_node_get_value_type(n) == G_TYPE_STRING ? json_node_get_string(n) : missing;
}

int64_t json_int(JsonObject *o, const char *member, int64_t missing)
{
	JsonNode *n = member_of(o, member, JSON_NODE_VALUE);

	return n && json_node_get_value_type(n) == G_TYPE_INT64 ? json_node_get_int(n) : missing;
}

double json_num(JsonObject *o, const char *member, double missing)
{
	JsonNode *n = member_of(o, member, JSON_NODE_VALUE);

	if (n && json_node_get_value_type(n) == G_TYPE_INT64)
		return (double)json_node_get_int(n);
	return n && json_node_get_value_type(n) == G_TYPE_DOUBLE ? json_node_get_double(n) : missing;
}

JsonObject *json_obj(JsonObject *o, const char *member)
{
	JsonNode *n = member_of(o, member, JSON_NODE_OBJECT);

	return n ? json_node_get_object(n) : NULL;
}

JsonArray *json_arr(JsonObject *o, const char *member)
{
	JsonNode *n = member_of(o, member, JSON_NODE_ARRAY);

	return n ? json_node_get_array(n) : NULL;
}
