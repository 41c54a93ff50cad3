#include "sim/job.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <glib.h>

#include "node/prog/progress.h"
#include "sim/check/check.h"
#include "sim/record/capture.h"
#include "sim/record/eventlog.h"
#include "sim/record/expect.h"
#include "sim/record/summary.h"

struct job {
	struct job_setup setup;
	char *name, *again, *path;
	struct scenario *scenario;
	struct world *world;
	struct check *check;
	struct recorder *recorder;
	struct rundir *dir;
	struct eventlog *log;
	struct capture *capture[JOB_CAPTURES];
	GArray *expects;		/* struct expect */
	struct summary *summary;
	struct metrics *cost;
	struct progress progress;
	int64_t wall_ns;		/* began, then took */
	int64_t started_s;
	enum world_end end;
	bool partial;
	char digest[17];
};

/* The world Ctrl-C stops; only while job_run() is inside. */
static struct world *interruptible;
static volatile sig_atomic_t interrupts;

static void on_signal(int number)
{
	interrupts = interrupts + 1;
	if (interruptible)
		world_stop(interruptible);
	signal(number, SIG_DFL);
}

char *job_name(const char *path)
{
	char *name = g_path_get_basename(path);

	if (g_str_has_suffix(name, ".ini"))
		name[strlen(name) - 4] = '\0';
	return name;
}

/* -- opening ------------------------------------------------------------------------------------ */

static char *read_expect(void *arg, const char *metric, const char *text)
{
	struct job *j = arg;
	struct expect e = { 0 };
	char *wrong = expect_parse(&e, world_catalog(j->world), metric, text);

	if (!wrong)
		g_array_append_val(j->expects, e);
	return wrong;
}

static uint32_t name_of(void *world, struct id id)
{
	struct was was;

	return world_was(world, id, &was) ? was.host : EVENTLOG_WORLD;
}

static bool open_log(struct job *j, struct fail *f)
{
	const struct job_setup *s = &j->setup;
	bool wanted = s->log || s->log_json || s->log_to || j->scenario->run.events == EVENTS_RECORDS;
	struct eventlog_setup e = {
		.dir = s->log_to ? NULL : j->dir, .to = s->log_to,
		.form = s->log_json ? EVENTLOG_JSON : EVENTLOG_TEXT,
		.shards = world_shards(j->world), .namer = name_of, .world = j->world,
		.watch = s->watch == WORLD_NOBODY ? EVENTLOG_WORLD : s->watch,
	};

	if (!wanted || (!j->dir && !s->log_to))
		return true;
	j->log = eventlog_new(&e, f);
	if (j->log)
		world_log(j->world, j->log);
	return j->log != NULL;
}

static void on_traffic(void *ctx, int64_t now_ns, uint32_t host, bool sent, const struct endpoint *from,
		       const struct endpoint *to, uint8_t ecn, const void *data, uint32_t len)
{
	struct packet p = packet_udp(*from, *to, data, len);

	(void)host;
	(void)sent;
	p.ecn = ecn;
	capture_datagram(ctx, now_ns, &p);
}

static bool open_capture(struct job *j, uint32_t host, unsigned place, struct fail *f)
{
	char *name = g_strdup_printf("n%u.pcap", host), *path;

	if (j->dir) {
		j->capture[place] = capture_open(j->dir, name, f);
	} else {
		path = g_build_filename(j->setup.capture_dir ? j->setup.capture_dir : ".", name, NULL);
		j->capture[place] = capture_open_path(path, f);
		g_free(path);
	}
	g_free(name);
	if (!j->capture[place])
		return false;
	if (!world_capture(j->world, host, on_traffic, j->capture[place])) {
		fail_add(f, "there is no node %u to capture; accepted: 0 to %u", host,
			 world_hosts(j->world) - 1);
		return false;
	}
	return true;
}

static void on_frame(void *ctx, int64_t now_ns, uint32_t number, bool sent, const void *data, uint32_t len)
{
	(void)number;
	(void)sent;
	capture_frame(ctx, now_ns, data, len);
}

