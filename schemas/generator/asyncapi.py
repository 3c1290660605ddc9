"""docs/asyncapi.json: AsyncAPI 3, for tools."""

import json


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


def source(model):
    messages, channels, operations = {}, {}, {}
    for e in model.ins + model.outs:
        key = f"{e.direction}.{e.name}"
        messages[key] = {"name": e.name, "summary": e.description, "payload": payload(e),
                         "examples": [{"payload": x} for x in e.examples]}
        nsp = e.namespace.strip("/") or "main"
        channel = channels.setdefault(nsp, {"address": e.namespace, "messages": {}})
        channel["messages"][key] = {"$ref": f"#/components/messages/{key}"}
        action = {"in": "receive", "out": "send"}[e.direction]
        operations[f"{action}.{e.name}"] = {"action": action, "channel": {"$ref": f"#/channels/{nsp}"},
                                           "messages": [{"$ref": f"#/channels/{nsp}/messages/{key}"}]}
    document = {"asyncapi": "3.0.0",
                "info": {"title": "Ingoma", "version": "1.0.0",
                         "description": "Socket.IO events; the first argument of each is the payload."},
                "defaultContentType": "application/json", "channels": channels, "operations": operations,
                "components": {"messages": messages, "schemas": {k: refs(v) for k, v in model.common.items()}}}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
