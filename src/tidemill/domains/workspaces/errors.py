from tidemill.kit.errors import AppError


class Forbidden(AppError):
    status, code = 403, "forbidden"


class WrongCsrfToken(AppError):
    status, code = 403, "wrong_csrf_token"


class SetupDone(AppError):
    status, code = 409, "setup_done"


class WrongSetupCode(AppError):
    status, code = 403, "wrong_setup_code"
