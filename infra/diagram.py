"""The architecture as a graph in Graphviz's language, read from what the CDK wrote.

``python -m infra.diagram cdk.out/prod`` prints it. Boxes are stacks; an arrow goes from what uses
to what is used, by a reference or by a right of its role.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SHOWN: Mapping[str, tuple[str, str]] = {
    "AWS::ApiGatewayV2::Api": ("API Gateway", "#8c4fff"),
    "AWS::Budgets::Budget": ("Budget", "#dd344c"),
    "AWS::CloudWatch::Dashboard": ("Dashboard", "#e7157b"),
    "AWS::Cognito::UserPool": ("Cognito", "#dd344c"),
    "AWS::DynamoDB::Table": ("DynamoDB", "#3b48cc"),
    "AWS::ECR::Repository": ("ECR", "#ed7100"),
    "AWS::ECS::Service": ("Fargate", "#ed7100"),
    "AWS::EC2::VPC": ("VPC", "#8c4fff"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": ("Load balancer", "#8c4fff"),
    "AWS::KMS::Key": ("KMS", "#dd344c"),
    "AWS::Lambda::Alias": ("Lambda", "#ed7100"),
    "AWS::RDS::DBCluster": ("Aurora", "#3b48cc"),
    "AWS::S3::Bucket": ("S3", "#7aa116"),
    "AWS::SageMaker::Endpoint": ("SageMaker endpoint", "#01a88d"),
    "AWS::SageMaker::ModelPackageGroup": ("Model registry", "#01a88d"),
    "AWS::SageMaker::Pipeline": ("SageMaker pipeline", "#01a88d"),
    "AWS::Scheduler::Schedule": ("Schedule", "#e7157b"),
    "AWS::SecretsManager::Secret": ("Secret", "#dd344c"),
    "AWS::SNS::Topic": ("Alarms", "#e7157b"),
    "AWS::Synthetics::Canary": ("Canary", "#e7157b"),
    "AWS::WAFv2::WebACL": ("WAF", "#dd344c"),
}
"""What is drawn: its name and AWS's colour for its kind."""
EVERYWHERE = (
    "AWS::CloudWatch::Dashboard",
    "AWS::EC2::VPC",
    "AWS::ECR::Repository",
    "AWS::KMS::Key",
    "AWS::SNS::Topic",
)
"""Used by nearly all: drawn without arrows, which would hide the others."""
LINKS = {
    "AWS::ApiGatewayV2::Integration": "ApiId",
    "AWS::ElasticLoadBalancingV2::Listener": "LoadBalancerArn",
    "AWS::IAM::Policy": "Roles",
    "AWS::WAFv2::WebACLAssociation": "WebACLArn",
}
"""What stands between two others, and the property that names the one which uses the other."""
TARGETS = "AWS::ElasticLoadBalancingV2::TargetGroup"
PASSED_BY = ("AWS::CloudWatch::Alarm",)
"""They refer to what they watch; nothing uses anything by way of them."""
CALLED = {
    "EndpointName": "endpoint",
    "PipelineName": "pipeline",
    "ModelPackageGroupName": "model-package-group",
}
"""Properties that are names, and the word before them in an ARN."""
SYMBOLS = ("Ref", "Fn::GetAtt", "Fn::ImportValue")


@dataclass(frozen=True)
class Resource:
    """One resource of a template."""

    stack: str
    name: str
    kind: str
    body: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Of all stacks' resources, this one's."""
        return f"{self.stack}/{self.name}"

    @property
    def label(self) -> str:
        """What it is and what the CDK's tree calls it."""
        path = self.body.get("Metadata", {}).get("aws:cdk:path", self.name).split("/")[1:]
        own = [part for part in path if part not in ("Resource", "Default")]
        return f"{SHOWN[self.kind][0]}\\n{' '.join(own)}"


def read(assembly: Path) -> dict[str, Resource]:
    """All resources of an environment's templates."""
    found: dict[str, Resource] = {}
    for path in sorted(assembly.glob("*.template.json")):
        stack = path.name.removesuffix(".template.json")
        for name, body in json.loads(path.read_text())["Resources"].items():
            resource = Resource(stack, name, body["Type"], body)
            found[resource.id] = resource
    return found


