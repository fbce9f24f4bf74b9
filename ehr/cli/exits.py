"""What the command line's exit codes mean: one for each kind of failure."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes, listed in the README; scripts may rely on them."""

    OK = 0
    FAILED = 1  # a check that ran found a fault
    USAGE = 2  # the command line itself is wrong
    SETTINGS = 3  # an EHR_ setting can't be used
    DATABASE = 4  # the database can't be reached or isn't ready
    REFUSED = 5  # the record refused what was asked
    REJECTS = 6  # some of the input was not loaded
    ADDRESS = 7  # the address or port can't be listened on
    INTERNAL = 70  # a fault of this program
    INTERRUPTED = 130  # Ctrl-C
