from cloudkon.errors import CloudKonError


class TemplateError(CloudKonError):
    """A template, or another option of a form, can't be used; the message is the reason that its author reads."""


class RowError(CloudKonError):
    """A row can't be made into a task; the message is the reason that its author reads."""