def uses(assembly: Path) -> dict[str, set[str]]:
    """What each resource refers to; and what its role may use."""
    exports, resources = dict(_exports(assembly)), read(assembly)
    called = dict(_called(resources))
    graph: dict[str, set[str]] = defaultdict(set)
    for resource in resources.values():
        named = {exports.get(each, f"{resource.stack}/{each}") for each in _names(resource.body)}
        text = json.dumps(resource.body)
        named |= {id for name, id in called.items() if name in text}
        if resource.kind in LINKS:
            properties = resource.body["Properties"]
            for source in _names(properties[LINKS[resource.kind]]):
                start = exports.get(source, f"{resource.stack}/{source}")
                graph[start] |= named - {start}
        elif resource.kind == "AWS::ECS::Service":
            groups = {id for id in named & resources.keys() if resources[id].kind == TARGETS}
            graph[resource.id] |= named - groups
            for group in groups:
                graph[group].add(resource.id)
        elif resource.kind not in PASSED_BY:
            graph[resource.id] |= named
    return graph


def arrows(assembly: Path) -> Iterator[tuple[str, str]]:
    """Between what is drawn, over what is not."""
    resources, graph = read(assembly), uses(assembly)
    drawn = {id for id, each in resources.items() if each.kind in SHOWN}
    for start in sorted(drawn):
        seen, next_ = {start}, set(graph[start])
        while next_:
            one = next_.pop()
            if one in seen:
                continue
            seen.add(one)
            if one not in drawn:
                next_ |= graph[one]
            elif resources[one].kind not in EVERYWHERE and resources[start].kind not in EVERYWHERE:
                yield start, one


def dot(assembly: Path) -> str:
    """The graph in Graphviz's language."""
    lines = [
        "digraph reelwise {",
        'rankdir=LR; nodesep=0.2; ranksep=1.2; fontname="Helvetica"; bgcolor="white";',
        'node [shape=box, style="rounded,filled", fontname="Helvetica", fontcolor=white];',
        'edge [color="#5a6b7b", arrowsize=0.7];',
    ]
    by_stack: dict[str, list[Resource]] = defaultdict(list)
    for resource in read(assembly).values():
        if resource.kind in SHOWN:
            by_stack[resource.stack].append(resource)
    for stack, resources in sorted(by_stack.items()):
        lines.append(f'subgraph "cluster_{stack}" {{ label="{stack}"; color="#b0b8c0";')
        for each in resources:
            colour = SHOWN[each.kind][1]
            lines.append(f'"{each.id}" [label="{each.label}", fillcolor="{colour}"];')
        lines.append("}")
    lines += [f'"{start}" -> "{end}";' for start, end in arrows(assembly)]
    return "\n".join([*lines, "}"])


def _exports(assembly: Path) -> Iterator[tuple[str, str]]:
    """The names that stacks import by, and what they stand for."""
    for path in sorted(assembly.glob("*.template.json")):
        stack = path.name.removesuffix(".template.json")
        for output in json.loads(path.read_text()).get("Outputs", {}).values():
            for name in _names(output["Value"]):
                if "Export" in output:
                    yield output["Export"]["Name"], f"{stack}/{name}"


def _called(resources: Mapping[str, Resource]) -> Iterator[tuple[str, str]]:
    """Ends of ARNs by which resources are referred to without a reference."""
    for resource in resources.values():
        for key, word in CALLED.items():
            name = resource.body.get("Properties", {}).get(key)
            if resource.kind in SHOWN and isinstance(name, str):
                yield f'{word}/{name}"', resource.id


def _names(value: Any) -> Iterator[str]:  # noqa: ANN401 - what JSON holds
    """What a part of a template refers to: logical ids, and names of exports."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            if key in SYMBOLS:
                yield each[0] if isinstance(each, list) else each
            else:
                yield from _names(each)
    elif isinstance(value, list):
        for each in value:
            yield from _names(each)


if __name__ == "__main__":
    print(dot(Path(*sys.argv[1:] or ("cdk.out/prod",))))
