from tidemill.kit.errors import AppError


class FormNotFound(AppError):
    status, code = 404, "not_found"


class FormSubmitted(AppError):
    status, code = 412, "human_input_form_submitted"


class FormExpired(AppError):
    status, code = 412, "human_input_form_expired"


class FormInvalid(AppError):
    status, code = 400, "invalid_form_data"
