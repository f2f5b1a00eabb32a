"""Where `wattbit` begins: what signals do is settled before anything slow is imported."""

from __future__ import annotations

import os
import signal
from types import FrameType

INTERRUPTED, TERMINATED = 130, 143
SAYS = {signal.SIGINT: (b"wattbit: interrupted\n", INTERRUPTED), signal.SIGTERM: (b"wattbit: terminated\n", TERMINATED)}


def main() -> None:
    """Run the command line; Ctrl-C and SIGTERM end it with one line each, from the first moment on."""
    for number in SAYS:
        if (
            signal.getsignal(number) is not signal.SIG_IGN
        ):  # a shell's background job ignores Ctrl-C, and goes on doing so
            signal.signal(number, leave_at_once)
    from sweep.cli import main as command_line

    command_line(prog_name="wattbit")


def leave_at_once(number: int, frame: FrameType | None) -> None:
    """End the process where no command is at work yet or any more, so that there is nothing to give back."""
    line, code = SAYS[signal.Signals(number)]
    os.write(2, line)  # no buffer, which the interrupted code may be holding
    os._exit(code)


if __name__ == "__main__":
    main()
