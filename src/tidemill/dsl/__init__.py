"""App files: read, check, compile, change and write them. Nothing here executes or fetches anything."""

from tidemill.dsl.app_file import CURRENT_VERSION, AppFile
from tidemill.dsl.canvas import Canvas, CanvasEdge, CanvasNode, canvas
from tidemill.dsl.check import Report, check
from tidemill.dsl.compile import CompiledApp, InputField, compile
from tidemill.dsl.edit import map_models, rename_node
from tidemill.dsl.features import Features
from tidemill.dsl.models import ModelUse, model_uses
from tidemill.dsl.moderation import Moderation
from tidemill.dsl.problems import DslInvalid, Problem
from tidemill.dsl.read import read
from tidemill.dsl.variables import Variable
from tidemill.dsl.write import write

__all__ = [
    "CURRENT_VERSION",
    "AppFile",
    "Canvas",
    "CanvasEdge",
    "CanvasNode",
    "CompiledApp",
    "DslInvalid",
    "Features",
    "InputField",
    "ModelUse",
    "Moderation",
    "Problem",
    "Report",
    "Variable",
    "canvas",
    "check",
    "compile",
    "map_models",
    "model_uses",
    "read",
    "rename_node",
    "write",
]
