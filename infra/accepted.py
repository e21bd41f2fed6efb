"""Findings of cdk-nag that are accepted, each at its construct and with its reason."""

import re
from collections.abc import Iterator

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct

PACK = "AwsSolutions"
_TOKEN = re.compile(r"\$\{Token\[AWS\.(\w+)\.\d+\]\}")


def accept(construct: IConstruct, reason: str, *rules: str) -> None:
    """Accept ``rules``, such as ``S1`` or ``IAM5[Resource::*]``, in a construct's tree."""
    Validations.of(construct).acknowledge(
        *(Acknowledgment(id=f"{PACK}::{PACK}-{rule}", reason=reason) for rule in rules)
    )


def of_resources(*arns: str) -> Iterator[str]:
    """The findings of roles whose rights are to ``arns``, which hold patterns."""
    for arn in arns:
        shown = _TOKEN.sub(r"<AWS::\1>", arn)
        yield f"IAM5[Resource::{shown}]"
