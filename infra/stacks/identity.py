"""Who people are, and the secrets that signing in needs."""

from aws_cdk import aws_kms
from constructs import Construct

from infra.environment import Environment
from infra.parts.secrets import ClientSecret, SessionSecret
from infra.parts.user_pool import Users
from infra.process_settings import SignIn
from infra.stacks.base import ReelwiseStack


class IdentityStack(ReelwiseStack):
    """The user pool with its clients, and the secrets of the chat and of the canary."""

    def __init__(self, scope: Construct, environment: Environment, key: aws_kms.IKey) -> None:
        super().__init__(scope, environment, "identity", "user pool and secrets")
        # By name: else each reader of a secret would be written into the key's policy, and the
        # stack of the key would depend on all others.
        key = aws_kms.Key.from_key_arn(self, "Key", key.key_arn)
        self.users = Users(self, "Users", environment)
        self.sessions = SessionSecret(self, "Sessions", environment, key)
        self.chat_client = ClientSecret(
            self, "ChatClient", "chat-client", self.users.chat, environment, key
        )
        self.canary_client = ClientSecret(
            self, "CanaryClient", "canary-client", self.users.canary, environment, key
        )

    @property
    def sign_in(self) -> SignIn:
        """How processes check tokens."""
        clients = (self.users.chat, self.users.canary)
        return SignIn(
            issuer=f"https://cognito-idp.{self.region}.amazonaws.com/{self.users.user_pool_id}",
            audiences=tuple(client.user_pool_client_id for client in clients),
            host=self.users.sign_in_host,
        )
