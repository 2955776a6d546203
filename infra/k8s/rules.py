"""rules.py ENVIRONMENT RENDERED: the fleet's own rules for a rendered overlay, which no general checker knows.

Prints one line per violation; exits 1 when there is one.
"""

import pathlib
import re
import sys

import yaml

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
# Settings that the interfaces name and the code does not read yet; one that it reads by now must leave this list.
PLANNED: set[str] = set()
SECRET_SETTING = re.compile(r"(DATABASE_URL|REDIS_URL|RABBITMQ_URL|PASSWORD|SECRET|TOKEN|_KEY|_HEADERS)$")
OUR_IMAGES = "/florin/"
ADMIN_PORTS = {"admin"}
ALLOWED_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
# ProcessGroup.cancellationTimeout: what a process still takes after its drain time-out.
CANCELLATION_SECONDS = 5
SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}

environment, rendered = sys.argv[1:]
objects = [item for item in yaml.safe_load_all(pathlib.Path(rendered).read_text()) if item]
violations = []


def complain(item, text):
    violations.append(f"{item['kind']} {item['metadata']['name']}: {text}")


def of_kind(*kinds):
    return [item for item in objects if item["kind"] in kinds]


def declared_settings():
    sources = [
        *REPOSITORY.glob("Services/*/*Configuration.swift"),
        *REPOSITORY.glob("Services/*/*Settings.swift"),
        *REPOSITORY.glob("Shared/ServiceRuntime/Configuration/*.swift"),
        *(source for module in ("EventBroker", "EventConsumption", "HTTPService", "ReplayProtection", "ServiceDatabase", "ServiceIdentity") for source in REPOSITORY.glob(f"Shared/{module}/**/*.swift")),
    ]
    databases = {service[column] for service in fleet() for column in ("database", "replica")} - {None}
    return {name for source in sources for name in re.findall(r'"([A-Z][A-Z0-9_]+)"', source.read_text())} | databases


def fleet():
    """The services of infra/fleet.tsv, each with its columns by name; None for what it does not have."""
    lines = [line.lstrip("# ").split("\t") for line in (REPOSITORY / "infra/fleet.tsv").read_text().splitlines()[1:]]
    return [{column: None if value == "-" else value for column, value in zip(lines[0], line)} for line in lines[1:]]


def check_fleet():
    """Every service of the fleet's table has its objects here, with the table's ports, variable and callers."""
    named = {(item["kind"], item["metadata"]["name"]): item for item in objects}
    expected = set()
    for service in fleet():
        name = service["name"]

        def find(kind, name, service=name):
            if (kind, name) not in named:
                violations.append(f"{service} lacks the {kind} {name}")
            return named.get((kind, name))

        expected.add(name)
        check_process(find("Deployment", name), service["admin"], service["api"], service["database"], f"{name}-database", service["consumes"])
        policy = find("NetworkPolicy", name)
        if policy and service["api"]:
            rule = policy["spec"]["ingress"][0]
            callers = rule["from"][0]["podSelector"]["matchExpressions"][0]["values"]
            if callers != service["callers"].split(",") or rule["ports"] != [{"port": int(service["api"]), "protocol": "TCP"}]:
                complain(policy, f"must let in {service['callers']} at {service['api']}")
        if service["database"]:
            find("Job", f"{name}-migrate")
        if service["area"]:
            expected.add(f"outbox-relay-{name}")
            relay = find("Deployment", f"outbox-relay-{name}")
            check_process(relay, service["relay-admin"], None, service["database"], f"{name}-database-relay", "yes")
    for item in of_kind("Deployment"):
        if item["metadata"]["name"] not in expected:
            complain(item, "is not in infra/fleet.tsv")


def check_process(item, admin, api, variable, secret, uses_broker):
    if item is None:
        return
    container = item["spec"]["template"]["spec"]["containers"][0]
    ports = {port["name"]: str(port["containerPort"]) for port in container["ports"]}
    if ports != {"admin": admin, **({"api": api} if api else {})}:
        complain(item, f"has the ports {ports}, in infra/fleet.tsv admin {admin} and api {api}")
    values = settings_of(item, container)
    if values.get("ADMIN_PORT") != admin or values.get("HTTP_PORT") != api:
        complain(item, f"ADMIN_PORT must be {admin} and HTTP_PORT {api}")
    secrets = {entry["name"]: entry["valueFrom"]["secretKeyRef"]["name"] for entry in container["env"] if "valueFrom" in entry}
    if variable and secrets.get(variable) != secret:
        complain(item, f"{variable} must come from the Secret {secret}")
    if ("RABBITMQ_URL" in secrets) != (uses_broker is not None):
        complain(item, "RABBITMQ_URL is there for those, and only those, that use the broker")


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h)", text).groups()
    return int(number) * SECONDS[unit]