/* @network: of a tap; -1: machine @number. */
static bool open_frames(struct job *j, uint32_t number, int network, unsigned *place, struct fail *f)
{
	char name[48];
	bool found;

	if (*place == JOB_CAPTURES) {
		fail_add(f, "more than %d captures were asked for", JOB_CAPTURES);
		return false;
	}
	if (network < 0)
		g_snprintf(name, sizeof(name), "g%u.pcap", number);
	else if (j->scenario->network.count == 1)
		g_snprintf(name, sizeof(name), "n%u-tap.pcap", number);
	else
		g_snprintf(name, sizeof(name), "n%u-tap%d.pcap", number, network + 1);
	j->capture[*place] = capture_open_frames(j->dir, name, f);
	if (!j->capture[*place])
		return false;
	found = network < 0 ? world_capture_guest(j->world, number, on_frame, j->capture[*place]) :
			      world_capture_tap(j->world, number, (unsigned)network, on_frame, j->capture[*place]);
	(*place)++;
	if (!found)
		fail_add(f, "there is no %s %u to capture; accepted: 0 to %u", network < 0 ? "machine" : "tap of node",
			 number, (network < 0 ? world_guests(j->world) : world_hosts(j->world)) - 1);
	return found;
}

static bool open_guests(struct job *j, unsigned place, struct fail *f)
{
	const struct scenario_guests *g = &j->scenario->guests;

	for (unsigned i = 0; j->dir && i < g->capture.count; i++)
		if (!open_frames(j, (uint32_t)g->capture.value[i], -1, &place, f))
			return false;
	for (unsigned i = 0; j->dir && i < g->capture_taps.count; i++)
		for (unsigned n = 0; n < j->scenario->network.count; n++)
			if (!open_frames(j, (uint32_t)g->capture_taps.value[i], (int)n, &place, f))
				return false;
	return true;
}

static bool open_captures(struct job *j, struct fail *f)
{
	const struct numbers *asked = &j->scenario->run.pcap;
	unsigned n = 0;

	for (unsigned i = 0; i < j->setup.captures; i++)
		if (!open_capture(j, j->setup.capture[i], n++, f))
			return false;
	for (unsigned i = 0; j->dir && i < asked->count; i++) {
		if (n == JOB_CAPTURES) {
			fail_add(f, "more than %d captures were asked for", JOB_CAPTURES);
			return false;
		}
		if (!open_capture(j, (uint32_t)asked->value[i], n++, f))
			return false;
	}
	return open_guests(j, n, f);
}

static bool open_all(struct job *j, struct fail *f)
{
	const struct job_setup *s = &j->setup;
	struct world_setup w = { .scenario = j->scenario, .seed = s->seed, .threads = s->threads,
				 .shards = s->shards, .again = j->again };
	struct recorder_setup r = { .interval_ns = j->scenario->run.interval_ns,
				    .warmup_ns = j->scenario->run.warmup_ns,
				    .until_ns = j->scenario->run.duration_ns };

	j->world = world_new(&w, f);
	if (!j->world)
		return false;
	j->check = check_new(j->world, f);
	if (!j->check)
		return false;
	if (!scenario_expectations(j->scenario, read_expect, j, f))
		return false;
	if (s->dir) {
		j->dir = rundir_create(s->dir, s->mode, f);
		if (!j->dir)
			return false;
		j->path = g_strdup(rundir_path(j->dir));
	}
	r.catalog = world_catalog(j->world);
	r.dir = j->dir;
	r.shards = world_shards(j->world);
	j->recorder = recorder_new(&r, f);
	if (!j->recorder)
		return false;
	world_record(j->world, j->recorder);
	if (s->breaks)
		world_break_on(j->world, s->break_kind, s->break_host);
	return open_log(j, f) && open_captures(j, f);
}

struct job *job_open(const struct job_setup *s, struct fail *f)
{
	struct job *j = g_new0(struct job, 1);

