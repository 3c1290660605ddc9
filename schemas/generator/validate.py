"""The same checks as the generated decoders, with the same sentences: the tests hold one against the other."""

import json

from .model import expected


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def type_of(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return {str: "string", dict: "object", list: "array"}[type(value)]


def text_refusal(field, schema, value):
    length = len(value)
    if length < schema.get("minLength", 0):
        return f"{field.path}: shorter than {schema['minLength']}"
    if "maxLength" in schema and length > schema["maxLength"]:
        return f"{field.path}: longer than {schema['maxLength']}"
    if field.values and value not in field.values:
        return f"{field.path}: not one of {', '.join(field.values)}"
    return None


def number_refusal(field, value):
    if value < field.schema.get("minimum", value):
        return f"{field.path}: below {field.schema['minimum']:.15g}"
    if value > field.schema.get("maximum", value):
        return f"{field.path}: above {field.schema['maximum']:.15g}"
    return None


def texts_refusal(field, value):
    if not isinstance(value, list):
        return f"{field.path}: not an array"
    for i, item in enumerate(value):
        if i == field.schema["maxItems"]:
            return f"{field.path}: more items than {i}"
        if not isinstance(item, str):
            return f"{field.path}: not a string"
        why = text_refusal(field, field.schema["items"], item)
        if why:
            return why
    return None


def field_refusal(field, value):
    """None, or the sentence with which the value is refused."""
    kind = type_of(value)
    if kind == "null":
        return f"{field.path}: missing" if field.required else None
    if field.kind == "texts":
        return texts_refusal(field, value)
    allowed = ["number" if t == "integer" else t for t in field.types]
    if kind not in allowed or (field.kind == "integer" and value != int(value)):
        return f"{field.path}: not {expected(field.types)}"
    limit = field.schema.get("x-max-bytes")
    if field.kind == "raw" and limit and len(compact(value).encode()) > limit:
        return f"{field.path}: larger than {limit} bytes"
    if kind == "string":
        return text_refusal(field, field.schema, value)
    if kind == "number":
        return number_refusal(field, value)
    if field.kind == "object":
        return object_refusal(field.children, field.schema, value, field.path + ".")
    return None


def object_refusal(fields, schema, value, prefix=""):
    for field in fields:
        why = field_refusal(field, value.get(field.name))
        if why:
            return why
    if schema.get("additionalProperties") is False:
        for key in value:
            if key not in {f.name for f in fields}:
                return f'{prefix}"{key}": unknown field'
    return None


def refusal(event, value):
    """None, or the sentence with which the event's payload is refused."""
    if "type" not in event.schema:
        return None
    if event.direction == "in":
        if event.max_bytes and len(compact(value).encode()) > event.max_bytes:
            return f"payload: larger than {event.max_bytes} bytes"
        if event.passthrough:
            return None
        if event.string_as and isinstance(value, str):
            return field_refusal(next(f for f in event.fields if f.name == event.string_as), value)
    if event.is_array:
        if not isinstance(value, list):
            return "payload: not an array"
        return next(filter(None, (object_refusal(event.fields, event.schema["items"], v) for v in value)), None)
    if not isinstance(value, dict):
        return "payload: not an object"
    return object_refusal(event.fields, event.schema, value)
