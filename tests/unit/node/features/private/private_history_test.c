#include "tests/unit/support/private_rig.inc"

static struct eio_session *ann;

static void up_ann(void)
{
    up();
    ann = client(ANN);
}

static void down_ann(void)
{
    free_session(ann);
    private_down();
}

static void up_ann_archived(void)
{
    up_archived();
    ann = client(ANN);
}

TestSuite(private_history, .init = up_ann, .fini = down_ann);
TestSuite(private_history_archived, .init = up_ann_archived, .fini = down_ann);

#define HISTORY                                                                                    \
    "\"userId\":\"u7\",\"conversation\":\"u1:u7\",\"messages\":[{\"n\":1},{\"n\":2}],"             \
    "\"hasMore\":true,\"lastSeq\":9,\"readSeq\":3,\"otherReadSeq\":4,\"otherDeliveredSeq\":5"

Test(private_history, gives_history_as_the_ack_or_as_the_event)
{
    say(ann, "21[\"privateHistory\",{\"userId\":\"u7\",\"before\":9,\"limit\":2}]");
    cr_expect_str_eq(asked(), "ingoma:{conv:u1:u7}:log u1 u7 9  2 262144 2592000\n");
    REPLY("1", "9", "3", "4", "5", "8", "0", "{\"n\":1}", "{\"n\":2}");
    cr_expect_str_eq(take(&ann->sent), "431[{\"ok\":true," HISTORY "}]\n");
    say(ann, "2[\"privateHistory\",{\"userId\":\"u7\",\"after\":0}]");
    cr_expect_str_eq(asked(), "ingoma:{conv:u1:u7}:log u1 u7  0 50 262144 2592000\n");
    REPLY("1", "9", "3", "4", "5", "8", "0", "{\"n\":1}", "{\"n\":2}");
    cr_expect_str_eq(take(&ann->sent), "42[\"privateHistory\",{" HISTORY "}]\n");
}

/* ---- with an archive ---- */

#define ASK(more) "21[\"privateHistory\",{\"userId\":\"u7\"" more "}]"
#define CURSORS "\"lastSeq\":9,\"readSeq\":3,\"otherReadSeq\":4,\"otherDeliveredSeq\":5}]\n"
/* of Redis: more, then edge, archived up to, events */
#define REDIS(more, ...) REPLY(more, "9", "3", "4", "5", __VA_ARGS__)

static void archive_has(int rc, bool has_more, const char *const *events)
{
    struct archive_message m[8];
    struct archive_page page = {.messages = m, .has_more = has_more};
    archive_read_fn *fn = ark.done_read;

    cr_assert_not_null(fn, "the archive was not asked");
    for (; events && events[page.count]; page.count++)
        m[page.count] = (struct archive_message){.event = str_z(events[page.count])};
    ark.done_read = NULL;
    fn(ark.ctx, rc, &page);
}
#define ARCHIVE(more, ...) archive_has(OK, more, (const char *const[]){__VA_ARGS__, NULL})

static void archive_has_seqs(const uint64_t *seqs, unsigned count)
{
    struct archive_message m[8];
    const struct archive_page page = {.messages = m, .count = count};

    for (unsigned i = 0; i < count; i++)
        m[i] = (struct archive_message){.seq = seqs[i], .event = STR("{}")};
    ark.done_read(ark.ctx, OK, &page);
}

static void expect_page(const char *messages, const char *more)
{
    struct sb want = {0};

    sb_printf(&want,
              "431[{\"ok\":true,\"userId\":\"u7\",\"conversation\":\"u1:u7\","
              "\"messages\":[%s],%s," CURSORS "%c",
              messages, more, '\0');
    cr_expect_str_eq(take(&ann->sent), want.p);
    sb_fini(&want);
}

Test(private_history_archived, goes_on_in_the_archive_where_the_log_begins)
{
    say(ann, ASK(",\"limit\":3"));
    cr_expect_str_eq(asked(), "ingoma:{conv:u1:u7}:log u1 u7   3 262144 0\n", "however old");
    REDIS("0", "8", "9", "{\"n\":8}", "{\"n\":9}");
    cr_expect_str_eq(take(&ark.log), "read u1:u7 u1 0-7 back 1\n");
    ARCHIVE(true, "{\"n\":7}");
    expect_page("{\"n\":7},{\"n\":8},{\"n\":9}", "\"hasMore\":true");
}

Test(private_history_archived, does_not_ask_for_what_the_log_has)
{
    say(ann, ASK(",\"limit\":2"));
    REDIS("1", "2", "9", "{\"n\":8}", "{\"n\":9}");
    expect_page("{\"n\":8},{\"n\":9}", "\"hasMore\":true");
    say(ann, ASK());
    REDIS("0", "1", "9", "{\"n\":1}");
    expect_page("{\"n\":1}", "\"hasMore\":false");
    say(ann, ASK(",\"after\":7"));
    REDIS("0", "8", "9", "{\"n\":8}");
    expect_page("{\"n\":8}", "\"hasMore\":false");
    cr_expect_str_eq(take(&ark.log), "");
}