	j->setup = *s;
	j->scenario = s->scenario;
	j->name = g_strdup(s->name);
	j->again = g_strdup(s->again);
	j->expects = g_array_new(FALSE, TRUE, sizeof(struct expect));
	j->started_s = (int64_t)time(NULL);
	if (!open_all(j, f)) {
		job_close(j);
		return NULL;
	}
	return j;
}

/* -- running ------------------------------------------------------------------------------------ */

static bool on_tick(void *ctx, int64_t now_ns, uint64_t alive)
{
	struct job *j = ctx;
	int64_t wall_ns = wall_now_ns();

	if (j->setup.progress && progress_due(&j->progress, wall_ns))
		progress_show(&j->progress, now_ns, alive, wall_ns);
	return !interrupts;
}

static void costs(struct job *j)
{
	struct metrics *m = j->cost = metrics_new(world_catalog(j->world));
	struct rusage use;
	int64_t wall_ns = MAX(j->wall_ns, 1);
	int64_t steps = recorder_total(j->recorder)->cell[M_STEPS] +
			recorder_warmup(j->recorder)->cell[M_STEPS];

	getrusage(RUSAGE_SELF, &use);
	metrics_set(m, M_SIM_WALL, wall_ns);
	metrics_set(m, M_SIM_RATE, (int64_t)((__int128)world_now(j->world) * 1000 / wall_ns));
	metrics_set(m, M_SIM_STEP_RATE, (int64_t)((__int128)steps * NS_PER_S / wall_ns));
	metrics_set(m, M_SIM_MEMORY, (int64_t)use.ru_maxrss * 1024);
}

bool job_run(struct job *j, struct fail *f)
{
	int64_t until_ns = MIN(j->setup.until_ns, j->scenario->run.duration_ns);
	void (*old_int)(int), (*old_term)(int);

	j->wall_ns = wall_now_ns();
	progress_start(&j->progress, j->name, until_ns, j->wall_ns);
	world_tick(j->world, on_tick, j);
	interrupts = 0;
	interruptible = j->world;
	old_int = signal(SIGINT, on_signal);
	old_term = signal(SIGTERM, on_signal);
	j->end = world_run(j->world, until_ns, f);
	signal(SIGINT, old_int);
	signal(SIGTERM, old_term);
	interruptible = NULL;
	progress_finish(&j->progress);
	j->wall_ns = wall_now_ns() - j->wall_ns;
	if (j->end == WORLD_UNABLE)
		return false;
	j->partial = world_now(j->world) < j->scenario->run.duration_ns;
	g_snprintf(j->digest, sizeof(j->digest), "%016" G_GINT64_MODIFIER "x", world_digest(j->world));
	if (!world_finish(j->world, f))
		return false;
	costs(j);
	return true;
}

/* -- results ------------------------------------------------------------------------------------ */

static struct summary_head head(const struct job *j)
{
	return (struct summary_head){
		.scenario = *j->scenario->run.title ? j->scenario->run.title : j->name,
		.seed = j->setup.seed, .digest = j->digest, .version = WEFT_VERSION,
		.directory = j->path, .duration_ns = j->scenario->run.duration_ns,
		.reached_ns = world_now(j->world), .warmup_ns = j->scenario->run.warmup_ns,
		.partial = j->partial,
	};
}

static bool finish_dir(struct job *j, struct fail *f)
{
	struct manifest_file files[3];
	char *text = scenario_write(j->scenario);
	struct manifest m = {
		.program = "weft-sim", .version = WEFT_VERSION, .argc = j->setup.argc, .argv = j->setup.argv,
		.scenario = j->name, .scenario_text = text, .seed = j->setup.seed, .digest = j->digest,
		.threads = MAX(j->setup.threads, 1), .shards = world_shards(j->world),
		.duration_ns = j->scenario->run.duration_ns, .reached_ns = world_now(j->world),
		.warmup_ns = j->scenario->run.warmup_ns, .interval_ns = j->scenario->run.interval_ns,
		.partial = j->partial, .started_s = j->started_s, .files = files,
	};
	struct rundir *dir = j->dir;
	bool good;

	if (j->scenario->net.file && j->scenario->net.model != MODEL_CONSTANT)
		files[m.file_count++] = (struct manifest_file){ j->scenario->net.file, "net.file" };
	if (j->scenario->guests.pcap)
		files[m.file_count++] = (struct manifest_file){ j->scenario->guests.pcap, "guests.pcap" };
	if (j->scenario->churn.trace)
		files[m.file_count++] = (struct manifest_file){ j->scenario->churn.trace, "churn.trace" };
	j->dir = NULL;
	good = rundir_finish(dir, &m, j->cost, f);
	g_free(text);
	return good;
}

