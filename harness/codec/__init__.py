"""The data between the stages as files: records of programs and of what happened."""

from harness.codec.files import (
    FORMAT,
    LARGEST,
    VERSION,
    Record,
    dump,
    load,
    read_whole,
    save,
    write_whole,
)
from harness.codec.values import decode, encode
from harness.codec.vocabulary import vocabulary

__all__ = [
    "FORMAT",
    "LARGEST",
    "VERSION",
    "Record",
    "decode",
    "dump",
    "encode",
    "load",
    "read_whole",
    "save",
    "vocabulary",
    "write_whole",
]
