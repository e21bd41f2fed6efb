"""ECR repositories, one for each image."""

from aws_cdk import aws_ecr, aws_kms
from constructs import Construct

from infra.environment import Environment
from infra.parts.removal import removal


class ImageRepository(aws_ecr.Repository):
    """Images by commit: a tag never changes its image, each is scanned, thirty are kept."""

    def __init__(
        self, scope: Construct, id: str, name: str, environment: Environment, key: aws_kms.IKey
    ) -> None:
        super().__init__(
            scope,
            id,
            repository_name=f"reelwise-{environment.name}/{name}",
            image_scan_on_push=True,
            image_tag_mutability=aws_ecr.TagMutability.IMMUTABLE,
            encryption=aws_ecr.RepositoryEncryption.KMS,
            encryption_key=key,
            lifecycle_rules=[aws_ecr.LifecycleRule(max_image_count=30)],
            removal_policy=removal(environment),
        )
