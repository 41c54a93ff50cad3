#include "node/join.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <glib.h>
#include <sodium.h>

#include "core/node.h"
#include "node/charter.h"
#include "node/clock.h"
#include "node/config.h"
#include "node/diary.h"
#include "node/home.h"
#include "node/keep.h"
#include "node/text.h"
#include "node/udp.h"

enum { LINE_MAX_BYTES = 8192, REPLY = 1, QUOTA = 1 << 20 };

/** struct asking - the newcomer behind its door */
struct asking {
	struct token token;
	uint8_t own[SIGN_BYTES], seed[KEY_BYTES];
	struct newcomer_birth birth;
	struct identity identity;
	struct config core;
	struct node *node;
	struct udp udp;
	struct effects fx;
	int64_t alarm_ns;
	bool over;
	enum admit verdict;		/* the last word so far */
	uint8_t grant[GRANT_MAX];
	size_t grant_len;
};

/* ---- the invitation -------------------------------------------------------------------- */

static char *read_line(const char *from, struct fail *f)
{
	char *text = NULL;
	size_t len;
	bool plain = strcmp(from, "-") && (!strncasecmp(from, "weft:", 5) || access(from, F_OK));
	FILE *in;

	if (plain)
		return strdup(from);
	in = strcmp(from, "-") ? fopen(from, "re") : stdin;
	if (!in) {
		fail_errno(f, "read", from, errno);
		return NULL;
	}
	text = calloc(1, LINE_MAX_BYTES + 1);
	len = text ? fread(text, 1, LINE_MAX_BYTES, in) : 0;
	text[len] = 0;
	if (in != stdin)
		fclose(in);
	return text;
}

static bool token_good(const struct token *t, struct fail *f)
{
	struct reader r = reader_of(t->chain, t->chain_len);
	struct cert leaf;
	char when[MOMENT_TEXT];
	enum cert_fault wrong = cert_check(&suite_sodium, (struct bytes){ t->chain, t->chain_len }, t->overlay, ROLE_INVITATION,
					   (uint64_t)time(NULL), &leaf);

	if (!wrong)
		return true;
	if (cert_decode(&r, &leaf))
		wrong = FAULT_MALFORMED;
	if (wrong == FAULT_EXPIRED)
		fail_add(f, "the invitation ended %s", moment_text((int64_t)leaf.not_after, when));
	else if (wrong == FAULT_EARLY)
		fail_add(f, "the invitation begins %s: is this machine's clock right?", moment_text((int64_t)leaf.not_before, when));
	else
		fail_add(f, "the invitation proves nothing: %s", cert_fault_text(wrong));
	if (wrong == FAULT_EXPIRED)
		fail_hint(f, "`weftctl net invite` makes a new one");
	return false;
}

static bool take_token(const char *from, struct token *t, struct fail *f)
{
	char *line = read_line(from, f);
	enum token_fault wrong;

	if (!line)
		return false;
	wrong = token_read(line, strlen(line), t);
	sodium_memzero(line, strlen(line));
	free(line);
	if (wrong)
		fail_add(f, "the invitation is %s", token_fault_text(wrong));
	return !wrong;
}

/* ---- behind the door ------------------------------------------------------------------- */

static void *take(void *ctx, size_t bytes)
{
	(void)ctx;
	return malloc(bytes);
}

static void give(void *ctx, void *p, size_t bytes)
{
	(void)ctx, (void)bytes;
	free(p);
}

static const struct mem_host HEAP = { take, give, NULL };

static void effects_make(struct effects *fx)
{
	*fx = (struct effects){
		.max_sends = EFFECTS_ROOM, .max_frames = EFFECTS_ROOM, .max_saves = EFFECTS_SAVES, .max_replies = EFFECTS_ROOM,
		.max_records = EFFECTS_ROOM, .max_bytes = EFFECTS_BYTES,
	};
	fx->send = calloc(fx->max_sends, sizeof(*fx->send));
	fx->frame = calloc(fx->max_frames, sizeof(*fx->frame));
	fx->save = calloc(fx->max_saves, sizeof(*fx->save));
	fx->reply = calloc(fx->max_replies, sizeof(*fx->reply));
	fx->record = calloc(fx->max_records, sizeof(*fx->record));
	fx->bytes = malloc(fx->max_bytes);
	if (!fx->send || !fx->frame || !fx->save || !fx->reply || !fx->record || !fx->bytes)
		abort();
}

static void effects_free(struct effects *fx)
{
	free(fx->send);
	free(fx->frame);
	free(fx->save);
	free(fx->reply);
	free(fx->record);
	free(fx->bytes);
}

