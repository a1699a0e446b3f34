"""What a compose file must be: nothing in it refers to anything that is not there."""

import re

from docker_rules import drain_of, is_pinned, seconds, unknown_options

TOP = {"name", "services", "networks", "volumes", "secrets", "configs"}
SERVICE = {
    "image", "build", "command", "entrypoint", "environment", "env_file", "depends_on", "networks",
    "restart", "stop_grace_period", "security_opt", "cap_drop", "read_only", "tmpfs", "ulimits",
    "hostname", "ports", "volumes", "secrets", "healthcheck", "user", "deploy", "logging", "labels"}
MADE = {"./tls"}  # by deploy/nats/certificates
PORT = re.compile(r"^127\.0\.0\.1:(\d+):(\d+)$")
VARIABLE = re.compile(r"\$\{(\w+)[}:]")


def check(document, deploy, facts):
    for key in document:
        if key not in TOP and not key.startswith("x-"):
            yield f"compose has no key {key}"
    services = document.get("services", {})
    taken = {}
    for name, service in services.items():
        for what in check_service(name, service, document, deploy, facts):
            yield f"{name}: {what}"
        for port in service.get("ports", []):
            if taken.setdefault(str(port), name) != name:
                yield f"{name}: port {port} is {taken[str(port)]}'s"
    for kind in ("networks", "volumes", "secrets"):
        used = {use_of(use) for service in services.values() for use in service.get(kind, [])}
        for name in document.get(kind, {}):
            if name not in used:
                yield f"{kind}: nobody uses {name}"
    for name, secret in document.get("secrets", {}).items():
        if not is_there(secret.get("file", ""), deploy):
            yield f"secrets: {name}: {secret.get('file')} is not there"
    known = set(re.findall(r"(?m)^(\w+)=", (deploy / ".env.example").read_text()))
    for variable in sorted(set(VARIABLE.findall(str(document))) - known):
        yield f"{variable} is not in .env.example"


def use_of(use):
    return use.split(":")[0] if isinstance(use, str) else use.get("source")


def is_there(path, deploy):
    return (deploy / path).exists() or any(str(path).startswith(made + "/") for made in MADE)


def check_service(name, service, document, deploy, facts):
    for key in service:
        if key not in SERVICE:
            yield f"a service has no key {key}"
    if not is_pinned(service.get("image", "")):
        yield f"the image {service.get('image')} is not pinned"
    build = service.get("build")
    if build and not (deploy / build["context"] / build["dockerfile"]).exists():
        yield f"build: {build['dockerfile']} is not there"
    if not build and "healthcheck" not in service:
        yield "it has no healthcheck"
    yield from check_references(service, document, deploy)
    for port in service.get("ports", []):
        if not PORT.match(str(port)):
            yield f"port {port} is not bound to 127.0.0.1"
    if service.get("privileged") or "no-new-privileges:true" not in service.get("security_opt", []):
        yield "it may get more privileges"
    words = service.get("command", [])
    if words[:1] == ["serve"]:
        yield from check_node(name, service, words, document, facts)


def check_references(service, document, deploy):
    for other, how in service.get("depends_on", {}).items():
        there = document["services"].get(other)
        if there is None:
            yield f"it depends on {other}, which is not there"
        elif how.get("condition") == "service_healthy" and "healthcheck" not in there:
            yield f"it waits for the health of {other}, which has no healthcheck"
    for kind in ("networks", "secrets"):
        for use in service.get(kind, []):
            if use not in document.get(kind, {}):
                yield f"{kind}: {use} is not declared"
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith("."):
            if not is_there(source, deploy):
                yield f"volume {source} is not there"
        elif source not in document.get("volumes", {}):
            yield f"volume {source} is not declared"


def check_node(name, service, words, document, facts):
    yield from unknown_options(words, facts)
    secrets = {f"/run/secrets/{secret}" for secret in service.get("secrets", [])}
    for word in words:
        value = word.partition("=")[2]
        if value.startswith("/run/secrets/") and value not in secrets:
            yield f"{word}: it is not given that secret"
    listens = next((word.rsplit(":", 1)[1] for word in words if word.startswith("--listen=")), None)
    for port in service.get("ports", []):
        match = PORT.match(str(port))
        if match and match[2] != listens:
            yield f"port {port}: it listens on {listens}"
    if seconds(service.get("stop_grace_period", "10s")) <= drain_of(words):
        yield "it is killed before it has drained"
    if not any(str(volume).endswith(":/var/lib/skein") for volume in service.get("volumes", [])):
        yield "what it has is on no volume"
    urls = service.get("environment", {}).get("SKEIN_NATS", "")
    hosts = re.findall(r"@([\w-]+):(\d+)", urls)
    if not hosts or " " in re.sub(r"\$\{[^}]*\}", "", urls):
        yield f"SKEIN_NATS names no broker, or has a space in it: {urls!r}"
    for host, port in hosts:
        if host not in document["services"]:
            yield f"SKEIN_NATS names {host}, which is not there"
        elif host not in service.get("depends_on", {}):
            yield f"it does not wait for {host}"
        if port != "4222":
            yield f"SKEIN_NATS: {host} listens on 4222, not {port}"
    replicas = [int(word.split("=")[1]) for word in words if word.startswith("--replicas=")]
    if replicas and replicas[0] > len(hosts):
        yield f"{replicas[0]} copies on {len(hosts)} brokers"
