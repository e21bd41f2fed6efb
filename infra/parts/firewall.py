"""AWS WAF in front of the load balancer and of sign-in."""

from collections.abc import Mapping

from aws_cdk import aws_logs, aws_wafv2
from constructs import Construct

from infra.environment import Environment

REQUESTS_PER_ADDRESS = 3000
"""In five minutes: ten a second."""
MANAGED: Mapping[str, tuple[str, ...]] = {
    # Wishes and messages are longer than 8 KB at times, and the application limits them itself.
    "AWSManagedRulesCommonRuleSet": ("SizeRestrictions_BODY",),
    "AWSManagedRulesKnownBadInputsRuleSet": (),
    "AWSManagedRulesAmazonIpReputationList": (),
}
"""AWS's rule groups; the rules that are only counted."""


class Firewall(aws_wafv2.CfnWebACL):
    """AWS's rules against known attacks, and a limit for each address."""

    def __init__(
        self, scope: Construct, id: str, environment: Environment, log: aws_logs.ILogGroup
    ) -> None:
        super().__init__(
            scope,
            id,
            name=f"reelwise-{environment.name}",
            scope="REGIONAL",
            default_action={"allow": {}},
            visibility_config=_seen("firewall"),
            rules=[_limit(0), *(_managed(n, name) for n, name in enumerate(MANAGED, 1))],
        )
        aws_wafv2.CfnLoggingConfiguration(
            scope,
            f"{id}Logging",
            resource_arn=self.attr_arn,
            log_destination_configs=[log.log_group_arn],
            redacted_fields=[
                {"singleHeader": {"Name": name}} for name in ("authorization", "cookie")
            ],
        )

    def protect(self, id: str, arn: str) -> None:
        """Stand before a load balancer or a user pool."""
        aws_wafv2.CfnWebACLAssociation(self, id, resource_arn=arn, web_acl_arn=self.attr_arn)


def _limit(priority: int) -> aws_wafv2.CfnWebACL.RuleProperty:
    return aws_wafv2.CfnWebACL.RuleProperty(
        name="limit-per-address",
        priority=priority,
        action={"block": {"customResponse": {"responseCode": 429}}},
        statement={"rateBasedStatement": {"limit": REQUESTS_PER_ADDRESS, "aggregateKeyType": "IP"}},
        visibility_config=_seen("limit-per-address"),
    )


def _managed(priority: int, name: str) -> aws_wafv2.CfnWebACL.RuleProperty:
    counted = [{"name": rule, "actionToUse": {"count": {}}} for rule in MANAGED[name]]
    group = {"vendorName": "AWS", "name": name, "ruleActionOverrides": counted}
    return aws_wafv2.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        override_action={"none": {}},
        statement={"managedRuleGroupStatement": group},
        visibility_config=_seen(name),
    )


def _seen(name: str) -> aws_wafv2.CfnWebACL.VisibilityConfigProperty:
    return aws_wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )
