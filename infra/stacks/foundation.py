"""What must be there before an image can be pushed: key, repositories, access logs."""

from constructs import Construct

from infra.environment import Environment
from infra.parts.buckets import AccessLogs
from infra.parts.encryption import EncryptionKey
from infra.parts.repositories import ImageRepository
from infra.parts.topic import AlarmTopic
from infra.stacks.base import ReelwiseStack

IMAGES = ("app", "lambda", "fusion", "training")
"""As the targets of the container files are called."""


class FoundationStack(ReelwiseStack):
    """The key, the bucket of access logs, and a repository for each image."""

    def __init__(self, scope: Construct, environment: Environment) -> None:
        super().__init__(scope, environment, "foundation", "key, images, access logs, alarms")
        self.key = EncryptionKey(self, "Key", environment)
        self.access_logs = AccessLogs(self, "AccessLogs", environment)
        self.alarms = AlarmTopic(self, "Alarms", environment, self.key)
        self.images = {
            name: ImageRepository(self, f"{name.title()}Images", name, environment, self.key)
            for name in IMAGES
        }
