/* Lists of networks: "10.0.0.0/8, ::1, 192.0.2.7". Pure. Source: RFC 4632 3.1, RFC 4291 2.3. */
#ifndef BASE_CIDR_H
#define BASE_CIDR_H

#include <stdbool.h>
#include "base/str.h"

#define CIDR_TEXT_MAX 46 /* a numeric address and NUL */

struct cidr_list;

/* An address alone is a network of one. Empty text: an empty list. *out: returns new; cidr_free.
 * Errors: ERR_CONFIG; *bad is the first piece that is no network (borrows from text). */
MUST_USE int cidr_parse(struct str text, struct cidr_list **out, struct str *bad);
void cidr_free(struct cidr_list *l);

/* A numeric address; one of IPv4 written as IPv6 (::ffff:192.0.2.7) is the IPv4 one. Anything else:
 * false. */
bool cidr_has(const struct cidr_list *l, struct str address);

/* The one spelling of a numeric address, with a NUL; false: it is none. A port behind it
 * ("192.0.2.7:80", "[::1]:80") is left off, as proxies write it in X-Forwarded-For. */
bool cidr_address(struct str text, char out[CIDR_TEXT_MAX]);

#endif
