from tidemill.kit.errors import AppError


class ToolProviderNotFound(AppError):
    status, code = 404, "tool_provider_not_found"


class ToolNotFound(AppError):
    status, code = 404, "tool_not_found"


class ToolNameTaken(AppError):
    status, code = 409, "tool_name_taken"


class ToolRefused(AppError):
    status, code = 422, "tool_refused"
