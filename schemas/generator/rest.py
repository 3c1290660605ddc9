"""Routes of REST: rest_routes.h and .c (structs, decoders, the table), docs/openapi.json, docs/rest.md."""

import json

from . import c_common, c_in
from .asyncapi import refs
from .c_common import quote
from .docs import rows
from .model import ROLES, Event, SchemaError, snake
from .validate import compact

ROUTE_WORDS = {"x-method", "x-path", "x-role", "x-answer", "x-errors", "examples"}
METHODS = ("GET", "POST", "DELETE")
PARAMETERS = {"id": "The contact."}
STATUSES = {"400": "invalid_payload, bad_request", "401": "auth_required, auth_invalid, auth_expired, auth_revoked",
            "403": "forbidden, banned", "404": "not_found", "409": "conflict, exists, closed, already_claimed, already_resolved, limit_reached", "413": "payload_too_large",
            "415": "bad_request", "429": "rate_limited; Retry-After", "503": "unavailable; Retry-After", "504": "timeout: perhaps it is done"}


class Route(Event):
    """One file: one method of one path. Its input is the query of a GET or DELETE, the JSON body of a POST."""

    def __init__(self, path, app, schema, common):
        self.path, self.direction, self.app, self.name = path, "in", app, path.stem
        self.id = "rest_" + self.name
        self.title = self.id
        self.where = f"{app}/rest/{path.name}"
        self.source, self.common = schema, common
        self.check_words(schema, ROUTE_WORDS, self.where)
        self.schema = self.resolve(schema, self.where)
        self.description = self.need(schema, "description")
        self.method = self.one_of(schema, "x-method", METHODS)
        self.url = self.need(schema, "x-path")
        self.role = self.one_of(schema, "x-role", ROLES)
        self.answer = self.need(schema, "x-answer")
        self.examples = self.need(schema, "examples")
        self.passthrough, self.max_bytes, self.string_as, self.is_array = False, 0, None, False
        self.fields = self.read_fields(self.schema, "")
        self.has_body = self.method == "POST"
        if not self.has_body and any(f.kind not in ("text", "integer", "bool") for f in self.fields):
            raise SchemaError(f"{self.where}: a query has texts, integers and booleans")

    @property
    def parameters(self):
        return [part[1:-1] for part in self.url.split("/") if part.startswith("{")]


def header(model):
    out = [c_common.NOTE, "#ifndef GEN_REST_ROUTES_H", "#define GEN_REST_ROUTES_H", "", "#include <stdbool.h>",
           "#include <stdint.h>", '#include "base/json.h"', '#include "base/str.h"', '#include "node/auth/identity.h"', "",
           "enum rest_id {"]
    out += [f"    REST_{r.name}," for r in model.routes] + ["    REST_COUNT", "};", ""]
    for r in model.routes:
        if r.fields:
            out += c_common.structs(r.fields, r.c)
    out.append("union rest_in {")
    out += [f"    struct {r.c} {r.c[3:]};" for r in model.routes if r.fields] or ["    char none;"]
    out += ["};", ""]
    for r in model.routes:
        if r.fields:
            out.append(c_in.prototype(r) + ";")
    out += ["", "struct rest_route {", "    enum rest_id id;", "    const char *name, *method;",
            "    const char *path; /* {…}: any one piece */", "    enum role role; /* smallest one that may */",
            "    int status; /* of what was done */",
            "    bool has_body;  /* the input is the body; else the query */",
            "    const char *const *bare; /* members of a query that are no texts; ends with NULL */",
            "    /* NULL: no input is read */",
            "    int (*decode)(struct json input, struct sb *scratch, union rest_in *out, struct sb *why);", "};",
            "extern const struct rest_route rest_routes[REST_COUNT];", "", "#endif", ""]
    return "\n".join(out)


