"""What keeps state: encrypted, restorable, private, and keyed as the stores read it."""

import pytest
from sqlalchemy import create_engine, make_url, text

from infra.parts.database import USER
from infra.parts.database_user import STATEMENTS
from recommender.stores.dynamodb.tables import EXPIRES_AT, SHAPES, Shape
from recommender.stores.postgres import Database
from tests.aws.assembly import Assembly, Properties
from tests.conftest import new_database


@pytest.mark.parametrize(("name", "shape"), SHAPES.items(), ids=SHAPES)
def test_a_table_is_keyed_as_its_store_reads_it(prod: Assembly, name: str, shape: Shape) -> None:
    definition = shape.definition(f"reelwise-prod-{name}")
    table = _table(prod, definition["TableName"])
    same = ("KeySchema", "BillingMode", "GlobalSecondaryIndexes")
    assert {key: table.get(key) for key in same} == {key: definition.get(key) for key in same}
    assert _by_name(table) == _by_name(definition)


@pytest.mark.parametrize("name", SHAPES)
def test_a_table_is_encrypted_restorable_and_forgets(prod: Assembly, name: str) -> None:
    table = _table(prod, f"reelwise-prod-{name}")
    assert table["SSESpecification"]["SSEType"] == "KMS"
    assert table["SSESpecification"]["KMSMasterKeyId"]
    recovery = table["PointInTimeRecoverySpecification"]
    assert recovery["PointInTimeRecoveryEnabled"] is True
    assert table["TimeToLiveSpecification"] == {"AttributeName": EXPIRES_AT, "Enabled": True}
    assert table["DeletionProtectionEnabled"] is True


def test_the_database_is_private_encrypted_and_asks_for_tls_and_iam(prod: Assembly) -> None:
    cluster = prod.one("AWS::RDS::DBCluster")
    assert cluster["StorageEncrypted"] is True
    assert cluster["KmsKeyId"]
    assert cluster["EnableIAMDatabaseAuthentication"] is True
    assert cluster["ManageMasterUserPassword"] is True
    assert "MasterUserPassword" not in cluster
    assert cluster["DeletionProtection"] is True
    assert cluster["BackupRetentionPeriod"] >= 14
    assert cluster["ServerlessV2ScalingConfiguration"] == {"MinCapacity": 1, "MaxCapacity": 32}
    instances = prod.properties("AWS::RDS::DBInstance").values()
    assert len(instances) == 2
    assert all(each["PubliclyAccessible"] is False for each in instances)
    assert prod.one("AWS::RDS::DBClusterParameterGroup")["Parameters"]["rds.force_ssl"] == "1"


def test_only_its_group_reaches_the_database(prod: Assembly) -> None:
    database = prod.templates["data"]["Resources"]
    rules = {
        name: each["Properties"]
        for name, each in database.items()
        if each["Type"] == "AWS::EC2::SecurityGroupIngress"
    }
    [rule] = rules.values()
    assert "Clients" in rule["SourceSecurityGroupId"]["Fn::GetAtt"][0]
    groups = [
        each["Properties"]
        for each in database.values()
        if each["Type"] == "AWS::EC2::SecurityGroup"
    ]
    assert not any(group.get("SecurityGroupIngress") for group in groups)


def test_the_subnets_of_the_database_have_no_way_out(prod: Assembly) -> None:
    routes = prod.properties("AWS::EC2::Route")
    assert routes
    assert not [name for name in routes if "data" in name.split("/")[1]]


def test_buckets_are_closed_and_encrypted(prod: Assembly) -> None:
    buckets = prod.properties("AWS::S3::Bucket").values()
    assert buckets
    for bucket in buckets:
        assert all(bucket["PublicAccessBlockConfiguration"].values())
        assert bucket["BucketEncryption"]
    policies = str(prod.properties("AWS::S3::BucketPolicy"))
    assert policies.count("'aws:SecureTransport': 'false'") == len(buckets)


def test_the_set_up_of_the_database_can_be_repeated_and_suffices_to_migrate(
    postgres_url: str,
) -> None:
    with new_database(postgres_url) as url:
        master = create_engine(url, isolation_level="AUTOCOMMIT")
        with master.connect() as connection:
            connection.execute(text("CREATE ROLE rds_iam"))  # RDS has it
            try:
                for statement in [*STATEMENTS.values(), *STATEMENTS.values()]:
                    connection.execute(text(statement))
                database = Database(_as(url, USER))
                database.migrate()
                with database.connect() as own:
                    kind = own.execute(text("SELECT '[1,2]'::vector <=> '[1,2]'")).scalar()
                    user = own.execute(text("SELECT current_user")).scalar()
                database.close()
            finally:
                connection.execute(text(f"DROP OWNED BY {USER}; DROP ROLE {USER}, rds_iam"))
        master.dispose()
    assert kind == 0
    assert user == USER


def _as(url: str, user: str) -> str:
    return make_url(url).set(username=user, password=None).render_as_string(hide_password=False)


def _table(assembly: Assembly, name: str) -> Properties:
    tables = assembly.properties("AWS::DynamoDB::Table").values()
    [table] = [each for each in tables if each["TableName"] == name]
    return table


def _by_name(definition: Properties) -> dict[str, str]:
    attributes = definition["AttributeDefinitions"]
    return {each["AttributeName"]: each["AttributeType"] for each in attributes}
