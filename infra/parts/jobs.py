"""Commands that run by the clock, each a task of the app's image."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Duration, TimeZone, aws_ec2, aws_ecs, aws_kms, aws_scheduler, aws_sqs
from aws_cdk import aws_scheduler_targets as targets
from constructs import Construct

from infra.accepted import accept
from infra.parts.task import Task
from infra.parts.vpc import PROCESSES


@dataclass(frozen=True)
class Job:
    """A command of ``reelwise`` and when it runs, in the fields of cron."""

    id: str
    command: Sequence[str]
    minute: str
    hour: str
    means: str
    day: str = "*"


JOBS = (
    Job(
        "Preferences",
        ("learn", "--users", "10000"),
        minute="5",
        hour="*",
        means="Learn from swipes that wait for a batch to fill",
    ),
    Job(
        "Warming",
        ("warm", "--users", "1000", "--limit", "20000"),
        minute="35",
        hour="*",
        means="Embed popular queries ahead for recent users",
    ),
)


class Schedules(Construct):
    """A schedule for each job; a start that fails three times is put into a queue to be seen."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        cluster: aws_ecs.ICluster,
        task: Task,
        groups: Sequence[aws_ec2.ISecurityGroup],
        key: aws_kms.IKey,
    ) -> None:
        super().__init__(scope, id)
        self.failed = FailedStarts(self, "Failed", key)
        for job in JOBS:
            target = targets.EcsRunFargateTask(
                cluster,
                task_definition=task,
                vpc_subnets=PROCESSES,
                security_groups=list(groups),
                input=_overriding(job.command),
                dead_letter_queue=self.failed,
                retry_attempts=3,
                max_event_age=Duration.hours(1),
            )
            schedule(self, job, target, key)


class FailedStarts(aws_sqs.Queue):
    """What could not be started."""

    def __init__(self, scope: Construct, id: str, key: aws_kms.IKey) -> None:
        super().__init__(
            scope,
            id,
            encryption=aws_sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        accept(self, "This is the queue of what failed; an alarm looks at it.", "SQS3")


def schedule(
    scope: Construct, job: Job, target: aws_scheduler.IScheduleTarget, key: aws_kms.IKey
) -> aws_scheduler.Schedule:
    """Start ``target`` when the job says so, in UTC."""
    return aws_scheduler.Schedule(
        scope,
        job.id,
        description=job.means,
        schedule=aws_scheduler.ScheduleExpression.cron(
            minute=job.minute, hour=job.hour, week_day=job.day, time_zone=TimeZone.ETC_UTC
        ),
        target=target,
        key=key,
    )


def _overriding(command: Sequence[str]) -> aws_scheduler.ScheduleTargetInput:
    return aws_scheduler.ScheduleTargetInput.from_object(
        {"containerOverrides": [{"name": "App", "command": list(command)}]}
    )
