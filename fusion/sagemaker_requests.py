"""What SageMaker is asked for: training, processing, registry, endpoint and batch transform.

Each function makes the arguments of one call of boto3's ``sagemaker`` client (the scaling ones of
``application-autoscaling``). Nothing is sent here. No data is captured at endpoints: requests hold
what people said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fusion.wire import JSON, JSON_LINES

Request = dict[str, Any]

INPUT, OUTPUT = "/opt/ml/processing/input", "/opt/ml/processing/output"
CHECKPOINTS = "/opt/ml/checkpoints"
DAY = 24 * 60 * 60
WARM_UP_SECONDS = 120
INVOCATIONS = "SageMakerVariantInvocationsPerInstance"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
RETRIES = 3
TRANSFORM_MB = 6


@dataclass(frozen=True)
class Site:
    """What all calls of an installation share.

    ``kms_key`` encrypts volumes and output; with ``subnets`` and ``security_groups`` containers run
    inside the VPC; ``tags`` are for the bill.
    """

    role_arn: str
    kms_key: str | None = None
    subnets: Sequence[str] = ()
    security_groups: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)

    def tagged(self) -> Request:
        """The tags, if there are any."""
        pairs = [{"Key": key, "Value": value} for key, value in self.tags.items()]
        return {"Tags": pairs} if pairs else {}

    def network(self) -> Request:
        """The VPC, if there is one."""
        if not self.subnets:
            return {}
        return {
            "VpcConfig": {
                "Subnets": list(self.subnets),
                "SecurityGroupIds": list(self.security_groups),
            }
        }

    def key(self, name: str) -> Request:
        """The KMS key under a call's name for it, if there is one."""
        return {name: self.kms_key} if self.kms_key else {}


@dataclass(frozen=True)
class Machine:
    """What a job runs on."""

    kind: str
    volume_gb: int = 30
    hours: int = 4


@dataclass(frozen=True)
class ProductionVariant:
    """A model behind an endpoint; ``weight`` shares out the calls that name no variant."""

    name: str
    model: str
    kind: str
    instances: int = 1
    weight: float = 1.0


