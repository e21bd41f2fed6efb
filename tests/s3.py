"""Buckets of moto's S3, over the wire."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import boto3
import fsspec
import httpx

from tests.dynamodb import moto
from tests.fusion_container import aws_environment


@contextmanager
def s3() -> Iterator[str]:
    """An S3 that every client of this process and its children finds; yields its address."""
    with aws_environment() as patch, moto() as url:
        patch.setenv("AWS_ENDPOINT_URL", url)
        yield url
        fsspec.get_filesystem_class("s3").clear_instance_cache()


def new_bucket() -> str:
    """The URL of an empty bucket."""
    name = f"films-{uuid4().hex}"
    boto3.client("s3").create_bucket(
        Bucket=name,
        CreateBucketConfiguration={"LocationConstraint": os.environ["AWS_DEFAULT_REGION"]},
    )
    return f"s3://{name}"


@contextmanager
def closed_to_strangers(url: str) -> Iterator[None]:
    """Whose credentials are of no account gets 403 meanwhile."""
    set_free_requests(url, "0")
    try:
        yield
    finally:
        set_free_requests(url, "inf")


def set_free_requests(url: str, count: str) -> None:
    """How many requests moto answers before it looks at credentials."""
    httpx.post(f"{url}/moto-api/reset-auth", content=count.encode()).raise_for_status()
