from tidemill.kit.errors import AppError


class NotSignedIn(AppError):
    status, code = 401, "unauthorized"


class WrongSignIn(AppError):
    status, code = 401, "wrong_email_or_password"


class TooManyAttempts(AppError):
    status, code = 429, "too_many_attempts"


class WeakPassword(AppError):
    status, code = 422, "weak_password"


class EmailTaken(AppError):
    status, code = 409, "email_taken"


class AccountNotFound(AppError):
    status, code = 404, "account_not_found"
