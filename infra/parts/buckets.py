"""S3: the data folder of the batch side, and the access logs of everything."""

from aws_cdk import Aws, Duration, aws_kms, aws_s3
from constructs import Construct

from infra.accepted import accept
from infra.environment import Environment
from infra.parts.removal import removal


class AccessLogs(aws_s3.Bucket):
    """Where load balancer and buckets write who asked for what."""

    def __init__(self, scope: Construct, id: str, environment: Environment) -> None:
        super().__init__(
            scope,
            id,
            encryption=aws_s3.BucketEncryption.S3_MANAGED,  # load balancers can write no other
            block_public_access=aws_s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            lifecycle_rules=[aws_s3.LifecycleRule(expiration=Duration.days(90))],
            removal_policy=removal(environment),
        )
        accept(self, "Logging the access to the access logs would never end.", "S1")


class DataBucket(aws_s3.Bucket):
    """``raw/``, ``features/``, ``training/``, ``models/`` and ``batch/``, every version kept."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        environment: Environment,
        key: aws_kms.IKey,
        logs: aws_s3.IBucket,
    ) -> None:
        super().__init__(
            scope,
            id,
            bucket_name=data_bucket_name(environment),
            encryption=aws_s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=aws_s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            server_access_logs_bucket=logs,
            server_access_logs_prefix="data/",
            lifecycle_rules=[
                aws_s3.LifecycleRule(
                    noncurrent_version_expiration=Duration.days(90),
                    abort_incomplete_multipart_upload_after=Duration.days(7),
                ),
                # Swipes of people: training reads them once, and an erased user must go.
                aws_s3.LifecycleRule(prefix="training/", expiration=Duration.days(14)),
            ],
            removal_policy=removal(environment),
        )


def data_bucket_name(environment: Environment) -> str:
    """Known to all stacks without asking the one that makes it."""
    return f"reelwise-{environment.name}-data-{Aws.ACCOUNT_ID}"
