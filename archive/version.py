"""The version that stands in every WARC file and article."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("newswarc")
except PackageNotFoundError:  # read from a checkout that is not installed
    VERSION = "0"
