from tidemill.kit.errors import AppError


class AppUnavailable(AppError):
    status, code = 400, "app_unavailable"


class NotPublished(AppError):
    status, code = 400, "invalid_param"


class NotChatApp(AppError):
    status, code = 400, "not_chat_app"


class NotWorkflowApp(AppError):
    status, code = 400, "not_workflow_app"


class NotCompletionApp(AppError):
    status, code = 400, "app_unavailable"


class StreamingOnly(AppError):
    status, code = 400, "bad_request"


class MalformedVersion(AppError):
    status, code = 400, "bad_request"


class RunNotFound(AppError):
    status, code = 404, "not_found"


class UnknownVersion(AppError):
    status, code = 404, "not_found"


class TooManyRequests(AppError):
    status, code = 429, "too_many_requests"


class InputRefused(AppError):
    status, code = 400, "invalid_param"


class RunUnfinished(AppError):
    """A blocking answer that this process can no longer give; the run itself goes on."""

    status, code = 503, "run_goes_on"


class ServerStopping(AppError):
    status, code = 503, "server_stopping"


class NodeUnknown(AppError):
    status, code = 404, "node_not_found"


class NotFinished(AppError):
    status, code = 409, "run_not_finished"


class RunNotRecorded(AppError):
    status, code = 409, "run_not_recorded"


class ForkRefused(AppError):
    status, code = 400, "invalid_param"
