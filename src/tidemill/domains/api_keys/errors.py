from tidemill.kit.errors import AppError


class TooManyApiKeys(AppError):
    status, code = 409, "too_many_api_keys"


class ApiKeyNotFound(AppError):
    status, code = 404, "api_key_not_found"


class ApiKeyTaken(AppError):
    status, code = 409, "api_key_taken"


class MalformedApiKey(AppError):
    status, code = 422, "malformed_api_key"
