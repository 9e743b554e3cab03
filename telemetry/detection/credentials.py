"""Tokens and other secrets in text, by the forms that ``detect-secrets`` knows."""

import re
from typing import Final

from detect_secrets.plugins.artifactory import ArtifactoryDetector
from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.basic_auth import BasicAuthDetector
from detect_secrets.plugins.discord import DiscordBotTokenDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.high_entropy_strings import Base64HighEntropyString
from detect_secrets.plugins.jwt import JwtTokenDetector
from detect_secrets.plugins.mailchimp import MailchimpDetector
from detect_secrets.plugins.npm import NpmDetector
from detect_secrets.plugins.openai import OpenAIDetector
from detect_secrets.plugins.private_key import PrivateKeyDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.stripe import StripeDetector
from detect_secrets.plugins.telegram_token import TelegramBotTokenDetector
from detect_secrets.plugins.twilio import TwilioKeyDetector

__all__ = ["has_secret", "is_secret"]

# Those that tell a secret by its own form. The others look for assignments in source code, or ask the network.
_PLUGINS: Final[tuple[RegexBasedDetector, ...]] = (
    ArtifactoryDetector(),
    AWSKeyDetector(),
    AzureStorageKeyDetector(),
    BasicAuthDetector(),
    DiscordBotTokenDetector(),
    GitHubTokenDetector(),
    GitLabTokenDetector(),
    JwtTokenDetector(),
    MailchimpDetector(),
    NpmDetector(),
    OpenAIDetector(),
    PrivateKeyDetector(),
    PypiTokenDetector(),
    SendGridDetector(),
    SlackDetector(),
    SquareOAuthDetector(),
    StripeDetector(),
    TelegramBotTokenDetector(),
    TwilioKeyDetector(),
)
# Our own keys (see ``tenants.keys``), and those of services that the library does not know, as these document them.
_MORE: Final = re.compile(
    r"\b(?:tgs_(?:dev|stg|prd)_(?:app|usr)_\w{8}_\w{49}|npm_[A-Za-z0-9]{36}|github_pat_\w{82}|hf_[A-Za-z]{34}"
    r"|sk-(?:ant|proj)-[\w-]{20,200}|AIza[\w-]{35}|dop_v1_[0-9a-f]{64}|shp(?:at|ss|ca)_[0-9a-f]{32})(?![\w-])"
)
# What is long enough to be a secret, the name of a key in a file of keys, or a password in an address.
_CANDIDATE: Final = re.compile(r"[\w\-+/=.:]{18}|-----BEGIN|PuTTY-User-Key|://[^/\s]*:[^/\s]*@")
_WHOLE: Final = re.compile(r"(?:Bearer |Basic |Token )?[A-Za-z0-9_\-+/=.]{16,512}\Z")
_ENTROPY: Final = Base64HighEntropyString()
# Bits for each character: words stay below it, random text in base 16 and up from 16 characters is above.
_LEAST_BITS: Final = 3.0


def has_secret(text: str) -> bool:
    """Whether the text holds a credential of a known form."""
    if not _CANDIDATE.search(text):
        return False
    return _MORE.search(text) is not None or any(True for plugin in _PLUGINS for _ in plugin.analyze_string(text))


def is_secret(text: str) -> bool:
    """Whether the whole text is as random as a secret; for properties whose name says that they hold one."""
    if not _WHOLE.match(text) or not any(character.isdigit() for character in text):
        return False
    return _ENTROPY.calculate_shannon_entropy(text) >= _LEAST_BITS
