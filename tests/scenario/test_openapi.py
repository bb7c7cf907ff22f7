# SPDX-License-Identifier: MIT
"""docs/openapi.json and packaging/grafana-dashboard.json say of the program what is so."""

import json
import re

import pytest
from conftest import server
from double.origin import good, status
from program import ROOT, wait_until
from symbols import missing, pdb
from test_statistics import api, wait_totals

DOCUMENT = json.loads((ROOT / "docs/openapi.json").read_text())
ROUTER = (ROOT / "src/server/router.c").read_text()
API = (ROOT / "src/server/serve_api.c").read_text()


def routes():
    """{(path, method): rights} as the router's two tables have them."""
    found = {(path, "get"): None for path in re.findall(r'^    \{"(/[^"]*)", (?:true|false)', ROUTER, re.M)}
    del found["/web/", "get"]  # the page's own files
    del found["/api/v1/", "get"], found["/symbols", "get"]  # what is below it; the same without its slash
    rows = re.findall(r'^    \{"([a-z/]+)", (SHOWN|ADMIN|CHANGES),', API, re.M)
    assert len(rows) > 10
    found |= {(f"/api/v1/{name}", "post" if who == "CHANGES" else "get"): who for name, who in rows}
    return found | {("/{number}.log", "get"): None}


def test_every_route_is_described_and_no_other():
    described = {(path, m) for path, methods in DOCUMENT["paths"].items() for m in methods}
    assert described == set(routes())


def test_rights_are_described():
    for (path, method), who in routes().items():
        secured = "security" in DOCUMENT["paths"][path][method]
        if who:
            assert secured == (who in ("ADMIN", "CHANGES")), path


def resolve(schema):
    if "$ref" not in schema:
        return schema
    place = DOCUMENT
    for step in schema["$ref"].removeprefix("#/").split("/"):
        place = place[step]
    return place


def fits(value, schema, where):
    """Every field that is described is there, and no other, with a value of its type."""
    schema = resolve(schema)
    if "oneOf" in schema:
        schema = next(s for s in map(resolve, schema["oneOf"]) if (s["type"] == "null") == (value is None))
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    types = {
        "integer": int,
        "number": (int, float),
        "string": str,
        "boolean": bool,
        "array": list,
        "object": dict,
        "null": type(None),
    }
    assert any(isinstance(value, types[kind]) for kind in kinds), f"{where}: {value!r}"
    if "enum" in schema:
        assert value in schema["enum"], where
    if isinstance(value, list):
        for one in value:
            fits(one, schema["items"], f"{where}[]")
    if isinstance(value, dict) and "properties" in schema:
        assert set(value) == set(schema["properties"]), where
        for name, one in value.items():
            fits(one, schema["properties"][name], f"{where}.{name}")
    elif isinstance(value, dict) and isinstance(schema.get("additionalProperties"), dict):
        for name, one in value.items():
            fits(one, schema["additionalProperties"], f"{where}.{name}")


@pytest.fixture
def told(start, origin):
    gate = start(server(origin))
    here, failing = pdb("here.pdb"), pdb("failing.pdb")
    origin.on(here.remote, good(here.body))
    origin.on(failing.remote, status(500))
    gate.fetch(here)
    gate.get(failing.path)
    gate.get(missing(1).path)
    wait_totals(gate, numRequests=3)
    wait_until(lambda: api(gate, "servers")[0]["found"] == 1, "the file to be kept")
    return gate


def test_answers_are_as_described(told):
    examples = {
        "/api/v1/explain": "path=" + pdb("here.pdb").path,
        "/api/v1/rules/preview": "list=general.blacklist&value=here",
        "/api/v1/symbol": "name=here.pdb",
        "/api/v1/provenance": f"name=here.pdb&id={pdb('here.pdb').id}",
    }
    compared = 0
    for path, methods in DOCUMENT["paths"].items():
        content = methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        if "application/json" not in content:
            continue
        answer = told.get(f"{path}?{examples.get(path, '')}")
        assert answer.status == 200, path
        assert answer.headers["content-type"] == "application/json", path
        fits(json.loads(answer.body), content["application/json"]["schema"], path)
        compared += 1
    assert compared >= 14


def test_parameters_are_as_described(told):
    """Each one that is described changes something or is refused when it is wrong."""
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            for parameter in operation["parameters"]:
                schema = parameter["schema"]
                if parameter["in"] != "query" or schema["type"] != "integer":
                    continue
                target = path.replace("{number}", "1")
                answer = told.get(f"{target}?{parameter['name']}=x", method=method.upper())
                assert answer.status == 400, (path, parameter["name"])


# --- Grafana -------------------------------------------------------------------------------------


def test_dashboard_asks_only_for_metrics_that_exist(told):
    dashboard = json.loads((ROOT / "packaging/grafana-dashboard.json").read_text())
    given = dict(re.findall(r"^# TYPE (\w+) (\w+)", told.get("/metrics").body.decode(), re.M))
    asked = [t["expr"] for panel in dashboard["panels"] for t in panel["targets"]]
    assert len(asked) >= 20
    for expression in asked:
        names = re.findall(r"\bsymgate_\w+", expression)
        assert names, expression
        for name in names:
            base = re.sub(r"_bucket$", "", name)
            kind = given[base]
            assert (kind == "histogram") == name.endswith("_bucket"), expression
            rated = f"rate({name}" in expression
            assert rated == (kind != "gauge"), f"{expression}: {kind}"


def test_dashboard_asks_only_for_labels_that_exist(told):
    text = told.get("/metrics").body.decode()
    dashboard = json.loads((ROOT / "packaging/grafana-dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            (name,) = set(re.findall(r"\bsymgate_\w+", target["expr"]))
            line = next(line for line in text.splitlines() if line.startswith(name))
            for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                assert f'{label}="' in line, (panel["title"], label)


# --- histograms ----------------------------------------------------------------------------------


def test_histograms_add_up(told):
    values = told.metrics()
    for name, labels in (
        ("symgate_wait_seconds", ""),
        ("symgate_answer_bytes", ""),
        ("symgate_source_answer_seconds", 'source="one",'),
    ):
        buckets = [v for key, v in values.items() if key.startswith(f"{name}_bucket{{{labels}le=")]
        total = values[f"{name}_count" + (f"{{{labels[:-1]}}}" if labels else "")]
        assert len(buckets) > 10 and buckets == sorted(buckets) and buckets[-1] == total
    assert values["symgate_wait_seconds_count"] == 3
    assert values["symgate_answer_bytes_sum"] == len(pdb("here.pdb").body)
    assert values['symgate_source_answer_seconds_count{source="one"}'] == 2
    assert values['symgate_source_failures_total{source="one",cause="status"}'] == 1
