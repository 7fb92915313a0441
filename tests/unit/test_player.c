// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The model at time t, however it is reached: live, played from the start, sought with the trace's
 * keyframes, with damaged ones, with none. Equal means: the same bytes as a keyframe.
 */
#define make_io fixture_io /* the fixture's makers are not those of the story */
#define make_chan fixture_chan
#define make_task fixture_task
#include "store_fixture.h"
#undef make_io
#undef make_chan
#undef make_task

#include "lib/model/keyframe.h"
#include "lib/store/keyframes.h"
#include "lib/store/player.h"
#include "story.h"

#define SEED 7
#define EVENTS 80000
#define KEEP 200
#define MOMENTS 16

/* What was live at some moments. */
struct moment {
	uint64_t t_ns, seq;
	void *bytes;
	size_t size;
};

static struct moment moments[MOMENTS];
static int nmoments;

static struct model *new_model(void)
{
	struct model *m = model_new();
	assert_non_null(m);
	model_set_keep(m, KEEP);
	return m;
}

static void remember(const struct model *m, uint64_t t_ns, uint64_t seq)
{
	struct moment *o = &moments[nmoments++];
	*o = (struct moment){.t_ns = t_ns, .seq = seq};
	assert_int_equal(keyframe_save(m, &o->bytes, &o->size), 0);
}

/* A recording as `record` makes it: every event first to the model, then to the store. */
static struct store *record(const char *path, struct model *live)
{
	struct store_opts opts = {.source = "test", .command = "a", .options = "", .keep = KEEP};
	struct fail fail = {0};
	struct store *s;
	uint64_t seq = 0, t_ns = 0;
	unsigned int pick = 1;
	if (store_create(&s, path, &opts, &fail))
		fail_msg("%s", fail.what);
	store_follow(s, live);
	for (int i = 0; i < EVENTS; i++) {
		const struct ev_hdr *ev = story_event(SEED, i);
		if (nmoments < MOMENTS && event_tells_time(ev) && seq &&
		    rand_r(&pick) % (EVENTS / MOMENTS) == 0)
			remember(live, t_ns, seq);
		if (model_apply(live, ev))
			continue; /* makes no sense: not recorded either */
		if (event_tells_time(ev))
			t_ns = ev->t_ns;
		put(s, ev);
		seq++;
	}
	return s;
}

static int make_recording(void **state)
{
	if (folder_make(state))
		return -1;
	struct model *live = new_model();
	finish(record(in_folder("t.db"), live), live);
	model_free(live);
	return nmoments > MOMENTS / 2 ? 0 : -1;
}

static int remove_recording(void **state)
{
	for (int i = 0; i < nmoments; i++)
		free(moments[i].bytes);
	return folder_remove(state);
}

/* A copy of the recording, to damage. */
static const char *copy(void)
{
	const char *path = in_folder("copy.db");
	char command[600];
	snprintf(command, sizeof(command), "cp '%s' '%s'", in_folder("t.db"), path);
	assert_int_equal(system(command), 0);
	return path;
}

struct session {
	struct trace *trace;
	struct model *model;
	struct player *player;
};

static struct session start(const char *path, const struct player_opts *opts)
{
	static const struct player_opts none;
	struct fail fail = {0};
	struct session s = {.trace = open_trace(path), .model = new_model()};
	assert_int_equal(trace_keep(s.trace), KEEP);
	if (player_open(&s.player, s.trace, s.model, opts ? opts : &none, &fail))
		fail_msg("%s", fail.what);
	return s;
}

static void end(struct session *s)
{
	player_close(s->player);
	model_free(s->model);
	trace_close(s->trace);
}

static void assert_is(const struct session *s, const struct moment *o)
{
	void *bytes;
	size_t size;
	assert_int_equal(player_seq(s->player), o->seq);
	assert_int_equal(player_ns(s->player), o->t_ns);
	assert_int_equal(keyframe_save(s->model, &bytes, &size), 0);
	assert_int_equal(size, o->size);
	assert_memory_equal(bytes, o->bytes, size);
	free(bytes);
}

static void seek(struct session *s, uint64_t t_ns)
{
	struct fail fail = {0};
	if (player_to_time(s->player, t_ns, &fail))
		fail_msg("%s", fail.what);
}

