"""What concerns the account: who deploys, and how much it may cost."""

from constructs import Construct

from infra.environment import Environment
from infra.parts.budget import Budget
from infra.parts.deployer import Deployer
from infra.stacks.base import ReelwiseStack
from infra.stacks.foundation import FoundationStack


class AccountStack(ReelwiseStack):
    """The role that GitHub Actions deploys with, and the budget."""

    def __init__(
        self, scope: Construct, environment: Environment, foundation: FoundationStack
    ) -> None:
        super().__init__(scope, environment, "account", "deployer and budget")
        self.deployer = Deployer(self, "Deployer", environment, list(foundation.images.values()))
        Budget(self, "Budget", environment)
