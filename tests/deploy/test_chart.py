"""The Helm chart: rendered by Helm, held to Kubernetes' schemas, and to what this server needs."""

import shlex
import tomllib
from typing import Any

import pytest

from antiphon.config import parse_settings
from tests.deploy.checked import VLLM, Chart


@pytest.fixture(scope="module")
def chart() -> Chart:
    """The chart as it comes, with keys."""
    return Chart({})


def container(chart: Chart, kind: str, name: str) -> dict[str, Any]:
    (only,) = chart.get(kind, name)["spec"]["template"]["spec"]["containers"]
    return only


@pytest.mark.promise("deploy.chart")
def test_the_chart_makes_fronts_a_router_engines_and_what_keeps_them(chart: Chart):
    assert chart.names() == {
        ("ConfigMap", "demo-antiphon"),
        ("Secret", "demo-antiphon"),
        ("Deployment", "demo-antiphon"),
        ("Service", "demo-antiphon"),
        ("HorizontalPodAutoscaler", "demo-antiphon"),
        ("PodDisruptionBudget", "demo-antiphon"),
        ("Deployment", "demo-antiphon-router"),
        ("Service", "demo-antiphon-router"),
        ("PodDisruptionBudget", "demo-antiphon-router"),
        ("ServiceAccount", "demo-antiphon-router"),
        ("Role", "demo-antiphon-router"),
        ("RoleBinding", "demo-antiphon-router"),
        ("NetworkPolicy", "demo-antiphon-router"),
        ("StatefulSet", "demo-antiphon-engine"),
        ("Service", "demo-antiphon-engine"),
        ("PodDisruptionBudget", "demo-antiphon-engine"),
        ("NetworkPolicy", "demo-antiphon-engine"),
    }


@pytest.mark.promise("deploy.vllm-flags")
def test_the_engines_command_line_is_the_documented_one(chart: Chart):
    vllm = container(chart, "StatefulSet", "demo-antiphon-engine")
    said = [*vllm["command"], *vllm["args"]]
    wanted = [word.replace("MODEL", "Qwen/Qwen3-8B") for word in shlex.split(VLLM)]
    assert said[: len(wanted)] == wanted
    assert said[len(wanted) :] == ["--host", "0.0.0.0", "--port", "8000"]
    assert vllm["resources"]["limits"]["nvidia.com/gpu"] == "1"


def test_a_model_is_split_over_the_gpus_of_an_engine():
    vllm = container(Chart({"engine": {"gpus": 4}}), "StatefulSet", "demo-antiphon-engine")
    assert vllm["args"][-2:] == ["--tensor-parallel-size", "4"]
    assert vllm["resources"]["requests"]["nvidia.com/gpu"] == vllm["resources"]["limits"]["nvidia.com/gpu"] == "4"


def settings_of(chart: Chart) -> dict[str, Any]:
    return tomllib.loads(chart.get("ConfigMap", "demo-antiphon")["data"]["antiphon.toml"])


@pytest.mark.promise("deploy.chart")
@pytest.mark.parametrize(
    ("values", "url"),
    [
        ({}, "http://demo-antiphon-router:8000"),
        ({"router": {"enabled": False}}, "http://demo-antiphon-engine:8000"),
        ({"router": {"enabled": False}, "engine": {"enabled": False, "url": "http://gpu:9"}}, "http://gpu:9"),
    ],
    ids=["router", "engines alone", "somebody else's engines"],
)
def test_the_fronts_settings_are_settings_and_lead_to_the_engines(values: dict[str, Any], url: str):
    toml = settings_of(Chart({**values, "front": {"workers": 2, "settings": '[aliases]\nfast = "claude-haiku-4-5"'}}))
    settings = parse_settings({}, {"ANTIPHON_API_KEYS": "key"}, toml)
    remote = settings.models["main"].remote
    assert remote is not None
    assert (remote.urls, remote.engine, remote.tokenizer) == ((url,), "vllm", "hf:Qwen/Qwen3-8B")
    assert (settings.host, settings.workers, settings.drain_timeout) == ("0.0.0.0", 2, 60.0)
    assert settings.aliases == {"fast": "claude-haiku-4-5"}


def test_a_router_in_front_of_somebody_elses_engines_is_told_where_they_are():
    router = container(
        Chart({"engine": {"enabled": False, "url": "http://gpu:9"}}), "Deployment", "demo-antiphon-router"
    )
    assert router["args"][-2:] == ["--worker-urls", "http://gpu:9"]
    assert "--service-discovery" not in router["args"]


