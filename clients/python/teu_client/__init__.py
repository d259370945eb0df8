"""A small client of TEU for Python, on Debian's python3-grpcio."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(__file__)), "gen"))

from .engine import Engine, RunResult  # noqa: E402
from .errors import TeuError  # noqa: E402
from .metering import Meter  # noqa: E402

__all__ = ["Engine", "Meter", "RunResult", "TeuError"]
