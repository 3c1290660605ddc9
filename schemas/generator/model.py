"""Reads and checks the schema files. An unknown keyword is a mistake, never ignored."""

import json
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent.parent
TYPES = ("string", "number", "integer", "boolean", "object", "array", "null")
ROLES = ("guest", "user", "admin", "superadmin")
RATES = ("event", "presence", "typing", "ping", "echo")
FIELD_WORDS = {"description", "type", "properties", "required", "enum", "const", "minimum", "maximum", "minLength",
               "maxLength", "items", "maxItems", "$ref", "additionalProperties", "x-max-bytes"}
EVENT_WORDS = {"x-feature", "x-legacy", "x-passthrough", "x-namespace", "examples"}
IN_WORDS = {"x-role", "x-rate", "x-error", "x-string-as"}
C_WORDS = set("auto break case char const continue default do double else enum extern float for goto if inline int long "
              "register return short signed sizeof static struct switch typedef union unsigned void volatile while".split())
NAMES = {"string": "a string", "number": "a number", "integer": "an integer", "boolean": "true or false",
         "object": "an object", "array": "an array"}


# Folder of what every program has, in its main namespace; other folders are programs, the first one keeps bare names.
EVERY = "node"
PROGRAMS = ("gateway", "contacts")
NAMESPACES = {"gateway": "/", "contacts": "/contacts"}


class SchemaError(Exception):
    """A mistake in a schema file; the text names the file and the place."""


def snake(name):
    word = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
    word = re.sub(r"[^a-z0-9_]", "_", word)
    return word + "_" if word in C_WORDS else word


