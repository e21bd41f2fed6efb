"""What an operator may set about the REST door."""

from typing import Annotated

import limits
from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def _parsable(quota: str) -> str:
    limits.parse(quota)
    return quota


class ApiSettings(BaseSettings):
    """Read from the environment: ``RATE_LIMIT``, ``MAX_BODY_BYTES``.

    ``rate_limit`` is the quota of each user and of each client address, such as "100/second" or
    "6000/minute". ``max_body_bytes`` leaves room for a query of 10,000 emoji, each escaped.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    rate_limit: Annotated[str, AfterValidator(_parsable)] = "6000/minute"
    max_body_bytes: int = Field(default=256 * 1024, ge=1024)
