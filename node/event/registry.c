/* Joins schemas and features at start, and refuses to start on a gap or a double: an event that a
 * schema promises and nobody answers, or that two rows answer, is a mistake of ours. */
#include "node/event/registry.h"

#include "base/str.h"

static struct registry_nsp *nsp_add(struct registry *r, struct str name)
{
    for (unsigned i = 0; i < r->nsps_count; i++)
        if (str_eq(r->nsps[i].name, name)) return &r->nsps[i];
    if (r->nsps_count == REGISTRY_NSPS_MAX) return NULL;
    r->nsps[r->nsps_count].name = name;
    return &r->nsps[r->nsps_count++];
}

static void add(struct registry *r, struct registry_row row, struct sb *mistakes)
{
    const struct event_schema *s = row.schema;
    struct registry_nsp *nsp = nsp_add(r, s->nsp ? str_z(s->nsp) : r->nsp);

    if (!nsp) {
        sb_printf(mistakes, "event %s: more than %d namespaces\n", s->name, REGISTRY_NSPS_MAX);
        return;
    }
    r->rows[s->id] = row;
    map_put(&nsp->rows, str_z(s->name), &r->rows[s->id]);
}

static void add_feature(struct registry *r, const struct feature *f, unsigned feature_i,
                        struct sb *mistakes)
{
    for (const struct event_row *row = f->events; row && row->schema; row++) {
        const struct event_schema *s = row->schema;

        if (strcmp(s->feature, f->name) != 0)
            sb_printf(mistakes, "event %s: a row in feature %s, but the schema says %s\n", s->name,
                      f->name, s->feature);
        else if (r->rows[s->id].schema)
            sb_printf(mistakes, "event %s: two rows in feature %s\n", s->name, f->name);
        else if (!row->handle)
            sb_printf(mistakes, "event %s: no handler\n", s->name);
        else
            add(r, (struct registry_row){s, row->handle, feature_i, row->is_askable}, mistakes);
    }
}

static void check_gaps(struct registry *r, const struct feature *f, struct sb *mistakes)
{
    for (unsigned i = 0; i < EVENT_COUNT; i++) {
        const struct event_schema *s = &event_schemas[i];

        if (strcmp(s->feature, f->name) == 0 && !r->rows[i].schema)
            sb_printf(mistakes, "event %s: no row in feature %s\n", s->name, f->name);
    }
}

int registry_init(struct registry *r, struct str nsp, const struct feature *const features[],
                  struct sb *mistakes)
{
    size_t before = mistakes->n;

    *r = (struct registry){.nsp = nsp};
    for (unsigned i = 0; i < EVENT_COUNT; i++)
        if (event_schemas[i].rate == EVENT_RATE_ECHO)
            add(r, (struct registry_row){.schema = &event_schemas[i]}, mistakes);
    for (unsigned i = 0; features[i]; i++) {
        bool is_double = false;

        for (unsigned k = 0; k < i; k++)
            if (strcmp(features[k]->name, features[i]->name) == 0) is_double = true;
        if (is_double) {
            sb_printf(mistakes, "feature %s: listed twice\n", features[i]->name);
            continue;
        }
        add_feature(r, features[i], i, mistakes);
        check_gaps(r, features[i], mistakes);
    }
    return mistakes->n == before ? OK : ERR_CONFIG;
}

void registry_fini(struct registry *r)
{
    for (unsigned i = 0; i < r->nsps_count; i++)
        map_fini(&r->nsps[i].rows);
    r->nsps_count = 0;
}

const struct registry_nsp *registry_nsp(const struct registry *r, struct str name)
{
    for (unsigned i = 0; i < r->nsps_count; i++)
        if (str_eq(r->nsps[i].name, name)) return &r->nsps[i];
    return NULL;
}

const struct registry_row *registry_find(const struct registry_nsp *n, struct str event)
{
    return n ? map_get(&n->rows, event) : NULL;
}
