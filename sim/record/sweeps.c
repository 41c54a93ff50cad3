/* The arithmetic of sweeps: points, intervals, tables. */
#include "sim/record/sweeps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "node/prog/json.h"

/* -- what is varied ----------------------------------------------------------------------------- */

bool varied_parse(struct varied *v, const char *text, struct fail *f)
{
	const char *eq = strchr(text, '=');

	*v = (struct varied){ 0 };
	if (!eq || eq == text || !eq[1] || !memchr(text, '.', (size_t)(eq - text))) {
		fail_add(f, "--vary %s: not a choice of values; accepted: group.key=a,b,c", text);
		return false;
	}
	v->key = g_strndup(text, (gsize)(eq - text));
	v->value = g_strsplit(eq + 1, ",", -1);
	v->count = g_strv_length(v->value);
	for (unsigned i = 0; i < v->count; i++) {
		if (*g_strstrip(v->value[i]))
			continue;
		fail_add(f, "--vary %s: value %u is empty; accepted: group.key=a,b,c", text, i + 1);
		varied_done(v);
		return false;
	}
	return true;
}

void varied_done(struct varied *v)
{
	g_free(v->key);
	g_strfreev(v->value);
	*v = (struct varied){ 0 };
}

bool sweep_plan(struct sweep *s, struct fail *f)
{
	uint64_t points = 1;

	for (unsigned i = 0; i < s->varieds; i++) {
		points *= s->varied[i].count;
		if (points * s->seeds > SWEEP_RUNS)
			break;
	}
	if (points * s->seeds > SWEEP_RUNS) {
		fail_add(f, "more than %d runs; accepted: fewer values or seeds", SWEEP_RUNS);
		return false;
	}
	s->points = (unsigned)points;
	s->metrics = g_ptr_array_new_with_free_func(g_free);
	s->code = g_new(int, s->points * s->seeds);
	for (unsigned i = 0; i < s->points * s->seeds; i++)
		s->code[i] = -1;
	return true;
}

void sweep_done(struct sweep *s)
{
	for (unsigned i = 0; i < s->varieds; i++)
		varied_done(&s->varied[i]);
	if (s->metrics)
		g_ptr_array_free(s->metrics, TRUE);
	g_free(s->value);
	g_free(s->code);
	*s = (struct sweep){ 0 };
}

const char *sweep_value(const struct sweep *s, unsigned point, unsigned v)
{
	for (unsigned i = s->varieds - 1; i > v; i--)
		point /= s->varied[i].count;
	return s->varied[v].value[point % s->varied[v].count];
}

/* -- what came out -------------------------------------------------------------------------------- */

static void name_metrics(struct sweep *s, JsonObject *o)
{
	GList *names = json_object_get_members(o);

	for (GList *i = names; i; i = i->next)
		g_ptr_array_add(s->metrics, g_strdup(i->data));
	g_list_free(names);
	s->value = g_new(double, (gsize)s->points * s->seeds * s->metrics->len);
	for (gsize i = 0; i < (gsize)s->points * s->seeds * s->metrics->len; i++)
		s->value[i] = NAN;
}

bool sweep_take(struct sweep *s, unsigned run, const char *path, struct fail *f)
{
	JsonNode *root = json_read(path, f);
	JsonObject *o = root && JSON_NODE_HOLDS_OBJECT(root) ? json_obj(json_node_get_object(root), "metrics") : NULL;

	if (!root)
		return false;
	if (!o) {
		fail_add(f, "%s: not the summary of a run", path);
		json_node_unref(root);
		return false;
	}
	if (!s->metrics->len)
		name_metrics(s, o);
	for (guint i = 0; i < s->metrics->len; i++)
		s->value[(gsize)run * s->metrics->len + i] =
			json_num(o, g_ptr_array_index(s->metrics, i), NAN);
	json_node_unref(root);
	return true;
}

double student(unsigned freedom)
{
	/* Two-sided 95 %: Fisher and Yates, Statistical Tables, table III */
	static const double t[] = {
		0, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179,
		2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060,
		2.056, 2.052, 2.048, 2.045, 2.042,
	};
	double n = freedom;

	if (freedom < G_N_ELEMENTS(t))
		return t[freedom];
	/* Cornish and Fisher's expansion around the normal quantile; good to 3e-4 from here on */
	return 1.959964 + 2.372272 / n + 2.822502 / (n * n);
}

struct spread spread_of(const double *value, unsigned n)
{
	struct spread r = { .half = -1 };
	double sum = 0, squares = 0;

