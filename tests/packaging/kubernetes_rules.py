"""What the Kubernetes objects must be: selectors find pods, references find objects, pods are held."""

from docker_rules import drain_of, is_pinned, unknown_options

VERSIONS = {
    "StatefulSet": "apps/v1", "Service": "v1", "PodDisruptionBudget": "policy/v1",
    "NetworkPolicy": "networking.k8s.io/v1", "ConfigMap": "v1", "Secret": "v1",
    "Kustomization": "kustomize.config.k8s.io/v1beta1",
}
# Made by hand, as docs/deploy.md says.
SECRETS = {"skein-broker": {"SKEIN_PASSWORD", "SYS_PASSWORD", "ACME_PASSWORD"},
           "skein-node-tls": set(), "skein-broker-tls": set()}
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def check_kustomization(document, deploy):
    if document.get("apiVersion") != VERSIONS["Kustomization"]:
        yield f"kustomization: apiVersion is {document.get('apiVersion')}"
    files = [file for made in document.get("configMapGenerator", []) for file in made["files"]]
    for path in [*document.get("resources", []), *files]:
        if not (deploy / path).exists():
            yield f"kustomization: {path} is not there"
    there = {f"kubernetes/{path.name}" for path in deploy.glob("kubernetes/*.yaml")}
    for path in sorted(there - set(document.get("resources", []))):
        yield f"kustomization: {path} is not named"


def check(objects, kustomization, facts):
    sets = [document for _, document in objects if document["kind"] == "StatefulSet"]
    pods = [document["spec"]["template"] for document in sets]
    services = {document["metadata"]["name"]: document for _, document in objects
                if document["kind"] == "Service"}
    maps = {made["name"] for made in kustomization.get("configMapGenerator", [])}
    names = set()
    for file, document in objects:
        kind, name = document.get("kind"), document.get("metadata", {}).get("name")
        where = f"{file}: {kind} {name}"
        if VERSIONS.get(kind) != document.get("apiVersion"):
            yield f"{where}: apiVersion {document.get('apiVersion')} is not one of {kind}"
        if (kind, name) in names:
            yield f"{where}: is there twice"
        names.add((kind, name))
        checks = {"StatefulSet": lambda d: check_set(d, services, maps, facts),
                  "Service": lambda d: check_service(d, pods),
                  "PodDisruptionBudget": lambda d: check_budget(d, sets),
                  "NetworkPolicy": lambda d: check_policy(d, pods)}
        for what in checks.get(kind, lambda _: [])(document):
            yield f"{where}: {what}"
    for document in sets:
        labels = document["spec"]["template"]["metadata"]["labels"]
        if not any(d["kind"] == "NetworkPolicy" and fits(d["spec"]["podSelector"], labels)
                   for _, d in objects):
            yield f"no NetworkPolicy is about the pods of {document['metadata']['name']}"


def fits(selector, labels):
    wanted = selector.get("matchLabels", selector)
    return bool(wanted) and all(labels.get(key) == value for key, value in wanted.items())


def selected(selector, pods):
    return [pod for pod in pods if fits(selector, pod["metadata"]["labels"])]


def port_names(pods):
    return {port["name"] for pod in pods for container in pod["spec"]["containers"]
            for port in container.get("ports", [])}


def check_service(document, pods):
    found = selected(document["spec"].get("selector", {}), pods)
    if not found:
        yield "its selector finds no pod"
    for port in document["spec"]["ports"]:
        if found and port["targetPort"] not in port_names(found):
            yield f"its pods have no port {port['targetPort']}"


def check_budget(document, sets):
    found = [s for s in sets if fits(document["spec"]["selector"],
                                     s["spec"]["template"]["metadata"]["labels"])]
    if not found:
        yield "its selector finds no pod"
    for one in found:
        if document["spec"].get("maxUnavailable") != 1 or one["spec"]["replicas"] < 2:
            yield "it should let one of several go"


def check_policy(document, pods):
    found = selected(document["spec"]["podSelector"], pods)
    if not found:
        yield "its selector finds no pod"
    if set(document["spec"].get("policyTypes", [])) != {"Ingress", "Egress"}:
        yield "it leaves one direction open"
    for rule in document["spec"].get("ingress", []):
        if not rule.get("from"):
            yield "it lets everybody in"
        for port in rule.get("ports", []):
            if found and port["port"] not in port_names(found):
                yield f"its pods have no port {port['port']}"


