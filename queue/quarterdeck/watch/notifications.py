"""Telling people: alerts go to webhooks, signed, with a few tries, and never hold anything up.

In `quarterdeck.toml`:

    [watch]
    webhooks = ["https://example.org/hooks/oncall"]
    secret = "…"        # optional: signs the body (HMAC-SHA256, header X-Quarterdeck-Signature)
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

import aiohttp
import msgspec

from quarterdeck.errors import SettingsError
from quarterdeck.text import mask_url
from quarterdeck.watch.rules import Alert

logger = logging.getLogger("quarterdeck.watch")

TRIES: Final = 4
TIMEOUT_S: Final = 10.0
SIGNATURE: Final = "X-Quarterdeck-Signature"


class Notifier:
    """Posts alerts as JSON: `{"rule", "firing", "text", "since_ms", "at_ms", "environment"}`."""

    def __init__(
        self, webhooks: Sequence[str], *, secret: str = "", environment: str = "", backoff_s: float = 1.0
    ) -> None:
        self._webhooks = tuple(webhooks)
        self._secret = secret.encode()
        self._environment = environment
        self._backoff_s = backoff_s
        self.sent = 0
        self.dropped = 0

    @classmethod
    def of(cls, table: Mapping[str, Any], environment: str) -> Notifier:
        """The notifier that the settings' `[watch]` describes."""
        webhooks = tuple(table.get("webhooks", ()))
        for webhook in webhooks:
            if not webhook.startswith(("http://", "https://")):
                raise SettingsError(f"The webhook '{mask_url(webhook)}' of [watch] is no URL.", "Write https://….")
        return cls(webhooks, secret=str(table.get("secret", "")), environment=environment)

    async def tell(self, alerts: Sequence[Alert]) -> None:
        """Post every alert to every webhook; what can't be delivered is counted and logged."""
        if not alerts or not self._webhooks:
            return
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            await asyncio.gather(
                *(self._post(session, webhook, alert) for alert in alerts for webhook in self._webhooks)
            )

    async def _post(self, session: aiohttp.ClientSession, webhook: str, alert: Alert) -> None:
        body = msgspec.json.encode({**msgspec.structs.asdict(alert), "environment": self._environment})
        headers = {"Content-Type": "application/json"}
        if self._secret:
            headers[SIGNATURE] = "sha256=" + hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        for attempt in range(TRIES):
            try:
                async with session.post(webhook, data=body, headers=headers) as answer:
                    if answer.status < 300:
                        self.sent += 1
                        return
                    reason = f"status {answer.status}"
                    if 400 <= answer.status < 500 and answer.status != 429:
                        break
            except (aiohttp.ClientError, TimeoutError) as error:
                reason = str(error) or type(error).__name__
            await asyncio.sleep(self._backoff_s * 2**attempt)
        self.dropped += 1
        logger.warning("The alert '%s' did not reach %s: %s", alert.rule, mask_url(webhook), reason)