def settings_of(item, container):
    """Every variable of a container: its text, or None when a Secret holds it."""
    values = {}
    for source in container.get("envFrom", []):
        if "configMapRef" not in source:
            complain(item, "a whole Secret as environment could hold another service's variable; name the keys")
            continue
        name = source["configMapRef"]["name"]
        found = [config for config in of_kind("ConfigMap") if config["metadata"]["name"] == name]
        if not found:
            complain(item, f"ConfigMap {name} is not among the rendered objects")
        values.update(found[0]["data"] if found else {})
    for variable in container.get("env", []):
        from_secret = "secretKeyRef" in variable.get("valueFrom", {})
        values[variable["name"]] = None if from_secret else variable.get("value", "")
    return values


def check_settings(item, values, declared):
    for name, value in values.items():
        if name not in declared | PLANNED:
            complain(item, f"{name} is no setting of the code")
        if value is not None and SECRET_SETTING.search(name):
            complain(item, f"{name} must come from a Secret")
    expected_values = {"FLORIN_ENVIRONMENT": environment}
    if any(name.endswith("DATABASE_URL") for name in values):
        expected_values["DATABASE_ISOLATION_MODE"] = "strict"
    for name, expected in expected_values.items():
        if values.get(name) != expected:
            complain(item, f"{name} must be {expected}")
    for name, unsafe in (("INTERNAL_TLS", "off"), ("REPLAY_WINDOW", "in-process"), ("INTERNAL_AUTH_MODE", "off")):
        if values.get(name) == unsafe:
            complain(item, f"{name}={unsafe} is refused in production")


def check_pods(declared):
    for item in of_kind("Deployment", "Job", "StatefulSet"):
        pod = item["spec"]["template"]["spec"]
        if pod.get("enableServiceLinks", True):
            complain(item, "enableServiceLinks must be false")
        check_restricted(item, pod)
        check_mounts(item, pod)
        for container in pod["containers"]:
            # What is not ours has settings of its own.
            if OUR_IMAGES not in container["image"]:
                continue
            values = settings_of(item, container)
            check_settings(item, values, declared)
            needed = seconds(values.get("DRAIN_DELAY", "0s")) + seconds(values.get("DRAIN_TIMEOUT", "25s")) + CANCELLATION_SECONDS
            if item["kind"] == "Deployment" and pod.get("terminationGracePeriodSeconds", 30) < needed:
                complain(item, f"terminationGracePeriodSeconds must be at least {needed:g}, the time of the drain")


def check_restricted(item, pod):
    """What the namespace's pod security level asks for: a pod that lacks it would be refused by the cluster, after the release.

    checkov is content with a numeric user where the level wants runAsNonRoot itself.
    """
    of_pod = pod.get("securityContext", {})
    if pod.get("hostNetwork") or pod.get("hostPID") or pod.get("hostIPC"):
        complain(item, "shares a namespace with its node")
    if any(set(volume) - {"name"} - ALLOWED_VOLUMES for volume in pod.get("volumes", [])):
        complain(item, f"has volumes of other kinds than {', '.join(sorted(ALLOWED_VOLUMES))}")
    for container in pod.get("initContainers", []) + pod["containers"]:
        own = container.get("securityContext", {})
        context = {**of_pod, **own}
        name = container["name"]
        if context.get("runAsNonRoot") is not True or context.get("runAsUser") == 0:
            complain(item, f"{name} must have runAsNonRoot: true")
        if context.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
            complain(item, f"{name} must have a seccompProfile")
        if own.get("allowPrivilegeEscalation") is not False or own.get("privileged"):
            complain(item, f"{name} must have allowPrivilegeEscalation: false")
        if own.get("capabilities") != {"drop": ["ALL"]}:
            complain(item, f"{name} must drop all capabilities and add none")


def check_mounts(item, pod):
    """The kubelet makes a folder in a volume of these kinds for each mount below it: a file mounted there finds a folder, and no pod starts."""
    of_files = {volume["name"] for volume in pod.get("volumes", []) if {"configMap", "secret", "projected", "downwardAPI"} & set(volume)}
    for container in pod.get("initContainers", []) + pod["containers"]:
        mounts = [(pathlib.PurePosixPath(mount["mountPath"]), mount["name"]) for mount in container.get("volumeMounts", [])]
        for outer, volume in mounts:
            for inner, _ in mounts:
                if volume in of_files and outer in inner.parents:
                    complain(item, f"{container['name']}: {inner} is mounted below {outer}, the volume {volume}")


