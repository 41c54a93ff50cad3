/*
 * explain.h - a schema for people: help on a terminal and a man page
 */
#ifndef PROG_EXPLAIN_H
#define PROG_EXPLAIN_H

#include "node/prog/schema.h"

/**
 * explain() - All groups (@what NULL), one group ("net"), one key ("net.loss")
 *
 * Return: text to be g_free()d, or NULL with a message that names the nearest
 */
char *explain(const struct schema *s, const char *what, struct fail *f);

/** explain_man() - The man page in scdoc's language; @page is "weft-scenario(5)" */
char *explain_man(const struct schema *s, const char *page);

#endif /* PROG_EXPLAIN_H */
