"""Named errors of model calls. `code` is what the Service API answers."""

from __future__ import annotations


class ModelError(Exception):
    """A model call that did not succeed. The sentence never holds a prompt or a credential."""

    code = "completion_request_error"


class ModelNotConfigured(ModelError):
    """No usable credential or no such model in the workspace."""

    code = "provider_not_initialize"


class ModelNotSupported(ModelError):
    """The provider does not offer this model."""

    code = "model_currently_not_support"


class BadCredential(ModelError):
    """The provider refused the key (401, 403)."""

    code = "provider_not_initialize"


class QuotaExceeded(ModelError):
    """The account's credit is used up."""

    code = "provider_quota_exceeded"


class RateLimited(ModelError):
    """Too many requests (429). `retry_after_s` is the provider's wish, None when it gave none."""

    code = "rate_limit_error"

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class BadRequest(ModelError):
    """The provider refused the request (other 4xx)."""


class WindowOverflow(BadRequest):
    """The provider says the prompt is too long. `ChatModel` turns it into `ContextExceeded`."""


class ModelUnavailable(ModelError):
    """The provider could not be reached, answered 5xx, or stopped answering.

    `is_retryable` is False when waiting was already long (a read timeout).
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None, is_retryable: bool = True) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.is_retryable = is_retryable


class StreamBroken(ModelError):
    """The answer's stream ended early or held something that is not of the protocol."""


class ContextExceeded(ModelError):
    """Prompt and answer do not fit the model's window. States the three numbers."""

    def __init__(self, *, window_tokens: int, prompt_tokens: int, remaining_tokens: int, model: str = "") -> None:
        self.window_tokens = window_tokens
        self.prompt_tokens = prompt_tokens
        self.remaining_tokens = remaining_tokens
        named = f" of {model}" if model else ""
        super().__init__(
            f"The prompt has {prompt_tokens} tokens and the context window{named} is {window_tokens}: "
            f"{max(remaining_tokens, 0)} tokens remain for the answer, at least 16 are needed. "
            "Shorten the prompt or choose a model with a larger window."
        )
