"""events_in.h and events_in.c: structs, decoders and the table of incoming events."""

from . import c_common
from .c_common import quote
from .model import RATES, expected, pascal


def header(model):
    out = [c_common.NOTE, "#ifndef GEN_EVENTS_IN_H", "#define GEN_EVENTS_IN_H", "",
           "#include <stdbool.h>", "#include <stdint.h>", '#include "base/json.h"', '#include "base/str.h"',
           '#include "node/auth/identity.h"', ""]
    out.append("enum event_id {")
    out += [f"    EVENT_{e.id}," for e in model.ins]
    out += ["    EVENT_COUNT", "};", ""]
    out.append("/* Buckets of event/rate.c. */")
    out.append("enum event_rate {")
    out += [f"    EVENT_RATE_{r.upper()}," for r in RATES]
    out += ["    EVENT_RATE_COUNT", "};", ""]
    for e in model.ins:
        if e.passthrough:
            out += [f"struct {e.c} {{", "    struct str raw; /* the object's raw JSON; STR_NONE: the payload was none */",
                    "};", ""]
        elif e.fields:
            out += c_common.structs(e.fields, e.c)
    out.append("union event_in {")
    out += [f"    struct {e.c} {e.c[3:]};" for e in model.ins if e.fields or e.passthrough]
    out += ["};", ""]
    out += ["/* Reads the first argument of an event. *out borrows from payload and scratch and is untouched on failure;",
            " * why: the exact sentence, such as `message: longer than 4000`. Errors: ERR_SCHEMA. */"]
    for e in model.ins:
        if e.fields or e.passthrough:
            out.append(prototype(e) + ";")
    out += ["", "struct event_schema {", "    const char *name, *label, *feature; /* label: the name, told apart where two programs have it */",
            "    const char *nsp;         /* NULL: the main one of the program */",
            "    const char *error_event; /* NULL: refusals are not told */",
            "    enum event_id id;", "    enum role role;       /* smallest one that may send it */",
            "    enum event_rate rate;",
            "    /* NULL: the payload is not read */",
            "    int (*decode)(struct json payload, struct sb *scratch, union event_in *out, struct sb *why);",
            "};", "extern const struct event_schema event_schemas[EVENT_COUNT];", "", "#endif", ""]
    return "\n".join(out)


def prototype(e):
    return (f"MUST_USE int {e.c}_decode(struct json payload, struct sb *scratch, struct {e.c} *out,\n"
            f"                          struct sb *why)")


def rule(f, name):
    """One static rule of a field."""
    schema = f.schema["items"] if f.kind == "texts" else f.schema
    parts = [f".key = {{{quote(f.name)}, {len(f.name.encode())}}}"]
    parts.append(f".path = {quote(f.path)}")
    parts.append(f".expected = {quote('a string' if f.kind == 'texts' else expected(f.types))}")
    if f.kind == "raw":
        bits = sorted({"number" if t == "integer" else t for t in f.types})
        bits = [{"boolean": "bool"}.get(t, t).upper() for t in bits]
        parts.append(".types = " + " | ".join(f"DECODE_BIT(JSON_{t})" for t in bits))
    if f.required:
        parts.append(".is_required = true")
    for word, member in (("minLength", "min_length"), ("maxLength", "max_length"), ("x-max-bytes", "max_bytes")):
        if schema.get(word):
            parts.append(f".{member} = {schema[word]}")
    for word, member in (("minimum", "min"), ("maximum", "max")):
        if word in schema:
            parts.append(f".has_{member} = true, .{member} = {float(schema[word])!r}")
    out = []
    if f.values:
        out.append(f"static const char *const {name}_values[] = {{{', '.join(map(quote, f.values))}, NULL}};")
        parts.append(f".one_of = {name}_values, .one_of_text = {quote(', '.join(f.values))}")
    out.append(f"static const struct decode_rule {name}_rule = {{")
    out += [f"    {p}," for p in parts]
    return out + ["};"]


def rules(fields, name):
    out = []
    for f in fields:
        if f.kind == "object":
            out += rules(f.children, f"{name}_{f.c}")
        out += rule(f, f"{name}_{f.c}")
    return out


