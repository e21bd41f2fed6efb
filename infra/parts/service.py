"""The service of tasks that serve chat and REST."""

from aws_cdk import Duration, aws_cloudwatch, aws_ec2, aws_ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from constructs import Construct

from infra.environment import Environment
from infra.parts.task import Task
from infra.parts.vpc import PROCESSES

BUSY_PERCENT = 60


class Service(aws_ecs.FargateService):
    """Tasks by demand. A deployment that does not become healthy is rolled back by itself."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        environment: Environment,
        cluster: aws_ecs.ICluster,
        task: Task,
        clients: aws_ec2.ISecurityGroup,
    ) -> None:
        least, most = environment.chat_tasks
        own = aws_ec2.SecurityGroup(
            scope, f"{id}Group", vpc=cluster.vpc, description="Tasks that serve the chat"
        )
        super().__init__(
            scope,
            id,
            cluster=cluster,
            task_definition=task,
            desired_count=least,
            min_healthy_percent=100,
            max_healthy_percent=200,
            vpc_subnets=PROCESSES,
            security_groups=[own, clients],
            circuit_breaker=aws_ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            health_check_grace_period=Duration.minutes(3),
            propagate_tags=aws_ecs.PropagatedTagSource.SERVICE,
        )
        tasks = self.auto_scale_task_count(min_capacity=least, max_capacity=most)
        tasks.scale_on_cpu_utilization(
            "Cpu",
            target_utilization_percent=BUSY_PERCENT,
            scale_in_cooldown=Duration.minutes(10),  # going, a task ends its conversations
            scale_out_cooldown=Duration.minutes(1),
        )

    def roll_back_on_errors(self, targets: elb.ApplicationTargetGroup) -> None:
        """Also roll back a deployment under which requests fail."""
        failing = targets.metrics.http_code_target(
            elb.HttpCodeTarget.TARGET_5XX_COUNT, period=Duration.minutes(1), statistic="Sum"
        )
        alarm = failing.create_alarm(
            self,
            "Failing",
            alarm_description="Tasks answered 5xx ten times in a minute, twice in a row.",
            threshold=10,
            evaluation_periods=2,
            treat_missing_data=aws_cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        self.enable_deployment_alarms(
            [alarm.alarm_name], behavior=aws_ecs.AlarmBehavior.ROLLBACK_ON_ALARM
        )
