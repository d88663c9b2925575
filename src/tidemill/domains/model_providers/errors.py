from tidemill.kit.errors import AppError


class ProviderNotFound(AppError):
    status, code = 404, "provider_not_found"


class ModelNotFound(AppError):
    status, code = 404, "model_not_found"


class WindowRequired(AppError):
    status, code = 422, "window_required"


class CredentialIncomplete(AppError):
    status, code = 422, "credential_incomplete"


class ModelUnusable(AppError):
    status, code = 422, "model_unusable"