Test(private_history_archived, a_page_that_is_full_asks_only_whether_there_is_more)
{
    for (int more = 0; more < 2; more++) {
        say(ann, ASK(",\"limit\":2"));
        REDIS("0", "8", "9", "{\"n\":8}", "{\"n\":9}");
        cr_expect_str_eq(take(&ark.log), "read u1:u7 u1 0-7 back 1\n");
        if (more)
            ARCHIVE(false, "{\"n\":7}");
        else
            archive_has(OK, false, NULL);
        expect_page("{\"n\":8},{\"n\":9}", more ? "\"hasMore\":true" : "\"hasMore\":false");
    }
}

Test(private_history_archived, before_counts_for_both)
{
    say(ann, ASK(",\"before\":5"));
    REDIS("0", "5", "9");
    cr_expect_str_eq(take(&ark.log), "read u1:u7 u1 0-4 back 50\n");
    ARCHIVE(false, "{\"n\":3}", "{\"n\":4}");
    expect_page("{\"n\":3},{\"n\":4}", "\"hasMore\":false");
    say(ann, ASK(",\"before\":3"));
    REDIS("0", "5", "9");
    cr_expect_str_eq(take(&ark.log), "read u1:u7 u1 0-2 back 50\n");
    archive_has(OK, false, NULL);
    expect_page("", "\"hasMore\":false");
}

Test(private_history_archived, going_up_it_begins_in_the_archive_and_leaves_nothing_out)
{
    say(ann, ASK(",\"after\":5,\"limit\":3"));
    REDIS("0", "8", "9", "{\"n\":8}", "{\"n\":9}");
    cr_expect_str_eq(take(&ark.log), "read u1:u7 u1 6-7 forth 3\n");
    ARCHIVE(false, "{\"n\":6}", "{\"n\":7}");
    expect_page("{\"n\":6},{\"n\":7},{\"n\":8}", "\"hasMore\":true");
    say(ann, ASK(",\"after\":2,\"limit\":3"));
    REDIS("0", "8", "9", "{\"n\":8}", "{\"n\":9}");
    cr_expect_str_eq(take(&ark.log), "read u1:u7 u1 3-7 forth 3\n");
    ARCHIVE(true, "{\"n\":3}");
    expect_page("{\"n\":3}", "\"hasMore\":true");
    say(ann, ASK(",\"after\":2,\"before\":4"));
    REDIS("0", "8", "9");
    cr_expect_str_eq(take(&ark.log), "read u1:u7 u1 3-3 forth 50\n");
    ARCHIVE(false, "{\"n\":3}");
    expect_page("{\"n\":3}", "\"hasMore\":false");
}

Test(private_history_archived, says_when_the_archive_is_away)
{
    say(ann, ASK(""));
    REDIS("0", "8", "9", "{\"n\":8}", "{\"n\":9}");
    archive_has(ERR_TIMEOUT, false, NULL);
    expect_page("{\"n\":8},{\"n\":9}", "\"hasMore\":true,\"archive\":\"unavailable\"");
    say(ann, ASK(",\"after\":5"));
    REDIS("0", "8", "9", "{\"n\":8}", "{\"n\":9}");
    archive_has(ERR_UNAVAILABLE, false, NULL);
    expect_page("", "\"hasMore\":true,\"archive\":\"unavailable\"");
}

Test(private_history_archived, asks_for_all_when_redis_forgot_the_conversation)
{
    say(ann, ASK(",\"after\":5"));
    REPLY("0", "0", "3", "4", "5", "", "0");
    cr_expect_str_eq(take(&ark.log), "read u1:u7 u1 6-9223372036854775806 forth 50\n");
    archive_has_seqs((const uint64_t[]){8, 9}, 2);
    expect_page("{},{}", "\"hasMore\":false"); /* lastSeq 9 */
}

Test(private_history_archived, marks_what_was_never_archived)
{
    say(ann, ASK(""));
    REDIS("0", "1", "9", "{\"n\":1}");
    cr_expect_str_eq(take(&jobs.log), "");
    say(ann, ASK(""));
    REDIS("0", "1", "8", "{\"n\":1}");
    cr_expect_str_eq(take(&jobs.log), "put u1:u7 1000\n");
    marked(OK);
}

Test(private_history_archived, ends_quietly_with_the_feature)
{
    say(ann, ASK(""));
    REDIS("0", "8", "9", "{\"n\":8}");
    (void)take(&ann->sent);
    events_detach(fake.events);
    archive_has(ERR_CLOSED, false, NULL);
    cr_expect_str_eq(take(&ann->sent), "");
}
