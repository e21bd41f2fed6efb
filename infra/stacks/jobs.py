"""What runs by the clock: batches of preferences, warming, retraining."""

from aws_cdk import aws_ec2, aws_iam, aws_s3, aws_scheduler, aws_scheduler_targets
from constructs import Construct

from infra import process_settings
from infra.environment import Environment
from infra.parts.buckets import data_bucket_name
from infra.parts.jobs import Job, Schedules, schedule
from infra.parts.learning import JobRole, Pipeline, Registry
from infra.parts.logs import LogGroup
from infra.parts.roles import may_use_models
from infra.parts.task import Task
from infra.process_settings import Wiring
from infra.stacks.base import ReelwiseStack
from infra.stacks.chat import ChatStack
from infra.stacks.data import DataStack
from infra.stacks.foundation import FoundationStack
from infra.stacks.network import NetworkStack

RETRAINING = Job(
    "Retraining", (), minute="0", hour="3", means="Learn anew from everybody's swipes", day="SUN"
)


class JobsStack(ReelwiseStack):
    """The scheduled commands, and the training pipeline with its registry."""

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        wiring: Wiring,
        foundation: FoundationStack,
        network: NetworkStack,
        data: DataStack,
        chat: ChatStack,
    ) -> None:
        super().__init__(scope, environment, "jobs", "scheduled jobs and training")
        log = LogGroup(self, "Log", f"/reelwise/{environment.name}/jobs", foundation.key)
        variables = process_settings.job(wiring)
        task = Task(
            self,
            "Job",
            foundation.images["app"],
            environment.image_tag,
            log,
            variables,
            ["index"],  # also what a deployment runs first: it migrates
        )
        data.let_in(task.task_role)
        may_use_models(task.task_role, self, wiring)
        own = aws_ec2.SecurityGroup(self, "Group", vpc=network.vpc, description="Scheduled jobs")
        groups = [own, data.database.membership(self)]
        self.schedules = Schedules(self, "Schedules", chat.cluster, task, groups, foundation.key)
        bucket = aws_s3.Bucket.from_bucket_name(self, "Data", data_bucket_name(environment))
        registry = Registry(self, "Registry", environment)
        images = foundation.images
        jobs = JobRole(self, "JobRole", bucket, foundation.key, list(images.values()))
        data.let_in(jobs)
        self.pipeline = Pipeline(
            self,
            "Training",
            environment,
            registry,
            jobs,
            bucket,
            foundation.key,
            network.vpc,
            groups,
            images,
            variables,
        )
        self._retrain(foundation)

    def _retrain(self, foundation: FoundationStack) -> None:
        pipeline = self.format_arn(
            service="sagemaker", resource="pipeline", resource_name=self.pipeline.name
        )
        start = aws_scheduler_targets.Universal(
            service="sagemaker",
            action="startPipelineExecution",
            input=aws_scheduler.ScheduleTargetInput.from_object(
                {
                    "PipelineName": self.pipeline.name,
                    "ClientRequestToken": "<aws.scheduler.execution-id>",
                }
            ),
            policy_statements=[
                aws_iam.PolicyStatement(
                    actions=["sagemaker:StartPipelineExecution"], resources=[pipeline]
                )
            ],
            dead_letter_queue=self.schedules.failed,
            retry_attempts=3,
        )
        schedule(self, RETRAINING, start, foundation.key)