static void step(struct asking *a, int64_t now_ns, const struct event *evs, unsigned count)
{
	do {
		a->alarm_ns = node_step(a->node, now_ns, evs, count, &a->fx);
		udp_send(&a->udp, a->fx.send, a->fx.sends);
		for (unsigned i = 0; i < a->fx.records; i++)
			diary_record(&a->fx.record[i]);
		for (unsigned i = 0; i < a->fx.replies; i++) {
			const struct reply *r = &a->fx.reply[i];

			if (r->verdict != ADMIT_NONE || a->verdict == ADMIT_NONE)
				a->verdict = (enum admit)r->verdict;
			a->over = admit_final(a->verdict);
			if (r->value.len && r->value.len <= sizeof(a->grant))
				memcpy(a->grant, r->value.at, a->grant_len = r->value.len);
		}
		evs = NULL;
		count = 0;
	} while (a->fx.more);
}

static bool begin(struct asking *a, struct boot_clock *clock, const struct node_config *c, struct fail *f)
{
	uint8_t seed[KEY_BYTES];
	struct birth birth = {
		.config = &a->core, .suite = &suite_sodium, .host = &HEAP, .quota = QUOTA, .identity = &a->identity,
		.newcomer = &a->birth,
	};
	struct event evs[2] = { { .kind = EVENT_WALL_CLOCK }, { .kind = EVENT_START, .start.seed = seed } };

	config_core(c, &a->core);
	memcpy(a->core.overlay, a->token.overlay, KEY_BYTES);
	if (identity_init(&a->identity, &suite_sodium, a->token.seed, (struct bytes){ a->token.chain, a->token.chain_len },
			  a->token.overlay, 0)) {
		fail_add(f, "the invitation is %s", token_fault_text(TOKEN_FORM));
		return false;
	}
	if (getrandom(seed, sizeof(seed), 0) != sizeof(seed))
		abort();
	a->node = node_new(&birth, clock_now_ns(clock));
	if (!a->node)
		abort();
	evs[0].wall.utc_ns = clock_utc_ns(&evs[0].wall.error_ns);
	step(a, clock_now_ns(clock), evs, 2);
	sodium_memzero(seed, sizeof(seed));
	return true;
}

static void receive(struct asking *a, struct udp_socket *s, int64_t now_ns)
{
	struct event *evs;
	unsigned n = udp_receive(&a->udp, s, &evs);

	step(a, now_ns, evs, n);
}

static void wait_and_step(struct asking *a, struct boot_clock *clock, int64_t until_ns)
{
	struct pollfd p[2] = { { a->udp.four.fd, POLLIN, 0 }, { a->udp.six.fd, POLLIN, 0 } };
	int64_t now_ns = clock_now_ns(clock), due_ns = a->alarm_ns < until_ns ? a->alarm_ns : until_ns;
	int64_t ms = due_ns > now_ns ? (due_ns - now_ns) / NS_PER_MS + 1 : 0;
	struct event ev;

	poll(p, 2, (int)(ms < 1000 ? ms : 1000));
	clock_stale(clock);
	now_ns = clock_now_ns(clock);
	if (p[0].revents)
		receive(a, &a->udp.four, now_ns);
	if (p[1].revents)
		receive(a, &a->udp.six, now_ns);
	while (udp_error_take(&a->udp, &ev))
		step(a, now_ns, &ev, 1);
	step(a, now_ns, NULL, 0);
}

static bool bind_to(struct udp *u, const struct endpoint *at, bool must, struct fail *f)
{
	char buf[ENDPOINT_TEXT];
	int err = at->kind == ENDPOINT_NONE ? 0 : udp_bind(u, at, 0);

	if (!err || (err == -EAFNOSUPPORT && !must))
		return true;
	fail_add(f, "cannot listen on UDP %s: %s", endpoint_text(at, buf), strerror(-err));
	if (err == -EADDRINUSE)
		fail_hint(f, "another port: --listen4 0.0.0.0:0 --listen6 [::]:0, or does a node run already?");
	return false;
}

static void say_why_not(const struct asking *a, struct fail *f)
{
	char text[TOKEN_ENDPOINTS * (ENDPOINT_TEXT + 2)] = "", one[ENDPOINT_TEXT];

	if (a->verdict != ADMIT_NONE) {
		fail_add(f, "not admitted: %s", admit_text(a->verdict));
		if (a->verdict == ADMIT_SIGNER)
			fail_hint(f, "is a node running that answers invitations? `weftctl net add --signer` and `net signer` make one");
		return;
	}
	for (unsigned i = 0; i < a->token.ats; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? ", " : "", endpoint_text(&a->token.at[i], one));
	fail_add(f, "no member of the overlay answers at %s", text);
	fail_hint(f, "is it running and reachable from here, is it of that overlay, are both clocks right? Or the invitation was taken back");
}

/* Ask until there is a last word, or @wait_ns are over. */
static bool redeem(struct asking *a, const struct node_config *c, int64_t wait_ns, struct fail *f)
{
	struct boot_clock clock;
	int64_t until_ns;
	bool good;

	clock_start(&clock);
	until_ns = clock_now_ns(&clock) + wait_ns;
	udp_init(&a->udp);
	effects_make(&a->fx);
	good = bind_to(&a->udp, &c->listen4, c->must4, f) && bind_to(&a->udp, &c->listen6, c->must6, f) &&
	       begin(a, &clock, c, f);
	while (good && !a->over && clock_now_ns(&clock) < until_ns)
		wait_and_step(a, &clock, until_ns);
	if (good && !a->grant_len) {
		say_why_not(a, f);
		good = false;
	}
	node_free(a->node);
	effects_free(&a->fx);
	udp_close(&a->udp);
	return good;
}