def check_set(document, services, maps, facts):
    spec, template = document["spec"], document["spec"]["template"]
    if not fits(spec["selector"], template["metadata"]["labels"]):
        yield "its selector does not find its own pods"
    service = services.get(spec["serviceName"])
    if service is None or service["spec"].get("clusterIP") != "None":
        yield f"serviceName {spec['serviceName']} is no headless Service"
    pod = template["spec"]
    security = pod.get("securityContext", {})
    if not security.get("runAsNonRoot") or not security.get("runAsUser"):
        yield "it may run as root"
    if security.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "it has no seccomp profile"
    if pod.get("automountServiceAccountToken") is not False:
        yield "it gets a token of the cluster that it does not need"
    volumes = {volume["name"] for volume in pod.get("volumes", [])}
    volumes |= {claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates", [])}
    for volume in pod.get("volumes", []):
        yield from check_volume(volume, maps)
    for container in pod["containers"]:
        for what in check_container(container, volumes, pod, services, facts):
            yield f"{container['name']}: {what}"


def check_volume(volume, maps):
    if "configMap" in volume and volume["configMap"]["name"] not in maps:
        yield f"there is no ConfigMap {volume['configMap']['name']}"
    if "secret" in volume and volume["secret"]["secretName"] not in SECRETS:
        yield f"there is no Secret {volume['secret']['secretName']}"


def check_container(container, volumes, pod, services, facts):
    if not is_pinned(container["image"]):
        yield f"the image {container['image']} is not pinned"
    context = container.get("securityContext", {})
    if (context.get("allowPrivilegeEscalation") is not False
            or not context.get("readOnlyRootFilesystem")
            or context.get("capabilities", {}).get("drop") != ["ALL"]):
        yield "its securityContext leaves more than it needs"
    if "memory" not in container.get("resources", {}).get("limits", {}):
        yield "it has no limit of memory"
    mounts = {mount["name"] for mount in container.get("volumeMounts", [])}
    for name in sorted(mounts - volumes):
        yield f"there is no volume {name}"
    yield from check_environment(container, services)
    ports = {port["name"] for port in container.get("ports", [])}
    for probe in PROBES:
        yield from (f"{probe}: {what}"
                    for what in check_probe(probe, container.get(probe), ports, facts))
    words = container.get("args", [])
    if words[:1] == ["serve"]:
        yield from unknown_options(words, facts)
        if pod.get("terminationGracePeriodSeconds", 30) <= drain_of(words):
            yield "it is killed before it has drained"
        paths = [m["mountPath"] for m in container.get("volumeMounts", [])]
        for word in words:
            value = word.partition("=")[2]
            if value.startswith("/") and not any(value.startswith(path + "/") for path in paths):
                yield f"{word}: nothing is mounted there"
        for path in {"/var/lib/skein", "/var/lib/skein-work", "/tmp"} - set(paths):
            yield f"it cannot write to {path}"


def check_environment(container, services):
    names = {variable["name"] for variable in container.get("env", [])}
    for variable in container.get("env", []):
        secret = variable.get("valueFrom", {}).get("secretKeyRef")
        if secret and secret["key"] not in SECRETS.get(secret["name"], ()):
            yield f"{variable['name']}: there is no {secret['key']} in Secret {secret['name']}"
        value = variable.get("value", "")
        if variable["name"] == "SKEIN_NATS" and value.split("@")[-1].split(":")[0] not in services:
            yield f"SKEIN_NATS: there is no Service of {value.split('@')[-1]}"
        if "$(" in value and value.split("$(")[1].split(")")[0] not in names:
            yield f"{variable['name']}: {value} is of nothing before it"
    for source in container.get("envFrom", []):
        if source["secretRef"]["name"] not in SECRETS:
            yield f"there is no Secret {source['secretRef']['name']}"


def check_probe(probe, asked, ports, facts):
    if asked is None:
        if probe != "startupProbe":
            yield "is missing"
        return
    http = asked.get("httpGet")
    port = (http or asked.get("tcpSocket") or {}).get("port")
    if port and port not in ports:
        yield f"there is no port {port}"
    if http:
        if http["path"] not in facts.paths:
            yield f"there is no path {http['path']}"
        if {"name": "Host", "value": "localhost"} not in http.get("httpHeaders", []):
            yield "open paths answer to the name localhost only"
