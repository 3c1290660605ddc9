"""docs/asyncapi.json: AsyncAPI 3, for tools."""

import json

from .model import pascal


def refs(schema):
    """House references become references within the document."""
    if isinstance(schema, dict):
        return {k: ("#/components/schemas/" + v.split("#/")[1] if k == "$ref" else refs(v))
                for k, v in schema.items() if k != "examples"}
    if isinstance(schema, list):
        return [refs(x) for x in schema]
    return schema


def payload(e):
    schema = refs(e.source)
    if e.direction == "in" and e.string_as:
        bare = next(f for f in e.fields if f.name == e.string_as).schema
        return {"oneOf": [schema, bare]}
    return schema


def key_of(e):
    """Names of components are of letters, digits, points and dashes (AsyncAPI 3.0, Components Object)."""
    name = e.name.replace(":", ".")
    return f"{e.direction}.{name if e.title == pascal(e.name) else e.app + '.' + name}"


def source(model):
    messages, channels, operations = {}, {}, {}
    for e in model.ins + model.outs:
        key = key_of(e)
        messages[key] = {"name": e.name, "summary": e.description, "payload": payload(e),
                         "examples": [{"payload": x} for x in e.examples]}
    for namespace in model.namespaces:
        nsp = namespace.strip("/") or "main"
        channel = channels.setdefault(nsp, {"address": namespace, "messages": {}})
        for e in sum(model.of(namespace), []):
            key = key_of(e)
            channel["messages"][key] = {"$ref": f"#/components/messages/{key}"}
            action = {"in": "receive", "out": "send"}[e.direction]
            name = ".".join([action] + ([] if nsp == "main" else [nsp]) + [e.name.replace(":", ".")])
            operations[name] = {"action": action, "channel": {"$ref": f"#/channels/{nsp}"},
                                "messages": [{"$ref": f"#/channels/{nsp}/messages/{key}"}]}
    document = {"asyncapi": "3.0.0",
                "info": {"title": "Ingoma", "version": "1.0.0",
                         "description": "Socket.IO events; the first argument of each is the payload."},
                "defaultContentType": "application/json", "channels": channels, "operations": operations,
                "components": {"messages": messages, "schemas": {k: refs(v) for k, v in model.common.items()}}}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