/* ---- files ----------------------------------------------------------------------------- */

/* Is there a card already? Of the overlay we are invited to: then we are in. */
static bool has_card(const char *state, const struct token *t, bool *has, struct fail *f)
{
	char *path = keep_path(state, "card");
	uint8_t *data;
	size_t len;
	enum keep how = keep_read(path, "card", false, &data, &len, f);

	*has = how == KEEP_GOOD;
	if (how == KEEP_GOOD) {
		if (len < KEY_BYTES || memcmp(data, t->overlay, KEY_BYTES)) {
			fail_add(f, "%s is a member of another overlay already", state);
			fail_hint(f, "name another private directory with --state DIR");
			how = KEEP_BAD;
		}
		free(data);
	}
	free(path);
	return how != KEEP_BAD;
}

static bool own_key(const char *state, struct asking *a, struct fail *f)
{
	char *path = keep_path(state, "key");
	bool good = true;

	if (access(path, F_OK)) {
		if (getrandom(a->seed, sizeof(a->seed), 0) != sizeof(a->seed))
			abort();
		good = home_make(state, a->seed, f);
	}
	free(path);
	good = good && home_seed(state, a->seed, f);
	if (good)
		suite_sodium.sign_pair(a->own, a->seed);
	return good;
}

/* What was granted must be what a start will take. */
static bool write_grant(const char *state, const struct asking *a, struct fail *f)
{
	char *network = keep_path(state, "network"), *card = keep_path(state, "card");
	struct charter c = { .len = 0 };
	struct identity self;
	struct grant g;
	bool good = grant_read((struct bytes){ a->grant, a->grant_len }, &g) && g.record.len <= sizeof(c.blob);

	if (good) {
		memcpy(c.secret, g.secret, CHARTER_SECRET);
		memcpy(c.blob, g.record.at, c.len = (uint16_t)g.record.len);
		good = network_read(&suite_sodium, g.record, &c.record) == DROP_NONE &&
		       !memcmp(c.record.key, a->token.overlay, KEY_BYTES) &&
		       !identity_init(&self, &suite_sodium, a->seed, g.chain, a->token.overlay, (uint64_t)time(NULL));
		identity_done(&self);
	}
	if (!good)
		fail_add(f, "what the signer granted is not good");
	good = good && charter_write(network, &c, f) && card_write(card, a->token.overlay, g.chain, f);
	charter_done(&c);
	free(network);
	free(card);
	return good;
}

static char *bootstrap_of(const struct token *t)
{
	GString *s = g_string_new(NULL);
	char buf[ENDPOINT_TEXT];

	for (unsigned i = 0; i < t->ats; i++)
		g_string_append_printf(s, "%s%s", i ? " " : "", endpoint_text(&t->at[i], buf));
	return g_string_free(s, FALSE);
}

static bool in_directory(struct join *j, struct asking *a, const char *conf, const struct node_config *c, struct fail *f)
{
	char *lock_file = keep_path(j->state, "lock");
	int lock = keep_lock(lock_file, f);
	bool has = false, good = lock >= 0 && has_card(j->state, &a->token, &has, f);

	free(lock_file);
	if (good && !has) {
		a->birth = (struct newcomer_birth){ .token = &a->token, .own = a->own, .reply = REPLY,
						    .name = { (const uint8_t *)j->draft.name, strlen(j->draft.name) } };
		good = token_good(&a->token, f) && own_key(j->state, a, f) && redeem(a, c, j->wait_ns, f) && write_grant(j->state, a, f);
	}
	if (good && access(j->conf, F_OK))
		good = keep_text_write(j->conf, 0644, conf, f);
	if (lock >= 0)
		close(lock);
	return good;
}

bool join_run(struct join *j, struct fail *f)
{
	struct asking *a = calloc(1, sizeof(*a));
	char *points = NULL, *conf = NULL, *card = keep_path(j->state, "card");
	struct node_config *c = NULL;
	bool good;

	if (!a)
		abort();
	good = take_token(j->token, &a->token, f);
	if (good && !access(j->conf, F_OK) && access(card, F_OK)) {
		fail_add(f, "there is a configuration %s already, and it is no member's", j->conf);
		fail_hint(f, "name another one with -c FILE, or move it away");
		good = false;
	}
	if (good) {
		points = bootstrap_of(&a->token);
		j->draft.bootstrap = points;
		j->draft.network = true;
		conf = draft_text(&j->draft, f);
		c = conf ? config_parse(j->conf, conf, strlen(conf), NULL, NULL, 0, f) : NULL;
		good = c && keep_dir(j->state, false, f) && in_directory(j, a, conf, c, f);
	}
	config_free(c);
	g_free(points);
	g_free(conf);
	free(card);
	sodium_memzero(a, sizeof(*a));
	free(a);
	return good;
}