	for (unsigned i = 0; i < n; i++) {
		if (isnan(value[i]))
			continue;
		sum += value[i];
		r.n++;
	}
	r.mean = r.n ? sum / r.n : NAN;
	for (unsigned i = 0; i < n; i++)
		if (!isnan(value[i]))
			squares += (value[i] - r.mean) * (value[i] - r.mean);
	if (r.n > 1)
		r.half = student(r.n - 1) * sqrt(squares / (r.n - 1) / r.n);
	return r;
}

static struct spread at(const struct sweep *s, unsigned point, guint metric)
{
	double *v = g_new(double, s->seeds);
	struct spread r;

	for (unsigned i = 0; i < s->seeds; i++)
		v[i] = s->value[((gsize)point * s->seeds + i) * s->metrics->len + metric];
	r = spread_of(v, s->seeds);
	g_free(v);
	return r;
}

/* -- tables ------------------------------------------------------------------------------------- */

static void field(FILE *to, const char *text)
{
	bool quote = strpbrk(text, ",\"\n") != NULL;

	if (quote)
		fputc('"', to);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', to);
		fputc(*text, to);
	}
	if (quote)
		fputc('"', to);
}

static void number(FILE *to, double v)
{
	char buf[G_ASCII_DTOSTR_BUF_SIZE];

	fputc(',', to);
	if (!isnan(v))
		fputs(g_ascii_formatd(buf, sizeof(buf), "%.9g", v), to);
}

static void point_fields(const struct sweep *s, unsigned point, FILE *to)
{
	for (unsigned v = 0; v < s->varieds; v++) {
		field(to, sweep_value(s, point, v));
		fputc(',', to);
	}
}

void sweep_csv(const struct sweep *s, FILE *to)
{
	for (unsigned v = 0; v < s->varieds; v++)
		fprintf(to, "%s,", s->varied[v].key);
	fputs("seed,exit_code", to);
	for (guint i = 0; i < s->metrics->len; i++)
		fprintf(to, ",%s", (char *)g_ptr_array_index(s->metrics, i));
	fputc('\n', to);
	for (unsigned run = 0; run < s->points * s->seeds; run++) {
		point_fields(s, run / s->seeds, to);
		fprintf(to, "%" G_GUINT64_FORMAT ",%d", s->first_seed + run % s->seeds, s->code[run]);
		for (guint i = 0; i < s->metrics->len; i++)
			number(to, s->value[(gsize)run * s->metrics->len + i]);
		fputc('\n', to);
	}
}

void sweep_means(const struct sweep *s, FILE *to)
{
	for (unsigned v = 0; v < s->varieds; v++)
		fprintf(to, "%s,", s->varied[v].key);
	fputs("metric,n,mean,ci95_half_width\n", to);
	for (unsigned p = 0; p < s->points; p++) {
		for (guint i = 0; i < s->metrics->len; i++) {
			struct spread r = at(s, p, i);

			if (!r.n)
				continue;
			point_fields(s, p, to);
			fprintf(to, "%s,%u", (char *)g_ptr_array_index(s->metrics, i), r.n);
			number(to, r.mean);
			number(to, r.half < 0 ? NAN : r.half);
			fputc('\n', to);
		}
	}
}

void sweep_print(const struct sweep *s, FILE *to)
{
	static const char *const shown[] = {
		"lookup.right", "lookup.wrong", "lookup.first_try", "lookup.hops.mean", "lookup.latency_ms.p50",
		"join.time_s.p50", "ring.successor_right", "ring.healed_s", "maintenance.bytes_per_node_s.mean",
		"nodes.alive.mean", "oracle.violations",
	};

	for (unsigned p = 0; p < s->points; p++) {
		unsigned good = 0;

		for (unsigned i = 0; i < s->seeds; i++)
			good += s->code[p * s->seeds + i] == EXIT_HELD;
		for (unsigned v = 0; v < s->varieds; v++)
			fprintf(to, "%s%s = %s", v ? ", " : "", s->varied[v].key, sweep_value(s, p, v));
		fprintf(to, "%s%u of %u seeds held\n", s->varieds ? ": " : "", good, s->seeds);
		for (unsigned k = 0; k < G_N_ELEMENTS(shown); k++) {
			guint i;
			struct spread r;

			for (i = 0; i < s->metrics->len; i++)
				if (!strcmp(g_ptr_array_index(s->metrics, i), shown[k]))
					break;
			if (i == s->metrics->len)
				continue;
			r = at(s, p, i);
			if (!r.n)
				continue;
			fprintf(to, "  %-36s %12.6g", shown[k], r.mean);
			if (r.half >= 0)
				fprintf(to, " +- %.3g", r.half);
			fputc('\n', to);
		}
	}
}
