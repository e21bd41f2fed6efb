"""The SageMaker pipeline that learns from swipes and registers what it learned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.process_settings import ENDPOINT_PORT, training

Step = dict[str, Any]
INSTANCE = "ml.m6i.xlarge"
SERVING_INSTANCES = ("ml.c6i.large", "ml.c6i.xlarge", "ml.m6i.large")
OUTPUT = "/opt/ml/processing/output"
HOUR = 3600


@dataclass(frozen=True)
class Parts:
    """What the steps are made of: images, places and rights, as CDK tokens."""

    app_image: str
    training_image: str
    serving_image: str
    bucket: str
    key: str
    role: str
    subnets: Sequence[str]
    groups: Sequence[str]
    variables: Mapping[str, str]
    packages: str


def definition(parts: Parts) -> dict[str, Any]:
    """Export the swipes, train on them on spot instances, register the model for approval."""
    return {
        "Version": "2020-12-01",
        "Parameters": [{"Name": "Steps", "Type": "String", "DefaultValue": "900"}],
        "Steps": [_export(parts), _train(parts), _register(parts)],
    }


def _export(parts: Parts) -> Step:
    return {
        "Name": "ExportSwipes",
        "Type": "Processing",
        "Arguments": {
            "AppSpecification": {
                "ImageUri": parts.app_image,
                "ContainerEntrypoint": ["reelwise"],
                "ContainerArguments": ["export-swipes", "--out", f"{OUTPUT}/swipes.jsonl"],
            },
            "Environment": dict(parts.variables),
            "ProcessingResources": {"ClusterConfig": _machine(parts)},
            "ProcessingOutputConfig": {
                "KmsKeyId": parts.key,
                "Outputs": [
                    {
                        "OutputName": "swipes",
                        "S3Output": {
                            "S3Uri": f"s3://{parts.bucket}/training/swipes",
                            "LocalPath": OUTPUT,
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                ],
            },
            "NetworkConfig": {
                "EnableInterContainerTrafficEncryption": True,
                "VpcConfig": {
                    "Subnets": list(parts.subnets),
                    "SecurityGroupIds": list(parts.groups),
                },
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": HOUR},
            "RoleArn": parts.role,
        },
    }


def _train(parts: Parts) -> Step:
    """On spot instances: one that is taken away goes on from the checkpoints."""
    return {
        "Name": "Train",
        "Type": "Training",
        "DependsOn": ["ExportSwipes"],
        "Arguments": {
            "AlgorithmSpecification": {
                "TrainingImage": parts.training_image,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["reelwise"],
                "ContainerArguments": ["train"],
            },
            "Environment": {**training(), "SM_HP_STEPS": {"Get": "Parameters.Steps"}},
            "InputDataConfig": [
                {
                    "ChannelName": "train",
                    "DataSource": {
                        "S3DataSource": {
                            "S3DataType": "S3Prefix",
                            "S3Uri": f"s3://{parts.bucket}/training/swipes",
                            "S3DataDistributionType": "FullyReplicated",
                        }
                    },
                }
            ],
            "OutputDataConfig": {
                "S3OutputPath": f"s3://{parts.bucket}/models",
                "KmsKeyId": parts.key,
            },
            "ResourceConfig": _machine(parts),
            "EnableManagedSpotTraining": True,
            "CheckpointConfig": {
                "S3Uri": f"s3://{parts.bucket}/training/checkpoints",
                "LocalPath": training()["SM_CHECKPOINT_DIR"],
            },
            "StoppingCondition": {
                "MaxRuntimeInSeconds": 6 * HOUR,
                "MaxWaitTimeInSeconds": 12 * HOUR,
            },
            "EnableNetworkIsolation": True,
            "RoleArn": parts.role,
        },
    }


def _register(parts: Parts) -> Step:
    return {
        "Name": "Register",
        "Type": "RegisterModel",
        "Arguments": {
            "ModelPackageGroupName": parts.packages,
            "ModelApprovalStatus": "PendingManualApproval",
            "InferenceSpecification": {
                "Containers": [
                    {
                        "Image": parts.serving_image,
                        "ModelDataUrl": {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"},
                        "Environment": {"SAGEMAKER_BIND_TO_PORT": str(ENDPOINT_PORT)},
                    }
                ],
                "SupportedContentTypes": ["application/json", "application/jsonlines"],
                "SupportedResponseMIMETypes": ["application/json", "application/jsonlines"],
                "SupportedRealtimeInferenceInstanceTypes": list(SERVING_INSTANCES),
                "SupportedTransformInstanceTypes": list(SERVING_INSTANCES),
            },
        },
    }


def _machine(parts: Parts) -> dict[str, Any]:
    return {
        "InstanceCount": 1,
        "InstanceType": INSTANCE,
        "VolumeSizeInGB": 30,
        "VolumeKmsKeyId": parts.key,
    }
