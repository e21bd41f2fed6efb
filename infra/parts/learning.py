"""The registry of models, and the pipeline that fills it, with the roles of both."""

from collections.abc import Mapping, Sequence

from aws_cdk import Stack, aws_ec2, aws_ecr, aws_iam, aws_kms, aws_s3, aws_sagemaker
from constructs import Construct

from infra.accepted import accept, of_resources
from infra.environment import Environment
from infra.parts.roles import allow, may_decrypt_through
from infra.parts.training import Parts, definition
from infra.parts.vpc import PROCESSES

NETWORK = (
    *("CreateNetworkInterface", "CreateNetworkInterfacePermission"),
    *("DeleteNetworkInterface", "DeleteNetworkInterfacePermission"),
    *("DescribeNetworkInterfaces", "DescribeVpcs", "DescribeDhcpOptions"),
    *("DescribeSubnets", "DescribeSecurityGroups"),
)
LOGGING = ("CreateLogGroup", "CreateLogStream", "PutLogEvents", "DescribeLogStreams")
JOBS = {"training-job": "TrainingJob", "processing-job": "ProcessingJob"}


class Registry(aws_sagemaker.CfnModelPackageGroup):
    """Models by version, each approved by a person before it serves."""

    def __init__(self, scope: Construct, id: str, environment: Environment) -> None:
        super().__init__(
            scope,
            id,
            model_package_group_name=f"reelwise-{environment.name}",
            model_package_group_description="Fusion encoders trained on swipes",
        )


class JobRole(aws_iam.Role):
    """What runs inside the pipeline's jobs: reads and writes its own folders of the bucket."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        bucket: aws_s3.IBucket,
        key: aws_kms.IKey,
        images: Sequence[aws_ecr.IRepository],
    ) -> None:
        sagemaker = aws_iam.ServicePrincipal("sagemaker.amazonaws.com")
        super().__init__(scope, id, assumed_by=sagemaker)
        for image in images:
            image.grant_pull(self)
        folders = [bucket.arn_for_objects(f"{name}/*") for name in ("training", "models")]
        allow(self, folders, "s3:GetObject", "s3:PutObject")
        allow(self, [bucket.bucket_arn], "s3:ListBucket")
        may_decrypt_through(self, key, "s3")
        disks = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
        allow(self, [key.key_arn], "kms:CreateGrant", only=disks)
        allow(self, ["*"], *(f"ec2:{action}" for action in NETWORK))
        allow(self, [_logs(Stack.of(scope))], *(f"logs:{action}" for action in LOGGING))
        accept(
            self,
            "The jobs' own folders and logs; interfaces and ECR's tokens have no name before.",
            "IAM5[Resource::*]",
            *of_resources(*folders, _logs(Stack.of(scope))),
        )


class Pipeline(Construct):
    """Swipes → training on spot instances → a version in the registry that waits for approval."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        environment: Environment,
        registry: Registry,
        jobs: JobRole,
        bucket: aws_s3.IBucket,
        key: aws_kms.IKey,
        vpc: aws_ec2.IVpc,
        groups: Sequence[aws_ec2.ISecurityGroup],
        images: Mapping[str, aws_ecr.IRepository],
        variables: Mapping[str, str],
    ) -> None:
        super().__init__(scope, id)
        tag = environment.image_tag
        parts = Parts(
            app_image=images["app"].repository_uri_for_tag(tag),
            training_image=images["training"].repository_uri_for_tag(tag),
            serving_image=images["fusion"].repository_uri_for_tag(tag),
            bucket=bucket.bucket_name,
            key=key.key_arn,
            role=jobs.role_arn,
            subnets=vpc.select_subnets(subnet_type=PROCESSES.subnet_type).subnet_ids,
            groups=[group.security_group_id for group in groups],
            variables=variables,
            packages=registry.model_package_group_name,
        )
        body = Stack.of(self).to_json_string(definition(parts))
        self.name = f"reelwise-{environment.name}-train"
        self.resource = aws_sagemaker.CfnPipeline(
            self,
            "Pipeline",
            pipeline_name=self.name,
            pipeline_description="Learn from swipes and register the model for approval",
            pipeline_definition={"PipelineDefinitionBody": body},
            role_arn=self._role(registry, jobs, bucket, key).role_arn,
        )
        self.resource.add_resource_dependency(registry)

    def _role(
        self, registry: Registry, jobs: JobRole, bucket: aws_s3.IBucket, key: aws_kms.IKey
    ) -> aws_iam.Role:
        stack, sagemaker = Stack.of(self), "sagemaker.amazonaws.com"
        role = aws_iam.Role(self, "Role", assumed_by=aws_iam.ServicePrincipal(sagemaker))
        started = {job: _arn(stack, resource, "pipelines-*") for resource, job in JOBS.items()}
        for job, own in started.items():
            verbs = (f"sagemaker:{verb}{job}" for verb in ("Create", "Describe", "Stop"))
            allow(role, [own], *verbs, "sagemaker:AddTags")
        group = registry.model_package_group_name
        versions = _arn(stack, "model-package", f"{group}/*")
        packages = [_arn(stack, "model-package-group", group), versions]
        allow(role, packages, "sagemaker:CreateModelPackage", "sagemaker:DescribeModelPackage")
        passed = {"StringEquals": {"iam:PassedToService": sagemaker}}
        allow(role, [jobs.role_arn], "iam:PassRole", only=passed)
        models = bucket.arn_for_objects("models/*")
        allow(role, [models], "s3:GetObject")
        may_decrypt_through(role, key, "s3")
        accept(
            role,
            "SageMaker names what a pipeline starts after the run; models are many.",
            *of_resources(*started.values(), versions, models),
        )
        return role


def _arn(stack: Stack, resource: str, name: str) -> str:
    return str(stack.format_arn(service="sagemaker", resource=resource, resource_name=name))


def _logs(stack: Stack) -> str:
    return f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:/aws/sagemaker/*"
