"""Cognito: who people are, for the chat (authorization code) and for REST (their tokens)."""

from aws_cdk import Duration, aws_cognito
from constructs import Construct

from infra.environment import Environment
from infra.parts.removal import removal

CANARY_SCOPE = "walk"


class Users(aws_cognito.UserPool):
    """People sign in with their e-mail address and a second factor."""

    def __init__(self, scope: Construct, id: str, environment: Environment) -> None:
        super().__init__(
            scope,
            id,
            user_pool_name=f"reelwise-{environment.name}",
            feature_plan=aws_cognito.FeaturePlan.PLUS,
            standard_threat_protection_mode=(
                aws_cognito.StandardThreatProtectionMode.FULL_FUNCTION
            ),
            self_sign_up_enabled=True,
            sign_in_aliases=aws_cognito.SignInAliases(email=True),
            auto_verify=aws_cognito.AutoVerifiedAttrs(email=True),
            account_recovery=aws_cognito.AccountRecovery.EMAIL_ONLY,
            mfa=aws_cognito.Mfa.REQUIRED,
            mfa_second_factor=aws_cognito.MfaSecondFactor(otp=True, sms=False),
            password_policy=aws_cognito.PasswordPolicy(
                min_length=12,
                require_digits=True,
                require_lowercase=True,
                require_uppercase=True,
                require_symbols=True,
            ),
            deletion_protection=environment.protected,
            removal_policy=removal(environment),
        )
        self.sign_in = self.add_domain(
            "SignIn",
            cognito_domain=aws_cognito.CognitoDomainOptions(
                domain_prefix=f"reelwise-{environment.name}-{environment.zone_id.lower()}"
            ),
        )
        self.chat = self._chat_client(environment)
        self.canary = self._canary_client()

    @property
    def sign_in_host(self) -> str:
        """The host name of the sign-in pages."""
        return str(self.sign_in.base_url()).removeprefix("https://")

    def _chat_client(self, environment: Environment) -> aws_cognito.UserPoolClient:
        chat = f"https://chat.{environment.domain}"
        return self.add_client(
            "Chat",
            generate_secret=True,
            prevent_user_existence_errors=True,
            o_auth=aws_cognito.OAuthSettings(
                flows=aws_cognito.OAuthFlows(authorization_code_grant=True),
                scopes=[
                    aws_cognito.OAuthScope.OPENID,
                    aws_cognito.OAuthScope.PROFILE,
                    aws_cognito.OAuthScope.EMAIL,
                ],
                callback_urls=[f"{chat}/auth/oauth/aws-cognito/callback"],
                logout_urls=[chat],
            ),
            supported_identity_providers=[aws_cognito.UserPoolClientIdentityProvider.COGNITO],
            access_token_validity=Duration.hours(1),
        )

    def _canary_client(self) -> aws_cognito.UserPoolClient:
        """A machine that signs in as itself, and so acts for itself alone."""
        walk = aws_cognito.ResourceServerScope(
            scope_name=CANARY_SCOPE, scope_description="Use the API as the canary"
        )
        server = self.add_resource_server("Api", identifier="reelwise", scopes=[walk])
        return self.add_client(
            "Canary",
            generate_secret=True,
            o_auth=aws_cognito.OAuthSettings(
                flows=aws_cognito.OAuthFlows(client_credentials=True),
                scopes=[aws_cognito.OAuthScope.resource_server(server, walk)],
            ),
            access_token_validity=Duration.minutes(15),
        )
