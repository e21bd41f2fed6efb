"""The environments: dev, stage and prod differ in size and in how hard their data is to lose."""

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from constructs import Node

Name = Literal["dev", "stage", "prod"]


class EndpointSize(BaseModel):
    """The instances behind the SageMaker endpoint."""

    model_config = ConfigDict(frozen=True)

    instance_type: str = "ml.c6i.large"
    least: int = Field(default=2, ge=1)
    most: int = Field(default=8, ge=1)
    invocations_per_minute: int = Field(
        default=3000, ge=1, description="of one instance, at which another is added"
    )


class Environment(BaseModel):
    """One deployment. Every plain field can be set by the CDK context: ``-c domain=films.org``.

    Without ``endpoint`` words and swipes are fused inside the processes that serve.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    account: str | None = Field(default=None, description="default: that of the credentials")
    region: str = "us-east-1"
    domain: str = Field(description="chat.<domain> and api.<domain> are served")
    zone_id: str = Field(default="Z0000000EXAMPLE", description="the Route 53 zone of the domain")
    image_tag: str = Field(default="latest-built", description="of all three images: a commit")
    alarm_email: str = "operations@reelwise.example"
    repository: str = Field(default="reelwise/reelwise", description="owner/name, on GitHub")
    assistant_model: str | None = Field(
        default=None, description="a bedrock_converse: model; default: the offline planner"
    )
    protected: bool = Field(description="data outlives its stack, and deleting needs two steps")
    zones: int = Field(ge=2)
    nat_gateways: int = Field(ge=1)
    database_acus: tuple[float, float] = Field(description="Aurora capacity units, least and most")
    database_readers: int = Field(ge=0)
    chat_tasks: tuple[int, int]
    warm_functions: int = Field(ge=0, description="Lambda instances kept ready")
    requests_per_second: int = Field(ge=1, description="past which the API answers 429")
    endpoint: EndpointSize | None
    challenger: bool = Field(
        default=False, description="compare both fusions of the image, half of the people each"
    )
    monthly_budget: int = Field(description="US dollars")


ENVIRONMENTS: dict[Name, Environment] = {
    "dev": Environment(
        name="dev",
        domain="dev.reelwise.example",
        protected=False,
        zones=2,
        nat_gateways=1,
        database_acus=(0.5, 2),
        database_readers=0,
        chat_tasks=(1, 2),
        warm_functions=0,
        requests_per_second=20,
        endpoint=None,
        monthly_budget=250,
    ),
    "stage": Environment(
        name="stage",
        domain="stage.reelwise.example",
        protected=False,
        zones=2,
        nat_gateways=1,
        database_acus=(0.5, 4),
        database_readers=1,
        chat_tasks=(1, 4),
        warm_functions=0,
        requests_per_second=100,
        endpoint=EndpointSize(least=1, most=2),
        monthly_budget=600,
    ),
    "prod": Environment(
        name="prod",
        domain="reelwise.example",
        protected=True,
        zones=3,
        nat_gateways=3,
        database_acus=(1, 32),
        database_readers=1,
        chat_tasks=(2, 20),
        warm_functions=2,
        requests_per_second=1000,
        endpoint=EndpointSize(),
        monthly_budget=2500,
    ),
}


def chosen(node: "Node") -> Environment:
    """The environment that the context names (``env``, default dev), with its other values.

    Raises:
        ValueError: there is no such environment, or a value does not do.
    """
    name = node.try_get_context("env") or "dev"
    if name not in ENVIRONMENTS:
        raise ValueError(f"There is no environment {name!r}. Choose: {', '.join(ENVIRONMENTS)}.")
    fields = set(Environment.model_fields) - {"name"}
    told = {field: node.try_get_context(field) for field in sorted(fields)}
    changed = {field: value for field, value in told.items() if value is not None}
    return Environment.model_validate(ENVIRONMENTS[name].model_dump() | changed)
