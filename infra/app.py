"""The CDK app: ``python -m infra.app`` writes ``cdk.out``; or ``cdk deploy -c env=prod --all``."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from aws_cdk import App, Validations, aws_rds
from cdk_nag import AwsSolutionsChecks

from infra.environment import ENVIRONMENTS, Environment, chosen
from infra.parts import database as aurora
from infra.parts.endpoint import endpoint_name
from infra.process_settings import Database, Wiring
from infra.stacks.account import AccountStack
from infra.stacks.chat import ChatStack
from infra.stacks.data import DataStack
from infra.stacks.endpoint import EndpointStack
from infra.stacks.foundation import FoundationStack
from infra.stacks.identity import IdentityStack
from infra.stacks.jobs import JobsStack
from infra.stacks.network import NetworkStack
from infra.stacks.rest import RestStack
from infra.stacks.watch import WatchStack

FLAGS = {
    "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True,
    "@aws-cdk/aws-iam:minimizePolicies": True,
    "@aws-cdk/core:checkSecretUsage": True,
    "@aws-cdk/core:target-partitions": ["aws"],
    "aws:cdk:enable-path-metadata": True,  # the diagram names resources as the tree does
}
"""Behaviour of the CDK that its new apps have."""


def build(app: App) -> None:
    """All stacks of the environment that the context chooses, under the checks of cdk-nag."""
    environment = chosen(app.node)
    foundation = FoundationStack(app, environment)
    network = NetworkStack(app, environment, foundation.key)
    data = DataStack(app, environment, foundation, network)
    identity = IdentityStack(app, environment, foundation.key)
    size = environment.endpoint
    endpoint = EndpointStack(app, environment, size, foundation) if size else None
    wiring = _wiring(environment, data, identity)
    chat = ChatStack(app, environment, wiring, foundation, network, data, identity)
    rest = RestStack(app, environment, wiring, foundation, network, data)
    jobs = JobsStack(app, environment, wiring, foundation, network, data, chat)
    WatchStack(app, environment, foundation, identity, data, chat, rest, jobs, endpoint)
    AccountStack(app, environment, foundation)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))


def _wiring(environment: Environment, data: DataStack, identity: IdentityStack) -> Wiring:
    def at(endpoint: aws_rds.Endpoint) -> Database:
        return Database(endpoint.hostname, aurora.PORT, aurora.NAME, aurora.USER)

    reader = at(data.database.cluster_read_endpoint) if environment.database_readers else None
    return Wiring(
        region=environment.region,
        environment=environment.name,
        database=at(data.database.cluster_endpoint),
        reader=reader,
        tables={name: table.table_name for name, table in data.tables.items()},
        domain=environment.domain,
        sign_in=identity.sign_in,
        endpoint=endpoint_name(environment) if environment.endpoint else None,
        assistant_model=environment.assistant_model,
        challenger=environment.challenger,
    )


def synthesise(folder: Path) -> None:
    """Write each environment's templates into a folder of its name.

    Raises:
        RuntimeError: cdk-nag found something that is not accepted; what, is printed.
    """
    for name in ENVIRONMENTS:
        app = App(outdir=str(folder / name), context={**FLAGS, "env": name})
        build(app)
        app.synth()


def main(arguments: Sequence[str]) -> None:
    """As the CDK's command line asks, or all environments into a folder (default: cdk.out)."""
    if "CDK_OUTDIR" in os.environ:
        app = App(context=FLAGS)
        build(app)
        app.synth()
    else:
        synthesise(Path(*arguments or ("cdk.out",)))


if __name__ == "__main__":
    main(sys.argv[1:])
