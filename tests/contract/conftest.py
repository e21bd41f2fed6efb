"""Servers that the contract suites run against."""

from collections.abc import Iterator

import pytest

from tests import dynamodb


@pytest.fixture(scope="session")
def aws_account() -> Iterator[None]:
    """Credentials and a region that lead nowhere, for clients that are told where to go."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "nobody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        yield


@pytest.fixture(scope="session")
def moto(aws_account: None) -> Iterator[str]:  # noqa: ARG001
    """The address of moto."""
    with dynamodb.moto() as url:
        yield url


@pytest.fixture(scope="session")
def dynamodb_local(aws_account: None) -> Iterator[str]:  # noqa: ARG001
    """The address of AWS's own DynamoDB Local."""
    if reason := dynamodb.why_not_local():
        pytest.skip(reason)
    with dynamodb.dynamodb_local() as url:
        yield url
