"""What can be wrong with a request for labels."""


class LabelError(Exception):
    """Labels that cannot be made; the message says what to do instead."""
