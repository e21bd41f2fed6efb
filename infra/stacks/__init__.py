"""CloudFormation stacks, in the order of deployment: see `infra.app`."""
