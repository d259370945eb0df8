"""Runs a container and prints what it said: python3 run_container.py IMAGE PROGRAM [ARGUMENT ...]"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))

from teu_client import Engine, TeuError  # noqa: E402


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    image, *args = sys.argv[1:]
    with Engine() as engine:
        try:
            result = engine.run(image, args)
        except TeuError as error:
            print(f"{error.reason}: {error}", file=sys.stderr)
            return 125
    sys.stdout.buffer.write(result.stdout)
    sys.stderr.buffer.write(result.stderr)
    return result.exit_code


if __name__ == "__main__":
    sys.exit(main())
