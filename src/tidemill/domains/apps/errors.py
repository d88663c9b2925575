from tidemill.kit.errors import AppError


class AppNotFound(AppError):
    status, code = 404, "app_not_found"


class NodeNotFound(AppError):
    status, code = 404, "node_not_found"


class TemplateNotFound(AppError):
    status, code = 404, "template_not_found"


class ImportNotFound(AppError):
    status, code = 404, "import_not_found"


class InvalidFile(AppError):
    status, code = 422, "invalid_file"


class ModeMismatch(AppError):
    status, code = 409, "mode_mismatch"


class VersionNotFound(AppError):
    status, code = 404, "version_not_found"


class NotPublishable(AppError):
    status, code = 422, "not_publishable"
