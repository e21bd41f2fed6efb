"""The load balancer and the gateway: encrypted, guarded, fit for sockets, limited."""

from tests.aws.assembly import Assembly


def test_the_load_balancer_keeps_sockets_open_and_drops_bad_headers(prod: Assembly) -> None:
    balancer = prod.one("AWS::ElasticLoadBalancingV2::LoadBalancer")
    told = {each["Key"]: each["Value"] for each in balancer["LoadBalancerAttributes"]}
    pings = 25  # seconds between two of Socket.IO's
    assert int(told["idle_timeout.timeout_seconds"]) > 2 * pings
    assert told["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert told["access_logs.s3.enabled"] == "true"
    assert told["deletion_protection.enabled"] == "true"


def test_people_stay_with_the_task_of_their_conversation(prod: Assembly) -> None:
    targets = prod.one("AWS::ElasticLoadBalancingV2::TargetGroup")
    told = {each["Key"]: each["Value"] for each in targets["TargetGroupAttributes"]}
    assert told["stickiness.enabled"] == "true"
    assert told["stickiness.type"] == "lb_cookie"
    assert int(told["stickiness.lb_cookie.duration_seconds"]) >= 3600
    assert targets["HealthCheckPath"] == "/readyz"


def test_plain_http_is_sent_to_https(prod: Assembly) -> None:
    listeners = prod.properties("AWS::ElasticLoadBalancingV2::Listener").values()
    by_port = {each["Port"]: each for each in listeners}
    assert by_port[443]["Protocol"] == "HTTPS"
    assert "TLS13" in by_port[443]["SslPolicy"]
    assert by_port[80]["DefaultActions"][0]["Type"] == "redirect"


def test_the_firewall_stands_before_chat_and_sign_in(prod: Assembly) -> None:
    guarded = prod.properties("AWS::WAFv2::WebACLAssociation").values()
    assert len(guarded) == 2
    rules = {each["Name"]: each for each in prod.one("AWS::WAFv2::WebACL")["Rules"]}
    assert "limit-per-address" in rules
    assert "AWSManagedRulesCommonRuleSet" in rules


def test_the_service_rolls_back_and_waits_for_the_new_tasks(prod: Assembly) -> None:
    deployment = prod.one("AWS::ECS::Service")["DeploymentConfiguration"]
    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    assert deployment["Alarms"]["Rollback"] is True
    assert deployment["MinimumHealthyPercent"] == 100


def test_tasks_are_private_and_cannot_write_to_their_disk(prod: Assembly) -> None:
    network = prod.one("AWS::ECS::Service")["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert network["AssignPublicIp"] == "DISABLED"
    for task in prod.properties("AWS::ECS::TaskDefinition").values():
        for container in task["ContainerDefinitions"]:
            assert container["ReadonlyRootFilesystem"] is True
            assert not [name for name in _names(container) if "SECRET" in name]


def test_the_gateway_throttles_and_asks_for_a_token(prod: Assembly) -> None:
    settings = prod.one("AWS::ApiGatewayV2::Stage")["DefaultRouteSettings"]
    assert settings["ThrottlingRateLimit"] == 1000
    assert settings["ThrottlingBurstLimit"] == 2000
    routes = prod.properties("AWS::ApiGatewayV2::Route").values()
    kinds = {route["RouteKey"]: route["AuthorizationType"] for route in routes}
    assert kinds == {"ANY /{proxy+}": "JWT", "GET /healthz": "NONE"}
    assert prod.one("AWS::ApiGatewayV2::Api")["DisableExecuteApiEndpoint"] is True


def test_a_new_function_takes_over_step_by_step(prod: Assembly) -> None:
    group = prod.one("AWS::CodeDeploy::DeploymentGroup")
    assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
    assert group["AutoRollbackConfiguration"]["Enabled"] is True
    assert group["AlarmConfiguration"]["Enabled"] is True


def _names(container: dict[str, list[dict[str, str]]]) -> list[str]:
    return [each["Name"] for each in container.get("Environment", [])]
