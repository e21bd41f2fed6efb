"""What the processes are told: the variables of each, by the names that the application reads.

The one place where infrastructure meets settings. Values may be CDK tokens, which are strings too.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
SHIPPED_MODELS = REPOSITORY / "fusion" / "models"
CHAMPION, CHALLENGER = "embedding-fusion", "token-fusion"
"""The fusions that the images hold, as folders and as production variants of the endpoint."""
CERTIFICATES = "/etc/ssl/certs/rds-global-bundle.pem"
"""Where the images hold the authorities that sign RDS's certificates."""
PORT = 8000
ENDPOINT_PORT = 8080


@dataclass(frozen=True)
class Database:
    """Where Aurora is, and who signs in there."""

    host: str
    port: int
    name: str
    user: str

    @property
    def url(self) -> str:
        """Without a password: that is a token of IAM."""
        return f"postgresql+psycopg://{self.user}@{self.host}:{self.port}/{self.name}"


@dataclass(frozen=True)
class SignIn:
    """The user pool, as OpenID Connect describes it."""

    issuer: str
    audiences: tuple[str, ...]
    host: str


@dataclass(frozen=True)
class Wiring:
    """What was deployed, as far as the processes must know it."""

    region: str
    environment: str
    database: Database
    tables: Mapping[str, str]
    domain: str
    sign_in: SignIn
    endpoint: str | None = None
    assistant_model: str | None = None
    reader: Database | None = None
    challenger: bool = False


def shipped_model_version(model: str = CHAMPION) -> str:
    """The version of a model that the images hold, as the endpoint reports it."""
    card = json.loads((SHIPPED_MODELS / model / "fusion.json").read_text(encoding="utf-8"))
    return f"{card['name']}-{card['version']}"


def namespace(environment: str) -> str:
    """Where CloudWatch keeps an environment's metrics."""
    return f"Reelwise/{environment}"


def serving(wiring: Wiring) -> dict[str, str]:
    """Of every process that recommends."""
    return {
        "DATABASE_URL": wiring.database.url,
        "DATABASE_CA_BUNDLE": CERTIFICATES,
        "DATABASE_IAM_AUTH": "true",
        **({"DATABASE_READ_URL": wiring.reader.url} if wiring.reader else {}),
        "ITEM_INDEX": "hnsw",  # many processes, small ones among them: vectors stay in Aurora
        "USER_STORE": "dynamodb",
        "DDB_SWIPES_TABLE": wiring.tables["user_swipes"],
        "DDB_PREFERENCES_TABLE": wiring.tables["user_preferences"],
        "DDB_EMBEDDINGS_CACHE_TABLE": wiring.tables["enhanced_embeddings_cache"],
        "DDB_SEARCH_CACHE_TABLE": wiring.tables["search_cache"],
        "REELWISE_HOME": "/var/reelwise",
        "METRICS": "emf",
        "METRICS_NAMESPACE": namespace(wiring.environment),
        "LOG_FORMAT": "json",
        **_fusion(wiring),
    }


def chat(wiring: Wiring) -> dict[str, str]:
    """Of the tasks that serve chat and REST; CHAINLIT_AUTH_SECRET comes as a secret."""
    return {
        **_task(wiring),
        "HOST": "0.0.0.0",  # noqa: S104 - in its own network namespace
        "PORT": str(PORT),
        **_rest_identity(wiring.sign_in),
        "CHAINLIT_URL": f"https://chat.{wiring.domain}",
        "OAUTH_COGNITO_DOMAIN": wiring.sign_in.host,
        **({"ASSISTANT_MODEL": wiring.assistant_model} if wiring.assistant_model else {}),
    }


def rest(wiring: Wiring) -> dict[str, str]:
    """Of the function behind the API Gateway, which may write to /tmp alone."""
    return {
        **serving(wiring),
        "REELWISE_HOME": "/tmp/reelwise",  # noqa: S108 - the only folder of a Lambda's own
        "DATABASE_POOL_SIZE": "2",  # one request at a time
        "HOST": "0.0.0.0",  # noqa: S104 - listens nowhere: hosts are checked by the gateway
        **_rest_identity(wiring.sign_in),
    }


def job(wiring: Wiring) -> dict[str, str]:
    """Of scheduled commands: they work ahead, so the endpoint's time limit is wider."""
    return {**_task(wiring), "SAGEMAKER_TIMEOUT": "5"}


def container(model: str = CHAMPION) -> dict[str, str]:
    """Of the container that serves one of the models its image holds."""
    return {
        "SM_MODEL_DIR": "/opt/reelwise/models",
        "FUSION_MODEL": model,
        "SAGEMAKER_BIND_TO_PORT": str(ENDPOINT_PORT),
    }


def training() -> dict[str, str]:
    """Of the training job: SageMaker's own toolkit, which would set these, is not in the image."""
    return {
        "SM_CHANNEL_TRAIN": "/opt/ml/input/data/train/swipes.jsonl",
        "SM_MODEL_DIR": "/opt/ml/model",
        "SM_CHECKPOINT_DIR": "/opt/ml/checkpoints",
    }


def _task(wiring: Wiring) -> dict[str, str]:
    """Lambda says where it runs, and lets nobody else say it; ECS does not."""
    return {"AWS_DEFAULT_REGION": wiring.region, **serving(wiring)}


def _fusion(wiring: Wiring) -> dict[str, str]:
    if wiring.endpoint is None:
        return {"FUSION_ENCODER": "embedded"}
    return {
        "FUSION_ENCODER": "sagemaker",
        "SAGEMAKER_ENDPOINT_NAME": wiring.endpoint,
        "FUSION_MODEL_VERSION": shipped_model_version(),
        **(_experiment() if wiring.challenger else {}),
    }


def _experiment() -> dict[str, str]:
    """Half of the people each; new models make a new experiment."""
    versions = {
        name.replace("-", "_"): shipped_model_version(name) for name in (CHAMPION, CHALLENGER)
    }
    return {
        "FUSION_MODEL_VERSIONS": json.dumps(versions),
        "EXPERIMENT_NAME": "-or-".join(versions.values()),
        "EXPERIMENT_VARIANTS": ",".join(f"{variant}=1" for variant in versions),
    }


def _rest_identity(sign_in: SignIn) -> dict[str, str]:
    return {
        "JWT_ISSUER": sign_in.issuer,
        "JWT_AUDIENCE": ",".join(sign_in.audiences),
        "JWT_JWKS_URL": f"{sign_in.issuer}/.well-known/jwks.json",
    }
