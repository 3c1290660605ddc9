#!/usr/bin/env python3
"""What `bench contacts` takes for wrong, and its percentiles. Run by ctest."""
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "bench"))

import contacts  # noqa: E402


def form(n, **changes):
    """A form as it should be: acknowledged after 2 ms, both agents were told once."""
    return {"lag": 0.1, "ack": 2.0, "id": f"c{n}", "heard": [[3.0], [3.5]], "told": [f"c{n}"], **changes}


GOOD = [form(0), form(1), form(2)]
KEPT = [["c0", "0"], ["c1", "1"], ["c2", "2"]]
REFUSED = form(1, id=None, code="rate_limited", heard=[[], []], told=[])

# what is wrong, with the second of three forms, and what the store holds
ROWS = (
    (None, form(1), KEPT),
    ("refused", REFUSED, [KEPT[0], KEPT[2]]),
    ("unanswered", {**REFUSED, "ack": None}, KEPT),
    ("lost", form(1), [KEPT[0], KEPT[2]]),
    ("lost", form(1), [KEPT[0], ["c1", "another"], KEPT[2]]),
    ("twice", form(1), KEPT + [["c9", "1"]]),
    ("unnoticed", form(1, heard=[[3.0], []]), KEPT),
    ("noticed_again", form(1, heard=[[3.0], [3.5, 3003.5]]), KEPT),
    ("noticed_wrong", form(1, told=["c1", "c2"]), KEPT),
)


class Contacts(unittest.TestCase):
    def test_each_thing_that_is_wrong_is_found_and_nothing_else(self):
        for what, second, kept in ROWS:
            with self.subTest(what=what, second=second):
                wrong = contacts.wrong_of([GOOD[0], second, GOOD[2]], kept)
                self.assertEqual({name: count for name, count in wrong.items() if count}, {what: 1} if what else {})

    def test_percentiles_are_by_nearest_rank(self):
        values = [float(v) for v in range(200, 0, -1)]
        self.assertEqual(contacts.percentiles(values), {"count": 200, "p50": 100.0, "p99": 198.0, "max": 200.0})
        self.assertEqual(contacts.percentiles([7.0]), {"count": 1, "p50": 7.0, "p99": 7.0, "max": 7.0})
        self.assertIsNone(contacts.percentiles([])["p50"])

    def test_the_first_forms_are_judged_and_not_measured(self):
        slow = form(0, ack=900.0, heard=[[950.0], []])
        row = contacts.row_of({"first": 1, "cpu": 0.2, "forms": [slow, GOOD[1], REFUSED | {"ack": 5.0}]}, KEPT[:2])
        self.assertEqual((row["forms"], row["kept"], row["wrong"]["unnoticed"], row["wrong"]["refused"]), (3, 2, 1, 1))
        self.assertEqual((row["ack_ms"]["count"], row["ack_ms"]["max"]), (2, 5.0))
        self.assertEqual((row["notice_ms"]["count"], row["notice_ms"]["p50"]), (2, 3.0))

    def test_a_target_is_missed_by_one_form_of_one_round(self):
        good, bad = ({"mongo": {"wrong": {"lost": n}}, "node": {"wrong": {"lost": 9}}} for n in (0, 1))
        self.assertTrue(contacts.targets_of([good, good], ["mongo"])[0]["met"])
        self.assertFalse(contacts.targets_of([good, bad], ["mongo"])[0]["met"])


if __name__ == "__main__":
    unittest.main()
