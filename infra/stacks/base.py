"""What all stacks have in common."""

from aws_cdk import Environment as Place
from aws_cdk import Stack, Tags
from constructs import Construct

from infra.environment import Environment


class ReelwiseStack(Stack):
    """A stack of an environment: its name, its place, its tags."""

    def __init__(
        self, scope: Construct, environment: Environment, name: str, description: str
    ) -> None:
        super().__init__(
            scope,
            f"reelwise-{environment.name}-{name}",
            description=f"Reelwise {environment.name}: {description}",
            env=Place(account=environment.account, region=environment.region),
            termination_protection=environment.protected,
        )
        tags = {"project": "reelwise", "environment": environment.name, "part": name}
        for key, value in tags.items():
            Tags.of(self).add(key, value)