def check_config_maps():
    for item in of_kind("ConfigMap"):
        for name in item.get("data", {}):
            if SECRET_SETTING.search(name):
                complain(item, f"{name} must come from a Secret")


def check_broker():
    """The broker's nodes are those of its settings, and it speaks TLS only."""
    for item in of_kind("StatefulSet"):
        if item["metadata"]["name"] != "rabbitmq":
            continue
        settings = next(config["data"]["rabbitmq.conf"] for config in of_kind("ConfigMap") if "rabbitmq.conf" in config.get("data", {}))
        named = re.findall(r"^cluster_formation\.classic_config\.nodes\.\d+ = rabbit@(.+)$", settings, re.MULTILINE)
        host = f"{item['spec']['serviceName']}.{item['metadata']['namespace']}.svc.cluster.local"
        expected = [f"{item['metadata']['name']}-{index}.{host}" for index in range(item["spec"]["replicas"])]
        if named != expected:
            complain(item, f"rabbitmq.conf names the nodes {', '.join(named)}, but the pods are {', '.join(expected)}")
        if "listeners.tcp = none" not in settings:
            complain(item, "rabbitmq.conf must set listeners.tcp = none")


def check_scaling():
    """Each Deployment has one that decides how many: its own number, an autoscaler or KEDA. No validator here knows KEDA's objects."""
    scalers = {}
    for item in of_kind("HorizontalPodAutoscaler", "ScaledObject"):
        scalers.setdefault(item["spec"]["scaleTargetRef"]["name"], []).append(item)
    for item in of_kind("Deployment"):
        count = len(scalers.pop(item["metadata"]["name"], [])) + ("replicas" in item["spec"])
        if count != 1:
            complain(item, f"{count} say how many replicas there are; it must be one")
    for name, items in scalers.items():
        complain(items[0], f"there is no Deployment {name}")
    authentications = {item["metadata"]["name"] for item in of_kind("TriggerAuthentication")}
    for item in of_kind("ScaledObject"):
        spec = item["spec"]
        known = {"scaleTargetRef", "pollingInterval", "minReplicaCount", "maxReplicaCount", "fallback", "advanced", "triggers"}
        if set(spec) - known:
            complain(item, f"unknown: {', '.join(sorted(set(spec) - known))}")
        if not 0 < spec["minReplicaCount"] < spec["maxReplicaCount"]:
            complain(item, "minReplicaCount must be above 0 and below maxReplicaCount")
        for trigger in spec["triggers"]:
            if any(not isinstance(value, str) for value in trigger["metadata"].values()):
                complain(item, "a trigger's metadata are strings")
            if {"host", "password"} & set(trigger["metadata"]) or trigger.get("authenticationRef", {}).get("name") not in authentications:
                complain(item, "a trigger's address must come from a TriggerAuthentication that is here")


def check_services():
    for item in of_kind("Service"):
        targets = {str(port.get("targetPort")) for port in item["spec"]["ports"]}
        if targets & ADMIN_PORTS and targets - ADMIN_PORTS:
            complain(item, "the admin port must not be reachable through the API's Service")
        if item["spec"].get("type", "ClusterIP") != "ClusterIP":
            complain(item, "only the gateway is reachable from outside")


def check_namespace():
    for item in of_kind("Namespace"):
        if item["metadata"].get("labels", {}).get("pod-security.kubernetes.io/enforce") != "restricted":
            complain(item, "pod-security.kubernetes.io/enforce must be restricted")
    if not of_kind("Namespace"):
        violations.append("no Namespace, so no pod security level")
    if not any(item["spec"]["podSelector"] == {} and set(item["spec"]["policyTypes"]) == {"Ingress", "Egress"} for item in of_kind("NetworkPolicy")):
        violations.append("no NetworkPolicy that denies by default")


declared_names = declared_settings()
for secret in of_kind("Secret"):
    complain(secret, "a Secret's content does not belong into the repository")
for setting in sorted(PLANNED & declared_names):
    violations.append(f"{setting} is in the code by now: take it off PLANNED in {pathlib.Path(__file__).name}")
check_pods(declared_names)
check_config_maps()
check_broker()
check_scaling()
check_fleet()
check_services()
check_namespace()
for violation in violations:
    print(violation)
sys.exit(1 if violations else 0)
