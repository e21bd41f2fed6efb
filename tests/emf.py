"""The rules of CloudWatch's Embedded Metric Format, as its specification states them."""

import json
from typing import Any

import jsonschema

UNITS = ["Seconds", "Count", "None"]
TEXT = {"type": "string", "minLength": 1, "maxLength": 1024}
DIMENSIONS = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "array",
        "maxItems": 30,
        "items": {"type": "string", "minLength": 1, "maxLength": 250},
    },
}
METRICS = {
    "type": "array",
    "minItems": 1,
    "maxItems": 100,
    "items": {
        "type": "object",
        "required": ["Name"],
        "properties": {"Name": TEXT, "Unit": {"enum": UNITS}},
        "additionalProperties": False,
    },
}
SCHEMA = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "additionalProperties": False,
            "properties": {
                "Timestamp": {"type": "integer"},
                "CloudWatchMetrics": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "properties": {
                            "Namespace": TEXT, "Dimensions": DIMENSIONS, "Metrics": METRICS,
                        },
                        "additionalProperties": False,
                    },
                },
            },
        }
    },
}  # fmt: skip
NUMBER = {"type": "number"}
TARGET = {"anyOf": [NUMBER, {"type": "array", "items": NUMBER, "minItems": 1, "maxItems": 100}]}


def conforms(line: str) -> dict[str, Any]:
    """A document that keeps the rules, those beyond the schema included."""
    document: dict[str, Any] = json.loads(line)
    assert len(line.encode()) < 256 * 1024
    jsonschema.validate(document, SCHEMA)
    for directive in document["_aws"]["CloudWatchMetrics"]:
        names = [metric["Name"] for metric in directive["Metrics"]]
        assert len(set(names)) == len(names)
        for name in names:
            jsonschema.validate(document[name], TARGET)
        for key in {key for keys in directive["Dimensions"] for key in keys}:
            jsonschema.validate(document[key], TEXT)
    return document
