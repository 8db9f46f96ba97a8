"""The environment variables that periodkit reads, and its default folder for an archive."""

BASE_URL_VARIABLE = "ALO_BASE_URL"
TOKEN_VARIABLE = "ALO_API_TOKEN"  # noqa: S105  (the name of the variable, not a token)
ARCHIVE_VARIABLE = "ALO_ARCHIVE"
KEY_VARIABLE = "ALO_PSEUDONYM_KEY"
DEFAULT_ARCHIVE = "periodkit-archive"
