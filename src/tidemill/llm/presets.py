"""The providers Tidemill knows: where they answer, what they want as credentials, how app files spell them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import msgspec

Wire: TypeAlias = Literal["openai", "anthropic", "demo"]


class Text(msgspec.Struct, frozen=True):
    """A name in the console's two languages."""

    en: str
    zh: str


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One credential a provider wants. A `default` makes it optional in practice."""

    name: str
    label: Text
    kind: Literal["secret", "text"] = "text"
    is_required: bool = False
    default: str = ""
    placeholder: str = ""


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """A provider. `dify_names` are all spellings app files use; `base_url` is "" where only the user knows it."""

    id: str
    names: Text
    wire: Wire
    base_url: str
    fields: tuple[Field, ...]
    help_url: str = ""
    dify_names: tuple[str, ...] = ()
    key_variable: str = ""
    """The environment variable its key is usually kept in."""


def _key(*, is_required: bool = True, placeholder: str = "sk-...") -> Field:
    return Field(
        name="api_key",
        label=Text("API key", "API 密钥"),
        kind="secret",
        is_required=is_required,
        placeholder=placeholder,
    )


def _url(default: str = "", *, placeholder: str = "") -> Field:
    return Field(
        name="base_url",
        label=Text("Base URL", "接口地址"),
        is_required=not default,
        default=default,
        placeholder=placeholder or default,
    )


def _openai_like(
    id: str, names: Text, base_url: str, *, help_url: str, key_variable: str, others: tuple[str, ...] = ()
) -> Preset:
    return Preset(
        id=id,
        names=names,
        wire="openai",
        base_url=base_url,
        fields=(_key(), _url(base_url)),
        help_url=help_url,
        dify_names=_spellings(id, *others),
        key_variable=key_variable,
    )


def _spellings(*names: str) -> tuple[str, ...]:
    return tuple(form for name in names for form in (name, f"langgenius/{name}/{name}"))


_ALL: Final = (
    _openai_like(
        "openai",
        Text("OpenAI", "OpenAI"),
        "https://api.openai.com/v1",
        help_url="https://platform.openai.com/api-keys",
        key_variable="OPENAI_API_KEY",
    ),
    Preset(
        id="anthropic",
        names=Text("Anthropic", "Anthropic"),
        wire="anthropic",
        base_url="https://api.anthropic.com",
        fields=(_key(placeholder="sk-ant-..."), _url("https://api.anthropic.com")),
        help_url="https://platform.claude.com/settings/keys",
        dify_names=_spellings("anthropic"),
        key_variable="ANTHROPIC_API_KEY",
    ),
    Preset(
        id="azure_openai",
        names=Text("Azure OpenAI", "Azure OpenAI"),
        wire="openai",
        base_url="",
        fields=(
            _key(placeholder="0123456789abcdef..."),
            _url(placeholder="https://NAME.openai.azure.com"),
            Field(name="api_version", label=Text("API version", "API 版本"), default="2024-10-21"),
        ),
        help_url="https://portal.azure.com",
        dify_names=_spellings("azure_openai", "azure"),
        key_variable="AZURE_OPENAI_API_KEY",
    ),
    _openai_like(
        "gemini",
        Text("Google Gemini", "Google Gemini"),
        "https://generativelanguage.googleapis.com/v1beta/openai",
        help_url="https://aistudio.google.com/apikey",
        key_variable="GEMINI_API_KEY",
        others=("google",),
    ),
    _openai_like(
        "deepseek",
        Text("DeepSeek", "深度求索"),
        "https://api.deepseek.com/v1",
        help_url="https://platform.deepseek.com/api_keys",
        key_variable="DEEPSEEK_API_KEY",
    ),
    _openai_like(
        "tongyi",
        Text("Qwen (Alibaba)", "通义千问"),
        "https://dashscope.aliyuncs.com/compatible-mode/v1",
        help_url="https://bailian.console.aliyun.com/?tab=model#/api-key",
        key_variable="DASHSCOPE_API_KEY",
        others=("qwen", "dashscope"),
    ),
    _openai_like(
        "zhipuai",
        Text("Zhipu AI", "智谱 AI"),
        "https://open.bigmodel.cn/api/paas/v4",
        help_url="https://open.bigmodel.cn/usercenter/apikeys",
        key_variable="ZHIPUAI_API_KEY",
        others=("zhipu", "zai"),
    ),
    _openai_like(
        "moonshot",
        Text("Moonshot (Kimi)", "月之暗面 (Kimi)"),
        "https://api.moonshot.cn/v1",
        help_url="https://platform.moonshot.cn/console/api-keys",
        key_variable="MOONSHOT_API_KEY",
    ),
    _openai_like(
        "siliconflow",
        Text("SiliconFlow", "硅基流动"),
        "https://api.siliconflow.cn/v1",
        help_url="https://cloud.siliconflow.cn/account/ak",
        key_variable="SILICONFLOW_API_KEY",
    ),
    _openai_like(
        "volcengine_maas",
        Text("Volcengine Ark (Doubao)", "火山方舟 (豆包)"),
        "https://ark.cn-beijing.volces.com/api/v3",
        help_url="https://console.volcengine.com/ark",
        key_variable="ARK_API_KEY",
        others=("volcengine", "ark", "doubao"),
    ),
    _openai_like(
        "openrouter",
        Text("OpenRouter", "OpenRouter"),
        "https://openrouter.ai/api/v1",
        help_url="https://openrouter.ai/settings/keys",
        key_variable="OPENROUTER_API_KEY",
    ),
    _openai_like(
        "groq",
        Text("Groq", "Groq"),
        "https://api.groq.com/openai/v1",
        help_url="https://console.groq.com/keys",
        key_variable="GROQ_API_KEY",
        others=("groqcloud",),
    ),
    Preset(
        id="ollama",
        names=Text("Ollama", "Ollama"),
        wire="openai",
        base_url="http://127.0.0.1:11434",
        fields=(_url("http://127.0.0.1:11434"), _key(is_required=False)),
        help_url="https://ollama.com/download",
        dify_names=_spellings("ollama"),
    ),
    Preset(
        id="openai_api_compatible",
        names=Text("OpenAI-compatible server", "OpenAI 兼容服务"),
        wire="openai",
        base_url="",
        fields=(_url(placeholder="http://127.0.0.1:8000/v1"), _key(is_required=False)),
        dify_names=_spellings("openai_api_compatible", "oai_compat", "openai-api-compatible"),
    ),
    Preset(
        id="demo",
        names=Text("Demo model (no key needed)", "演示模型（无需密钥）"),
        wire="demo",
        base_url="",
        fields=(),
        dify_names=("demo",),
    ),
)

PRESETS: Final[Mapping[str, Preset]] = {preset.id: preset for preset in _ALL}
_BY_NAME: Final = {name: preset for preset in _ALL for name in (preset.id, *preset.dify_names)}


def resolve(provider: str) -> Preset | None:
    """The preset an app file means: its spelling as it is, else the last part of its path."""
    name = provider.strip().lower()
    return _BY_NAME.get(name) or _BY_NAME.get(name.rsplit("/", 1)[-1])