@pytest.mark.promise("deploy.chart")
def test_the_router_keeps_conversations_where_they_are_and_sends_nothing_twice(chart: Chart):
    args = container(chart, "Deployment", "demo-antiphon-router")["args"]
    assert args[args.index("--policy") + 1] == "consistent_hash"
    assert "--disable-retries" in args
    labels = chart.get("StatefulSet", "demo-antiphon-engine")["spec"]["template"]["metadata"]["labels"]
    wanted = dict(word.split("=") for word in args[args.index("--selector") + 1 :])
    assert wanted.items() <= labels.items()
    assert len(wanted) == 2


@pytest.mark.promise("deploy.chart")
def test_keys_come_from_a_secret_and_are_nowhere_else(chart: Chart):
    others = [each for each in chart.all() if each["kind"] != "Secret"]
    assert "one,two" not in str(others)
    assert "k" * 43 not in str(others)
    front = container(chart, "Deployment", "demo-antiphon")
    asked = {each["name"]: each["valueFrom"]["secretKeyRef"]["key"] for each in front["env"]}
    held = chart.get("Secret", "demo-antiphon")["stringData"]
    assert asked == {
        "ANTIPHON_API_KEYS": "api-keys",
        "ANTIPHON_THINKING_KEYS": "thinking-keys",
        "HF_TOKEN": "hf-token",
    }
    assert held.keys() == {"api-keys", "thinking-keys"}


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"secrets": {"thinkingKeys": "k"}}, "secrets.apiKeys"),
        ({"secrets": {"apiKeys": "k"}}, "secrets.thinkingKeys"),
        ({"engine": {"enabled": False}, "secrets": {"existing": "mine"}}, "engine.url"),
        ({"front": {"wokers": 2}, "secrets": {"existing": "mine"}}, "wokers"),
        ({"engine": {"extraArgs": ["--reasoning-parser=qwen3"]}, "secrets": {"existing": "mine"}}, "extraArgs"),
        ({"model": {"repository": "no repository", "id": "main"}, "secrets": {"existing": "mine"}}, "repository"),
    ],
    ids=[
        "no key for clients",
        "no key to seal with",
        "no engine",
        "misspelt",
        "a flag that costs guarantees",
        "no model",
    ],
)
def test_values_that_would_not_do_are_refused_by_name(values: dict[str, Any], why: str):
    assert why in Chart(values, keys=False).error


def test_a_secret_that_is_there_already_is_used():
    chart = Chart({"secrets": {"existing": "mine"}}, keys=False)
    assert ("Secret", "demo-antiphon") not in chart.names()
    front = container(chart, "Deployment", "demo-antiphon")
    assert {each["valueFrom"]["secretKeyRef"]["name"] for each in front["env"]} == {"mine"}


