"""``reelwise sagemaker``: train, prepare films, register, serve and transform on SageMaker.

Each command makes requests of ``fusion.sagemaker_requests`` and sends them, or shows them.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from assistant.refusal import mendable, need, refuse
from fusion import sagemaker_requests as requests
from fusion.sagemaker_requests import Machine, ProductionVariant, Request, Site

app = typer.Typer(no_args_is_help=True, help="Jobs and endpoints on Amazon SageMaker.")

GROUP = "reelwise-fusion"
SCALING = "application-autoscaling"
MISSING = ("ValidationException", "ResourceNotFound", "ObjectNotFoundException")
"""What AWS's services call what is not there."""
SERVING_INSTANCE = "ml.c7i.large"
Url = Annotated[str, typer.Option(help="s3://…")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the requests and send nothing.")]
Kind = Annotated[
    str | None, typer.Option("--instance", help="Instance type, such as ml.g5.xlarge.")
]


class SageMakerSettings(BaseSettings):
    """What all commands share, from ``SAGEMAKER_ROLE_ARN`` and the like."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_prefix="SAGEMAKER_")

    role_arn: str = Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/.+")
    training_image: str = ""
    serving_image: str = ""
    kms_key: str | None = None
    subnets: list[str] = []
    security_groups: list[str] = []
    tags: dict[str, str] = {"application": "reelwise"}

    @property
    def site(self) -> Site:
        """The same for the requests."""
        return Site(self.role_arn, self.kms_key, self.subnets, self.security_groups, self.tags)


class Sender:
    """Sends requests, or shows them."""

    def __init__(self, dry_run: bool) -> None:
        self._dry_run = dry_run

    def send(self, operation: str, request: Request, service: str = "sagemaker") -> Any:  # noqa: ANN401
        """What AWS answers; nothing on a dry run."""
        if self._dry_run:
            typer.echo(json.dumps({operation: request}, indent=2))
            return {}
        import boto3

        return getattr(boto3.client(service), operation)(**request)

    def find(self, operation: str, request: Request, service: str = "sagemaker") -> Any:  # noqa: ANN401
        """What AWS answers, or None if it has no such thing. On a dry run it has none."""
        from botocore.exceptions import ClientError

        if self._dry_run:
            return None
        try:
            return self.send(operation, request, service)
        except ClientError as error:
            if error.response["Error"]["Code"] in MISSING:
                return None
            raise

    def in_service(self, endpoint: str) -> None:
        """Wait, at most an hour, until an endpoint serves. Not on a dry run."""
        if not self._dry_run:
            import boto3

            waiter = boto3.client("sagemaker").get_waiter("endpoint_in_service")
            waiter.wait(EndpointName=endpoint)


@app.command()
def train(
    data: Annotated[str, typer.Option(help="s3://… of a MovieLens folder or of swipes.jsonl.")],
    out: Url,
    checkpoints: Annotated[
        str | None, typer.Option(help="s3://… to go on from; default: OUT/checkpoints.")
    ] = None,
    catalogue: Annotated[
        str | None, typer.Option(help="s3://… of a .jsonl file of films; default: the starter.")
    ] = None,
    hyperparameter: Annotated[
        list[str] | None, typer.Option(help="steps=900, only=embedding and the like.")
    ] = None,
    on_demand: Annotated[
        bool, typer.Option("--on-demand", help="No spot instance, which costs about a third.")
    ] = False,
    instance: Kind = None,
    dry_run: DryRun = False,
) -> None:
    """Start a training job."""
    with _sending(dry_run) as (sender, settings):
        channels = {"train": data} | ({"catalogue": catalogue} if catalogue else {})
        request = requests.training_job(
            _named("train"),
            settings.site,
            _image(settings.training_image, "SAGEMAKER_TRAINING_IMAGE"),
            channels,
            out,
            checkpoints or f"{out.rstrip('/')}/checkpoints",
            _pairs(hyperparameter or []),
            Machine(instance) if instance else None,
            spot=not on_demand,
        )
        sender.send("create_training_job", request)
        _started(request["TrainingJobName"], dry_run)


@app.command()
def process(
    command: Annotated[list[str], typer.Argument(help="embed-items, or curate-survey.")],
    films: Annotated[str, typer.Option(help="s3://… of items.parquet or a .jsonl file.")],
    out: Url,
    instance: Kind = None,
    dry_run: DryRun = False,
) -> None:
    """Start a Processing job that embeds films or curates the survey's."""
    with _sending(dry_run) as (sender, settings):
        request = requests.processing_job(
            _named(command[0]),
            settings.site,
            _image(settings.training_image, "SAGEMAKER_TRAINING_IMAGE"),
            command,
            films,
            out,
            machine=Machine(instance, hours=2) if instance else None,
        )
        sender.send("create_processing_job", request)
        _started(request["ProcessingJobName"], dry_run)


@app.command()
def register(
    model: Annotated[str, typer.Option(help="s3://…/model.tar.gz that training wrote.")],
    version: Annotated[str, typer.Option(help="What the model answers with as its version.")],
    group: Annotated[str, typer.Option(help="The registry's group of versions.")] = GROUP,
    dry_run: DryRun = False,
) -> None:
    """Register a trained model; it can be deployed once somebody has approved it."""
    with _sending(dry_run) as (sender, settings):
        if not sender.find("describe_model_package_group", {"ModelPackageGroupName": group}):
            sender.send(
                "create_model_package_group", requests.model_package_group(group, settings.site)
            )
        image = _image(settings.serving_image, "SAGEMAKER_SERVING_IMAGE")
        request = requests.model_package(group, image, model, version, {})
        answer = sender.send("create_model_package", request)
        typer.echo(answer.get("ModelPackageArn", "Nothing was sent."), err=dry_run)


@app.command()
def approve(
    package: Annotated[str, typer.Option(help="The ARN that was registered.")],
    note: Annotated[str, typer.Option(help="Why it may be served.")] = "approved",
    dry_run: DryRun = False,
) -> None:
    """Approve a registered model."""
    with _sending(dry_run) as (sender, _):
        sender.send("update_model_package", requests.approval(package, note))


@app.command()
def deploy(
    endpoint: Annotated[str, typer.Option(help="The endpoint, made or changed.")],
    package: Annotated[str, typer.Option(help="The ARN of an approved model.")],
    variant: Annotated[
        list[str] | None,
        typer.Option(help="embedding-fusion=1 token-fusion=1 and the like, with weights."),
    ] = None,
    least: Annotated[int, typer.Option(min=1, help="Instances of each at least.")] = 1,
    most: Annotated[int, typer.Option(min=1, help="Instances of each at most.")] = 4,
    alarm: Annotated[
        list[str] | None, typer.Option(help="CloudWatch alarms that take a change back.")
    ] = None,
    instance: Kind = None,
    dry_run: DryRun = False,
) -> None:
    """Serve a registered model: each fusion that is named is a variant that scales by itself.

    Waits until the endpoint serves it.
    """
    with _sending(dry_run) as (sender, settings):
        stamp, weights = _stamp(), _pairs(variant or ["embedding-fusion=1"])
        variants = [
            ProductionVariant(
                name,
                f"{endpoint}-{name}-{stamp}",
                instance or SERVING_INSTANCE,
                instances=least,
                weight=_weight(weight),
            )
            for name, weight in weights.items()
        ]
        for each in variants:
            sender.send(
                "create_model", requests.model(each.model, settings.site, package, each.name)
            )
        config = f"{endpoint}-{stamp}"
        sender.send(
            "create_endpoint_config", requests.endpoint_config(config, settings.site, variants)
        )
        if there := sender.find("describe_endpoint", {"EndpointName": endpoint}):
            for each in there.get("ProductionVariants", []):
                unscaled = requests.unscaled(endpoint, each["VariantName"])
                sender.find("deregister_scalable_target", unscaled, SCALING)
            sender.send("update_endpoint", requests.endpoint_update(endpoint, config, alarm or []))
        else:
            sender.send("create_endpoint", requests.endpoint(endpoint, config, settings.site))
        sender.in_service(endpoint)
        for name in weights:
            target = requests.scalable_target(endpoint, name, least, most)
            sender.send("register_scalable_target", target, SCALING)
            sender.send("put_scaling_policy", requests.scaling_policy(endpoint, name), SCALING)
        _started(endpoint, dry_run)


@app.command()
def transform(
    model: Annotated[str, typer.Option(help="The name of a model that was deployed.")],
    requests_url: Annotated[str, typer.Option("--in", help="s3://… of requests, one a line.")],
    out: Url,
    instance: Kind = None,
    dry_run: DryRun = False,
) -> None:
    """Start a batch transform: an answer for each line."""
    with _sending(dry_run) as (sender, settings):
        request = requests.transform_job(
            _named("transform"),
            model,
            settings.site,
            requests_url,
            out,
            Machine(instance) if instance else None,
        )
        sender.send("create_transform_job", request)
        _started(request["TransformJobName"], dry_run)


@contextmanager
def _sending(dry_run: bool) -> Iterator[tuple[Sender, SageMakerSettings]]:
    """What AWS refuses ends as what a person can mend does."""
    need("aws", "boto3")
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ParamValidationError,
        WaiterError,
    )

    with mendable():
        settings = SageMakerSettings()
        try:
            yield Sender(dry_run), settings
        except ParamValidationError as error:
            refuse(f"SageMaker takes no such request: {' '.join(str(error).split())}")
        except ClientError as error:
            told = error.response["Error"]
            refuse(f"SageMaker refused ({told['Code']}): {' '.join(told['Message'].split())}")
        except WaiterError as error:
            refuse(f"The endpoint does not serve: {error}. Its log group in CloudWatch says why.")
        except BotoCoreError as error:
            refuse(f"SageMaker cannot be asked: {error} Check the credentials and the region.")


def _image(image: str, name: str) -> str:
    return image or refuse(f"Set {name} to the address of the image in ECR.")


def _pairs(texts: Sequence[str]) -> Mapping[str, str]:
    pairs = [text.partition("=") for text in texts]
    for (name, equals, value), text in zip(pairs, texts, strict=True):
        if not (name and equals and value):
            refuse(f"{text!r} is not of the form name=value.")
    return {name: value for name, _, value in pairs}


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        refuse(f"A variant's weight is a number, not {text!r}.")


def _named(what: str) -> str:
    return f"reelwise-{what}-{_stamp()}"


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y%m%d-%H%M%S")


def _started(name: str, dry_run: bool) -> None:
    typer.echo("Nothing was sent." if dry_run else name, err=dry_run)
