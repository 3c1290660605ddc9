/* Tokens: any bytes where a token may stand, and any claims behind a good signature. */
#include <stdint.h>
#include <stdlib.h>
#include "base/conf.h"
#include "node/auth/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char secret[] = "a secret of more than thirty-two bytes, for tests";
    static struct auth *auth;
    struct conf c = {.jwt_secret = secret};
    struct str text = str_of(data, size), token;
    struct sb scratch = {0};
    struct identity *who = NULL;
    struct json claims;

    if (!auth) auth = auth_new(&c);
    if (auth_token_check(auth, text, UINT64_C(1700000000000), &who) == OK) identity_free(who);
    if (auth_token_find(text, text, text, &scratch, &token) && !token.n) abort();
    sb_fini(&scratch);
    who = NULL;
    if (json_parse(text, &claims) == OK && identity_from_claims(claims, &who) == OK) {
        if (!who->id.n || !who->id_text.n || who->role == ROLE_GUEST) abort();
        identity_free(who);
    }
    return 0;
}
