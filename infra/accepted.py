"""Findings of cdk-nag that are accepted, each at its construct and with its reason."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct

PACK = "AwsSolutions"


def accept(construct: IConstruct, reason: str, *rules: str) -> None:
    """Accept ``rules``, such as ``S1`` or ``IAM5[Resource::*]``, in a construct's tree."""
    Validations.of(construct).acknowledge(
        *(Acknowledgment(id=f"{PACK}::{PACK}-{rule}", reason=reason) for rule in rules)
    )
