/* What the contacts service has beside its features, from its main: events_app gives it to them. */
#ifndef CONTACTS_DESK_APP_H
#define CONTACTS_DESK_APP_H

#include "contacts/rules/sla.h"

struct conf;
struct desk;
struct events;
struct loop;
struct notice;
struct store;

struct contacts_app {
    struct loop *loop;
    const struct conf *conf;
    struct store *store;
    struct hours *hours; /* NULL: always open */
    struct sla_policy sla;
    struct desk *desk;     /* while the feature is open, as the next one */
    struct events *events; /* of the program */
    struct notice *notice; /* tells what is in the outbox; NULL: nobody does */
};

#endif