/* All moments, in an order that goes back and forth. */
static void visit_all(struct session *s)
{
	unsigned int r = 5;
	for (int i = 0; i < 2 * nmoments; i++) {
		const struct moment *o = &moments[rand_r(&r) % (unsigned int)nmoments];
		seek(s, o->t_ns);
		assert_is(s, o);
		if (i % 3 == 0) {
			struct fail fail = {0};
			o = &moments[rand_r(&r) % (unsigned int)nmoments];
			assert_int_equal(player_to_seq(s->player, o->seq, &fail), 0);
			assert_is(s, o);
		}
	}
}

static void sought_is_what_was_live(void **state)
{
	(void)state;
	struct session s = start(in_folder("t.db"), NULL);
	assert_true(sql_number(in_folder("t.db"), "SELECT count(*) FROM keyframe") >= 4);
	visit_all(&s);
	end(&s);
}

static void played_is_what_was_live(void **state)
{
	(void)state;
	struct player_opts opts = {.is_filtered = true}; /* none of the trace's keyframes */
	struct session s = start(in_folder("t.db"), &opts);
	for (int i = 0; i < nmoments; i++) {
		struct fail fail = {0};
		while (player_advance(s.player, moments[i].t_ns, 1000, &fail) == 1)
			;
		assert_is(&s, &moments[i]);
	}
	visit_all(&s); /* with those it made on its way */
	end(&s);
}

static void an_old_trace_has_no_shortcuts_and_needs_none(void **state)
{
	(void)state;
	const char *path = copy();
	sql_do(path, "DROP TABLE keyframe; DROP TABLE activity");
	struct session s = start(path, NULL), now = start(in_folder("t.db"), NULL);
	size_t n, n_now;
	const struct trace_slot *a = player_activity(s.player, &n);
	const struct trace_slot *b = player_activity(now.player, &n_now);
	assert_int_equal(player_seq(s.player), 0); /* counted, and back at the start */
	assert_int_equal(n, n_now);
	assert_memory_equal(a, b, n * sizeof(*a));
	visit_all(&s);
	end(&s);
	end(&now);
}

static void keyframes_that_make_no_sense_are_left_out(void **state)
{
	(void)state;
	const char *path = copy();
	sql_do(path, "UPDATE keyframe SET state = zeroblob(100) WHERE seq % 3 = 0;"
		     "UPDATE keyframe SET size = 1 << 40 WHERE seq % 3 = 1;"
		     "UPDATE keyframe SET state = NULL WHERE seq % 3 = 2");
	struct session s = start(path, NULL);
	visit_all(&s);
	end(&s);
}

/* Their heads say the right size. */
static void keyframes_that_break_off_are_left_out(void **state)
{
	(void)state;
	const char *path = copy();
	sql_do(path, "UPDATE keyframe SET state = substr(state, 1, length(state) - 20)");
	struct session s = start(path, NULL);
	visit_all(&s);
	end(&s);
}

struct waiting {
	int calls;
	double last;
	int give_up_after;
};

static bool wait_for_it(void *arg, double done)
{
	struct waiting *w = arg;
	assert_true(done >= w->last && done <= 1);
	w->last = done;
	return ++w->calls < w->give_up_after;
}

static void hear_how_far(void *arg, double done) { wait_for_it(arg, done); }

static void a_recorder_that_was_killed_leaves_keyframes(void **state)
{
	(void)state;
	const char *path = in_folder("killed.db");
	struct model *live = new_model();
	int before = nmoments;
	nmoments = MOMENTS; /* remember nothing */
	struct store *s = record(path, live);
	nmoments = before;
	model_free(live);
	store_free(s); /* as a kill leaves it, but for what was on its way */
	assert_true(sql_number(path, "SELECT count(*) FROM keyframe") >= 4);
	struct waiting w = {.give_up_after = 1};
	struct trace *t;
	struct fail fail = {0};
	assert_int_equal(trace_open_telling(&t, path, hear_how_far, &w, &fail), 0); /* completes it */
	trace_close(t);
	assert_true(w.calls > 0); /* which takes a while */
	struct session r = start(path, NULL);
	assert_true(sql_number(path, "SELECT count(*) FROM keyframe") >= 4);
	assert_true(sql_number(path, "SELECT sum(ops) FROM activity") > EVENTS / 3);
	visit_all(&r);
	end(&r);
}

