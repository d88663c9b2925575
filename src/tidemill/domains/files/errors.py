from tidemill.kit.errors import AppError


class FileNotFound(AppError):
    status, code = 404, "file_not_found"


class FileAccessDenied(AppError):
    status, code = 403, "file_access_denied"


class NoFileUploaded(AppError):
    status, code = 400, "no_file_uploaded"


class TooManyFiles(AppError):
    status, code = 400, "too_many_files"


class FilenameMissing(AppError):
    status, code = 400, "filename_not_exists_error"


class FileRefused(AppError):
    status, code = 400, "invalid_param"


class FileTooLarge(AppError):
    status, code = 413, "file_too_large"


class UnsupportedFileType(AppError):
    status, code = 415, "unsupported_file_type"
