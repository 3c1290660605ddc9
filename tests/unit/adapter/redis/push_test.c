/* What Redis says to a subscriber, told from replies by its first word. */
#include <criterion/criterion.h>
#include <hiredis/hiredis.h>
#include "adapter/redis/push.h"

#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])

Test(redis_push_read, knows_the_words_of_a_subscription)
{
    static const struct {
        const char *reply;
        enum redis_push_kind kind;
        const char *pattern, *channel, *payload;
    } rows[] = {
        {"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n", REDIS_PUSH_MESSAGE, "", "c", "hi"},
        {"*3\r\n$8\r\nsmessage\r\n$1\r\nc\r\n$0\r\n\r\n", REDIS_PUSH_SMESSAGE, "", "c", ""},
        {"*4\r\n$8\r\npmessage\r\n$2\r\np*\r\n$2\r\npc\r\n$2\r\nhi\r\n", REDIS_PUSH_PMESSAGE, "p*",
         "pc", "hi"},
        {"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n", REDIS_PUSH_ENTERED, "", "c", ""},
        {"*3\r\n$10\r\npsubscribe\r\n$2\r\np*\r\n:2\r\n", REDIS_PUSH_ENTERED, "", "p*", ""},
        {"*3\r\n$10\r\nssubscribe\r\n$1\r\nc\r\n:1\r\n", REDIS_PUSH_ENTERED, "", "c", ""},
        {"*3\r\n$12\r\nsunsubscribe\r\n$1\r\nc\r\n:0\r\n", REDIS_PUSH_LEFT, "", "c", ""},
        /* replies */
        {"*2\r\n$4\r\npong\r\n$0\r\n\r\n", REDIS_PUSH_NONE, "", "", ""},
        {"*4\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n:1\r\n", REDIS_PUSH_NONE, "", "", ""},
        {"*3\r\n:1\r\n:2\r\n:3\r\n", REDIS_PUSH_NONE, "", "", ""},
        {"$7\r\nmessage\r\n", REDIS_PUSH_NONE, "", "", ""},
        {"-MOVED 1 here:1\r\n", REDIS_PUSH_NONE, "", "", ""},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        redisReader *reader = redisReaderCreate();
        struct redis_push p;
        void *reply = NULL;

        redisReaderFeed(reader, rows[i].reply, strlen(rows[i].reply));
        cr_assert_eq(redisReaderGetReply(reader, &reply), REDIS_OK);
        p = redis_push_read(reply);
        cr_expect_eq(p.kind, rows[i].kind, "row %zu", i);
        cr_expect(str_eq(p.pattern, str_z(rows[i].pattern)), "row %zu", i);
        cr_expect(str_eq(p.channel, str_z(rows[i].channel)), "row %zu", i);
        cr_expect(str_eq(p.payload, str_z(rows[i].payload)), "row %zu", i);
        freeReplyObject(reply);
        redisReaderFree(reader);
    }
}