/* What the model had and the trace has not is in no keyframe. */
static void after_a_loss_there_are_no_keyframes(void **state)
{
	(void)state;
	const char *path = in_folder("lossy.db");
	struct store_opts opts = {.source = "test", .command = "a", .options = "", .keep = KEEP};
	struct store_tuning slow = {.batch_bytes = 1 << 20, .memory_cap = 3 << 20, .backlog = 4,
				    .slow_us = 300000};
	struct model *live = new_model();
	struct fail fail = {0};
	struct store_stats stats;
	struct store *s;
	assert_int_equal(store_create(&s, path, &opts, &fail), 0);
	store_tune(s, &slow);
	store_follow(s, live);
	for (int i = 0; i < EVENTS; i++)
		if (model_apply(live, story_event(SEED, i)) == 0)
			put(s, story_event(SEED, i));
	store_get_stats(s, &stats);
	assert_true(stats.lost > 0);
	finish(s, live);
	struct session a = start(path, NULL);
	struct player_opts plain = {.is_filtered = true};
	struct session b = start(path, &plain);
	for (uint64_t seq = 5000; seq < player_events(a.player); seq += 20011) {
		void *x, *y;
		size_t nx, ny;
		assert_int_equal(player_to_seq(a.player, seq, &fail), 0);
		assert_int_equal(player_to_seq(b.player, seq, &fail), 0);
		assert_int_equal(keyframe_save(a.model, &x, &nx), 0);
		assert_int_equal(keyframe_save(b.model, &y, &ny), 0);
		assert_int_equal(nx, ny);
		assert_memory_equal(x, y, nx);
		free(x);
		free(y);
	}
	end(&a);
	end(&b);
	model_free(live);
}

/* ---- steps and finds ---- */

static bool is_read(const void *arg, const struct model *m, const struct ev_io *io)
{
	(void)arg;
	(void)m;
	return io->op == OP_READ;
}

static void a_step_goes_to_the_next_operation_and_back(void **state)
{
	(void)state;
	struct session s = start(in_folder("t.db"), NULL);
	struct fail fail = {0};
	seek(&s, moments[nmoments / 2].t_ns);
	uint64_t seqs[50];
	for (int i = 0; i < 50; i++) {
		assert_int_equal(player_find(s.player, false, NULL, NULL, &fail), 1);
		seqs[i] = player_seq(s.player);
		assert_non_null(player_io(s.player));
		assert_true(i == 0 || seqs[i] > seqs[i - 1]);
	}
	for (int i = 48; i >= 0; i--) {
		assert_int_equal(player_find(s.player, true, NULL, NULL, &fail), 1);
		assert_int_equal(player_seq(s.player), seqs[i]);
		assert_non_null(player_io(s.player));
	}
	seek(&s, moments[nmoments / 2].t_ns);
	assert_is(&s, &moments[nmoments / 2]);
	seek(&s, 0);
	assert_int_equal(player_find(s.player, true, NULL, NULL, &fail), 0);
	seek(&s, UINT64_MAX);
	uint64_t last = player_seq(s.player);
	assert_int_equal(last, player_events(s.player));
	assert_int_equal(player_find(s.player, false, NULL, NULL, &fail), 0);
	assert_int_equal(player_seq(s.player), last);
	end(&s);
}

static void what_is_found_forward_is_found_backward(void **state)
{
	(void)state;
	struct session s = start(in_folder("t.db"), NULL);
	struct fail fail = {0};
	int64_t wanted = sql_number(in_folder("t.db"), "SELECT count(*) FROM event WHERE op ="
						       " (SELECT id FROM op WHERE name = 'read')");
	uint64_t *seqs = calloc((size_t)wanted, sizeof(*seqs));
	assert_true(wanted > 20);
	int64_t n = 0;
	for (; player_find(s.player, false, is_read, NULL, &fail) == 1; n++) {
		assert_true(n < wanted);
		seqs[n] = player_seq(s.player);
		assert_int_equal(player_io(s.player)->op, OP_READ);
	}
	assert_int_equal(n, wanted);
	seek(&s, UINT64_MAX);
	for (int i = 1; i <= 20; i++) {
		assert_int_equal(player_find(s.player, true, is_read, NULL, &fail), 1);
		assert_int_equal(player_seq(s.player), seqs[n - i]);
	}
	assert_int_equal(player_to_seq(s.player, seqs[0], &fail), 0);
	assert_int_equal(player_find(s.player, true, is_read, NULL, &fail), 0);
	assert_int_equal(player_seq(s.player), seqs[0]); /* it stayed */
	free(seqs);
	end(&s);
}

