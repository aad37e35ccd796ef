"""The one exception that means "you can fix this", and other errors as one line."""


class UserError(Exception):
    """Bad input: arguments, parameters, files. One line that names what is wrong and where.

    Commands print the line and exit with code 2; anything else that is raised is a bug.
    """


def one_line(error: object) -> str:
    """What an error says, or what it is where it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__
