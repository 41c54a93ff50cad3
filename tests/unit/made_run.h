/*
 * made_run.h - a run directory made up by arithmetic, for tests of records and reports
 *
 * Looks like an hour of 1,000 nodes with a partition from 30:00 to 32:00 and the
 * crash of 30 % at 45:00; goes through sim/record as a world would.
 */
#ifndef MADE_RUN_H
#define MADE_RUN_H

#include <glib.h>

#include "sim/record/recorder.h"
#include "sim/record/rundir.h"
#include "sim/record/summary.h"

enum { MADE_KINDS = 7, MADE_EXPECTS = 5 };

struct made_run {
	uint64_t seed;
	bool print;			/* the table, to standard output */
	unsigned shards;		/* must not matter */
	int64_t minutes;		/* 60: all of it; less: interrupted */
	int64_t slow;			/* added to every latency, in ms */
	enum rundir_mode mode;
	const struct manifest_file *files;
	unsigned file_count;
	/* filled by made_run_write() */
	bool held;
};

struct made_chance {
	uint64_t state;
};

static inline uint64_t made_draw(struct made_chance *c, uint64_t below)
{
	c->state = c->state * 6364136223846793005u + 1442695040888963407u;
	return (c->state >> 24) % below;
}

/* Something with a long tail around @middle: the product of three draws. */
static inline int64_t made_tail(struct made_chance *c, int64_t middle)
{
	int64_t v = middle;

	for (int i = 0; i < 3; i++)
		v = v * (int64_t)(600 + made_draw(c, 900)) / 1000;
	return v;
}

static inline bool made_within(int64_t s, int64_t from, int64_t until)
{
	return s > from && s <= until;
}

/* One interval of ten seconds that ends at second @s. */
static inline void made_interval(struct recorder *r, const struct made_run *run, int64_t s,
				 struct made_chance *c, int traffic)
{
	/* 100 dealt over the shards by lookup number, so that shards differ and sums do not */
	bool split = made_within(s, 1800, 1920), crash = made_within(s, 2700, 2720);
	int64_t alive = 1000 + (int64_t)made_draw(c, 40) - 20 - (s > 2700 ? 300 : 0) +
			(s > 2700 ? MIN(300, (s - 2700) / 3) : 0);

	for (int i = 0; i < 1000; i++) {
		struct metrics *m = recorder_shard(r, (unsigned)i % run->shards);
		uint64_t luck = made_draw(c, 10000), bad = crash ? 900 : split ? 300 : 2;

		metrics_add(m, M_LOOKUP_ASKED, 1);
		if (luck >= 9995) {
			metrics_add(m, M_LOOKUP_ASKER_DIED, 1);
			continue;
		}
		metrics_add(m, M_LOOKUP_JUDGED, 1);
		if (luck < bad) {
			metrics_add(m, luck < bad / 5 ? M_LOOKUP_WRONG : M_LOOKUP_LOST, 1);
			continue;
		}
		metrics_add(m, M_LOOKUP_RIGHT, 1);
		metrics_add(m, M_LOOKUP_FIRST_TRY, luck < 9900);
		metrics_note(m, M_LOOKUP_HOPS, 1 + (int64_t)(made_draw(c, 3) + made_draw(c, 3) +
							     made_draw(c, 2)));
		metrics_note(m, M_LOOKUP_LATENCY, made_tail(c, 210000000) + run->slow * 1000000);
	}
	for (int i = 0; i < 100; i++) {
		struct metrics *m = recorder_shard(r, (unsigned)i % run->shards);

		metrics_note(m, M_MAINTENANCE, made_tail(c, crash ? 170000 : 84000));
		metrics_add(m, M_STEPS, 150);
		metrics_add(m, M_EVENTS, 400);
		metrics_add(m, M_NODES_TIME, 100000000000);
		for (int k = 0; k < MADE_KINDS; k++) {
			metrics_add(m, traffic + k, 100000 >> k);
			metrics_add(m, traffic + MADE_KINDS + k, 1000 >> k);
		}
	}
	for (int i = 0; i < 8; i++) {
		struct metrics *m = recorder_shard(r, (unsigned)i % run->shards);

		metrics_add(m, M_JOIN_STARTED, 1);
		metrics_note(m, M_JOIN_TIME, made_tail(c, 740000000));
		metrics_note(m, M_DEATH_NOTICED, (int64_t)made_draw(c, 7500000000) + 900000000);
	}
	metrics_add(recorder_shard(r, 0), M_RING_CHECKED, alive - 3);
	metrics_add(recorder_shard(r, 0), M_RING_SUCCESSOR_RIGHT,
		    alive - 3 - (crash ? 220 : split ? 90 : (int64_t)made_draw(c, 4)));
	metrics_set(recorder_shard(r, 0), M_NODES_ALIVE, alive);
	metrics_set(recorder_shard(r, run->shards - 1), M_NODES_JOINED, alive - 3);
	metrics_set(recorder_shard(r, 0), M_RING_COMPONENTS, split ? 2 : 1);
}