static bool close_streams(struct job *j, struct fail *f)
{
	bool good = eventlog_close(j->log, f);

	world_log(j->world, NULL);
	j->log = NULL;
	for (unsigned i = 0; i < JOB_CAPTURES; i++) {
		good &= capture_close(j->capture[i], f);
		j->capture[i] = NULL;
	}
	return good;
}

bool job_results(struct job *j, struct fail *f)
{
	struct expect *e = (struct expect *)j->expects->data;
	struct summary_head h = head(j);
	bool good = close_streams(j, f);

	good &= recorder_finish(j->recorder, f);
	if (!good)
		return false;
	j->summary = summary_new(j->recorder);
	expect_judge(e, j->expects->len, j->summary, j->partial);
	if (!j->dir)
		return true;
	return summary_write(j->summary, j->dir, &h, e, j->expects->len, f) && finish_dir(j, f);
}

void job_print(struct job *j, FILE *to)
{
	struct summary_head h = head(j);
	char rate[UNIT_TEXT_LEN];

	summary_print(j->summary, to, &h, (struct expect *)j->expects->data, j->expects->len,
		      isatty(fileno(to)));
	check_print(j->check, to);
	fprintf(to, "%s of simulated time in %.1f s\n", duration_text(world_now(j->world) / NS_PER_MS * NS_PER_MS, rate),
		(double)j->wall_ns / NS_PER_S);
}

char *job_json(const struct job *j)
{
	struct summary_head h = head(j);

	return summary_json(j->summary, &h, (struct expect *)j->expects->data, j->expects->len);
}

static bool idle_fault(const struct job *j)
{
	const char *idle = summary_fault_idle(j->summary);

	if (!idle || j->partial)
		return false;
	say("%s touched nothing: no packet, node, step or save was affected by it, so the run "
	    "proves nothing about it; look at its time, its victims and what they do", idle);
	return true;
}

int job_code(const struct job *j)
{
	bool good = true;

	if (j->end == WORLD_STOPPED && interrupts)
		return JOB_INTERRUPTED;
	good &= !idle_fault(j);
	good &= world_violations(j->world) == 0;
	if (!j->partial)
		good &= expect_held((struct expect *)j->expects->data, j->expects->len);
	if (!good && !j->partial)
		say("not everything held (seed %" G_GUINT64_FORMAT "); again: %s", j->setup.seed, j->again);
	return good ? EXIT_HELD : EXIT_BROKE;
}

void job_close(struct job *j)
{
	if (!j)
		return;
	eventlog_close(j->log, NULL);
	for (unsigned i = 0; i < JOB_CAPTURES; i++)
		capture_close(j->capture[i], NULL);
	summary_free(j->summary);
	if (j->cost)
		metrics_free(j->cost);
	check_free(j->check);
	world_free(j->world);
	recorder_free(j->recorder);
	rundir_abandon(j->dir);
	for (guint i = 0; i < j->expects->len; i++)
		expect_done(&g_array_index(j->expects, struct expect, i));
	g_array_free(j->expects, TRUE);
	scenario_free(j->scenario);
	g_free(j->name);
	g_free(j->again);
	g_free(j->path);
	g_free(j);
}

const char *job_digest(const struct job *j)
{
	return j->digest;
}

int64_t job_reached(const struct job *j)
{
	return world_now(j->world);
}

enum world_end job_end(const struct job *j)
{
	return j->end;
}

const char *job_dir(const struct job *j)
{
	return j->path;
}
