"""What a Fargate task of the app's image is: the service's, and those of scheduled commands."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, aws_ecr, aws_ecs, aws_logs
from constructs import Construct

from infra.accepted import accept
from infra.process_settings import PORT

HEALTHY = (
    f"import urllib.request as r; r.urlopen('http://127.0.0.1:{PORT}/healthz', timeout=4).read()"
)
DATA_FOLDER = "/var/reelwise"


class Task(aws_ecs.FargateTaskDefinition):
    """A task that may write to its own data folder and to /tmp, and to nothing else of its disk."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        image: aws_ecr.IRepository,
        tag: str,
        log: aws_logs.ILogGroup,
        variables: Mapping[str, str],
        command: Sequence[str],
        secrets: Mapping[str, aws_ecs.Secret] | None = None,
        serves: bool = False,
        cpu: int = 1024,
        memory: int = 2048,
    ) -> None:
        super().__init__(scope, id, cpu=cpu, memory_limit_mib=memory)
        self.container = self.add_container(
            "App",
            image=aws_ecs.ContainerImage.from_ecr_repository(image, tag),
            command=list(command),
            environment=dict(variables),
            secrets=dict(secrets or {}),
            readonly_root_filesystem=True,
            stop_timeout=Duration.seconds(30),
            logging=aws_ecs.LogDriver.aws_logs(
                stream_prefix=id.lower(),
                log_group=log,
                mode=aws_ecs.AwsLogDriverMode.NON_BLOCKING,
            ),
            port_mappings=[aws_ecs.PortMapping(container_port=PORT)] if serves else None,
            health_check=_health() if serves else None,
        )
        accept(
            self.obtain_execution_role(),
            "ecr:GetAuthorizationToken knows no resource.",
            "IAM5[Resource::*]",
        )
        for folder in (DATA_FOLDER, "/tmp"):  # noqa: S108 - a volume of the task's own
            self._add_folder(folder)
        accept(
            self,
            "Names and addresses are no secrets; those come from Secrets Manager.",
            "ECS2",
        )

    def _add_folder(self, path: str) -> None:
        name = path.strip("/").replace("/", "-")
        self.add_volume(name=name)
        self.container.add_mount_points(
            aws_ecs.MountPoint(container_path=path, source_volume=name, read_only=False)
        )


def _health() -> aws_ecs.HealthCheck:
    return aws_ecs.HealthCheck(
        command=["CMD", "python", "-c", HEALTHY],
        start_period=Duration.minutes(2),  # a new database is indexed first
        interval=Duration.seconds(15),
        timeout=Duration.seconds(5),
        retries=3,
    )
