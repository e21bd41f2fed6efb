"""The load balancer: HTTPS, sockets that stay open, and people who stay with their task."""

from aws_cdk import (
    Duration,
    aws_certificatemanager,
    aws_ec2,
    aws_route53,
    aws_route53_targets,
    aws_s3,
)
from aws_cdk import aws_elasticloadbalancingv2 as elb
from constructs import Construct

from infra.accepted import accept
from infra.environment import Environment
from infra.parts.vpc import PUBLIC
from infra.process_settings import PORT

IDLE = Duration.seconds(400)
"""Socket.IO is heard of every 25 seconds, so an open socket is never idle for so long."""
STAY = Duration.days(1)
"""A conversation lives in the task that it began in."""


class Balancer(elb.ApplicationLoadBalancer):
    """Takes HTTPS for one host name; HTTP is sent there."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        environment: Environment,
        vpc: aws_ec2.IVpc,
        zone: aws_route53.IHostedZone,
        logs: aws_s3.IBucket,
    ) -> None:
        super().__init__(
            scope,
            id,
            vpc=vpc,
            vpc_subnets=PUBLIC,
            internet_facing=True,
            idle_timeout=IDLE,
            drop_invalid_header_fields=True,
            desync_mitigation_mode=elb.DesyncMitigationMode.STRICTEST,
            deletion_protection=environment.protected,
        )
        self.log_access_logs(logs, "chat")
        self._listener = self._listen(f"chat.{environment.domain}", zone)
        self._vpc = vpc
        accept(self, "It is the door to the internet; WAF stands before it.", "EC23")

    def send_to(self, service: elb.IApplicationLoadBalancerTarget) -> elb.ApplicationTargetGroup:
        """Pass requests on to the tasks that are ready."""
        return self._listener.add_targets(
            "Tasks",
            port=PORT,
            protocol=elb.ApplicationProtocol.HTTP,
            targets=[service],
            stickiness_cookie_duration=STAY,
            deregistration_delay=Duration.seconds(60),
            health_check=elb.HealthCheck(
                path="/readyz",
                interval=Duration.seconds(15),
                timeout=Duration.seconds(5),
                healthy_threshold_count=2,
                unhealthy_threshold_count=3,
            ),
        )

    def _listen(self, host: str, zone: aws_route53.IHostedZone) -> elb.ApplicationListener:
        self.add_redirect()
        certificate = aws_certificatemanager.Certificate(
            self,
            "Certificate",
            domain_name=host,
            validation=aws_certificatemanager.CertificateValidation.from_dns(zone),
        )
        aws_route53.ARecord(
            self,
            "Name",
            zone=zone,
            record_name=f"{host}.",
            target=aws_route53.RecordTarget.from_alias(
                aws_route53_targets.LoadBalancerTarget(self)
            ),
        )
        return self.add_listener(
            "Https",
            port=443,
            certificates=[certificate],
            ssl_policy=elb.SslPolicy.TLS13_RES,
        )
