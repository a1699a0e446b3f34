"""The schemas of the tools and of flows, judged by an independent validator (python3-jsonschema).

tool_schemas_test.py TOOL_SCHEMAS ROOT
"""

import json
import pathlib
import random
import subprocess
import sys
import unittest

import jsonschema
import yaml

SEEDS = {
    "shell": {"command": ["ls", "-l"], "cwd": "a", "env": {"A": "b"}, "stdin": "x", "timeout": "10s",
              "network": False, "sandbox": "none", "max_output": 1024, "parse": "json",
              "ok_exit_codes": [0, 1]},
    "http": {"method": "GET", "url": "https://example.org/", "headers": {"A": "b"},
             "query": {"q": ["a", "b"]}, "body": {"a": 1}, "timeout": "1s", "follow": True,
             "ok_status": [200], "max_output": 10},
    "file": {"op": "write", "path": "a/b", "content": "x", "encoding": "utf-8"},
    "json": {"op": "pointer", "value": {"a": 1}, "pointer": "/a", "default": None},
    "transform": {"any": ["thing"]},
    "log": {"message": "x", "level": "info", "fields": {"a": 1}},
}
STRANGE = [None, True, 0, -1, 1.5, 10**12, "", "x", "10s", [], ["a"], [1], {}, {"a": "b"}, {"a": 1}]


def mutated(rng, value):
    """The same with a key dropped, added, or of another value."""
    if not isinstance(value, dict) or rng.random() < 0.05:
        return rng.choice(STRANGE)
    changed = dict(value)
    for _ in range(rng.randint(1, 3)):
        key = rng.choice([*value, "unknown", "script", "content", "op", "text", "from", "to"])
        if rng.random() < 0.4:
            changed.pop(key, None)
        else:
            changed[key] = rng.choice(STRANGE)
    return changed


class ToolSchemas(unittest.TestCase):
    program, root = "", pathlib.Path()

    def setUp(self):
        lines = subprocess.run([self.program], capture_output=True, text=True, check=True).stdout
        self.tools = {tool["name"]: tool for tool in map(json.loads, lines.splitlines())}

    def test_every_schema_is_one_of_2020_12(self):
        self.assertEqual(sorted(self.tools), sorted(SEEDS))
        for tool in self.tools.values():
            for which in ("input", "output"):
                jsonschema.Draft202012Validator.check_schema(tool[which])

    def test_both_validators_agree_on_every_input(self):
        rng = random.Random(20_12)
        asked = []
        for name, seed in SEEDS.items():
            asked += [(name, seed)] + [(name, mutated(rng, seed)) for _ in range(2000)]
        questions = "".join(json.dumps({"tool": name, "input": value}) + "\n"
                            for name, value in asked)
        answers = subprocess.run([self.program, "check"], input=questions, capture_output=True,
                                 text=True, check=True).stdout.split()
        self.assertEqual(len(answers), len(asked))
        validators = {name: jsonschema.Draft202012Validator(tool["input"])
                      for name, tool in self.tools.items()}
        for (name, value), answer in zip(asked, answers):
            theirs = "yes" if validators[name].is_valid(value) else "no"
            self.assertEqual(answer, theirs, (name, value))
        self.assertGreater(answers.count("yes"), 1000)
        self.assertGreater(answers.count("no"), 1000)

    def test_flows_that_run_fit_the_schema_that_editors_use(self):
        schema = json.loads((self.root / "schemas/resources/flow.schema.json").read_text("utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        flows = [*self.root.glob("examples/*/flow.yaml"), *self.root.glob("tests/e2e/flows/*.yaml")]
        self.assertGreater(len(flows), 10)
        for path in flows:
            document = yaml.safe_load(path.read_text("utf-8"))
            wrong = [f"{error.json_path}: {error.message}"
                     for error in validator.iter_errors(document)]
            self.assertEqual(wrong, [], path)
            document["spec"]["stepz"] = []
            self.assertFalse(validator.is_valid(document), path)


if __name__ == "__main__":
    ToolSchemas.program, ToolSchemas.root = sys.argv[1], pathlib.Path(sys.argv[2])
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
