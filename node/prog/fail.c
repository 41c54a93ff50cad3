/* fail.c - messages for the person at the terminal */
#include "node/prog/fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

static const char *program = "weft";

void fail_init(struct fail *f)
{
	*f = (struct fail){ 0 };
}

void fail_done(struct fail *f)
{
	for (unsigned i = 0; i < f->count; i++)
		g_free(f->text[i]);
	fail_init(f);
}

void fail_add(struct fail *f, const char *format, ...)
{
	va_list args;

	if (!f)
		return;
	if (f->count == FAIL_MAX) {
		f->more++;
		return;
	}
	va_start(args, format);
	f->text[f->count++] = g_strdup_vprintf(format, args);
	va_end(args);
}

void fail_hint(struct fail *f, const char *format, ...)
{
	char *hint, *both;
	va_list args;

	if (!f || !f->count || f->more)
		return;
	va_start(args, format);
	hint = g_strdup_vprintf(format, args);
	va_end(args);
	both = g_strconcat(f->text[f->count - 1], "\n", hint, NULL);
	g_free(hint);
	g_free(f->text[f->count - 1]);
	f->text[f->count - 1] = both;
}

void fail_move(struct fail *f, struct fail *from)
{
	for (unsigned i = 0; i < from->count; i++)
		fail_add(f, "%s", from->text[i]);
	if (f)
		f->more += from->more;
	fail_done(from);
}

void fail_errno(struct fail *f, const char *verb, const char *what, int err)
{
	err = abs(err);
	fail_add(f, "cannot %s %s: %s", verb, what, strerror(err));
	switch (err) {
	case ENOSPC:
	case EDQUOT:
		fail_hint(f, "free some space there, or choose another folder with -o DIR");
		break;
	case EACCES:
	case EPERM:
	case EROFS:
		fail_hint(f, "it needs permission there; choose a place you may use");
		break;
	case EMFILE:
	case ENFILE:
		fail_hint(f, "raise the limit on open files (ulimit -n)");
		break;
	default:
		break;
	}
}

void fail_name(const char *prog)
{
	program = prog;
}

const char *fail_prog(void)
{
	return program;
}

/* One message, its further lines set in under the first. */
static void print_one(const char *text)
{
	char **line = g_strsplit(text, "\n", -1);

	fprintf(stderr, "%s: %s\n", program, line[0] ? line[0] : "");
	for (unsigned i = 1; line[0] && line[i]; i++)
		fprintf(stderr, "%*s  %s\n", (int)strlen(program), "", line[i]);
	g_strfreev(line);
}

void fail_print(const struct fail *f)
{
	for (unsigned i = 0; i < f->count; i++)
		print_one(f->text[i]);
	if (f->more)
		fprintf(stderr, "%s: and %u more like these\n", program, f->more);
}

void fail_exit(struct fail *f)
{
	fail_print(f);
	fail_done(f);
	exit(EXIT_UNABLE);
}

void say(const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);	/* a progress bar; it is drawn again */
	print_one(text);
	g_free(text);
}
