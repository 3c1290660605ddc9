"""events_out.h and events_out.c: structs, encoders and typed emitters of outgoing events."""

import json

from . import c_common
from .c_common import c_str, key_literal
from .model import SchemaError


def header(model):
    out = [c_common.NOTE, "#ifndef GEN_EVENTS_OUT_H", "#define GEN_EVENTS_OUT_H", "",
           "#include <stdbool.h>", "#include <stdint.h>", '#include "base/str.h"', '#include "node/sio/sio.h"', "",
           "/* X_encode appends the whole array `[\"name\",{...}]`; emit_x casts it and returns OK.",
           " * A member without a value (STR_NONE, has_y false) is absent on the wire. */", ""]
    for e in model.outs:
        if e.is_array:
            lines = [f"struct {e.c} {{", "    struct str items; /* raw JSON array */", "};", ""]
        else:
            lines = c_common.structs(e.fields, e.c)
        if e.passthrough:
            lines[-2:-2] = ["    struct str passthrough; /* raw JSON object whose members come first; STR_NONE: none */"]
        out += lines[:-1]
        out += [f"void {e.c}_encode(struct sb *b, const struct {e.c} *v);",
                f"int emit_{e.c[4:]}(const struct sio_cast *to, const struct {e.c} *v);", ""]
    return "\n".join(out + ["#endif", ""])


def line(f, e):
    key = key_literal(f.name)
    if f.kind == "text":
        return [f"    encode_text(&e, {key}, v->{f.c});"]
    if f.kind == "raw":
        return [f"    encode_raw(&e, {key}, v->{f.c});"]
    if f.kind in ("integer", "number", "bool"):
        call = f"encode_{f.kind}(&e, {key}, v->{f.c});"
        return ["    " + call if f.required else f"    if (v->has_{f.c}) {call}"]
    raise SchemaError(f"{e.where}: {f.path}: {f.kind} cannot be sent as a struct: give it several types (raw JSON)")


def array_body(e):
    return [f"    sb_str(b, {c_str('[' + json.dumps(e.name) + ',')});", "    sb_str(b, v->items.n ? v->items : STR(\"[]\"));",
            "    sb_char(b, ']');"]


def object_body(e):
    out = [f"    struct encode e = encode_open(b, {c_str('[' + json.dumps(e.name) + ',')});", ""]
    if e.passthrough:
        out.append("    encode_splice(&e, v->passthrough);")
    for f in e.fields:
        out += line(f, e)
    return out + ["    encode_close(&e);"]


def encoder(e):
    return [f"void {e.c}_encode(struct sb *b, const struct {e.c} *v)", "{", *(array_body(e) if e.is_array else object_body(e)), "}", "",
                  f"int emit_{e.c[4:]}(const struct sio_cast *to, const struct {e.c} *v)", "{",
                  "    struct sb b = {0}; /* of its own: a cast may end in a handler that emits too */", "",
                  f"    {e.c}_encode(&b, v);", "    sio_cast_emit(to, sb_view(&b), NULL, 0);", "    sb_fini(&b);",
                  "    return OK;", "}", ""]


def source(model):
    out = [c_common.NOTE, '#include "events_out.h"', "", '#include "schemas/encode.h"', ""]
    for e in model.outs:
        out += encoder(e)
    return "\n".join(out)