def training_job(
    name: str,
    site: Site,
    image: str,
    channels: Mapping[str, str],
    output_url: str,
    checkpoint_url: str,
    hyperparameters: Mapping[str, object] | None = None,
    machine: Machine | None = None,
    spot: bool = True,
) -> Request:
    """``create_training_job``: `reelwise-job train` on URLs by channel (``train`` and others).

    On spot instances it is started again when one is taken away, until a day after the start, and
    goes on from what lies under ``checkpoint_url``. So it does after SageMaker's own errors.
    """
    machine = machine or Machine("ml.g5.xlarge")
    runs = machine.hours * 60 * 60
    patience: Request = {"MaxWaitTimeInSeconds": max(runs, DAY)} if spot else {}
    return {
        "TrainingJobName": name,
        "RoleArn": site.role_arn,
        "AlgorithmSpecification": {
            "TrainingImage": image,
            "TrainingInputMode": "File",
            "MetricDefinitions": [
                {"Name": "loss", "Regex": r"loss ([0-9.]+)"},
                {
                    "Name": "rank-correlation",
                    "Regex": r"rank correlation with the network ([0-9.]+)",
                },
            ],
        },
        "HyperParameters": {key: _text(value) for key, value in (hyperparameters or {}).items()},
        "InputDataConfig": [_channel(key, url) for key, url in channels.items()],
        "OutputDataConfig": {"S3OutputPath": output_url, **site.key("KmsKeyId")},
        "ResourceConfig": {
            "InstanceType": machine.kind,
            "InstanceCount": 1,
            "VolumeSizeInGB": machine.volume_gb,
            **site.key("VolumeKmsKeyId"),
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": runs, **patience},
        "EnableManagedSpotTraining": spot,
        "CheckpointConfig": {"S3Uri": checkpoint_url, "LocalPath": CHECKPOINTS},
        "RetryStrategy": {"MaximumRetryAttempts": RETRIES},
        **site.network(),
        **site.tagged(),
    }


def processing_job(
    name: str,
    site: Site,
    image: str,
    command: Sequence[str],
    input_url: str,
    output_url: str,
    environment: Mapping[str, str] | None = None,
    machine: Machine | None = None,
) -> Request:
    """``create_processing_job``: a command of `reelwise-job`, from one prefix to another.

    ``command`` is ``["embed-items"]`` or ``["curate-survey", "--size", "600"]``.
    """
    machine = machine or Machine("ml.c7i.xlarge", hours=2)
    network = site.network()
    return {
        "ProcessingJobName": name,
        "RoleArn": site.role_arn,
        "AppSpecification": {
            "ImageUri": image,
            "ContainerEntrypoint": ["reelwise-job"],
            "ContainerArguments": list(command),
        },
        "Environment": dict(environment or {}),
        "ProcessingInputs": [
            {
                "InputName": "films",
                "S3Input": {
                    "S3Uri": input_url,
                    "LocalPath": INPUT,
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "features",
                    "S3Output": {
                        "S3Uri": output_url,
                        "LocalPath": OUTPUT,
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ],
            **site.key("KmsKeyId"),
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": machine.kind,
                "VolumeSizeInGB": machine.volume_gb,
                **site.key("VolumeKmsKeyId"),
            }
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": machine.hours * 60 * 60},
        **({"NetworkConfig": network} if network else {}),
        **site.tagged(),
    }


def model_package_group(name: str, site: Site) -> Request:
    """``create_model_package_group``: where the versions of the fusion are registered."""
    return {
        "ModelPackageGroupName": name,
        "ModelPackageGroupDescription": "Fusion encoders of Reelwise",
        **site.tagged(),
    }


def model_package(
    group: str, image: str, model_data_url: str, version: str, facts: Mapping[str, str]
) -> Request:
    """``create_model_package``: a trained model, which waits for somebody's approval.

    ``version`` is what the model answers with, FUSION_MODEL_VERSION; ``facts`` are of its card.
    """
    return {
        "ModelPackageGroupName": group,
        "ModelPackageDescription": version,
        "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": {
            "Containers": [{"Image": image, "ModelDataUrl": model_data_url}],
            "SupportedContentTypes": [JSON, JSON_LINES],
            "SupportedResponseMIMETypes": [JSON, JSON_LINES],
        },
        "CustomerMetadataProperties": {"model_version": version, **facts},
    }


def approval(package_arn: str, note: str) -> Request:
    """``update_model_package``: it may be served."""
    return {
        "ModelPackageArn": package_arn,
        "ModelApprovalStatus": "Approved",
        "ApprovalDescription": note,
    }


def model(name: str, site: Site, package_arn: str, fusion: str = "embedding-fusion") -> Request:
    """``create_model``: a registered package, of which ``fusion`` is served."""
    return {
        "ModelName": name,
        "ExecutionRoleArn": site.role_arn,
        "PrimaryContainer": {
            "ModelPackageName": package_arn,
            "Environment": {"FUSION_MODEL": fusion},
        },
        **site.network(),
        **site.tagged(),
    }


def endpoint_config(name: str, site: Site, variants: Sequence[ProductionVariant]) -> Request:
    """``create_endpoint_config``: one variant, or several for an A/B test."""
    return {
        "EndpointConfigName": name,
        "ProductionVariants": [
            {
                "VariantName": variant.name,
                "ModelName": variant.model,
                "InstanceType": variant.kind,
                "InitialInstanceCount": variant.instances,
                "InitialVariantWeight": variant.weight,
                "ContainerStartupHealthCheckTimeoutInSeconds": WARM_UP_SECONDS,
            }
            for variant in variants
        ],
        **site.key("KmsKeyId"),
        **site.tagged(),
    }


def endpoint(name: str, config: str, site: Site) -> Request:
    """``create_endpoint``."""
    return {"EndpointName": name, "EndpointConfigName": config, **site.tagged()}


def endpoint_update(name: str, config: str, alarms: Sequence[str] = ()) -> Request:
    """``update_endpoint``: a tenth of the traffic first, the rest after ten minutes, and back to
    what served before when one of the ``alarms`` rings.

    Variants that stay have as many instances as they had grown to. Those that change their machine
    or go must not be scaled meanwhile: see `unscaled`.
    """
    rollback: Request = {}
    if alarms:
        names = [{"AlarmName": alarm} for alarm in alarms]
        rollback = {"AutoRollbackConfiguration": {"Alarms": names}}
    return {
        "EndpointName": name,
        "EndpointConfigName": config,
        "RetainAllVariantProperties": True,
        "ExcludeRetainedVariantProperties": [
            {"VariantPropertyType": "DesiredWeight"},
            {"VariantPropertyType": "DataCaptureConfig"},
        ],
        "DeploymentConfig": {
            "BlueGreenUpdatePolicy": {
                "TrafficRoutingConfiguration": {
                    "Type": "CANARY",
                    "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10},
                    "WaitIntervalInSeconds": 600,
                },
                "TerminationWaitInSeconds": 300,
            },
            **rollback,
        },
    }


def unscaled(endpoint_name: str, variant: str) -> Request:
    """``deregister_scalable_target``: the variant keeps the instances that it has."""
    return _scaled(endpoint_name, variant)


def scalable_target(endpoint_name: str, variant: str, least: int, most: int) -> Request:
    """``register_scalable_target``: between how many instances a variant may have."""
    return {**_scaled(endpoint_name, variant), "MinCapacity": least, "MaxCapacity": most}


def scaling_policy(endpoint_name: str, variant: str, per_minute: float = 1500.0) -> Request:
    """``put_scaling_policy``: as many instances as keep each at so many calls a minute.

    Growing is quick and shrinking slow. One ml.c7i.large has two cores, which fuse in about 10 ms.
    """
    return {
        "PolicyName": f"{endpoint_name}-{variant}-invocations",
        "PolicyType": "TargetTrackingScaling",
        **_scaled(endpoint_name, variant),
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": per_minute,
            "PredefinedMetricSpecification": {"PredefinedMetricType": INVOCATIONS},
            "ScaleOutCooldown": 60,
            "ScaleInCooldown": 600,
        },
    }


def transform_job(
    name: str,
    model_name: str,
    site: Site,
    input_url: str,
    output_url: str,
    machine: Machine | None = None,
) -> Request:
    """``create_transform_job``: one answer for each line of the input, in the same order."""
    machine = machine or Machine("ml.c7i.xlarge")
    return {
        "TransformJobName": name,
        "ModelName": model_name,
        "BatchStrategy": "MultiRecord",
        "MaxPayloadInMB": TRANSFORM_MB,
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": input_url}},
            "ContentType": JSON_LINES,
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": output_url,
            "Accept": JSON_LINES,
            "AssembleWith": "Line",
            **site.key("KmsKeyId"),
        },
        "TransformResources": {
            "InstanceType": machine.kind,
            "InstanceCount": 1,
            **site.key("VolumeKmsKeyId"),
        },
        **site.tagged(),
    }


def _channel(name: str, url: str) -> Request:
    return {
        "ChannelName": name,
        "InputMode": "File",
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": url,
                "S3DataDistributionType": "FullyReplicated",
            }
        },
    }


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _scaled(endpoint_name: str, variant: str) -> Request:
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint_name}/variant/{variant}",
        "ScalableDimension": DIMENSION,
    }