def pascal(name):
    return "".join(word[0].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", name) if word)


def expected(types):
    """Words of a list of types: "a string", "a string, number or object"."""
    if len(types) == 1:
        return NAMES[types[0]]
    return "a " + ", ".join(types[:-1]) + " or " + types[-1]


class Field:
    """One member of an object."""

    def __init__(self, name, schema, required, path):
        self.name, self.schema, self.required, self.path = name, schema, required, path
        self.c = snake(name)
        types = schema.get("type")
        self.types = types if isinstance(types, list) else [types]
        self.children = []
        if len(self.types) > 1:
            self.kind = "raw"
        elif self.types[0] == "object":
            self.kind = "object" if "properties" in schema else "raw"
        elif self.types[0] == "array":
            self.kind = "texts" if "items" in schema else "raw"
        else:
            self.kind = {"string": "text", "integer": "integer", "number": "number", "boolean": "bool"}[self.types[0]]

    @property
    def values(self):
        """The closed list of texts, or None."""
        if "const" in self.schema:
            return [self.schema["const"]]
        return self.schema.get("enum")


class Event:
    """One file: one event in one direction."""

    def __init__(self, path, direction, app, schema, common):
        self.path, self.direction, self.app, self.name = path, direction, app, path.stem
        self.id = re.sub(r"[^A-Za-z0-9_]", "_", self.name)  # "auth:refresh" is EVENT(auth_refresh)
        self.title = pascal(self.name)
        self.where = f"{app}/{direction}/{path.name}"
        self.source = schema
        self.common = common
        self.check_words(schema, EVENT_WORDS | (IN_WORDS if direction == "in" else set()), self.where)
        self.schema = self.resolve(schema, self.where)
        self.description = schema.get("description", "")
        self.feature = self.need(schema, "x-feature")
        self.legacy = self.need(schema, "x-legacy")
        if not re.fullmatch(r"same|new|changed: [^|\n]+", self.legacy):
            raise SchemaError(f"{self.where}: x-legacy: same, new, or changed: and why")
        self.namespace = None if app == EVERY else schema.get("x-namespace", NAMESPACES.get(app, "/"))
        self.passthrough = schema.get("x-passthrough", False)
        self.max_bytes = schema.get("x-max-bytes", 0)
        self.examples = self.need(schema, "examples")
        if not isinstance(self.examples, list) or not self.examples:
            raise SchemaError(f"{self.where}: examples: at least one is required")
        self.is_array = schema.get("type") == "array"  # the payload is a list of objects: sent as raw JSON
        if self.is_array and (direction == "in" or self.schema.get("items", {}).get("type") != "object"):
            raise SchemaError(f"{self.where}: an array is only sent, and of objects")
        self.fields = self.read_fields(self.schema["items"] if self.is_array else self.schema, "")
        if direction == "in":
            self.read_in(schema)

    def tell_apart(self):
        """Another program has an event of this name in this direction, too."""
        self.id = f"{self.app}_{self.id}"
        self.title = pascal(self.app) + self.title

    @property
    def c(self):
        return f"{self.direction}_{snake(self.id)}"

    def read_in(self, schema):
        self.role = self.one_of(schema, "x-role", ROLES)
        self.rate = self.one_of(schema, "x-rate", RATES)
        self.error = schema.get("x-error")
        self.string_as = schema.get("x-string-as")
        if self.rate != "echo" and not self.error:
            raise SchemaError(f"{self.where}: x-error is required")
        if self.rate == "echo" and self.fields:
            raise SchemaError(f"{self.where}: an echo is not read: no properties")
        named = {f.name: f for f in self.fields}
        if self.string_as and (self.string_as not in named or named[self.string_as].kind != "text"):
            raise SchemaError(f"{self.where}: x-string-as: {self.string_as} is no text property")

    def need(self, schema, word):
        if word not in schema:
            raise SchemaError(f"{self.where}: {word} is required")
        return schema[word]

    def one_of(self, schema, word, allowed):
        value = self.need(schema, word)
        if value not in allowed:
            raise SchemaError(f"{self.where}: {word}: {value!r} is not one of {', '.join(allowed)}")
        return value

    @staticmethod
    def check_words(schema, more, where):
        if not isinstance(schema, dict):
            raise SchemaError(f"{where}: not an object")
        for word in schema:
            if word not in FIELD_WORDS | more:
                raise SchemaError(f"{where}: unknown keyword {word!r}")

    def resolve(self, schema, where):
        """Without $ref; keywords beside it win. Checks every level."""
        if "$ref" in schema:
            ref = schema["$ref"]
            match = re.fullmatch(r"common\.json#/(\w+)", ref)
            if not match or match.group(1) not in self.common:
                raise SchemaError(f"{where}: $ref: {ref!r} is not in common.json")
            base = self.common[match.group(1)]
            self.check_words(base, set(), f"common.json#/{match.group(1)}")
            schema = {**base, **{k: v for k, v in schema.items() if k != "$ref"}}
        out = dict(schema)
        if "properties" in schema:
            out["properties"] = {}
            for name, sub in schema["properties"].items():
                self.check_words(sub, set(), f"{where}: {name}")
                out["properties"][name] = self.resolve(sub, f"{where}: {name}")
        if "items" in schema:
            self.check_words(schema["items"], set(), f"{where}: items")
            out["items"] = self.resolve(schema["items"], f"{where}: items")
        return out

    def read_fields(self, schema, prefix):
        required = schema.get("required", [])
        properties = schema.get("properties", {})
        for name in required:
            if name not in properties:
                raise SchemaError(f"{self.where}: required: {prefix}{name} is no property")
        fields = []
        for name, sub in properties.items():
            self.check_field(sub, f"{self.where}: {prefix}{name}")
            field = Field(name, sub, name in required, prefix + name)
            if field.kind == "object":
                field.children = self.read_fields(sub, f"{prefix}{name}.")
            fields.append(field)
        return fields

    @staticmethod
    def check_field(sub, where):
        types = sub.get("type")
        for one in types if isinstance(types, list) else [types]:
            if one not in TYPES:
                raise SchemaError(f"{where}: type {one!r} is not known")
        if types == "array" and "items" in sub and (sub["items"].get("type") != "string" or "maxItems" not in sub):
            raise SchemaError(f"{where}: items: only strings, and with maxItems")
        if any(not isinstance(v, str) for v in sub.get("enum", []) + [sub.get("const", "")]):
            raise SchemaError(f"{where}: enum and const: only texts")


class Model:
    """All events of all programs."""

    def __init__(self, root=HERE):
        self.common = self.load(root / "common.json")
        self.ins, self.outs = [], []
        for direction, into in (("in", self.ins), ("out", self.outs)):
            for path in sorted(root.glob(f"*/{direction}/*.json"), key=self.order):
                into.append(Event(path, direction, path.parent.parent.name, self.load(path), self.common))
            self.tell_apart(into)
        for event in self.ins:
            if event.rate != "echo" and not any(e.name == event.error and e.app in (EVERY, event.app) for e in self.outs):
                raise SchemaError(f"{event.where}: x-error: there is no out/{event.error}.json")
        self.apps = [a for a in (EVERY, *PROGRAMS) if any(e.app == a for e in self.ins + self.outs)]
        self.namespaces = sorted({e.namespace for e in self.ins + self.outs if e.namespace})
        from . import rest, validate
        self.routes = [rest.Route(path, path.parent.parent.name, self.load(path), self.common)
                       for path in sorted(root.glob("*/rest/*.json"), key=lambda p: (self.load(p).get("x-path", ""), p.stem))]
        for event in self.ins + self.outs + self.routes:
            for i, example in enumerate(event.examples):
                why = validate.refusal(event, example)
                if why:
                    raise SchemaError(f"{event.where}: example {i}: {why}")

    @staticmethod
    def order(path):
        app = path.parent.parent.name
        if app not in (EVERY, *PROGRAMS):
            raise SchemaError(f"{app}: no program: {', '.join(PROGRAMS)}, or {EVERY} for what every one has")
        return (EVERY, *PROGRAMS).index(app), path.stem.lower(), path.stem

    @staticmethod
    def tell_apart(events):
        """Two programs may have an event of one name: the later one's is called after its program, too."""
        seen = {}
        for event in events:
            first = seen.setdefault(event.name, event)
            if first is not event and EVERY in (first.app, event.app):
                raise SchemaError(f"{event.where}: {event.name} is in {first.where} already")
            if first is not event:
                event.tell_apart()

    def of(self, namespace):
        """Events of a namespace, in and out: its own and those of every program."""
        main = namespace in NAMESPACES.values()
        return tuple([e for e in events if e.namespace == namespace or (main and e.namespace is None)]
                     for events in (self.ins, self.outs))

    @staticmethod
    def load(path):
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as e:
            raise SchemaError(f"{path.name}: {e}") from e