def call(f, name, source, target):
    """The helper's call for one field."""
    head = f"({source}, &{name}_{f.c}_rule, &d, &{target}.{f.c}"
    flag = "NULL" if f.required else f"&{target}.has_{f.c}"
    if f.kind == "text":
        return f"decode_text{head})"
    if f.kind == "raw":
        return f"decode_raw{head})"
    if f.kind == "texts":
        return f"decode_texts({source}, &{name}_{f.c}_rule, &d, {target}.{f.c}, {f.schema['maxItems']}, &{target}.{f.c}_count)"
    return f"decode_{f.kind}{head}, {flag})"


def body(fields, schema, name, source, target, prefix=""):
    """Statements that read fields of the object in `source`."""
    out = []
    for f in fields:
        if f.kind != "object":
            out += [f"    rc = {call(f, name, source, target)};", "    if (rc != OK) return rc;"]
            continue
        inner = f"{name}_{f.c}_item"
        out += [f"    struct json {inner};", f"    rc = decode_find({source}, &{name}_{f.c}_rule, &d, &{inner});",
                "    if (rc != OK && rc != ERR_AGAIN) return rc;", "    if (rc == OK) {",
                f"    if ({inner}.type != JSON_OBJECT) return decode_refuse_type(&d, &{name}_{f.c}_rule);"]
        if not f.required:
            out.append(f"    {target}.has_{f.c} = true;")
        out += body(f.children, f.schema, f"{name}_{f.c}", inner, f"{target}.{f.c}", f.path + ".")
        out.append("    }")
    if schema.get("additionalProperties") is False:
        names = ", ".join(quote(f.name) for f in fields)
        out += ["    {", f"        static const char *const names[] = {{{names}{', ' if names else ''}NULL}};",
                f"        rc = decode_no_more({source}, names, {quote(prefix)}, &d);",
                "        if (rc != OK) return rc;", "    }"]
    return out


def decoder(e):
    out = [] if e.passthrough else rules(e.fields, e.c)
    out += ["", prototype(e).replace("MUST_USE ", ""), "{", "    struct decode d = {scratch, why};",
            f"    struct {e.c} v = {{0}};"]
    if not e.passthrough:
        out.append("    int rc;")
    out += ["", "    decode_start(&d, payload);"]
    if e.max_bytes:
        text = quote(f"larger than {e.max_bytes} bytes")
        out.append(f'    if (payload.raw.n > {e.max_bytes}) return decode_refuse(&d, "payload", {text});')
    if e.passthrough:
        out.append("    if (payload.type == JSON_OBJECT) v.raw = payload.raw;")
    else:
        if e.string_as:
            f = next(f for f in e.fields if f.name == e.string_as)
            out += ["    if (payload.type == JSON_STRING) {",
                    f"        rc = decode_text_value(payload, &{e.c}_{f.c}_rule, &d, &v.{f.c});",
                    "        if (rc == OK) *out = v;", "        return rc;", "    }"]
        out.append('    if (payload.type != JSON_OBJECT) return decode_refuse(&d, "payload", "not an object");')
        out += body(e.fields, e.schema, e.c, "payload", "v")
    out += ["    *out = v;", "    return OK;", "}", "",
            f"static int {e.c}_any(struct json payload, struct sb *scratch, union event_in *out, struct sb *why)",
            "{", f"    return {e.c}_decode(payload, scratch, &out->{e.c[3:]}, why);", "}", ""]
    return out


def source(model):
    out = [c_common.NOTE, '#include "events_in.h"', "", '#include "schemas/decode.h"', ""]
    for e in model.ins:
        if e.fields or e.passthrough:
            out += decoder(e)
    out.append("const struct event_schema event_schemas[EVENT_COUNT] = {")
    for e in model.ins:
        decode = f"{e.c}_any" if e.fields or e.passthrough else "NULL"
        error = quote(e.error) if e.error else "NULL"
        nsp = quote(e.namespace) if e.namespace else "NULL"
        label = quote(e.name if e.title == pascal(e.name) else f"{e.app}/{e.name}")
        out += [f"    [EVENT_{e.id}] = {{.name = {quote(e.name)}, .label = {label}, .nsp = {nsp}, "
                f".feature = {quote(e.feature)},", f"        .error_event = {error}, .id = EVENT_{e.id}, "
                f".role = ROLE_{e.role.upper()}, .rate = EVENT_RATE_{e.rate.upper()}, .decode = {decode}}},"]
    return "\n".join(out + ["};", ""])
