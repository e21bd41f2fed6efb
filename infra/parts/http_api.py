"""The API Gateway before the REST function."""

import json
from typing import cast

from aws_cdk import (
    Duration,
    aws_apigatewayv2,
    aws_apigatewayv2_authorizers,
    aws_apigatewayv2_integrations,
    aws_certificatemanager,
    aws_lambda,
    aws_logs,
    aws_route53,
    aws_route53_targets,
)
from constructs import Construct

from infra.accepted import accept
from infra.environment import Environment
from infra.process_settings import SignIn

LOGGED = {
    name: f"$context.{name}"
    for name in (
        *("requestId", "requestTime", "httpMethod", "routeKey", "status", "responseLatency"),
        *("integrationErrorMessage", "authorizer.error", "identity.sourceIp"),
    )
}
"""Of each request, without paths and queries: they may name people."""


class HttpApi(Construct):
    """One host name; every route but ``/healthz`` asks for a token of the user pool.

    HTTP APIs know no usage plans: the quota of each user is kept by the application.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        environment: Environment,
        function: aws_lambda.IFunction,
        zone: aws_route53.IHostedZone,
        sign_in: SignIn,
        log: aws_logs.ILogGroup,
    ) -> None:
        super().__init__(scope, id)
        self.api = aws_apigatewayv2.HttpApi(
            self,
            "Api",
            api_name=f"reelwise-{environment.name}",
            create_default_stage=False,
            disable_execute_api_endpoint=True,  # there is one door
            default_authorizer=aws_apigatewayv2_authorizers.HttpJwtAuthorizer(
                "UserPool", sign_in.issuer, jwt_audience=list(sign_in.audiences)
            ),
        )
        self._route(function)
        name = self._named(f"api.{environment.domain}", zone)
        self.stage = self._stage(environment, name, log)

    def _route(self, function: aws_lambda.IFunction) -> None:
        to_function = aws_apigatewayv2_integrations.HttpLambdaIntegration(
            "Rest", function, timeout=Duration.seconds(29)
        )
        methods = aws_apigatewayv2.HttpMethod
        self.api.add_routes(path="/{proxy+}", methods=[methods.ANY], integration=to_function)
        open_ = self.api.add_routes(
            path="/healthz",
            methods=[methods.GET],
            integration=to_function,
            authorizer=aws_apigatewayv2.HttpNoneAuthorizer(),
        )
        for route in open_:
            accept(route, "Says that the service lives, and nothing else.", "APIG4")

    def _named(self, host: str, zone: aws_route53.IHostedZone) -> aws_apigatewayv2.DomainName:
        certificate = aws_certificatemanager.Certificate(
            self,
            "Certificate",
            domain_name=host,
            validation=aws_certificatemanager.CertificateValidation.from_dns(zone),
        )
        name = aws_apigatewayv2.DomainName(self, "Name", domain_name=host, certificate=certificate)
        aws_route53.ARecord(
            self,
            "Record",
            zone=zone,
            record_name=f"{host}.",
            target=aws_route53.RecordTarget.from_alias(
                aws_route53_targets.ApiGatewayv2DomainProperties(
                    name.regional_domain_name, name.regional_hosted_zone_id
                )
            ),
        )
        return name

    def _stage(
        self, environment: Environment, name: aws_apigatewayv2.DomainName, log: aws_logs.ILogGroup
    ) -> aws_apigatewayv2.HttpStage:
        rate = environment.requests_per_second
        stage = aws_apigatewayv2.HttpStage(
            self,
            "Stage",
            http_api=self.api,
            stage_name="$default",
            auto_deploy=True,
            detailed_metrics_enabled=True,
            domain_mapping=aws_apigatewayv2.DomainMappingOptions(domain_name=name),
            throttle=aws_apigatewayv2.ThrottleSettings(rate_limit=rate, burst_limit=2 * rate),
        )
        settings = aws_apigatewayv2.CfnStage.AccessLogSettingsProperty(
            destination_arn=log.log_group_arn, format=json.dumps(LOGGED)
        )
        cast(aws_apigatewayv2.CfnStage, stage.node.default_child).access_log_settings = settings
        return stage
