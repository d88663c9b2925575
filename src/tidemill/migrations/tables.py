"""Imports every table, so that `Base.metadata` is whole."""

from tidemill.domains.accounts import models as accounts
from tidemill.domains.api_keys import models as api_keys
from tidemill.domains.apps import models as apps
from tidemill.domains.conversations import models as conversations
from tidemill.domains.files import models as files
from tidemill.domains.humans import models as humans
from tidemill.domains.model_providers import models as model_providers
from tidemill.domains.runs import models as runs
from tidemill.domains.toolbox import models as toolbox
from tidemill.domains.workspaces import models as workspaces
from tidemill.kit.db import Base

__all__ = [
    "accounts",
    "api_keys",
    "apps",
    "conversations",
    "files",
    "humans",
    "metadata",
    "model_providers",
    "runs",
    "toolbox",
    "workspaces",
]

metadata = Base.metadata
