"""The monthly budget of an environment."""

from aws_cdk import aws_budgets
from constructs import Construct

from infra.environment import Environment

WARNINGS = (("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 110))


class Budget(aws_budgets.CfnBudget):
    """Writes an e-mail when money was, or will be, spent; counts what bears the project's tags."""

    def __init__(self, scope: Construct, id: str, environment: Environment) -> None:
        to = aws_budgets.CfnBudget.SubscriberProperty(
            address=environment.alarm_email, subscription_type="EMAIL"
        )
        super().__init__(
            scope,
            id,
            budget=aws_budgets.CfnBudget.BudgetDataProperty(
                budget_name=f"reelwise-{environment.name}",
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=aws_budgets.CfnBudget.SpendProperty(
                    amount=environment.monthly_budget, unit="USD"
                ),
                cost_filters={"TagKeyValue": [f"user:environment${environment.name}"]},
            ),
            notifications_with_subscribers=[
                aws_budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=_past(kind, percent), subscribers=[to]
                )
                for kind, percent in WARNINGS
            ],
        )


def _past(kind: str, percent: int) -> aws_budgets.CfnBudget.NotificationProperty:
    return aws_budgets.CfnBudget.NotificationProperty(
        notification_type=kind,
        comparison_operator="GREATER_THAN",
        threshold=percent,
        threshold_type="PERCENTAGE",
    )