@pytest.mark.promise("deploy.chart")
def test_a_front_is_ready_when_an_engine_is_and_is_not_started_again_for_want_of_one(chart: Chart):
    front = container(chart, "Deployment", "demo-antiphon")
    assert front["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert front["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert front["startupProbe"]["httpGet"]["path"] == "/livez"


@pytest.mark.promise("deploy.chart")
def test_a_front_that_is_to_end_gets_the_time_to_finish(chart: Chart):
    spec = chart.get("Deployment", "demo-antiphon")["spec"]["template"]["spec"]
    (front,) = spec["containers"]
    before = front["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert spec["terminationGracePeriodSeconds"] > settings_of(chart)["drain_timeout"] + before


@pytest.mark.promise("deploy.chart")
def test_no_pod_is_given_variables_that_are_named_like_this_servers_own(chart: Chart):
    # A Service called antiphon would set ANTIPHON_PORT, one called vllm VLLM_PORT.
    assert [pod["spec"]["enableServiceLinks"] for pod in chart.pods()] == [False] * 3


@pytest.mark.promise("deploy.chart")
def test_fronts_and_routers_run_without_rights(chart: Chart):
    for name in ("demo-antiphon", "demo-antiphon-router"):
        pod = chart.get("Deployment", name)["spec"]["template"]["spec"]
        (only,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert only["securityContext"]["readOnlyRootFilesystem"] is True
        assert only["securityContext"]["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.promise("deploy.chart")
@pytest.mark.parametrize(("router", "asks"), [(True, "router"), (False, "front")])
def test_only_who_asks_the_engines_reaches_them(router: bool, asks: str):
    policy = Chart({"router": {"enabled": router}}).get("NetworkPolicy", "demo-antiphon-engine")
    (rule,) = policy["spec"]["ingress"]
    (peer,) = rule["from"]
    assert peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == asks


def test_every_selector_finds_its_pods(chart: Chart):
    labels = [pod["metadata"]["labels"] for pod in chart.pods()]
    checked = 0
    for each in chart.all():
        selector = each.get("spec", {}).get("selector") or each.get("spec", {}).get("podSelector")
        if selector:
            wanted = selector.get("matchLabels", selector)
            assert sum(wanted.items() <= label.items() for label in labels) == 1, each["metadata"]["name"]
            checked += 1
    assert checked == 11


@pytest.mark.promise("deploy.stores")
def test_replicas_keep_nothing_that_they_do_not_share(chart: Chart):
    assert settings_of(chart)["stores"] == {"data": "off"}
    front = container(chart, "Deployment", "demo-antiphon")
    assert "ANTIPHON_STORES_DATABASE" not in {each["name"] for each in front["env"]}


@pytest.mark.promise("deploy.stores")
def test_replicas_that_keep_files_share_a_bucket_and_a_database_whose_url_is_secret():
    url = "postgresql://user:hush@db/antiphon"
    values = {
        "stores": {"objects": "s3://bucket/files", "credentials": "bucket-keys"},
        "secrets": {"apiKeys": "key", "thinkingKeys": "k" * 43 + "=", "databaseUrl": url},
    }
    chart = Chart(values)
    assert chart.get("Secret", "demo-antiphon")["stringData"]["database-url"] == url
    front = container(chart, "Deployment", "demo-antiphon")
    [entry] = [each for each in front["env"] if each["name"] == "ANTIPHON_STORES_DATABASE"]
    assert entry["valueFrom"]["secretKeyRef"] == {"name": "demo-antiphon", "key": "database-url"}
    assert front["envFrom"] == [{"secretRef": {"name": "bucket-keys"}}]
    env = {"ANTIPHON_API_KEYS": "key", "ANTIPHON_STORES_DATABASE": url}
    stores = parse_settings({}, env, settings_of(chart)).stores
    assert (stores.kept, stores.database, stores.objects) == (True, url, "s3://bucket/files")
    assert "hush" not in chart.get("ConfigMap", "demo-antiphon")["data"]["antiphon.toml"]


@pytest.mark.promise("deploy.stores")
@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"stores": {"objects": "s3://bucket", "credentials": ""}}, "secrets.databaseUrl"),
        ({"stores": {"objects": "/var/lib/files", "credentials": ""}}, "objects"),
    ],
    ids=["a bucket alone", "a folder of a replica"],
)
def test_a_store_that_replicas_would_not_share_is_refused(values: dict[str, Any], problem: str):
    assert problem in Chart(values).error


@pytest.mark.promise("deploy.monitor")
def test_a_monitor_shows_a_key_of_its_own_to_the_port_of_the_service():
    asked = {"enabled": True, "interval": "15s", "labels": {"release": "prom"}}
    secrets = {"apiKeys": "one,two", "thinkingKeys": "k" * 43 + "=", "metricsKey": "watch"}
    chart = Chart({"monitor": asked, "secrets": secrets})
    monitor, service = chart.get("ServiceMonitor", "demo-antiphon"), chart.get("Service", "demo-antiphon")
    assert monitor["metadata"]["labels"]["release"] == "prom"
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    (endpoint,) = monitor["spec"]["endpoints"]
    assert (endpoint["port"], endpoint["path"], endpoint["interval"]) == ("http", "/metrics", "15s")
    assert endpoint["port"] in [port["name"] for port in service["spec"]["ports"]]
    shown = endpoint["authorization"]["credentials"]
    front = container(chart, "Deployment", "demo-antiphon")
    named = {each["name"]: each["valueFrom"]["secretKeyRef"] for each in front["env"]}
    assert named["ANTIPHON_METRICS_KEYS"] == shown
    assert chart.get("Secret", shown["name"])["stringData"][shown["key"]] == "watch"
    assert "metricsKey" in Chart({"monitor": asked}).error
