/*
 * page.h - the parts of a report: one HTML file that needs nothing else
 *
 * Light, readable, good on paper: no scripts, no fonts or pictures from
 * elsewhere; figures are inline SVG. All text is escaped here.
 */
#ifndef PAGE_H
#define PAGE_H

#include <glib.h>

struct page {
	GString *html;
	unsigned figures;
};

void page_begin(struct page *p, const char *title, const char *subtitle);

/** page_end() - The finished page; g_free() it. @p is done */
char *page_end(struct page *p, const char *version);

void page_section(struct page *p, const char *title);
void page_text(struct page *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** page_badge() - A word in a coloured box: tone "good", "bad" or "quiet" */
void page_badge(struct page *p, const char *tone, const char *text);

/** page_table() - Begin a table; @heads is NULL-terminated, "" is fine, ">" before a name aligns right */
void page_table(struct page *p, const char *const *heads);
void page_row(struct page *p);
/** page_cell() - One cell; @tone as for badges, "number" to align right, "name" for names, NULL for plain */
void page_cell(struct page *p, const char *tone, const char *text);
void page_table_end(struct page *p);

/** page_fold() - What follows is folded away under @title, until page_fold_end() */
void page_fold(struct page *p, const char *title);
void page_fold_end(struct page *p);
void page_pre(struct page *p, const char *text);

/** page_figure() - @svg as plot_draw() returned it, numbered, with its caption */
void page_figure(struct page *p, const char *name, const char *svg, const char *caption);

#endif /* PAGE_H */