/* Write the run to @path; false with messages in @f. */
static inline bool made_run_write(struct made_run *run, const char *path, struct fail *f)
{
	static const char *const kinds[MADE_KINDS] = {
		"PROBE", "GOSSIP", "LOOKUP", "INIT", "REPLY", "CONNECT", "CLOSE",
	};
	static const char *const drops[] = { "ROUTE", "STALE" };
	static const char *const lines[MADE_EXPECTS][2] = {
		{ "lookup.right", ">= 98%" },
		{ "lookup.latency.p95", "<= 600ms" },
		{ "ring.healed", "<= 60s" },
		{ "maintenance.bytes_per_node_s", "<= 100" },
		{ "death.noticed.p99", "<= 8s" },
	};
	static char *argv[] = { "weft-sim", "run", "scenarios/made.ini" };
	const int64_t s_ns = 1000000000;
	struct catalog *c = catalog_new();
	int traffic = catalog_add_each(c, UNIT_BYTES, "sent.", kinds, MADE_KINDS, "_bytes",
				       "bytes of this kind, IP headers included");
	struct rundir *d = rundir_create(path, run->mode, f);
	struct recorder_setup setup = {
		.catalog = c, .dir = d, .shards = run->shards, .warmup_ns = 600 * s_ns,
		.interval_ns = 10 * s_ns, .until_ns = 3600 * s_ns,
	};
	struct made_chance chance = { run->seed };
	struct expect expects[MADE_EXPECTS];
	struct recorder *r = NULL;
	struct summary *sum = NULL;
	bool ok = false;

	catalog_add_each(c, UNIT_NUMBER, "sent.packets.", kinds, MADE_KINDS, "",
			 "messages of this kind");
	catalog_add_each(c, UNIT_NUMBER, "drop.", drops, 2, "", "dropped");
	for (int i = 0; i < MADE_EXPECTS; i++)
		g_assert_null(expect_parse(&expects[i], c, lines[i][0], lines[i][1]));
	if (!d || !(r = recorder_new(&setup, f)))
		goto out;
	for (int64_t s = 10; s <= run->minutes * 60; s += 10) {
		made_interval(r, run, s, &chance, traffic);
		if (!recorder_row(r, s * s_ns, f))
			goto out;
	}
	if (run->minutes >= 32)
		recorder_fault(r, &(struct fault_mark){ "fault.1", "partition", "30% : 70%",
							1800 * s_ns, 1920 * s_ns, 1003 });
	if (run->minutes >= 46)
		recorder_fault(r, &(struct fault_mark){ "fault.2", "crash", "30%", 2700 * s_ns,
							2700 * s_ns, 300 });
	metrics_set(recorder_shard(r, 0), M_RING_HEALED, 41700000000);
	metrics_set(recorder_shard(r, 0), M_SIM_RATE, 187300);
	metrics_set(recorder_shard(r, 0), M_LINK_LENGTH_KS, 17000000);
	if (!recorder_finish(r, f))
		goto out;
	sum = summary_new(r);
	expect_judge(expects, MADE_EXPECTS, sum, run->minutes < 60);
	run->held = expect_held(expects, MADE_EXPECTS);
	{
		struct summary_head head = {
			.scenario = "scenarios/made.ini", .seed = run->seed,
			.digest = "00112233445566778899aabbccddeeff",
			.duration_ns = 3600 * s_ns, .reached_ns = run->minutes * 60 * s_ns,
			.warmup_ns = 600 * s_ns, .partial = run->minutes < 60,
		};
		struct manifest m = {
			.program = "weft-sim", .version = "v0-test", .argc = 3, .argv = argv,
			.scenario = head.scenario, .seed = run->seed, .digest = head.digest,
			.scenario_text = "[run]\nduration = 1h\n\n[nodes]\ncount = 1000\n",
			.threads = 1, .shards = run->shards, .duration_ns = head.duration_ns,
			.reached_ns = head.reached_ns, .warmup_ns = head.warmup_ns,
			.interval_ns = 10 * s_ns, .partial = head.partial,
			.started_s = 1790000000, .files = run->files,
			.file_count = run->file_count,
		};

		if (run->print)
			summary_print(sum, stdout, &head, expects, MADE_EXPECTS, false);
		ok = summary_write(sum, d, &head, expects, MADE_EXPECTS, f);
		if (ok) {
			ok = rundir_finish(d, &m, recorder_total(r), f);
			d = NULL;
		}
	}
out:
	summary_free(sum);
	recorder_free(r);
	rundir_abandon(d);
	for (int i = 0; i < MADE_EXPECTS; i++)
		expect_done(&expects[i]);
	catalog_free(c);
	return ok;
}

/* A fresh directory below /tmp and its removal. */
static inline char *made_place(void)
{
	char *path = g_strdup("/tmp/weft-test-XXXXXX");

	return g_mkdtemp(path);
}

static inline void made_remove(const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		char *at = g_build_filename(path, name, NULL);

		if (g_file_test(at, G_FILE_TEST_IS_DIR) && !g_file_test(at, G_FILE_TEST_IS_SYMLINK))
			made_remove(at);
		else
			remove(at);
		g_free(at);
	}
	if (dir)
		g_dir_close(dir);
	remove(path);
}

#endif /* MADE_RUN_H */
