"""Secrets, encrypted under our own key."""

from typing import cast

from aws_cdk import SecretValue, aws_cognito, aws_kms, aws_secretsmanager
from constructs import Construct

from infra.accepted import accept
from infra.environment import Environment
from infra.parts.removal import removal


class SessionSecret(aws_secretsmanager.Secret):
    """Signs the chat's sessions. A new value signs everybody out: see the runbook."""

    def __init__(
        self, scope: Construct, id: str, environment: Environment, key: aws_kms.IKey
    ) -> None:
        super().__init__(
            scope,
            id,
            secret_name=f"reelwise/{environment.name}/chat-sessions",
            encryption_key=key,
            generate_secret_string=aws_secretsmanager.SecretStringGenerator(
                password_length=64, exclude_punctuation=True
            ),
            removal_policy=removal(environment),
        )
        accept(self, "Rotating it signs everybody out, so it is done by hand.", "SMG4")


class ClientSecret(aws_secretsmanager.Secret):
    """The id and the secret of a client of the user pool, ``client_id`` and ``client_secret``."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        name: str,
        client: aws_cognito.UserPoolClient,
        environment: Environment,
        key: aws_kms.IKey,
    ) -> None:
        super().__init__(
            scope,
            id,
            secret_name=f"reelwise/{environment.name}/{name}",
            encryption_key=key,
            secret_object_value={
                "client_id": SecretValue.unsafe_plain_text(client.user_pool_client_id),
                "client_secret": SecretValue.resource_attribute(_secret(client)),
            },
            removal_policy=removal(environment),
        )
        accept(self, "Cognito sets it; a new client is the way to a new secret.", "SMG4")


def _secret(client: aws_cognito.UserPoolClient) -> str:
    """Asked of CloudFormation; CDK's own property runs a function for it."""
    resource = cast(aws_cognito.CfnUserPoolClient, client.node.default_child)
    return str(resource.attr_client_secret)
