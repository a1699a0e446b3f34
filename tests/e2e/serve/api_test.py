"""The HTTP interface, asked by a client that is not ours.

api_test.py SKEIN
"""

import http.client
import json
import re
import threading
import unittest

import jsonschema
import node_under_test
from node_under_test import NodeTest


class Api(NodeTest):
    def setUp(self):
        super().setUp()
        self.serve()
        self.ready()

    def apply(self, text):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("POST", "/v1/resources", text,
                           {"Authorization": f"Bearer {self.token()}",
                            "Content-Type": "application/yaml"})
        answer = connection.getresponse()
        body = json.loads(answer.read())
        connection.close()
        return answer.status, body

    def refused(self, method, path, body=None):
        status, _, text = self.request(method, path, body)
        return status, json.loads(text)["error"]["code"]

    def events(self, path, headers=None):
        """Events of a stream, one after the other."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path, None,
                           {"Authorization": f"Bearer {self.token()}", **(headers or {})})
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200)
        event = {}
        for line in answer:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name:
                event[name] = value
            elif event.get("data") is not None:
                yield event
                event = {}
        connection.close()

    def test_the_document_describes_every_path_and_its_schemas_are_schemas(self):
        document = self.ask("GET", "/v1/openapi.json")
        self.assertEqual(document["openapi"], "3.1.0")
        names = set()
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                self.assertIn(method, {"get", "post", "put", "delete"})
                self.assertTrue(operation["summary"])
                names.add(operation["operationId"])
                inside = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
                self.assertEqual(inside, set(re.findall(r"{(\w+)}", path)))
                self.assertIn("200", operation["responses"])
                for schema in ([p["schema"] for p in operation["parameters"]] +
                               [c["schema"] for c in operation.get("requestBody", {"content": {}})
                                ["content"].values()]):
                    jsonschema.Draft202012Validator.check_schema(schema)
        self.assertEqual(len(names), sum(len(o) for o in document["paths"].values()))
        error = document["components"]["schemas"]["Error"]
        _, _, text = self.request("GET", "/v1/runs/none")
        jsonschema.validate(json.loads(text), error)

    def test_a_run_is_started_signalled_and_told_of(self):
        status, applied = self.apply(node_under_test.WAITING)
        self.assertEqual((status, applied["items"][0]["result"]), (200, "created"))
        status, headers, text = self.request("POST", "/v1/runs",
                                             {"flow": "waiting", "id": "w-1", "labels": {"a": "b"}})
        self.assertEqual((status, headers["Location"]), (201, "/v1/runs/w-1"))
        self.until_state("w-1", "waiting")
        self.assertEqual(self.request("POST", "/v1/runs", {"flow": "waiting", "id": "w-1"})[0], 201)
        self.assertEqual(self.refused("POST", "/v1/runs",
                                      {"flow": "waiting", "id": "w-1", "input": {"x": 1}}),
                         (409, "SK3009"))
        self.assertEqual(self.ask("GET", "/v1/runs/w-1/waits")["items"],
                         [{"name": "go", "what": "signal"}])
        self.ask("POST", "/v1/runs/w-1/signal", {"name": "go", "payload": {"n": 7}, "id": "s"})
        self.until_state("w-1", "succeeded")
        run = self.ask("GET", "/v1/runs/w-1")
        self.assertEqual((run["output"], run["labels"]), ({"n": 7}, {"a": "b"}))
        self.assertEqual(self.refused("POST", "/v1/runs/w-1/pause"), (409, "SK1301"))
        entries = self.ask("GET", "/v1/runs/w-1/history?from=2&limit=1")
        self.assertEqual((entries["items"][0]["entry"], entries["next"]), (2, 3))

    def test_events_go_on_after_the_one_that_was_last_heard(self):
        self.apply(node_under_test.WAITING)
        self.ask("POST", "/v1/runs", {"flow": "waiting", "id": "w-1"})
        self.until_state("w-1", "waiting")
        stream = self.events("/v1/runs/w-1/watch?from=1")
        self.assertEqual(next(stream)["event"], "open")
        first = [next(stream) for _ in range(2)]
        self.assertEqual([e["id"] for e in first], ["1", "2"])
        self.assertEqual(json.loads(first[0]["data"])["kind"], "run.created")
        stream.close()
        self.ask("POST", "/v1/runs/w-1/signal", {"name": "go"})
        self.until_state("w-1", "succeeded")
        again = self.events("/v1/runs/w-1/watch", {"Last-Event-ID": "2"})
        self.assertEqual([next(again)["id"], next(again)["id"]], ["2", "3"])
        again.close()

    def test_a_hundred_who_wait_hear_of_the_end(self):
        self.apply(node_under_test.WAITING)
        self.ask("POST", "/v1/runs", {"flow": "waiting", "id": "w-1"})
        heard = []

        def wait():
            heard.extend(json.loads(event["data"])["state"]
                         for event in self.events("/v1/runs/w-1/wait")
                         if event["event"] == "settled")

        threads = [threading.Thread(target=wait) for _ in range(100)]
        for thread in threads:
            thread.start()
        self.until_state("w-1", "waiting")
        self.ask("POST", "/v1/runs/w-1/signal", {"name": "go"})
        for thread in threads:
            thread.join(timeout=30)
        self.assertEqual(heard, ["succeeded"] * 100)

    def test_lists_come_in_pages(self):
        self.apply(node_under_test.QUICK)
        for n in range(5):
            self.ask("POST", "/v1/runs", {"flow": "quick", "id": f"q-{n}", "input": {"n": n}})
        found, after = [], ""
        while after is not None:
            page = self.ask("GET", f"/v1/runs?limit=2&flow=quick&after={after}")
            found += [run["id"] for run in page["items"]]
            after = page["next"]
        self.assertEqual(sorted(found), [f"q-{n}" for n in range(5)])

    def test_resources_are_applied_read_and_deleted(self):
        self.apply(node_under_test.QUICK)
        status, body = self.apply(node_under_test.QUICK.replace("* 2", "* 3"))
        self.assertEqual((status, body["items"][0]["result"]), (200, "changed"))
        self.assertEqual(len(self.ask("GET", "/v1/resources/flow/quick/revisions")["items"]), 2)
        self.assertEqual(self.ask("GET", "/v1/resources/flows/quick?revision=1")["revision"], 1)
        status, body = self.apply(node_under_test.QUICK.replace("tool: transform", "tool: trans"))
        self.assertEqual((status, body["error"]["code"]), (400, "SK5001"))
        self.ask("DELETE", "/v1/resources/flow/quick")
        self.assertEqual(self.refused("GET", "/v1/resources/flow/quick"), (404, "SK3007"))

    def test_what_is_wrong_is_refused_and_counted(self):
        before = self.ask("GET", "/v1/node")["gateway"]["refused"]
        self.assertEqual(self.refused("POST", "/v1/runs", {"flow": "none"}), (404, "SK3007"))
        self.assertEqual(self.refused("POST", "/v1/runs", {"flwo": "none"}), (400, "SK6008"))
        self.assertEqual(self.refused("POST", "/v1/runs", [1]), (400, "SK6008"))
        self.assertEqual(self.refused("GET", "/v1/runs?limit=x"), (400, "SK6008"))
        self.assertEqual(self.refused("GET", "/v1/runs/none"), (404, "SK3006"))
        self.assertEqual(self.refused("GET", "/v1/run"), (404, "SK6009"))
        self.assertEqual(self.refused("GET", "/v1/resources/none"), (400, "SK1203"))
        refused = self.ask("GET", "/v1/node")["gateway"]["refused"]
        self.assertEqual([refused[why] - before[why] for why in ("handler", "route")], [6, 1])


if __name__ == "__main__":
    node_under_test.main()
