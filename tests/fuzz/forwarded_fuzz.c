/* X-Forwarded-For and lists of networks: any bytes. What comes out is a numeric address. */
#include <stdint.h>
#include <stdlib.h>
#include "node/edge/forwarded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cidr_list *all;
    struct str text = str_of(data, size), bad, client;
    struct http_header headers[2] = {{STR("X-Forwarded-For"), text},
                                     {STR("x-forwarded-for"), text}};
    struct http_request r = {.headers = headers, .headers_count = 2};
    struct cidr_list *l;
    char out[CIDR_TEXT_MAX], again[CIDR_TEXT_MAX];

    if (!all && cidr_parse(STR("127.0.0.0/8,10.0.0.0/8,2001:db8::/32"), &all, &bad) != OK) abort();
    client = forwarded_client(all, STR("127.0.0.1"), &r, out);
    if (!cidr_address(client, again) || !str_eq(client, str_z(again))) abort();
    if (cidr_parse(text, &l, &bad) == OK) {
        (void)cidr_has(l, client);
        cidr_free(l);
    }
    return 0;
}
