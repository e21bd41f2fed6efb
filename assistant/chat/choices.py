"""What people can set for their own searches, in the panel beside the message box."""

from collections.abc import Mapping
from typing import Any

import chainlit as cl
from chainlit.input_widget import InputWidget, Select, Slider, Switch
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from prompts import phrase
from recommender.experiments.variants import Variant
from recommender.models import MAX_TASTE
from tools.context import DEFAULT_K, SearchDefaults

MOST_FILMS = 30
_AS_USUAL = "usual"
_VARIANTS = ("embedding_fusion", "preference_vector", "generic")


class Choices(BaseModel):
    """How many films, whether with reasons, how much taste counts, and the way of searching."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    k: int = Field(default=DEFAULT_K, ge=1, le=MOST_FILMS)
    explain: bool = True
    taste: float = Field(default=1.0, ge=0, le=MAX_TASTE)
    variant: Variant | None = None

    @classmethod
    def of(cls, sent: Mapping[str, Any]) -> "Choices":
        """What the page sent; the usual where that cannot be."""
        try:
            return cls.model_validate({k: v for k, v in sent.items() if v != _AS_USUAL})
        except ValidationError:
            return cls()

    @classmethod
    def current(cls) -> "Choices":
        """The choices of the conversation that is being served."""
        return cls.of(cl.user_session.get("chat_settings") or {})

    @property
    def defaults(self) -> SearchDefaults:
        """The part that the search tool goes by."""
        return SearchDefaults(self.k, self.taste, self.variant)

    async def offer(self) -> None:
        """Show the panel, set to these, and go by them."""
        cl.context.session.chat_settings = self.model_dump()
        await cl.ChatSettings(self._inputs()).refresh()

    def _inputs(self) -> list[InputWidget]:
        variants = {phrase(f"choices.{name}"): name for name in (_AS_USUAL, *_VARIANTS)}
        return [
            Slider("k", phrase("choices.k"), initial=self.k, min=1, max=MOST_FILMS, step=1),
            Switch("explain", phrase("choices.explain"), initial=self.explain),
            Slider(
                "taste",
                phrase("choices.taste"),
                initial=self.taste,
                min=0,
                max=MAX_TASTE,
                step=0.25,
                tooltip=phrase("choices.taste_hint"),
            ),
            Select(
                "variant",
                phrase("choices.variant"),
                initial_value=self.variant or _AS_USUAL,
                items=variants,
            ),
        ]