static uint64_t lost(const struct session *s)
{
	uint64_t n = 0;
	for (const struct m_loss *l = model_losses(s->model); l; l = l->next)
		n += l->count;
	return n;
}

static void losses_are_found_one_by_one(void **state)
{
	(void)state;
	struct session s = start(in_folder("t.db"), NULL);
	struct fail fail = {0};
	int64_t wanted = sql_number(in_folder("t.db"), "SELECT count(*) FROM loss"), n = 0;
	uint64_t before = 0;
	assert_true(wanted > 5);
	for (; player_find_loss(s.player, false, &fail) == 1; n++) {
		assert_true(lost(&s) > before);
		before = lost(&s);
	}
	assert_int_equal(n, wanted);
	for (n = 1; player_find_loss(s.player, true, &fail) == 1; n++) {
		assert_true(lost(&s) < before);
		before = lost(&s);
	}
	assert_int_equal(n, wanted);
	end(&s);
}

/* ---- activity, progress ---- */

static void activity_adds_up(void **state)
{
	(void)state;
	const char *path = in_folder("t.db");
	struct session s = start(path, NULL);
	size_t n;
	const struct trace_slot *v = player_activity(s.player, &n);
	uint64_t ops = 0, bytes = 0, slept_ns = 0, lost_in_slots = 0;
	for (size_t i = 0; i < n; i++) {
		ops += v[i].ops;
		bytes += v[i].bytes;
		slept_ns += v[i].slept_ns;
		lost_in_slots += v[i].lost;
		assert_true(v[i].width_ns == v[0].width_ns && (i == 0 || v[i].t_ns > v[i - 1].t_ns));
	}
	assert_true(n > 1 && n <= ACTIVITY_SLOTS);
	assert_int_equal(ops, sql_number(path, "SELECT count(*) FROM event"));
	assert_int_equal(bytes, sql_number(path, "SELECT sum(bytes) FROM event"));
	assert_int_equal(lost_in_slots, sql_number(path, "SELECT sum(count) FROM loss"));
	/* a sleep that was over before the first event is not in the picture */
	assert_true(slept_ns > 0);
	assert_true((int64_t)slept_ns <=
		    sql_number(path, "SELECT sum(slept_ns) FROM event") +
			sql_number(path, "SELECT coalesce(sum((SELECT value FROM meta WHERE key ="
					 " 'last_ns') - since_ns), 0) FROM wait WHERE until_ns IS NULL"));
	end(&s);
}

static void what_takes_long_can_be_given_up(void **state)
{
	(void)state;
	struct waiting w = {.give_up_after = 1};
	struct player_opts opts = {
	    .is_filtered = true, .progress = wait_for_it, .arg = &w, .progress_ns = 1};
	struct session s = start(in_folder("t.db"), &opts);
	struct fail fail = {0};
	assert_int_equal(player_to_time(s.player, UINT64_MAX, &fail), -ECANCELED);
	assert_int_equal(w.calls, 1);
	w = (struct waiting){.give_up_after = 1 << 30};
	assert_int_equal(player_to_time(s.player, moments[3].t_ns, &fail), 0);
	assert_is(&s, &moments[3]); /* it is as good as before */
	w.last = 0;
	w.calls = 0;
	assert_int_equal(player_to_time(s.player, UINT64_MAX, &fail), 0);
	assert_true(w.calls > 5);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sought_is_what_was_live),
	    cmocka_unit_test(played_is_what_was_live),
	    cmocka_unit_test(an_old_trace_has_no_shortcuts_and_needs_none),
	    cmocka_unit_test(keyframes_that_make_no_sense_are_left_out),
	    cmocka_unit_test(keyframes_that_break_off_are_left_out),
	    cmocka_unit_test(a_recorder_that_was_killed_leaves_keyframes),
	    cmocka_unit_test(after_a_loss_there_are_no_keyframes),
	    cmocka_unit_test(a_step_goes_to_the_next_operation_and_back),
	    cmocka_unit_test(what_is_found_forward_is_found_backward),
	    cmocka_unit_test(losses_are_found_one_by_one),
	    cmocka_unit_test(activity_adds_up),
	    cmocka_unit_test(what_takes_long_can_be_given_up),
	};
	return cmocka_run_group_tests(tests, make_recording, remove_recording);
}
