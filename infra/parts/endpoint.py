"""The SageMaker endpoint that fuses words and swipes, and how it grows."""

from aws_cdk import (
    Duration,
    aws_cloudwatch,
    aws_cloudwatch_actions,
    aws_ecr,
    aws_iam,
    aws_kms,
    aws_sagemaker,
    aws_sns,
)
from aws_cdk import aws_applicationautoscaling as autoscaling
from constructs import Construct

from infra.accepted import accept
from infra.environment import EndpointSize, Environment
from infra.metrics import alarm, endpoint_rule
from infra.process_settings import CHALLENGER, CHAMPION, container, shipped_model_version


def endpoint_name(environment: Environment) -> str:
    """Holds the model's version: clients refuse another one, so both change together."""
    return f"reelwise-{environment.name}-{shipped_model_version()}"


class FusionEndpoint(Construct):
    """An endpoint whose production variants serve the models that the image holds.

    The challenger stands beside the champion where an experiment compares them: the processes
    then call either by name. A new configuration takes a tenth of the traffic, then all of it; if
    it fails, none.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        environment: Environment,
        size: EndpointSize,
        image: aws_ecr.IRepository,
        key: aws_kms.IKey,
        alarms: aws_sns.ITopic,
    ) -> None:
        super().__init__(scope, id)
        self.name = endpoint_name(environment)
        self._size = size
        self._role = _role(self, image, key)
        uri = image.repository_uri_for_tag(environment.image_tag)
        models = (CHAMPION, CHALLENGER) if environment.challenger else (CHAMPION,)
        variants = [self._variant(model, uri) for model in models]
        self.errors = alarm(self, endpoint_rule(self.name, CHAMPION))
        self.errors.add_alarm_action(aws_cloudwatch_actions.SnsAction(alarms))
        endpoint = self._endpoint(variants, key)
        for variant in variants:
            self._grow(variant.variant_name, endpoint)

    def _variant(
        self, name: str, image: str
    ) -> aws_sagemaker.CfnEndpointConfig.ProductionVariantProperty:
        model = aws_sagemaker.CfnModel(
            self,
            f"{_pascal(name)}Model",
            execution_role_arn=self._role.role_arn,
            primary_container={"image": image, "environment": container(name)},
            enable_network_isolation=True,  # it needs nothing but what it is asked
        )
        model.node.add_dependency(self._role)
        return aws_sagemaker.CfnEndpointConfig.ProductionVariantProperty(
            variant_name=name,
            model_name=model.attr_model_name,
            initial_instance_count=self._size.least,
            instance_type=self._size.instance_type,
            initial_variant_weight=1 if name == CHAMPION else 0,
        )

    def _endpoint(
        self,
        variants: list[aws_sagemaker.CfnEndpointConfig.ProductionVariantProperty],
        key: aws_kms.IKey,
    ) -> aws_sagemaker.CfnEndpoint:
        config = aws_sagemaker.CfnEndpointConfig(
            self, "Config", production_variants=variants, kms_key_id=key.key_arn
        )
        return aws_sagemaker.CfnEndpoint(
            self,
            "Endpoint",
            endpoint_name=self.name,
            endpoint_config_name=config.attr_endpoint_config_name,
            deployment_config=_carefully(self.errors),
        )

    def _grow(self, variant: str, endpoint: aws_sagemaker.CfnEndpoint) -> None:
        """Add an instance where those there are get more calls than each can take."""
        target = autoscaling.ScalableTarget(
            self,
            f"{_pascal(variant)}Instances",
            service_namespace=autoscaling.ServiceNamespace.SAGEMAKER,
            resource_id=f"endpoint/{self.name}/variant/{variant}",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            min_capacity=self._size.least,
            max_capacity=self._size.most,
        )
        target.node.add_dependency(endpoint)
        metrics = autoscaling.PredefinedMetric
        target.scale_to_track_metric(
            "Calls",
            predefined_metric=metrics.SAGEMAKER_VARIANT_INVOCATIONS_PER_INSTANCE,
            target_value=self._size.invocations_per_minute,
            scale_in_cooldown=Duration.minutes(10),
            scale_out_cooldown=Duration.minutes(1),
        )


def _pascal(name: str) -> str:
    return name.title().replace("-", "")


def _role(scope: Construct, image: aws_ecr.IRepository, key: aws_kms.IKey) -> aws_iam.Role:
    role = aws_iam.Role(
        scope, "Role", assumed_by=aws_iam.ServicePrincipal("sagemaker.amazonaws.com")
    )
    image.grant_pull(role)
    key.grant_decrypt(role)
    accept(role, "ecr:GetAuthorizationToken knows no resource.", "IAM5[Resource::*]")
    return role


def _carefully(errors: aws_cloudwatch.IAlarm) -> dict[str, object]:
    return {
        "autoRollbackConfiguration": {"alarms": [{"alarmName": errors.alarm_name}]},
        "blueGreenUpdatePolicy": {
            "terminationWaitInSeconds": 600,
            "trafficRoutingConfiguration": {
                "type": "CANARY",
                "canarySize": {"type": "CAPACITY_PERCENT", "value": 10},
                "waitIntervalInSeconds": 600,
            },
        },
    }
