from tidemill.kit.errors import AppError


class ConversationNotFound(AppError):
    status, code = 404, "not_found"


class MessageNotFound(AppError):
    status, code = 404, "not_found"


class VariableNotFound(AppError):
    status, code = 404, "not_found"


class EndUserNotFound(AppError):
    status, code = 404, "end_user_not_found"


class FieldInvalid(AppError):
    status, code = 400, "invalid_param"


class SuggestionsOff(AppError):
    status, code = 400, "bad_request"


class VariableMismatch(AppError):
    status, code = 400, "bad_request"
