"""What must be there before an image can be pushed: key, repositories, access logs."""

from constructs import Construct

from infra.environment import Environment
from infra.parts.buckets import AccessLogs
from infra.parts.encryption import EncryptionKey
from infra.parts.repositories import ImageRepository
from infra.stacks.base import ReelwiseStack


class FoundationStack(ReelwiseStack):
    """The key, the bucket of access logs, and a repository for each image."""

    def __init__(self, scope: Construct, environment: Environment) -> None:
        super().__init__(scope, environment, "foundation", "key, image repositories, access logs")
        self.key = EncryptionKey(self, "Key", environment)
        self.access_logs = AccessLogs(self, "AccessLogs", environment)
        self.app_images = ImageRepository(self, "AppImages", "app", environment, self.key)
        self.lambda_images = ImageRepository(self, "LambdaImages", "lambda", environment, self.key)
        self.fusion_images = ImageRepository(self, "FusionImages", "fusion", environment, self.key)
