"""What becomes of data when its stack is deleted."""

from aws_cdk import RemovalPolicy

from infra.environment import Environment


def removal(environment: Environment) -> RemovalPolicy:
    """It stays where the environment is protected."""
    return RemovalPolicy.RETAIN if environment.protected else RemovalPolicy.DESTROY