def source(model):
    out = [c_common.NOTE, '#include "rest_routes.h"', "", '#include "schemas/decode.h"', ""]
    for r in model.routes:
        if r.fields:
            out += [line.replace("union event_in", "union rest_in") for line in c_in.decoder(r)]
    for r in model.routes:
        bare = [f.name for f in r.fields if f.kind in ("integer", "bool")]
        if bare and not r.has_body:
            out.append(f"static const char *const {r.c}_bare[] = {{{', '.join(map(quote, bare))}, NULL}};")
    out.append("const struct rest_route rest_routes[REST_COUNT] = {")
    for r in model.routes:
        bare = any(f.kind in ("integer", "bool") for f in r.fields) and not r.has_body
        out += [f"    [REST_{r.name}] = {{.id = REST_{r.name}, .name = {quote(r.name)}, .method = {quote(r.method)},",
                f"        .path = {quote(r.url)}, .role = ROLE_{r.role.upper()}, .status = {r.answer['status']}, .has_body = {str(r.has_body).lower()},",
                f"        .bare = {r.c + '_bare' if bare else 'NULL'}, .decode = {r.c + '_any' if r.fields else 'NULL'}}},"]
    return "\n".join(out + ["};", ""])


# ---- for readers and tools ----


def parameter(name, place, schema, required):
    clean = {k: v for k, v in schema.items() if k not in ("description",)}
    out = {"name": name, "in": place, "required": required, "schema": refs(clean)}
    if "description" in schema:
        out["description"] = schema["description"]
    return out


def operation(r):
    out = {"operationId": r.name, "summary": r.description, "tags": [r.url.split("/")[2]],
           "security": [{"bearer": []}] if r.role != "guest" else [{}, {"bearer": []}]}
    params = [parameter(p, "path", {"description": PARAMETERS.get(p, p), "type": "string"}, True) for p in r.parameters]
    if r.has_body and r.fields:
        body = {"type": "object", "properties": refs(r.source.get("properties", {})), "required": r.source.get("required", [])}
        out["requestBody"] = {"required": True, "content": {"application/json": {
            "schema": body, "examples": {str(i): {"value": x} for i, x in enumerate(r.examples)}}}}
    else:
        params += [parameter(n, "query", s, n in r.source.get("required", [])) for n, s in r.source.get("properties", {}).items()]
    if params:
        out["parameters"] = params
    answer = r.answer
    content = {t: {"schema": refs(answer.get("schema", {"type": "string"}))} for t in answer.get("types", ["application/json"])}
    out["responses"] = {str(answer["status"]): {"description": answer["description"], "content": content}}
    for status in STATUSES:
        if status in r.source.get("x-errors", STATUSES):
            out["responses"][status] = {"$ref": f"#/components/responses/{status}"}
    return out


def openapi(model):
    paths = {}
    for r in model.routes:
        paths.setdefault(r.url, {})[r.method.lower()] = operation(r)
    error = {"type": "object", "required": ["code", "message"], "properties": {
        "code": {"type": "string", "description": "A word of docs/errors.md."}, "message": {"type": "string"},
        "retryAfterMs": {"type": "integer"}}}
    responses = {status: {"description": text, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/error"}}}}
                 for status, text in STATUSES.items()}
    schemas = {k: refs(v) for k, v in model.common.items()}
    document = {"openapi": "3.1.0",
                "info": {"title": "Ingoma contacts", "version": "1.0.0", "description": "REST of the contacts service, on the port of its clients."},
                "paths": paths,
                "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
                               "schemas": {**schemas, "error": error}, "responses": responses}}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def docs(model):
    out = ["# REST", "", "Generated by `schemas/gen.py docs` from `schemas/contacts/rest/`. Do not edit. For tools: [openapi.json](openapi.json).", "",
           "On the port of the clients of the contacts service. Who asks says so by `Authorization: Bearer <token>`, the token of the sockets; without",
           "one it is a guest. A refusal is `{code, message, retryAfterMs?}` with a code of [errors](errors.md):", "",
           "| status | codes |", "| --- | --- |", *[f"| {s} | {t} |" for s, t in STATUSES.items()], ""]
    for r in model.routes:
        out += [f"## {r.method} {r.url}", "", r.description, "", f"Role {r.role} · {r.name} · {'body' if r.has_body else 'query'}:", ""]
        if r.fields:
            out += ["| field | type | required | |", "| --- | --- | --- | --- |", *rows(r.fields), ""]
            out += ["```json", *[compact(x) for x in r.examples if x], "```", ""] if r.has_body else []
        else:
            out += ["Nothing.", ""]
        out += [f"Answer {r.answer['status']}: {r.answer['description']}", ""]
    return "\n".join(out)
