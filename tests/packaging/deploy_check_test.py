"""What deploy_check looks for, it finds: each case breaks one thing in a copy of deploy/."""

import pathlib
import shutil
import tempfile
import unittest

import deploy_check

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FACTS = deploy_check.Facts(
    ["--listen", "--name", "--nats", "--nats-ca", "--nats-cert", "--nats-key", "--cluster",
     "--replicas", "--takeover-after", "--drain-timeout", "--log-format"],
    ["/healthz", "/readyz", "/v1/node"])

COMPOSE, THREE = "compose.yaml", "compose.three-brokers.yaml"
NODES, BROKER = "kubernetes/nodes.yaml", "kubernetes/broker.yaml"
UNIT = "skein.service.in"

# (file, what is there, what stands there instead, a part of what is found)
CASES = [
    (COMPOSE, "services:\n", "services: [\n", "is no YAML"),
    (COMPOSE, "networks:\n  skein: {}", "nets:\n  skein: {}", "compose has no key nets"),
    (COMPOSE, "nats:2.10.29-alpine", "nats:latest", "is not pinned"),
    (COMPOSE, "nats:2.10.29-alpine", "nats", "is not pinned"),
    (COMPOSE, "dockerfile: deploy/Dockerfile", "dockerfile: Dockerfile", "is not there"),
    (COMPOSE, "nats: { condition", "broker: { condition", "depends on broker"),
    (COMPOSE, "    healthcheck:\n", "    x-healthcheck:\n", "has no healthcheck"),
    (COMPOSE, "127.0.0.1:7712:7711", "7712:7711", "not bound to 127.0.0.1"),
    (COMPOSE, "127.0.0.1:7712:7711", "127.0.0.1:7711:7711", "port 127.0.0.1:7711:7711 is one's"),
    (COMPOSE, "127.0.0.1:7712:7711", "127.0.0.1:7712:7712", "it listens on 7711"),
    (COMPOSE, "two:/var/lib/skein,", "tow:/var/lib/skein,", "volume tow is not declared"),
    (COMPOSE, "two:/var/lib/skein,", "two:/var/lib,", "is on no volume"),
    (COMPOSE, "  three-work: {}", "  three-work: {}\n  four: {}", "nobody uses four"),
    (COMPOSE, "./nats/single.conf:", "./nats/double.conf:", "volume ./nats/double.conf"),
    (COMPOSE, "--nats-ca=", "--nats-authority=", "no --nats-authority"),
    (COMPOSE, "--nats-ca=/run/secrets/ca.crt", "--nats-ca=/run/secrets/ca.pem", "not given that"),
    (COMPOSE, "secrets: [ca.crt, node.crt, node.key]", "secrets: [ca.crt, node.crt]",
     "not given that secret"),
    (COMPOSE, "file: ./tls/node.key", "file: ./node.key", "./node.key is not there"),
    (COMPOSE, "stop_grace_period: 40s", "stop_grace_period: 20s", "before it has drained"),
    (COMPOSE, "@nats:4222", "@nats-1:4222", "names nats-1, which is not there"),
    (COMPOSE, "@nats:4222", "@nats:4223", "listens on 4222"),
    (COMPOSE, "SYS_PASSWORD: ${SYS_PASSWORD:", "SYS_PASSWORD: ${SYSTEM_PASSWORD:",
     "SYSTEM_PASSWORD is not in .env.example"),
    (COMPOSE, 'security_opt: ["no-new-privileges:true"]', "security_opt: []", "more privileges"),
    (THREE, "--replicas=3", "--replicas=4", "4 copies on 3 brokers"),
    (THREE, "nats-3: { condition: service_healthy }", "", "does not wait for nats-3"),
    (THREE, "@nats-1:4222,\\", "@nats-1:4222, \\", "has a space in it"),
    (NODES, "apiVersion: apps/v1", "apiVersion: apps/v1beta1", "is not one of StatefulSet"),
    (NODES, "kind: PodDisruptionBudget", "kind: PodDisruption", "is not one of PodDisruption"),
    (NODES, "serviceName: skein-nodes", "serviceName: skein", "no headless Service"),
    (NODES, "    metadata:\n      labels: { app.kubernetes.io/name: skein,",
     "    metadata:\n      labels: { app.kubernetes.io/name: goose,", "does not find its own pods"),
    (NODES, "image: skein:0.1.0", "image: skein", "is not pinned"),
    (NODES, "- --drain-timeout=45s", "- --drain-for=45s", "no --drain-for"),
    (NODES, "terminationGracePeriodSeconds: 60", "terminationGracePeriodSeconds: 45",
     "before it has drained"),
    (NODES, "path: /readyz", "path: /ready", "there is no path /ready"),
    (NODES, "          livenessProbe:\n            httpGet: { path: /healthz, port: http,",
     "          livenessProbe:\n            httpGet: { path: /healthz, port: web,",
     "there is no port web"),
    (NODES, "port: http, httpHeaders: [{ name: Host, value: localhost }] }\n"
            "            periodSeconds: 2", "port: http }\n            periodSeconds: 2",
     "the name localhost only"),
    (NODES, "runAsNonRoot: true", "runAsNonRoot: false", "run as root"),
    (NODES, "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "more than it needs"),
    (NODES, "limits: { memory: 2Gi }", "limits: { cpu: 1 }", "no limit of memory"),
    (NODES, "automountServiceAccountToken: false", "automountServiceAccountToken: true", "a token"),
    (NODES, "name: work, mountPath", "name: wrok, mountPath", "no volume wrok"),
    (NODES, "mountPath: /tmp", "mountPath: /temporary", "cannot write to /tmp"),
    (NODES, "--nats-ca=/etc/skein/tls", "--nats-ca=/etc/tls", "nothing is mounted there"),
    (NODES, "secretName: skein-node-tls", "secretName: node-tls", "no Secret node-tls"),
    (NODES, "key: SKEIN_PASSWORD }", "key: PASSWORD }", "no PASSWORD in Secret"),
    (NODES, "@nats:4222", "@broker:4222", "no Service of broker:4222"),
    (NODES, "targetPort: http", "targetPort: web", "its pods have no port web"),
    (NODES, "maxUnavailable: 1", "maxUnavailable: 3", "let one of several go"),
    (NODES, "policyTypes: [Ingress, Egress]", "policyTypes: [Ingress]", "one direction open"),
    (NODES, "    - from:\n        - podSelector:\n            matchLabels: { skein-client: \"true\" }\n"
            "      ports:", "    - ports:", "lets everybody in"),
    (BROKER, "kind: NetworkPolicy\nmetadata:\n  name: nats", "kind: Secret\nmetadata:\n  name: nats",
     "is not one of Secret"),
    (BROKER, "configMap: { name: skein-broker }", "configMap: { name: broker }", "no ConfigMap"),
    ("kustomization.yaml", "  - kubernetes/nodes.yaml\n", "", "nodes.yaml is not named"),
    ("kustomization.yaml", "nats/accounts.conf", "nats/account.conf", "account.conf is not there"),
    ("Dockerfile", "FROM debian:12.11-slim AS build", "FROM debian AS build", "not pinned"),
    ("Dockerfile", "COPY deploy/packages.txt deploy/install deploy/",
     "COPY deploy/packages.txt deploy/setup deploy/", "COPY deploy/setup: it is not there"),
    ("Dockerfile", "--from=build", "--from=built", "no such stage"),
    ("Dockerfile", "USER 10001:10001", "USER root", "it runs as root"),
    ("Dockerfile", "USER 10001:10001\n", "", "it runs as root"),
    ("Dockerfile", "--no-install-recommends ", "", "without --no-install-recommends"),
    ("Dockerfile", "apt-get update && ", "", "without apt-get update"),
    ("Dockerfile", "build && rm -rf /var/lib/apt/lists/*", "build", "leaves the package lists"),
    ("Dockerfile", "HEALTHCHECK", "LABEL x=1", "it has no HEALTHCHECK"),
    ("Dockerfile", 'ENTRYPOINT ["skein"]', "ENTRYPOINT skein", "ENTRYPOINT is not a list"),
    ("Dockerfile", '"--listen"', '"--bind"', "no --bind"),
    ("Dockerfile", "COPY . .", "ADD . .", "use COPY"),
    (UNIT, "--drain-timeout 25s", "--drain-timeout 35s", "drains for 35 s"),
    (UNIT, "Type=notify", "Type=simple", "Type is not notify"),
    (UNIT, "serve --drain", "serve --quick --drain", "no --quick"),
]


class DeployCheck(unittest.TestCase):
    def check(self, file=None, there=None, instead=None):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            shutil.copytree(ROOT / "deploy", root / "deploy",
                            ignore=shutil.ignore_patterns("tls", ".env"))
            if file:
                path = root / "deploy" / file
                text = path.read_text()
                self.assertIn(there, text, f"{file} has changed: so must the case")
                path.write_text(text.replace(there, instead, 1))
            return deploy_check.check(root, FACTS)

    def test_what_is_shipped_is_right(self):
        self.assertEqual(self.check(), [])

    def test_each_broken_thing_is_found(self):
        for file, there, instead, text in CASES:
            with self.subTest(file=file, instead=instead):
                found = self.check(file, there, instead)
                self.assertTrue(any(text in what for what in found), found)

    def test_a_unit_that_systemd_does_not_know_is_found(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("there is no systemd-analyze here")
        found = self.check(UNIT, "UMask=0077", "UMaks=0077")
        self.assertTrue(any("UMaks" in what for what in found), found)


if __name__ == "__main__":
    unittest.main()
