/* Key pairs for tests, made anew in each run by OpenSSL: nothing secret is ever stored. */
#ifndef TESTS_UNIT_SUPPORT_KEY_PAIR_H
#define TESTS_UNIT_SUPPORT_KEY_PAIR_H

#include <stdbool.h>

struct key_pair {
    char *public_pem, *private_pem;
    char *jwk; /* the public key as a JSON Web Key, without kid */
};

/* RSA of so many bits, or P-256. Returns new; key_pair_free. */
struct key_pair key_pair_new(bool is_rsa, int bits);
void key_pair_free(struct key_pair *p);

#endif
