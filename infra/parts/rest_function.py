"""The REST API as a Lambda function of an image."""

from collections.abc import Mapping

from aws_cdk import (
    Duration,
    aws_cloudwatch,
    aws_codedeploy,
    aws_ec2,
    aws_ecr,
    aws_lambda,
    aws_logs,
)
from constructs import Construct

from infra.accepted import accept
from infra.environment import Environment
from infra.parts.roles import lambda_role
from infra.parts.vpc import PROCESSES


class RestFunction(Construct):
    """A function and its ``live`` alias, which a new version takes over step by step."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        environment: Environment,
        image: aws_ecr.IRepository,
        vpc: aws_ec2.IVpc,
        clients: aws_ec2.ISecurityGroup,
        log: aws_logs.ILogGroup,
        variables: Mapping[str, str],
    ) -> None:
        super().__init__(scope, id)
        self.function = aws_lambda.DockerImageFunction(
            self,
            "Function",
            code=aws_lambda.DockerImageCode.from_ecr(image, tag_or_digest=environment.image_tag),
            description=f"REST API, image {environment.image_tag}",  # a new image, a new version
            environment=dict(variables),
            memory_size=3008,
            timeout=Duration.seconds(29),  # the gateway waits for 30
            tracing=aws_lambda.Tracing.ACTIVE,
            vpc=vpc,
            vpc_subnets=PROCESSES,
            security_groups=[clients, self._group(vpc)],
            role=lambda_role(self, log),
            log_group=log,
        )
        self.live = aws_lambda.Alias(
            self,
            "Live",
            alias_name="live",
            version=self.function.current_version,
            provisioned_concurrent_executions=environment.warm_functions or None,
        )
        self._take_over_slowly()

    def _group(self, vpc: aws_ec2.IVpc) -> aws_ec2.SecurityGroup:
        return aws_ec2.SecurityGroup(self, "Group", vpc=vpc, description="The REST function")

    def _take_over_slowly(self) -> None:
        errors = self.live.metric_errors(period=Duration.minutes(1), statistic="Sum").create_alarm(
            self,
            "Failing",
            alarm_description="The REST function failed five times in a minute.",
            threshold=5,
            evaluation_periods=1,
            treat_missing_data=aws_cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        deployment = aws_codedeploy.LambdaDeploymentGroup(
            self,
            "Deployment",
            alias=self.live,
            deployment_config=aws_codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES,
            alarms=[errors],
        )
        accept(
            deployment,
            "AWS's policy for just this: CodeDeploy moves the alias of functions.",
            "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy"
            "/service-role/AWSCodeDeployRoleForLambdaLimited]",
        )
