/* page.c - HTML by hand: it is short, and it is the whole file */
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "analysis/page.h"

static const char style[] =
	":root{--ink:#1d2329;--soft:#5d6872;--line:#dfe3e7;--good:#00724f;--bad:#b23c00}\n"
	"*{box-sizing:border-box}\n"
	"body{font:16px/1.5 Helvetica,Arial,'Liberation Sans',sans-serif;color:var(--ink);"
	"background:#fff;max-width:920px;margin:2.5em auto;padding:0 1.2em}\n"
	"h1{font-size:1.7em;line-height:1.2;margin:0 0 .1em}\n"
	"h2{font-size:1.15em;margin:2.2em 0 .6em;padding-bottom:.25em;"
	"border-bottom:1px solid var(--line)}\n"
	"p{margin:.5em 0;max-width:46em}\n"
	".subtitle{color:var(--soft);margin:0 0 1em}\n"
	".badge{display:inline-block;font-size:.8em;font-weight:bold;padding:.15em .6em;"
	"border-radius:3px;margin:0 .4em .3em 0;background:#eef1f3;color:var(--soft)}\n"
	".badge.good{background:#e0f3ec;color:var(--good)}\n"
	".badge.bad{background:#fbe9df;color:var(--bad)}\n"
	"table{border-collapse:collapse;font-size:.9em;margin:.6em 0 1em;"
	"font-variant-numeric:tabular-nums}\n"
	"th{text-align:left;font-weight:normal;color:var(--soft);"
	"border-bottom:1px solid #aab2b9;padding:.25em 1.4em .25em 0;vertical-align:bottom}\n"
	"td{padding:.25em 1.4em .25em 0;border-bottom:1px solid var(--line);"
	"vertical-align:top;overflow-wrap:anywhere}\n"
	"td.number,th.number{text-align:right}td.number{white-space:nowrap}\n"
	".table{overflow-x:auto}\n"
	"td.name{white-space:nowrap}\n"
	"td.quiet{color:var(--soft)}\n"
	"td.good{color:var(--good);font-weight:bold}\n"
	"td.bad{color:var(--bad);font-weight:bold}\n"
	"figure{margin:1.6em 0 2.2em;break-inside:avoid}\n"
	"figure svg{width:100%;height:auto;display:block}\n"
	"figcaption{font-size:.88em;color:var(--soft);max-width:52em;margin:.2em 0 0 .6em}\n"
	"figcaption b{color:var(--ink)}\n"
	"details{margin:.8em 0}\n"
	"summary{cursor:pointer;color:#0060a0}\n"
	"pre{font:.82em/1.45 'DejaVu Sans Mono',Menlo,Consolas,monospace;background:#f6f7f8;"
	"padding:.9em 1.1em;overflow-x:auto;white-space:pre-wrap}\n"
	"footer{margin-top:3em;padding-top:.7em;border-top:1px solid var(--line);"
	"font-size:.82em;color:var(--soft)}\n"
	"@media print{body{margin:0;max-width:none;font-size:10.5pt}"
	"summary{list-style:none}h2{break-after:avoid}@page{margin:16mm}}\n";

static void escaped(struct page *p, const char *text)
{
	char *valid = g_utf8_make_valid(text, -1), *safe = g_markup_escape_text(valid, -1);

	g_string_append(p->html, safe);
	g_free(safe);
	g_free(valid);
}

void page_begin(struct page *p, const char *title, const char *subtitle)
{
	*p = (struct page){ .html = g_string_new("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
						 "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
						 "content=\"width=device-width,initial-scale=1\">\n"
						 "<title>") };
	escaped(p, title);
	g_string_append_printf(p->html, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<h1>", style);
	escaped(p, title);
	g_string_append(p->html, "</h1>\n<p class=\"subtitle\">");
	escaped(p, subtitle);
	g_string_append(p->html, "</p>\n");
}

char *page_end(struct page *p, const char *version)
{
	g_string_append(p->html, "<footer>weft-report ");
	escaped(p, version);
	g_string_append(p->html, ". Each figure is also a file of its own in figures/, with the gnuplot "
			"script that drew it.</footer>\n</body>\n</html>\n");
	return g_string_free(g_steal_pointer(&p->html), FALSE);
}

void page_section(struct page *p, const char *title)
{
	g_string_append(p->html, "<h2>");
	escaped(p, title);
	g_string_append(p->html, "</h2>\n");
}

void page_text(struct page *p, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	g_string_append(p->html, "<p>");
	escaped(p, text);
	g_string_append(p->html, "</p>\n");
	g_free(text);
}

void page_badge(struct page *p, const char *tone, const char *text)
{
	g_string_append_printf(p->html, "<span class=\"badge %s\">", tone);
	escaped(p, text);
	g_string_append(p->html, "</span>\n");
}

/* Names of metrics are long: a line may break behind a dot. */
static void head_text(struct page *p, const char *text)
{
	char **parts = g_strsplit(text, ".", -1);

	for (char **part = parts; *part; part++) {
		if (part != parts)
			g_string_append(p->html, ".<wbr>");
		escaped(p, *part);
	}
	g_strfreev(parts);
}

void page_table(struct page *p, const char *const *heads)
{
	g_string_append(p->html, "<div class=\"table\"><table>\n<thead><tr>");
	for (; *heads; heads++) {
		bool number = **heads == '>';

		g_string_append(p->html, number ? "<th class=\"number\">" : "<th>");
		head_text(p, *heads + number);
		g_string_append(p->html, "</th>");
	}
	g_string_append(p->html, "</tr></thead>\n<tbody>\n");
}

void page_row(struct page *p)
{
	/* the end tags of rows and cells are optional in HTML */
	g_string_append(p->html, "<tr>");
}

void page_cell(struct page *p, const char *tone, const char *text)
{
	if (tone)
		g_string_append_printf(p->html, "<td class=\"%s\">", tone);
	else
		g_string_append(p->html, "<td>");
	escaped(p, text);
	g_string_append(p->html, "</td>\n");
}

void page_table_end(struct page *p)
{
	g_string_append(p->html, "</tbody></table></div>\n");
}

void page_fold(struct page *p, const char *title)
{
	g_string_append(p->html, "<details><summary>");
	escaped(p, title);
	g_string_append(p->html, "</summary>\n");
}

void page_fold_end(struct page *p)
{
	g_string_append(p->html, "</details>\n");
}

void page_pre(struct page *p, const char *text)
{
	g_string_append(p->html, "<pre>");
	escaped(p, text);
	g_string_append(p->html, "</pre>\n");
}

void page_figure(struct page *p, const char *name, const char *svg, const char *caption)
{
	const char *start = strstr(svg, "<svg");	/* without the XML declaration */

	g_string_append_printf(p->html, "<figure id=\"%s\">\n%s<figcaption><b>Figure %u.</b> ", name,
			       start ? start : svg, ++p->figures);
	escaped(p, caption);
	g_string_append(p->html, "</figcaption>\n</figure>\n");
}
