"""Renders and checks what is in deploy/, in the environment that has Helm: see `test_chart.py`.

    .venv-deploy/bin/python tests/deploy/check.py chart '{"values": {…}, "versions": ["1.30"]}'
    .venv-deploy/bin/python tests/deploy/check.py compose

Prints JSON: what was rendered, or {"error": "…"}.
"""

import json
import re
import sys
from pathlib import Path

import compose_spec
import helm_python as helm
import kubernetes_validate
import yaml

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
CHART = DEPLOY / "helm" / "antiphon"


def chart(values, versions):
    """Every object that the chart makes of the values, each held to Kubernetes' schemas of these versions."""
    report = helm.lint(str(CHART), values, strict=True)
    bad = [found["error"] for found in report["messages"] if found["severity"] > 1]
    if bad or report["errors"]:
        raise ValueError("; ".join([*bad, *report["errors"]]))
    objects = []
    with helm.Chart.load(str(CHART)) as loaded:
        loaded.validate_schema(values)
        for path, text in loaded.render(values, name="demo", namespace="prod").items():
            if path.endswith(".yaml"):
                objects += [each for each in yaml.safe_load_all(text) if each]
    for each in objects:
        if each["apiVersion"].startswith("monitoring.coreos.com/"):
            continue  # the operator's own kind: Kubernetes has no schema of it
        for version in versions:
            kubernetes_validate.validate(each, version, strict=True)
    return objects


def compose():
    """The compose file, read strictly, with its variables filled in."""
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    filled = re.sub(r"\$\{\w+(:-|:\?)([^}]*)\}", lambda found: found[2] if found[1] == ":-" else "given", text)
    read = compose_spec.PyCompose.from_yaml(filled)
    read.validate_volumes()
    read.validate()
    return yaml.safe_load(filled)


def main():
    """Do what the arguments say."""
    kind, *arguments = sys.argv[1:]
    try:
        found = chart(**json.loads(arguments[0])) if kind == "chart" else compose()
    except Exception as problem:
        found = {"error": str(problem)}
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    main()
