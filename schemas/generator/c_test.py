"""events_examples_test.c: each example decodes, each spoilt one is refused with the right sentence."""

import copy

from . import c_common, validate
from .c_common import c_str, quote
from .validate import compact

WRONG = {"string": 7, "number": "seven", "integer": 1.5, "boolean": "yes", "object": "none", "array": {}}


def wrong_value(f):
    if len(f.types) == 1:
        return WRONG[f.types[0]]
    for value in (True, [], {}, 7, "x"):
        if validate.field_refusal(f, value):
            return value
    return None


def spoil_field(f):
    """Values that the field must refuse."""
    values = [wrong_value(f)]
    schema = f.schema
    if "maxLength" in schema:
        values.append("é" * (schema["maxLength"] + 1))
    if schema.get("minLength"):
        values.append("é" * (schema["minLength"] - 1))
    if f.values:
        values.append(f.values[0] + "?")
    if "minimum" in schema:
        values.append(schema["minimum"] - 1)
    if "maximum" in schema:
        values.append(schema["maximum"] + 1)
    if schema.get("x-max-bytes"):
        values.append(["x" * schema["x-max-bytes"]])
    return [v for v in values if validate.field_refusal(f, v)]


def place(example, path, value):
    out = copy.deepcopy(example)
    at = out
    for name in path[:-1]:
        at = at.setdefault(name, {})
    if value is ...:
        at.pop(path[-1], None)
    else:
        at[path[-1]] = value
    return out


def spoilt_fields(fields, example, path):
    for f in fields:
        here = path + [f.name]
        if f.required:
            yield place(example, here, ...)
            yield place(example, here, None)
        for value in spoil_field(f):
            yield place(example, here, value)
        if f.kind == "object":
            yield from spoilt_fields(f.children, example, here)


def spoilt(e):
    """Payloads that the event must refuse, with the sentence."""
    if e.passthrough or not e.fields:
        values = [{"a": "x" * e.max_bytes}] if e.max_bytes else []
    else:
        example = next(x for x in e.examples if isinstance(x, dict))
        values = list(spoilt_fields(e.fields, example, []))
        values += [None, 7, [], True] + ([] if e.string_as else ["text"])
        if e.string_as:
            f = next(f for f in e.fields if f.name == e.string_as)
            values += [v for v in spoil_field(f) if isinstance(v, str)]
        if e.schema.get("additionalProperties") is False:
            values.append({**example, "unexpected": 1})
    return [(v, validate.refusal(e, v)) for v in values if validate.refusal(e, v)]


def braces(value):
    """A struct str as a constant initialiser."""
    text = compact(value)
    return f"{{{quote(text)}, {len(text.encode())}}}"


def in_rows(model):
    good, bad = [], []
    for e in model.ins:
        for example in e.examples:
            good.append(f"        {{EVENT_{e.id}, {braces(example)}}},")
        for value, why in spoilt(e):
            bad.append(f"        {{EVENT_{e.id}, {braces(value)}, {quote(why)}}},")
    return good, bad


def out_value(f, value):
    if f.kind == "text":
        return f".{f.c} = {c_str(value)}"
    if f.kind == "raw":
        return f".{f.c} = {c_str(compact(value))}"
    flag = "" if f.required else f", .has_{f.c} = true"
    literal = ("true" if value else "false") if f.kind == "bool" else repr(value)
    return f".{f.c} = {literal}{flag}"


def out_block(e, example):
    if e.is_array:
        return ["    {", f"        const struct {e.c} v = {{.items = {c_str(compact(example))}}};", "",
                "        b.n = 0;", f"        {e.c}_encode(&b, &v);", f"        same(&b, {c_str(compact([e.name, example]))});", "    }"]
    known = {f.name: f for f in e.fields}
    parts = [out_value(known[k], v) for k, v in example.items() if k in known]
    rest = {k: v for k, v in example.items() if k not in known}
    if e.passthrough and rest:
        parts.insert(0, f".passthrough = {c_str(compact(rest))}")
    order = {**rest, **{f.name: example[f.name] for f in e.fields if f.name in example}}
    return ["    {", f"        const struct {e.c} v = {{{', '.join(parts)}}};", "",
            "        b.n = 0;", f"        {e.c}_encode(&b, &v);", f"        same(&b, {c_str(compact([e.name, order]))});",
            "    }"]


def source(model):
    good, bad = in_rows(model)
    out = [c_common.NOTE, "#include <criterion/criterion.h>", '#include "events_in.h"', '#include "events_out.h"', "",
           "static int decode(enum event_id id, struct str text, struct sb *why)", "{", "    struct sb scratch = {0};",
           "    union event_in in;", "    struct json payload;", "    int rc = json_parse(text, &payload);", "",
           "    cr_assert_eq(rc, OK);",
           "    if (event_schemas[id].decode) rc = event_schemas[id].decode(payload, &scratch, &in, why);",
           "    sb_fini(&scratch);", "    return rc;", "}", "",
           "static void same(const struct sb *b, struct str want)", "{", "    struct json ignored;", "",
           '    cr_expect(str_eq(sb_view(b), want), STR_FMT " instead of " STR_FMT, STR_ARG(sb_view(b)), STR_ARG(want));',
           "    cr_expect_eq(json_parse(sb_view(b), &ignored), OK);", "}", "",
           "Test(events_in, examples_are_read)", "{", "    static const struct {", "        enum event_id id;",
           "        struct str text;", "    } rows[] = {"]
    out += good
    out += ["    };", "    struct sb why = {0};", "", "    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)",
            '        cr_expect_eq(decode(rows[i].id, rows[i].text, &why), OK, "row %zu: " STR_FMT, i, '
            "STR_ARG(sb_view(&why)));", "    sb_fini(&why);", "}", "",
            "Test(events_in, spoilt_examples_are_refused_with_the_reason)", "{", "    static const struct {",
            "        enum event_id id;", "        struct str text;", "        const char *why;", "    } rows[] = {"]
    out += bad
    out += ["    };", "    struct sb why = {0};", "", "    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {",
            '        cr_expect_eq(decode(rows[i].id, rows[i].text, &why), ERR_SCHEMA, "row %zu: %s", i, rows[i].why);',
            '        cr_expect(str_eq(sb_view(&why), str_z(rows[i].why)), "row %zu: " STR_FMT " instead of %s", i, '
            "STR_ARG(sb_view(&why)), rows[i].why);", "    }", "    sb_fini(&why);", "}", "",
            "Test(events_out, examples_are_written)", "{", "    struct sb b = {0};", ""]
    for e in model.outs:
        for example in e.examples:
            out += out_block(e, example)
    return "\n".join(out + ["    sb_fini(&b);", "}", ""])
