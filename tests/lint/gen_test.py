"""The generator of schemas/: what it refuses, and that what is committed is what it writes."""

import copy
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "schemas"))

from generator import c_in, c_out, c_test, docs, migration, ts, validate  # noqa: E402
from generator.model import Model, SchemaError, snake  # noqa: E402

GOOD = {"description": "d", "type": "object", "x-feature": "f", "x-legacy": "new", "x-role": "user", "x-rate": "event", "x-error": "bad",
        "properties": {"a": {"type": "string", "minLength": 1, "maxLength": 3}, "n": {"type": "integer", "minimum": 0}},
        "required": ["a"], "examples": [{"a": "x"}]}
BAD = {"description": "d", "type": "object", "x-feature": "f", "x-legacy": "changed: was a", "properties": {"code": {"type": "string"}},
       "required": ["code"], "examples": [{"code": "c"}]}


class Schemas(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root)
        for folder in ("gateway/in", "gateway/out"):
            (self.root / folder).mkdir(parents=True)
        self.put("common.json", {"id": {"type": "string", "maxLength": 5}})
        self.put("gateway/out/bad.json", BAD)

    def put(self, name, schema):
        (self.root / name).write_text(json.dumps(schema), encoding="utf-8")

    def build(self, **changes):
        schema = copy.deepcopy(GOOD)
        for key, value in changes.items():
            key = key.replace("_", "-")
            if value is None:
                del schema[key]
            else:
                schema[key] = value
        self.put("gateway/in/thing.json", schema)
        return Model(self.root)

    def test_a_good_schema_is_read(self):
        model = self.build()
        self.assertEqual([e.name for e in model.ins], ["thing"])
        for writer in (c_in.header, c_in.source, c_test.source, ts.source, docs.source):
            self.assertIn("thing", writer(model))
        for writer in (c_out.header, c_out.source, c_test.source, ts.source, docs.source):
            self.assertIn("bad", writer(model))

    def test_what_old_clients_find_is_said_of_every_event(self):
        text = migration.source(self.build())
        self.assertIn("| `bad` | changed | was a |", text)
        self.assertIn("From clients: `thing`.", text)
        for word in (None, "", "old", "changed", "changed: ", "same: why", "changed: a|b"):
            with self.assertRaises(SchemaError, msg=repr(word)):
                self.build(x_legacy=word)

    def test_an_unknown_keyword_fails(self):
        rows = [{"pattern": "^a$"}, {"properties": {"a": {"type": "string", "format": "email"}}},
                {"properties": {"a": {"type": "string", "minlength": 1}}}, {"x-roles": "user"}, {"oneOf": []}]
        for row in rows:
            with self.subTest(row=row), self.assertRaisesRegex(SchemaError, "unknown keyword"):
                schema = copy.deepcopy(GOOD)
                schema.update(row)
                self.put("gateway/in/thing.json", schema)
                Model(self.root)

    def test_an_unknown_keyword_in_common_fails_where_it_is_used(self):
        self.put("common.json", {"id": {"type": "string", "pattern": "x"}})
        with self.assertRaisesRegex(SchemaError, "unknown keyword 'pattern'"):
            self.build(properties={"a": {"$ref": "common.json#/id"}})

    def test_what_an_event_needs_is_asked_for(self):
        for word in ("examples", "x_role", "x_rate", "x_feature", "x_error"):
            with self.subTest(word=word), self.assertRaisesRegex(SchemaError, word.replace("_", "-")):
                self.build(**{word: None})

    def test_mistakes_are_named(self):
        rows = [({"examples": []}, "at least one"), ({"examples": [{}]}, "example 0: a: missing"),
                ({"examples": [{"a": "long"}]}, "a: longer than 3"), ({"x_role": "boss"}, "x-role"),
                ({"x_rate": "often"}, "x-rate"), ({"x_error": "nowhere"}, "no out/nowhere.json"),
                ({"required": ["b"]}, "b is no property"), ({"x_string_as": "n"}, "no text property"),
                ({"properties": {"a": {"$ref": "common.json#/none"}}}, "not in common.json"),
                ({"properties": {"a": {"type": "text"}}}, "is not known"),
                ({"properties": {"a": {"type": "array", "items": {"type": "string"}}}}, "maxItems")]
        for changes, text in rows:
            with self.subTest(changes=changes), self.assertRaisesRegex(SchemaError, text):
                self.build(**changes)

    def other(self, app):
        for direction, name, schema in (("in", "thing", GOOD), ("out", "bad", BAD)):
            (self.root / app / direction).mkdir(parents=True)
            self.put(f"{app}/{direction}/{name}.json", schema)

    def test_two_programs_may_have_an_event_of_one_name(self):
        self.other("contacts")
        model = self.build()
        self.assertEqual([(e.id, e.c, e.title, e.namespace) for e in model.ins],
                         [("thing", "in_thing", "Thing", "/"), ("contacts_thing", "in_contacts_thing", "ContactsThing", "/contacts")])
        self.assertIn("EVENT_contacts_thing", c_in.header(model))
        self.assertIn('.name = "thing", .label = "contacts/thing"', c_in.source(model))
        self.assertIn("emit_contacts_bad", c_out.header(model))
        text = ts.source(model)
        self.assertIn("export interface ContactsClientEvents {\n  thing: (payload: ContactsThingRequest", text)
        self.assertIn("export interface ClientEvents {\n  thing: (payload: ThingRequest", text)
        self.assertIn("## The contacts service", docs.source(model))

    def test_what_every_program_has_is_no_programs_own(self):
        self.other("node")
        with self.assertRaisesRegex(SchemaError, "thing is in node/in/thing.json already"):
            self.build()

    def test_what_every_program_has_is_in_the_map_of_each(self):
        self.build()
        for name in ("in/thing", "out/bad"):
            (self.root / f"node/{name}.json").parent.mkdir(parents=True)
            (self.root / f"gateway/{name}.json").rename(self.root / f"node/{name}.json")
        for app in ("gateway", "contacts"):
            (self.root / app / "out").mkdir(parents=True, exist_ok=True)
            self.put(f"{app}/out/own.json", BAD)
        text = ts.source(Model(self.root))
        self.assertEqual(text.count("  thing: (payload"), 2)
        self.assertEqual(text.count("  bad: (payload"), 2)
        self.assertEqual(text.count("export interface ThingRequest"), 1)

    def test_a_list_of_objects_may_be_sent(self):
        rows = {"description": "d", "type": "array", "x-feature": "f", "x-legacy": "same",
                "items": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}, "examples": [[{"id": "a"}], []]}
        self.put("gateway/out/rows.json", rows)
        event = next(e for e in self.build().outs if e.name == "rows")
        for value, why in (([], None), ([{"id": "a"}, {}], "id: missing"), ({}, "payload: not an array")):
            self.assertEqual(validate.refusal(event, value), why)
        self.assertIn("export type RowsEvent = RowsEventItem[];", ts.source(Model(self.root)))
        self.put("gateway/in/thing.json", {**GOOD, "type": "array", "items": rows["items"], "examples": [[]]})
        with self.assertRaisesRegex(SchemaError, "only sent"):
            Model(self.root)

    def test_an_unknown_program_is_a_mistake(self):
        self.other("other")
        with self.assertRaisesRegex(SchemaError, "other: no program"):
            self.build()

    def test_the_sentences_are_exact(self):
        event = self.build().ins[0]
        rows = [({"a": "x"}, None), ({}, "a: missing"), ({"a": None}, "a: missing"), ({"a": 1}, "a: not a string"),
                ({"a": ""}, "a: shorter than 1"), ({"a": "xxxx"}, "a: longer than 3"), ([], "payload: not an object"),
                ({"a": "x", "n": -1}, "n: below 0"), ({"a": "x", "n": 1.5}, "n: not an integer"),
                ({"a": "x", "n": None}, None), ({"a": "x", "more": 1}, None)]
        for value, why in rows:
            with self.subTest(value=value):
                self.assertEqual(validate.refusal(event, value), why)

    def test_names_become_c(self):
        for name, want in (("userJoinedRoom", "user_joined_room"), ("ping", "ping"), ("default", "default_"), ("a-b", "a_b")):
            self.assertEqual(snake(name), want)

    def test_nested_objects_and_lists_become_c_that_compiles(self):
        self.build(properties={"a": {"type": "string", "maxLength": 3},
                               "at": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
                                      "additionalProperties": False},
                               "tags": {"type": "array", "items": {"type": "string", "maxLength": 4}, "maxItems": 3},
                               "kind": {"type": "string", "enum": ["one", "two"]}, "x": {"type": "number", "maximum": 1.5}},
                   examples=[{"a": "x", "at": {"city": "Kigali"}, "tags": ["t"], "kind": "one", "x": 0.5}])
        model = Model(self.root)
        out = self.root / "gen"
        out.mkdir()
        for name, text in (("events_in.h", c_in.header(model)), ("events_in.c", c_in.source(model))):
            (out / name).write_text(text, encoding="utf-8")
        done = subprocess.run(["cc", "-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                               f"-I{ROOT}", f"-I{out}", str(out / "events_in.c")], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_asyncapi_document_holds_together(self):
        document = json.loads((ROOT / "docs/asyncapi.json").read_text(encoding="utf-8"))
        self.assertEqual(document["asyncapi"], "3.0.0")

        def at(ref):
            place = document
            for part in ref.removeprefix("#/").split("/"):
                place = place[part]
            return place

        def walk(value):
            if isinstance(value, dict):
                if "$ref" in value:
                    at(value["$ref"])  # a KeyError names what is not there
                for item in value.values():
                    walk(item)
            elif isinstance(value, list):
                for item in value:
                    walk(item)

        walk(document)
        for group in document["components"].values():
            for key in group:
                self.assertRegex(key, r"^[A-Za-z0-9._-]+$")
        names = {m["name"] for m in document["components"]["messages"].values()}
        self.assertIn("auth:refresh", names)
        for operation in document["operations"].values():
            channel = operation["channel"]["$ref"]
            for message in operation["messages"]:
                self.assertTrue(message["$ref"].startswith(channel + "/messages/"))

    def test_what_is_committed_is_up_to_date(self):
        done = subprocess.run([sys.executable, str(ROOT / "schemas/gen.py"), "check"], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
